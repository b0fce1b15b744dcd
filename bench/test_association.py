"""Following faces: association beside NumPy and SciPy, and what the tracker costs a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.truth import enlarged, overlaps
from facered.track.association import FORBIDDEN, associate
from facered.track.tracker import BUFFER, GATE, Tracker

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

CROWD = 64
FRAMES, FACES = 250, 10

Boxes = NDArray[np.float64]


@pytest.fixture
def crowd() -> tuple[Boxes, Boxes]:
    """Tracks and detections, (64, 4) centres and sizes each, in different order."""
    rng = np.random.default_rng(1)
    middles = rng.uniform(0, 1, (CROWD, 2)) * [1920, 1080]
    tracks = np.column_stack([middles, rng.uniform(40, 90, (CROWD, 2))])
    return tracks, rng.permutation(tracks + rng.normal(0, 4, tracks.shape))


def numpy_and_scipy(tracks: Boxes, boxes: Boxes, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Do as `associate` does."""
    from scipy.optimize import linear_sum_assignment

    shared = overlaps(*(enlarged(_corners(centred), 1 + BUFFER) for centred in (tracks, boxes)))
    cost = np.where((shared >= GATE) & usable, 1 - shared, FORBIDDEN)
    rows, columns = linear_sum_assignment(cost)
    result = np.full(len(tracks), -1)
    result[rows] = np.where(cost[rows, columns] < FORBIDDEN, columns, -1)
    return result


def _corners(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


@pytest.mark.benchmark(group="associate 64 with 64")
def test_facered(benchmark: BenchmarkFixture, crowd: tuple[Boxes, Boxes]) -> None:
    usable = np.ones(CROWD, np.bool_)
    associate(*crowd, usable, BUFFER, GATE)  # compiled before the clock runs
    assert (benchmark(associate, *crowd, usable, BUFFER, GATE) >= 0).any()


@pytest.mark.benchmark(group="associate 64 with 64")
def test_numpy_and_scipy(benchmark: BenchmarkFixture, crowd: tuple[Boxes, Boxes]) -> None:
    pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
    usable = np.ones(CROWD, np.bool_)
    matched = benchmark(numpy_and_scipy, *crowd, usable)
    assert (matched == associate(*crowd, usable, BUFFER, GATE)).all()


@pytest.mark.benchmark(group=f"track {FACES} faces through {FRAMES} frames, smoothing included")
def test_tracker(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(2)
    middles = rng.uniform(100, 900, (FACES, 2)) + np.cumsum(rng.normal(0, 3, (FRAMES, FACES, 2)), axis=0)
    boxes = np.concatenate([middles - 30, middles + 30], axis=2).astype(np.float32)
    scores = np.full(FACES, 0.9, np.float32)

    def track() -> int:
        tracker = Tracker(25, 0.3)
        for number in range(FRAMES):
            tracker.update(boxes[number], scores, begins_shot=number == 0)
        return len(tracker.finish())

    track()  # compiled before the clock runs
    assert benchmark(track) >= FACES
    benchmark.extra_info["seconds a frame"] = benchmark.stats.stats.median / FRAMES
