"""The larger picture of a stream, for small faces: looked at part by part, so that no frame waits for all of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.live.parts import Parts
from facered.track.schedule import TileRequest
from lumas import texture

WIDTH, HEIGHT = 1280, 720
MOST = 0.25
"""Megapixels of inference that a frame waits for at most: the usual picture, or a part."""


@pytest.fixture(scope="module")
def small(carphone: Path) -> NDArray[np.uint8]:
    """A wall of 1280 x 720 with a man in three places, so small that he is only found on the larger picture."""
    picture = np.repeat(texture(5, WIDTH, HEIGHT, 20)[..., None], 3, axis=2)
    man = videos.decode(carphone, 1)[0].to_ndarray(format="rgb24").astype(float)
    height, width = man.shape[0] // 3, man.shape[1] // 3
    tiny = man[: 3 * height, : 3 * width].reshape(height, 3, width, 3, 3).mean(axis=(1, 3)).astype(np.uint8)
    for x, y in ((60, 60), (620, 340), (1180, 620)):
        picture[y : y + height, x : x + width] = tiny
    return picture


def frames(pixels: NDArray[np.uint8], count: int, first: int = 0) -> list[av.VideoFrame]:
    made = []
    for number in range(first, first + count):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        made.append(frame)
    return made


def told(given: list[av.VideoFrame], **settings: Any) -> tuple[list[int], list[float]]:
    """Return how many faces are told of in each frame, and how many megapixels it waited for."""
    counts, waited = [], []
    with facered.Redactor(**settings) as redactor:
        for frame in given:
            before = redactor.stats.inference_megapixels
            redactor.process(frame)
            counts.append(len(redactor.faces))
            waited.append(redactor.stats.inference_megapixels - before)
    return counts, waited


def test_small_faces_are_found_soon_and_no_frame_waits_for_more_than_a_usual_detection(
    small: NDArray[np.uint8],
) -> None:
    counts, waited = told(frames(small, 16))
    assert counts[0] == 0  # they are too small for the usual picture
    assert min(counts[10:]) == 3
    assert max(waited[1:]) < MOST
    assert sum(waited) > 6 * 0.15


def test_a_shot_begins_with_the_usual_picture_and_its_own_parts_follow(small: NDArray[np.uint8]) -> None:
    wall = np.repeat(texture(8, WIDTH, HEIGHT, 20)[::-1, ::-1, None], 3, axis=2)
    counts, waited = told([*frames(np.ascontiguousarray(wall), 4), *frames(small, 16, 4)])
    assert min(counts[15:]) == 3
    assert max(waited[1:]) < MOST
    assert waited[4] > 0.24


def test_with_a_size_of_its_own_there_is_no_larger_picture(small: NDArray[np.uint8]) -> None:
    counts, waited = told(frames(small, 16), detect_size=640)
    assert max(counts) == 0
    assert sum(waited) < 16 * MOST


def test_parts_found_late_hide_small_faces_too(small: NDArray[np.uint8]) -> None:
    with facered.Redactor(deadline_ms=10_000) as redactor:
        for frame in frames(small, 24):
            redactor.process(frame)
        assert len(redactor.faces) == 3


@pytest.mark.parametrize(
    ("size", "scale", "within"),
    [
        ((1280, 720), 1.0, None),
        ((1920, 1080), 2 / 3, None),
        ((720, 1280), 1.0, None),
        ((1280, 720), 1.0, (900.0, 200.0, 500.0, 300.0)),
        ((1280, 720), 1.0, (20.0, 700.0, 90.0, 90.0)),
    ],
)
def test_parts_hold_all_that_was_asked_for_and_are_small(
    size: tuple[int, int], scale: float, within: tuple[float, float, float, float] | None
) -> None:
    parts = Parts(size, scale)
    parts.ask(TileRequest(None if within is None else np.array(within)))
    seen = np.zeros(size[::-1], np.bool_)
    while parts:
        box = parts.take().within
        assert box is not None
        left, top = np.floor(box[:2] - box[2:] / 2).astype(int)
        right, bottom = np.ceil(box[:2] + box[2:] / 2).astype(int)
        assert scale * scale * box[2] * box[3] < 0.25e6
        seen[top:bottom, left:right] = True
    whole = within is None
    if within is not None:
        x, y, width, height = within
        low_x, low_y = max(int(x - width / 2), 0), max(int(y - height / 2), 0)
        whole = bool(seen[low_y : int(y + height / 2), low_x : int(x + width / 2)].all())
        assert seen.mean() < 0.7
    else:
        assert seen.all()
    assert whole


def test_the_middle_comes_first() -> None:
    parts = Parts((1280, 720), 1.0)
    parts.ask(TileRequest())
    first = parts.take().within
    assert first is not None
    assert abs(first[0] - 640) < 50
    parts.forget()
    assert not parts
