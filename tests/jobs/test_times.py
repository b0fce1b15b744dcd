"""One scene in many containers and at many rates: what is hidden follows from the frames' own times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import Detector
from facered.video.picture import view
from lumas import wall

FRAMES, ENTERS, STEP = 60, 20, 16
"""Somebody comes into the picture from the right, in the 20th frame, 16 pixels a frame, and stays."""
TELLS_NOTHING = Fraction(1000)
"""The rate that containers tell whose clock has milliseconds and that say nothing of frames."""


@dataclass(frozen=True)
class Scene:
    """Frames, and the face's (4,) box, x, y, width, height in pixels, in each, where all of it is seen."""

    frames: list[av.VideoFrame]
    faces: dict[int, NDArray[np.float64]]


@pytest.fixture(scope="module")
def scene(carphone: Path) -> Scene:
    person = videos.decode(carphone, 1)[0]
    found = Detector().detect(view(person), 0.5).boxes[0]
    face = np.array([found[0], found[1], found[2] - found[0], found[3] - found[1]], np.float64)
    shown = person.to_ndarray(format="rgb24")
    background = np.repeat(wall(352, 240)[..., None], 3, axis=2)
    frames, faces = [], {}
    for number in range(FRAMES):
        left = 352 - min(max(number - ENTERS, 0) * STEP, 176)
        picture = background.copy()
        picture[48 : 48 + 144, left:352] = shown[:, : 352 - left]
        frames.append(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        box = face + np.array([left, 48, 0, 0])
        if box[0] + box[2] <= 352:
            faces[number] = box
    return Scene(frames, faces)


def bare(scene: Scene, found: facered.Annotations) -> list[int]:
    """Return the frames in which the face's middle two thirds are not all hidden."""
    corners = np.array([[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)]) / 3
    missed = []
    for number, (x, y, width, height) in scene.faces.items():
        points = corners * [width, height] + [x + width / 2, y + height / 2]
        hidden = np.zeros(len(points), np.bool_)
        for x1, y1, x2, y2 in found.pixel_boxes(number):
            middle, half = np.array([x1 + x2, y1 + y2]) / 2, np.array([x2 - x1, y2 - y1]) / 2
            hidden |= (((points - middle) / half) ** 2).sum(axis=1) <= 1
        if not hidden.all():
            missed.append(number)
    return missed


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


@pytest.mark.parametrize("name", KINDS)
def test_everybody_is_hidden_in_every_container(name: str, scene: Scene, tmp_path: Path) -> None:
    found = facered.analyze(made(tmp_path / name, scene.frames, Fraction(25)), tmp_path / "out").annotations
    assert len(found.pts) == FRAMES
    assert bare(scene, found) == []
    assert found.rate == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize("rate", [1, 5, 25, 240])
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
    monkeypatch.setattr("facered.video.input.file.told_rate", lambda _: told)
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
