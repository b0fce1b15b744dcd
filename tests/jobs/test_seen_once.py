"""Faces that are seen in one frame only: photos, slide shows, a stray frame beside a cut, few frames a second."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from lumas import texture

ACROSS, DOWN = 4, 2
"""A group photo has so many people in a row, and so many rows."""

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def people(carphone: Path) -> list[Pixels]:
    """The same person in eight moments: 104 x 144 pixels with the head in the middle."""
    frames = videos.decode(carphone, 113)
    return [frames[16 * number].to_ndarray(format="rgb24")[:, 36:140] for number in range(ACROSS * DOWN)]


def group(people: list[Pixels]) -> av.VideoFrame:
    rows = [np.concatenate(people[row * ACROSS : (row + 1) * ACROSS], axis=1) for row in range(DOWN)]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(np.concatenate(rows)), format="rgb24")


def scenery(seed: int) -> av.VideoFrame:
    luma = texture(seed, 104 * ACROSS, 144 * DOWN, 12)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(np.repeat(luma[..., None], 3, axis=2)), format="rgb24")


def faces(video: Path, out: Path) -> list[int]:
    """Return how many of the eight people are hidden in each frame."""
    found = facered.analyze(video, out).annotations
    counts = []
    for frame in range(len(found.pts)):
        boxes = found.pixel_boxes(frame)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        counts.append(len({(int(x // 104), int(y // 144)) for x, y in middles.tolist()}))
    return counts


def test_everybody_in_a_photo(people: list[Pixels], tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 104 * ACROSS, 144 * DOWN, "rgb24"
        container.mux([*stream.encode(group(people)), *stream.encode(None)])
    assert faces(path, tmp_path / "out") == [ACROSS * DOWN]


@pytest.mark.parametrize("rate", [1, 25])
def test_everybody_in_a_slide_show_of_a_frame_a_slide(rate: int, people: list[Pixels], tmp_path: Path) -> None:
    slides = [scenery(1), group(people), scenery(2), group(people[::-1]), scenery(3)]
    video = videos.encode(tmp_path / "foo.mp4", slides, time_base=Fraction(1, rate), rate=Fraction(rate))
    assert faces(video, tmp_path / "out")[1::2] == [ACROSS * DOWN] * 2


@pytest.mark.parametrize("at", [12, 11])
def test_everybody_in_a_stray_frame_beside_a_cut(at: int, people: list[Pixels], tmp_path: Path) -> None:
    frames = [*[scenery(1)] * 12, *[scenery(2)] * 12]
    frames[at] = group(people)
    video = videos.encode(tmp_path / "foo.mp4", frames)
    assert faces(video, tmp_path / "out")[at] == ACROSS * DOWN


@pytest.mark.parametrize("rate", [1, 6])
def test_who_passes_within_a_frame_where_there_are_few_a_second(
    rate: int, people: list[Pixels], tmp_path: Path
) -> None:
    frames = [scenery(1)] * 12
    passing = scenery(1).to_ndarray(format="rgb24")
    passing[72:216, 150:254] = people[0]
    frames[6] = av.VideoFrame.from_ndarray(passing, format="rgb24")
    video = videos.encode(tmp_path / "foo.mp4", frames, time_base=Fraction(1, rate), rate=Fraction(rate))
    assert facered.analyze(video, tmp_path / "out").people >= 1
    assert faces(video, tmp_path / "again")[6] >= 1
