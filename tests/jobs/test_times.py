"""One scene in many containers and at many rates: what is hidden follows from the frames' own times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import entering
import facered
import videos
from entering import FRAMES, Scene, bare
from thinned import thinned

TELLS_NOTHING = Fraction(1000)
"""The rate that containers tell whose clock has milliseconds and that say nothing of frames."""


@pytest.fixture(scope="module")
def scene(carphone: Path) -> Scene:
    return entering.make(carphone)


KINDS = {
    "foo.mp4": {"codec": "libx264", "time_base": Fraction(1, 12800)},
    "foo.ts": {"codec": "mpeg2video", "time_base": Fraction(1, 25)},
    "foo.wmv": {"codec": "wmv2", "time_base": Fraction(1, 1000)},
    "foo.avi": {"codec": "mpeg4", "time_base": Fraction(1, 25)},
    "foo.mkv": {"codec": "libx264", "time_base": Fraction(1, 1000)},
    "foo.webm": {"codec": "libvpx-vp9", "time_base": Fraction(1, 1000), "options": {"cpu-used": "8"}},
    "foo.nut": {"codec": "mpeg4", "time_base": Fraction(1, 50000)},
}


def made(path: Path, frames: list[av.VideoFrame], rate: Fraction, jitter: int = 0) -> Path:
    kind = KINDS[path.name]
    base = kind["time_base"] if kind["time_base"].denominator > 100 else 1 / rate
    rng = np.random.default_rng(0)
    ticks = [round(number / rate / base) + int(rng.integers(-jitter, jitter + 1)) for number in range(len(frames))]
    return videos.encode(path, frames, **{**kind, "time_base": base, "ticks": ticks, "rate": rate})


@pytest.mark.parametrize("name", thinned(KINDS))
def test_everybody_is_hidden_in_every_container(name: str, scene: Scene, tmp_path: Path) -> None:
    found = facered.analyze(made(tmp_path / name, scene.frames, Fraction(25)), tmp_path / "out").annotations
    assert len(found.pts) == FRAMES
    assert bare(scene, found) == []
    assert found.rate == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize("rate", thinned([1, 5, 240, 25]))
def test_everybody_is_hidden_at_every_rate(rate: int, scene: Scene, tmp_path: Path) -> None:
    found = facered.analyze(made(tmp_path / "foo.mp4", scene.frames, Fraction(rate)), tmp_path / "out").annotations
    assert bare(scene, found) == []
    assert found.rate == pytest.approx(rate, rel=0.1)


def test_times_that_tremble(scene: Scene, tmp_path: Path) -> None:
    video = made(tmp_path / "foo.webm", scene.frames, Fraction(25), jitter=12)
    found = facered.analyze(video, tmp_path / "out").annotations
    assert bare(scene, found) == []
    assert found.rate == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize("told", [TELLS_NOTHING, Fraction(90000), Fraction(4_200_000), Fraction(1, 100)])
def test_what_a_file_tells_of_its_rate_does_not_matter(
    told: Fraction, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facered.video.input.decode.told_rate", lambda _: told)
    found = facered.analyze(made(tmp_path / "foo.mp4", scene.frames, Fraction(25)), tmp_path / "out").annotations
    assert bare(scene, found) == []
    assert found.rate == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize(("before", "after"), [(25, 2), (2, 25)])
def test_a_rate_that_changes_in_the_middle(before: int, after: int, scene: Scene, tmp_path: Path) -> None:
    half = FRAMES // 2
    ticks = [1000 * number // before for number in range(half)]
    ticks += [ticks[-1] + 1000 * (number + 1) // after for number in range(FRAMES - half)]
    kind = {**KINDS["foo.mkv"], "ticks": ticks, "rate": Fraction(before)}
    found = facered.analyze(videos.encode(tmp_path / "foo.mkv", scene.frames, **kind), tmp_path / "out").annotations
    assert bare(scene, found) == []


def test_a_hostile_clock_takes_no_more_time_than_any_other(scene: Scene, tmp_path: Path) -> None:
    """All frames within microseconds: seconds never come, by the times, nor by what is told."""
    kind = {**KINDS["foo.mp4"], "time_base": Fraction(1, 4_000_000), "rate": Fraction(4_000_000)}
    found = facered.analyze(videos.encode(tmp_path / "foo.mp4", scene.frames, **kind), tmp_path / "out")
    assert bare(scene, found.annotations) == []
    assert found.seconds < 60


@pytest.mark.parametrize("last", [28, 30, 33])
@pytest.mark.parametrize("cut", [False, True])
def test_who_comes_in_just_before_a_shot_ends(last: int, cut: bool, scene: Scene, tmp_path: Path) -> None:
    """At 240 frames a second no detection is due any more in the last twelfth of a second."""
    frames = scene.frames[: last + 1]
    if cut:
        frames = [*frames, *[inverted(frames[0])] * 6]
    found = facered.analyze(made(tmp_path / "foo.mp4", frames, Fraction(240)), tmp_path / "out").annotations
    shown = Scene(frames, {number: box for number, box in scene.faces.items() if number <= last})
    assert shown.faces
    assert bare(shown, found) == []


def inverted(frame: av.VideoFrame) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(255 - frame.to_ndarray(format="rgb24"), format="rgb24")
