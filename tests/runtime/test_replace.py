"""Files that appear whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facered.runtime.replace import Replacement, write_whole


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(params=["new", "old"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a name that nothing has yet, or that of a file."""
    path = tmp_path / "foo.json"
    if request.param == "old":
        path.write_bytes(b"old")
    return path


@pytest.fixture
def before(target: Path) -> dict[str, bytes]:
    return contents(target.parent)


@pytest.mark.parametrize("content", [b"one two", [b"one ", b"two"], (piece for piece in (b"one ", b"", b"two"))])
def test_bytes_and_pieces_are_written(tmp_path: Path, content: object) -> None:
    write_whole(tmp_path / "foo.json", content)  # type: ignore[arg-type]
    assert contents(tmp_path) == {"foo.json": b"one two"}


def test_until_it_is_committed_only_the_partial_file_changes(target: Path, before: dict[str, bytes]) -> None:
    replacement = Replacement(target)
    assert contents(target.parent) == before
    replacement.partial.write_bytes(b"new")
    assert contents(target.parent) == before | {f".foo.json.{os.getpid()}.part": b"new"}
    replacement.commit()
    assert contents(target.parent) == {"foo.json": b"new"}
    replacement.discard()
    assert contents(target.parent) == {"foo.json": b"new"}


@pytest.mark.parametrize("letter", ["x", "é", "\udcff"])
def test_names_may_be_as_long_as_names_can_be(tmp_path: Path, letter: str) -> None:
    size = len(os.fsencode(letter))
    one, other = (tmp_path / (letter * (254 // size) + end) for end in "ab")
    with Replacement(one) as first, Replacement(other) as second:
        first.partial.write_bytes(b"one")
        second.partial.write_bytes(b"other")
    assert contents(tmp_path) == {one.name: b"one", other.name: b"other"}


def test_what_is_discarded_leaves_nothing(target: Path, before: dict[str, bytes]) -> None:
    replacement = Replacement(target)
    replacement.discard()  # there is no partial file yet
    replacement.partial.write_bytes(b"new")
    replacement.discard()
    assert contents(target.parent) == before


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_nothing(
    target: Path, before: dict[str, bytes], error: type[BaseException]
) -> None:
    def fail() -> None:
        with Replacement(target) as replacement:
            replacement.partial.write_bytes(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(target.parent) == before


def test_an_error_between_two_pieces_leaves_nothing(target: Path, before: dict[str, bytes]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one "
        assert len(contents(target.parent)) == len(before) + 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_whole(target, pieces())
    assert contents(target.parent) == before


def test_a_name_that_is_taken_by_a_directory_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "foo.json" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match=r"foo\.json"):
        write_whole(tmp_path / "foo.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["foo.json"]


@pytest.mark.parametrize("parent", ["none", "file"])
def test_the_error_is_that_of_writing(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((FileNotFoundError, NotADirectoryError)) as caught:
        write_whole(tmp_path / parent / "foo.json", b"new")
    assert caught.value.__context__ is None
