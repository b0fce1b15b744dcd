"""An analysis that was killed is gone on with, alone or with pass two beside it, and finds the same."""

from __future__ import annotations

import errno
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import facered
import videos
from facered.detect.detector import Detector
from facered.jobs.state import State, place_of
from lumas import texture

SHOTS = [(0, 30), (60, 30), (20, 30), (0, 30), (50, 30), (30, 30)]
"""First frame and count of what is taken of the clip for each shot, every other one between walls."""


def wall(seed: int) -> av.VideoFrame:
    light = texture(seed, 176, 144, 12)
    frame = av.VideoFrame.from_ndarray(np.repeat(light[..., None], 3, axis=2), format="rgb24")
    return frame.reformat(format="yuv420p")


@pytest.fixture(scope="module")
def place(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a film of twelve shots, what is found in it, and what it becomes."""
    folder = tmp_path_factory.mktemp("films")
    man, frames = videos.decode(carphone), []
    for number, (first, count) in enumerate(SHOTS):
        frames += [wall(number)] * 20
        frames += man[first : first + count]
    videos.encode(folder / "foo.mp4", frames, options={"crf": "16"})
    facered.analyze(folder / "foo.mp4", folder / "whole")
    facered.combined(folder / "foo.mp4", folder / "whole" / "foo.mp4", preset="ultrafast")
    return folder


def same(one: Path, other: Path) -> bool:
    """Tell whether two folders hold the same files."""
    names = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in (one, other)]
    return names[0] == names[1]


def full_at(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the disk be full when the segment that begins at a frame, or a later one, is kept."""
    save = State.save

    def full(self: State, name: str) -> None:
        if name.startswith("segment") and int(name.split("-")[1]) >= first:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, name)

    monkeypatch.setattr(State, "save", full)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one each time that the model is run."""
    calls: list[None] = []
    original = Detector._run

    def counted(self: Detector, *arguments: Any) -> Any:
        calls.append(None)
        return original(self, *arguments)

    monkeypatch.setattr(Detector, "_run", counted)
    return calls


@pytest.mark.parametrize("mode", ["analyze", "combined"])
def test_segments_that_are_whole_are_not_analyzed_again(
    place: Path, tmp_path: Path, mode: str, run: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "foo.mp4" if mode == "combined" else tmp_path
    settings = {"preset": "ultrafast"} if mode == "combined" else {}
    call = getattr(facered, mode)
    with monkeypatch.context() as patched:
        full_at(200, patched)
        with pytest.raises(facered.ServiceError, match="No space left on device"):
            call(place / "foo.mp4", output, **settings)
    begun = len(run)
    state = place_of(output if mode == "combined" else tmp_path / "foo_annotations.json")
    assert oct(state.stat().st_mode)[-3:] == "700"
    kept = {path.name for path in state.glob("segment-*") if not path.name.endswith(".new")}
    assert len(kept) == 7  # the first one is short: it is sooner done again
    result = call(place / "foo.mp4", output, resume=True, **settings)
    again = len(run) - begun
    assert 0 < again < result.inference.calls / 2
    whole = facered.analyze(place / "foo.mp4", tmp_path / "whole")
    assert result.inference == whole.inference
    for name, found in (("one", result), ("other", whole)):
        found.annotations.write(tmp_path / f"{name}.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()
    if mode == "combined":
        assert output.read_bytes() == (place / "whole" / "foo.mp4").read_bytes()
    else:
        for path in (tmp_path / "whole").iterdir():
            assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert not state.exists()


@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.soak), pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.parametrize("mode", ["combined", pytest.param("analyze", marks=pytest.mark.soak)])
def test_after_kills_at_any_moment_all_is_the_same(
    place: Path, tmp_path: Path, mode: str, kills: int, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(kills)  # noqa: S311
    output = tmp_path / "foo.mp4" if mode == "combined" else tmp_path
    call = [sys.executable, "-m", "facered", mode, str(place / "foo.mp4"), "-o", str(output), "-q", "--overwrite"]
    call += ["--preset", "ultrafast"] if mode == "combined" else []
    begun = time.monotonic()
    subprocess.run(call, check=True)
    seconds = time.monotonic() - begun
    for _ in range(kills):
        job = subprocess.Popen([*call, "--resume"])
        time.sleep(chance.uniform(0.3, 0.95) * seconds)
        job.kill()
        job.wait()
    subprocess.run([*call, "--resume"], check=True)
    if mode == "combined":
        assert output.read_bytes() == (place / "whole" / "foo.mp4").read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == ["foo.mp4"]
    else:
        (place / "whole" / "foo.mp4").rename(place / "foo_whole.mp4")
        try:
            assert same(tmp_path, place / "whole")
        finally:
            (place / "foo_whole.mp4").rename(place / "whole" / "foo.mp4")
    record_property("kills with --resume", kills)


def test_a_damaged_piece_is_told(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        full_at(200, patched)
        with pytest.raises(facered.ServiceError):
            facered.analyze(place / "foo.mp4", tmp_path)
    piece = sorted(place_of(tmp_path / "foo_annotations.json").glob("segment-*0"))[0]
    content = bytearray(piece.read_bytes())
    content[-20] ^= 1
    piece.write_bytes(content)
    with pytest.raises(facered.ServiceError, match="is damaged; begin anew without --resume"):
        facered.analyze(place / "foo.mp4", tmp_path, resume=True)
    facered.analyze(place / "foo.mp4", tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"), [({"threshold": 0.4}, "threshold was 0.3 and is 0.4"), ({"detect": "every"}, "detect was")]
)
def test_other_settings_are_told(
    place: Path, tmp_path: Path, changed: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        full_at(200, patched)
        with pytest.raises(facered.ServiceError):
            facered.analyze(place / "foo.mp4", tmp_path)
    with pytest.raises(facered.ConfigurationUnsupportedError, match=told):
        facered.analyze(place / "foo.mp4", tmp_path, resume=True, **changed)
