"""Searching for a patch by normalised cross-correlation, beside OpenCV's template matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered._native.patch import RADIUS, SIDE, Pyramid, sample, search

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

BOX = np.array([[320.3, 180.7, 48.0, 60.0]])
SCALES = np.array([1 / 1.04, 1.04])


@pytest.fixture
def luma() -> NDArray[np.uint8]:
    rough = np.random.default_rng(1).uniform(0, 255, (45, 80)).astype(np.uint8)
    return np.kron(rough, np.ones((8, 8), np.uint8))


@pytest.mark.benchmark(group="find a patch within a third of its size, in three sizes")
def test_facered(benchmark: BenchmarkFixture, luma: NDArray[np.uint8]) -> None:
    pyramid, patches, found = Pyramid(640, 360), np.empty((1, SIDE, SIDE), np.uint8), np.empty((1, 5))
    pyramid.fill(luma)
    sample(pyramid, BOX, patches)
    benchmark(search, pyramid, patches, BOX, RADIUS, SCALES, found)
    assert found[0, 4] > 0.95


@pytest.mark.benchmark(group="find a patch within a third of its size, in three sizes")
def test_opencv(benchmark: BenchmarkFixture, luma: NDArray[np.uint8], cv2: ModuleType) -> None:
    """The same region and patch: resized to the patch's resolution in each size, then matched."""
    x, y, width, height = BOX[0]
    patch = cv2.resize(
        luma[round(y - height / 2) : round(y + height / 2), round(x - width / 2) : round(x + width / 2)], (SIDE, SIDE)
    )

    def find() -> float:
        best = 0.0
        for scale, radius in ((1.0, RADIUS), (1 / 1.04, 1), (1.04, 1)):
            side = SIDE + 2 * radius
            size = (side, side), (width * scale * side / SIDE, height * scale * side / SIDE)
            left, top = round(x - size[1][0] / 2), round(y - size[1][1] / 2)
            region = luma[top : top + round(size[1][1]), left : left + round(size[1][0])]
            scores = cv2.matchTemplate(cv2.resize(region, size[0]), patch, cv2.TM_CCOEFF_NORMED)
            best = max(best, float(scores.max()))
        return best

    assert benchmark(find) > 0.8


@pytest.mark.benchmark(group="a pyramid of 640 x 360")
def test_pyramid(benchmark: BenchmarkFixture, luma: NDArray[np.uint8]) -> None:
    benchmark(Pyramid(640, 360).fill, luma)
