"""The small luma pictures in which shots are told apart and faces are followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import videos
from facered.video.picture import Picture, view
from facered.video.shrink import MAX_LONGER_SIDE, MIN_LONGER_SIDE, Shrinker

if TYPE_CHECKING:
    from pathlib import Path


def gray(width: int, height: int, luma: int) -> Picture:
    return Picture(np.full((height, width), luma, np.uint8), None, None, "bt601", False)


@pytest.mark.parametrize(
    ("longer", "shrunk"),
    [
        (2, 2),
        (MIN_LONGER_SIDE // 2, MIN_LONGER_SIDE // 2),
        (MIN_LONGER_SIDE, MIN_LONGER_SIDE),
        (2 * MIN_LONGER_SIDE, MIN_LONGER_SIDE),
        (2 * MAX_LONGER_SIDE - 100, MAX_LONGER_SIDE - 50),
        (2 * MAX_LONGER_SIDE, MAX_LONGER_SIDE),
        (8 * MAX_LONGER_SIDE, MAX_LONGER_SIDE),
    ],
)
def test_the_longer_side_is_half_the_picture_within_bounds_and_never_enlarged(longer: int, shrunk: int) -> None:
    shrink = Shrinker()
    for width, height in ((longer, longer // 2), (longer // 2, longer)):
        luma = shrink(gray(width, height, 77))
        assert luma.shape == ((shrunk // 2, shrunk) if width > height else (shrunk, shrunk // 2))
        assert luma.dtype == np.uint8
        assert (luma == 77).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (97, 61)])
def test_pictures_of_any_size_have_small_ones(size: tuple[int, int]) -> None:
    luma = Shrinker()(gray(*size, 50))
    assert min(luma.shape) >= 1
    assert max(luma.shape) <= MAX_LONGER_SIDE


def test_a_small_picture_is_copied(carphone: Path) -> None:
    (frame,) = videos.decode(carphone, 1)
    for picture in (view(frame), view(frame.reformat(format="nv12"))):
        np.testing.assert_array_equal(Shrinker()(picture), videos.samples(frame)[0])


def test_a_large_picture_is_averaged(carphone: Path) -> None:
    (frame,) = videos.decode(carphone, 1)
    large = view(videos.enlarge(frame, 2 * MIN_LONGER_SIDE, MIN_LONGER_SIDE))
    cells = large.y.reshape(MIN_LONGER_SIDE // 2, 2, MIN_LONGER_SIDE, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(Shrinker()(large), cells, atol=1)


def test_each_small_picture_is_the_callers() -> None:
    shrink = Shrinker()
    first = shrink(gray(640, 360, 50))
    assert (shrink(gray(640, 360, 90)) == 90).all()
    assert (shrink(gray(360, 640, 120)) == 120).all()
    assert (first == 50).all()
