"""Hiding one face of a 1080p picture: blur and blending of all three planes, beside OpenCV blurring luma alone.

The rival does less: three passes of ``cv2.blur`` of the same radius over the region of the mask, no mask, no chroma.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.truth import enlarged
from facered.hide.hider import BOX_PASSES, Hider
from facered.hide.style import STYLES
from facered.options import Options
from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

    from facered.video.picture import Picture

SIZE = (1920, 1080)
MARGIN = Options().margin
STYLE = STYLES[Options().blur]
FACES = pytest.mark.parametrize("face", [64, 200, 400])


@pytest.fixture
def planes(face: int, picture: Callable[[int, int], VideoFrame], benchmark: BenchmarkFixture) -> Picture:
    benchmark.group = f"hide a face {face} pixels wide"
    frame = picture(*SIZE)
    frame.make_writable()
    return view(frame)


def hidden_box(face: int) -> NDArray[np.float64]:
    """Return the box, (1, 4), of a face in the middle of the picture, 1.3 times as high as wide, with its margin."""
    centre, half = np.array(SIZE) / 2, np.array([face, 1.3 * face]) / 2
    return enlarged(np.concatenate([centre - half, centre + half])[None], MARGIN)


@FACES
def test_facered(benchmark: BenchmarkFixture, planes: Picture, face: int) -> None:
    before = planes.y.copy()
    benchmark(Hider(STYLE).hide, planes, hidden_box(face))
    assert (planes.y != before).any()


@FACES
def test_opencv_luma_only(benchmark: BenchmarkFixture, planes: Picture, face: int, cv2: ModuleType) -> None:
    box = hidden_box(face)
    left, top, right, bottom = enlarged(box, 1 + STYLE.feather)[0].tolist()
    region = planes.y[floor(top) : ceil(bottom), floor(left) : ceil(right)]
    width = 2 * round(STYLE.radius * (box[0, 2] - box[0, 0])) + 1

    def blur() -> None:
        blurred = region
        for _ in range(BOX_PASSES):
            blurred = cv2.blur(blurred, (width, width), borderType=cv2.BORDER_REPLICATE)
        region[:] = blurred

    benchmark(blur)


@pytest.mark.parametrize("radius", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("face", [200])
def test_any_radius(benchmark: BenchmarkFixture, planes: Picture, face: int, radius: float) -> None:
    benchmark.group = f"hide a face {face} pixels wide, by the radius"
    benchmark(Hider(replace(STYLE, radius=radius)).hide, planes, hidden_box(face))
