"""Files that appear whole and together, or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from facered.runtime import replace
from facered.runtime.replace import BusyError, FileSet, recover, write_whole


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


def test_until_it_is_published_nothing_changes_but_a_directory_of_ours(target: Path, before: dict[str, bytes]) -> None:
    with FileSet([target]) as files:
        files.file(target).write_bytes(b"new")
        (place,) = {path for path in target.parent.iterdir() if path.is_dir()}
        assert place.name == ".foo.json.facered"
        assert place.stat().st_mode & 0o777 == 0o700
        assert {path.name: path.read_bytes() for path in target.parent.iterdir() if path.is_file()} == before
        files.publish()
    assert contents(target.parent) == {"foo.json": b"new"}


def test_what_is_not_published_leaves_nothing(target: Path, before: dict[str, bytes]) -> None:
    with FileSet([target]) as files:
        files.file(target).write_bytes(b"new")
    assert contents(target.parent) == before


@pytest.mark.parametrize("letter", ["x", "é", "\udcff"])
def test_names_may_be_as_long_as_names_can_be(tmp_path: Path, letter: str) -> None:
    size = len(os.fsencode(letter))
    one, other = (tmp_path / (letter * (254 // size) + end) for end in "ab")
    with FileSet([one]) as first, FileSet([other]) as second:
        first.file(one).write_bytes(b"one")
        second.file(other).write_bytes(b"other")
        first.publish()
        second.publish()
    assert contents(tmp_path) == {one.name: b"one", other.name: b"other"}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_nothing(
    target: Path, before: dict[str, bytes], error: type[BaseException]
) -> None:
    def fail() -> None:
        with FileSet([target]) as files:
            files.file(target).write_bytes(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(target.parent) == before


def test_an_error_between_two_pieces_leaves_nothing(target: Path, before: dict[str, bytes]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one "
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
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        write_whole(tmp_path / parent / "foo.json", b"new")


NAMES = ("foo.json", "foo.mp4")
OLD = {"foo.json": b"old", "foo.mp4": b"old", "foo1.jpg": b"old", "foo2.jpg": b"old", "other": b"other"}
NEW = {"foo.json": b"new", "foo.mp4": b"new", "foo1.jpg": b"new", "other": b"other"}


class TestSeveral:
    """Two named files, a third one that belongs to them, and one that is to go."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name, content in OLD.items():
            (tmp_path / name).write_bytes(content)
        return tmp_path

    def make(self, folder: Path) -> None:
        with FileSet([folder / name for name in NAMES]) as files:
            for name in ("foo1.jpg", *NAMES):
                files.file(folder / name).write_bytes(b"new")
            files.publish([folder / "foo2.jpg"])

    def test_they_appear_together(self, folder: Path) -> None:
        self.make(folder)
        assert contents(folder) == NEW

    def test_the_last_name_comes_last(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        named, rename = [], Path.replace

        def watched(path: Path, target: Path) -> Path:
            if path.exists():
                named.append(Path(target).name)
            return rename(path, target)

        monkeypatch.setattr(Path, "replace", watched)
        self.make(folder)
        assert named == ["commit", "foo1.jpg", "foo.json", "foo.mp4"]

    @pytest.mark.parametrize("failing", ["foo1.jpg", "foo.json", "foo.mp4"])
    @pytest.mark.parametrize("error", [PermissionError(errno.EPERM, "no"), KeyboardInterrupt()])
    def test_an_error_at_any_name_leaves_the_old_ones(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
    ) -> None:
        rename = Path.replace

        def fails(path: Path, target: Path) -> Path:
            if Path(target) == folder / failing and path.parent.name == "new":
                raise error
            return rename(path, target)

        monkeypatch.setattr(Path, "replace", fails)
        with pytest.raises(type(error)):
            self.make(folder)
        assert contents(folder) == OLD

    def test_what_has_come_in_the_way_stays(self, folder: Path) -> None:
        (folder / "foo.mp4").unlink()
        with FileSet([folder / "foo.mp4"]) as files:
            files.file(folder / "foo.mp4").write_bytes(b"new")
            (folder / "foo.mp4").symlink_to("nowhere")
            with pytest.raises(FileExistsError):
                files.publish(overwrite=False)
        assert os.readlink(folder / "foo.mp4") == "nowhere"  # noqa: PTH115

    def test_a_process_that_is_killed_leaves_all_old_or_all_new(self, folder: Path) -> None:
        """It is killed at every call of the system that changes a directory; the next one puts it right."""
        script = """
import os, signal, sys
from pathlib import Path
from facered.runtime.replace import FileSet
left, folder = int(sys.argv[1]), Path(sys.argv[2])
def audit(event, args):
    global left
    if event in ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "open"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
with FileSet([folder / "foo.json", folder / "foo.mp4"]) as files:
    for name in ("foo1.jpg", "foo.json", "foo.mp4"):
        files.file(folder / name).write_bytes(b"new")
    sys.addaudithook(audit)
    files.publish([folder / "foo2.jpg"])
    sys.addaudithook(lambda *_: None)
"""
        seen = []
        for moment in range(60):
            for name, content in OLD.items():
                (folder / name).write_bytes(content)
            done = subprocess.run([sys.executable, "-c", script, str(moment), str(folder)], check=False)
            recover(folder)
            found = contents(folder)
            assert found in (OLD, NEW), moment
            seen.append(found == NEW)
            if done.returncode != -signal.SIGKILL:
                break
        assert seen == sorted(seen)
        assert not seen[0]
        assert len(seen) > 10
        assert done.returncode == 0


class TestOthers:
    def test_the_same_file_is_not_made_twice_at_a_time(self, target: Path) -> None:
        with FileSet([target]):
            with pytest.raises(BusyError):
                FileSet([target]).claim()
            with FileSet([target.with_name("other.json")]):
                pass
        with FileSet([target]):
            pass

    def test_nor_in_another_process(self, target: Path) -> None:
        script = "import sys; from facered.runtime.replace import *; FileSet([Path(sys.argv[1])]).claim()"
        with FileSet([target]):
            done = subprocess.run(
                [sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=False
            )
        assert "BusyError" in done.stderr

    def test_of_many_at_once_one_wins_and_nothing_is_mixed(self, tmp_path: Path) -> None:
        names, busy = [tmp_path / "foo.json", tmp_path / "foo.mp4"], []

        def make(number: int) -> None:
            for turn in range(20):
                try:
                    with FileSet(names if number % 2 else names[::-1]) as files:
                        for name in names:
                            files.file(name).write_bytes(b"%d %d" % (number, turn))
                        files.publish()
                except BusyError:
                    busy.append(number)

        threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one, other = contents(tmp_path).values()
        assert one == other
        assert len(busy) < 80

    def test_what_a_killed_process_left_is_cleaned_up_by_the_next(self, tmp_path: Path) -> None:
        script = (
            "import os, sys, pathlib; from facered.runtime.replace import *; target = pathlib.Path(sys.argv[1]);"
            "files = FileSet([target]).claim(); files.file(target).write_bytes(b'half'); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "foo.mp4")], check=False)
        assert [path.name for path in tmp_path.iterdir()] == [".foo.mp4.facered"]
        with FileSet([tmp_path / "other.mp4"]):
            assert [path.name for path in tmp_path.iterdir()] == [".other.mp4.facered"]

    def test_what_a_living_process_makes_is_left_alone(self, target: Path, before: dict[str, bytes]) -> None:
        with FileSet([target]) as files:
            files.file(target).write_bytes(b"new")
            recover(target.parent)
            files.publish()
        assert contents(target.parent) == before | {"foo.json": b"new"}

    @pytest.mark.parametrize("kind", ["link", "file"])
    def test_what_somebody_has_planted_is_neither_followed_nor_deleted(self, tmp_path: Path, kind: str) -> None:
        place, elsewhere = tmp_path / ".foo.mp4.facered", tmp_path / "elsewhere"
        (elsewhere / "new").mkdir(parents=True)
        (elsewhere / "new" / "foo.mp4").write_bytes(b"theirs")
        if kind == "link":
            place.symlink_to(elsewhere)
        else:
            place.write_bytes(b"theirs")
        with pytest.raises(OSError, match=r"foo\.mp4\.facered"):
            FileSet([tmp_path / "foo.mp4"]).claim()
        assert (elsewhere / "new" / "foo.mp4").read_bytes() == b"theirs"
        assert place.is_symlink() == (kind == "link")

    @pytest.mark.parametrize(
        "journal",
        [
            '[[], ["../victim"]]', '[[], ["{victim}"]]', '[["../victim"], []]', '[[], ["foo.mp4"]]',
            '[["foo.mp4"], []]', '[[".."], []]',
            '[[""], []]', "", "null", "[]", "[[[", "[1, 2]", '[["a\\u0000"], []]', "[[" * 5000,
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("marked", [None, "1 2", "own"])
    def test_a_journal_from_elsewhere_is_not_believed(self, tmp_path: Path, journal: str, marked: str | None) -> None:
        """It came in an archive, or on a disk; with a mark of our own, which nobody can know, it cannot reach out."""
        folder, victim = tmp_path / "folder", tmp_path / "victim"
        place = folder / ".foo_redacted.mp4.facered"
        (place / "new").mkdir(parents=True)
        for file in (folder / "foo.mp4", victim, place / "new" / "foo.mp4", place / "new" / "victim"):
            file.write_text("planted" if file.parent.name == "new" else "theirs")
        (place / "commit").write_text(journal.replace("{victim}", str(victim)))
        if marked is not None:
            about = place.lstat()
            (place / "mark").write_text(f"{about.st_dev} {about.st_ino}" if marked == "own" else marked)
        recover(folder)
        assert victim.read_text() == "theirs"
        if marked != "own":
            assert (folder / "foo.mp4").read_text() == "theirs"
            assert (place / "new" / "victim").read_text() == "planted"
            with pytest.raises(OSError, match="not ours"):
                FileSet([folder / "foo_redacted.mp4"]).claim()

    def test_nor_do_links_and_pipes_lead_out(self, tmp_path: Path) -> None:
        place, secret = tmp_path / ".foo.mp4.facered", tmp_path / "secret"
        place.mkdir()
        secret.mkdir()
        (secret / "id").write_text("theirs")
        about = place.lstat()
        (place / "mark").write_text(f"{about.st_dev} {about.st_ino}")
        (place / "new").symlink_to(secret)
        (place / "commit").write_text('[["id"], []]')
        recover(tmp_path)
        assert (secret / "id").read_text() == "theirs"
        assert not (tmp_path / "id").exists()
        place.mkdir()
        os.mkfifo(place / "commit")
        (place / "mark").write_text(f"{place.lstat().st_dev} {place.lstat().st_ino}")
        recover(tmp_path)
        assert not place.exists()

    def test_nor_is_what_is_of_another_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = tmp_path / ".foo.mp4.facered"
        (place / "new").mkdir(parents=True)
        monkeypatch.setattr(replace.os, "geteuid", lambda: os.getuid() + 1)
        recover(tmp_path)
        assert (place / "new").is_dir()
        with pytest.raises(PermissionError):
            FileSet([tmp_path / "foo.mp4"]).claim()
