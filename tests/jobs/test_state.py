"""What a dead job has left is taken up by one of the same input and settings, and by no other."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError, JobCanceledError, ServiceError
from facered.jobs.state import State, open_state, place_of

FACTS: dict[str, object] = {"size of the input": 7, "crf": 18.0}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "foo.mp4"


def begun(output: Path, facts: dict[str, object] | None = FACTS, resume: bool = False) -> State:
    return open_state(output, lambda: facts, resume=resume)


def keep(state: State, name: str, content: bytes) -> None:
    draft = state.draft(name)
    assert draft is not None
    draft.write_bytes(content)
    state.save(name)


@pytest.fixture
def left(output: Path) -> Path:
    """Return the directory that a dead job has left."""
    state = begun(output)
    keep(state, "one", b"1")
    (state.place / "two.new").write_bytes(b"half")
    state.close()
    return state.place


def test_nothing_is_made_before_there_is_a_piece(output: Path) -> None:
    with begun(output) as state:
        assert state.find("one") is None
        assert not list(output.parent.iterdir())
        keep(state, "one", b"1")
        assert state.find("one") is not None
        assert stat.S_IMODE(state.place.stat().st_mode) == 0o700
    assert not list(output.parent.iterdir())


def test_whole_pieces_are_found_again_and_halves_are_not(output: Path, left: Path) -> None:
    with begun(output, resume=True) as state:
        assert (left / "one") == state.find("one")
        assert state.find("two") is None
        assert sorted(path.name for path in left.iterdir()) == ["manifest.json", "one"]
    assert not left.exists()


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({**FACTS, "crf": 20.0}, r"foo\.mp4: .* as crf was 18\.0 and is 20\.0; leave out --resume"),
        ({**FACTS, "size of the input": 8}, "size of the input was 7 and is 8"),
        ({"crf": 18.0}, "size of the input was 7 and is null"),
        ({**FACTS, "codec": "av1"}, r"codec was null and is .av1."),
        (None, "nobody can tell whether the input is still the same"),
    ],
)
@pytest.mark.usefixtures("left")
def test_what_differs_is_told_and_nothing_is_lost(output: Path, facts: dict[str, object] | None, told: str) -> None:
    with pytest.raises(ConfigurationUnsupportedError, match=told):
        begun(output, facts, resume=True)
    with begun(output, resume=True) as state:
        assert state.find("one") is not None


@pytest.mark.usefixtures("left")
def test_another_version_is_not_taken_up(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facered.jobs.state.VERSION", 2)
    with pytest.raises(ConfigurationUnsupportedError, match="version of the state was 1 and is 2"):
        begun(output, resume=True)


def test_without_resume_the_next_job_begins_anew(output: Path, left: Path) -> None:
    with begun(output) as state:
        assert not left.exists()
        assert state.find("one") is None


def test_the_state_of_a_living_job_is_left_alone(output: Path) -> None:
    with begun(output) as living:
        keep(living, "one", b"1")
        code = (
            "import sys; from pathlib import Path; from facered.jobs.state import open_state\n"
            "with open_state(Path(sys.argv[1]), dict, resume=False) as state: assert state.draft('one') is None\n"
        )
        subprocess.run([sys.executable, "-c", code, output], check=True)
        assert (living.place / "one").read_bytes() == b"1"
        with pytest.raises(ConfigurationUnsupportedError, match="is another job's, or not ours"):
            begun(output, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_what_is_not_ours_is_neither_believed_nor_touched(output: Path, left: Path, resume: bool) -> None:
    copy = output.with_name("bar.mp4")
    subprocess.run(["cp", "-r", left, place_of(copy)], check=True)  # it has another inode
    with begun(copy, resume=resume) as state:
        assert state.find("one") is None
        assert state.draft("three") is None
    assert (place_of(copy) / "one").read_bytes() == b"1"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"facts": 7}'])
def test_a_manifest_that_makes_no_sense_is_not_believed(output: Path, left: Path, content: bytes) -> None:
    (left / "manifest.json").write_bytes(content)
    with begun(output, resume=True) as state:
        assert state.find("one") is None


def test_what_a_job_left_that_died_at_once_is_no_hindrance(output: Path) -> None:
    place_of(output).mkdir()
    (place_of(output) / "manifest.json.new").write_bytes(b"{")
    with begun(output, resume=True) as state:
        keep(state, "one", b"1")
    assert not place_of(output).exists()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (ServiceError("the disk is full"), True),
        (MemoryError(), True),
        (JobCanceledError("canceled"), False),
        (KeyboardInterrupt(), False),
        (ContentMalformedError("has changed"), False),
    ],
)
def test_pieces_stay_after_errors_after_which_one_can_go_on(output: Path, error: BaseException, stays: bool) -> None:
    state = begun(output)
    keep(state, "one", b"1")
    with pytest.raises(type(error)), state:
        raise error
    assert state.place.exists() == stays


def test_an_input_that_cannot_be_known_again_has_no_state(output: Path) -> None:
    with begun(output, None) as state:
        assert state.draft("one") is None
    assert not list(output.parent.iterdir())


def test_a_long_name_is_no_hindrance(tmp_path: Path) -> None:
    with begun(tmp_path / ("ö" * 125 + ".mp4")) as state:
        keep(state, "one", b"1")
        assert len(os.fsencode(state.place.name)) <= 255


def test_nothing_is_left_where_there_are_no_locks(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlockable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unlockable)
    with begun(output) as state:
        assert state.draft("one") is None
    assert not list(output.parent.iterdir())


def test_a_thread_that_outlives_the_job_keeps_nothing(output: Path) -> None:
    with begun(output) as state:
        keep(state, "one", b"1")
    assert state.draft("two") is None
    assert not list(output.parent.iterdir())
