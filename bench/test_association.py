"""Following faces: association and smoothing by back end beside NumPy and SciPy, and what the tracker costs a frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

import backends
import matrices
from bench.truth import enlarged, overlaps
from facered.detect.detector import Detection
from facered.track import kalman, tuning
from facered.track.association import FORBIDDEN, associate
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.offline import finish

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

CROWD = 64
FRAMES, FACES = 100, 10
REACH = 8
"""Samples to either side in which OpenCV searches for a face."""
MOST_OF_SEARCH = 8.0
"""How many times as long as that search all of the tracker may take, both in turn in the same run."""
TURNS = 3

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

    shared = overlaps(*(enlarged(_corners(centred), 1 + tuning.IOU_PADDING) for centred in (tracks, boxes)))
    cost = np.where((shared >= tuning.MIN_IOU) & usable, 1 - shared, FORBIDDEN)
    rows, columns = linear_sum_assignment(cost)
    result = np.full(len(tracks), -1)
    result[rows] = np.where(cost[rows, columns] < FORBIDDEN, columns, -1)
    return result


def _corners(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


@pytest.mark.parametrize("backend", backends.BACKENDS)
@pytest.mark.benchmark(group="associate 64 with 64")
def test_facered(benchmark: BenchmarkFixture, crowd: tuple[Boxes, Boxes], backend: str) -> None:
    arguments = (*crowd, np.ones(CROWD, np.bool_), tuning.IOU_PADDING, tuning.MIN_IOU)
    matched = benchmark(backends.load("association", backend).associate, *arguments)
    assert (matched == associate(*arguments)).all()


@pytest.mark.benchmark(group="associate 64 with 64")
def test_numpy_and_scipy(benchmark: BenchmarkFixture, crowd: tuple[Boxes, Boxes]) -> None:
    pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
    usable = np.ones(CROWD, np.bool_)
    matched = benchmark(numpy_and_scipy, *crowd, usable)
    assert (matched == associate(*crowd, usable, tuning.IOU_PADDING, tuning.MIN_IOU)).all()


@pytest.fixture
def trajectory() -> tuple[Boxes, Boxes]:
    """Measured boxes of a face in 250 frames, two of three measured, and their deviations."""
    rng = np.random.default_rng(3)
    steps = np.arange(250)[:, None] * [2.0, 1.0, 0.0, 0.0]
    deviations = np.where(rng.random(250) < 2 / 3, kalman.DETECTION_DEVIATION, 0.0)
    deviations[[0, -1]] = kalman.DETECTION_DEVIATION
    return steps + np.array([50, 50, 60, 80]) + rng.normal(0, 3, (250, 4)), deviations


@pytest.mark.parametrize("backend", backends.BACKENDS)
@pytest.mark.benchmark(group="smooth 250 frames")
def test_smoothing(benchmark: BenchmarkFixture, trajectory: tuple[Boxes, Boxes], backend: str) -> None:
    smoothed = benchmark(backends.load("kalman", backend).smooth, *trajectory)
    assert (smoothed == kalman.smooth(*trajectory)).all()


@pytest.mark.benchmark(group="smooth 250 frames")
def test_smoothing_in_numpy(benchmark: BenchmarkFixture, trajectory: tuple[Boxes, Boxes]) -> None:
    """The textbook's matrices, all four values at a time; SciPy has no smoother of this kind."""
    smoothed = benchmark(matrices.smooth_with_matrices, *trajectory)
    np.testing.assert_allclose(smoothed, kalman.smooth(*trajectory), rtol=1e-7)


class Film:
    """Faces that move before a textured wall, as small luma pictures of 1080p, with their detections."""

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        wall = _smooth(rng, 540, 960)
        faces = [_smooth(rng, 40, 32) for _ in range(FACES)]
        starts = np.column_stack([np.arange(FACES) * 90 + 30, rng.uniform(40, 440, FACES)])
        self.lumas, self.detections = [], []
        for frame in range(FRAMES):
            luma = wall.copy()
            corners = np.round(starts + 20 * np.sin(frame / 12 + np.arange(FACES))[:, None]).astype(int)
            for (x, y), face in zip(corners.tolist(), faces, strict=True):
                luma[y : y + 40, x : x + 32] = face
            boxes = np.hstack([corners, corners + np.array([32, 40])]).astype(np.float32) * 2
            self.lumas.append(luma)
            self.detections.append(Detection(boxes, np.full(FACES, 0.9, np.float32)))

    def search(self) -> None:
        """Do what following each face by its patch asks for at least: OpenCV's search for it about its place."""
        cv2 = pytest.importorskip("cv2", reason="OpenCV cannot be loaded", exc_type=ImportError)
        cv2.setNumThreads(1)
        for before, luma, found in zip(self.lumas, self.lumas[1:], self.detections, strict=False):
            for x1, y1, x2, y2 in (found.boxes / 2).astype(int).tolist():
                window = luma[max(y1 - REACH, 0) : y2 + REACH, max(x1 - REACH, 0) : x2 + REACH]
                cv2.minMaxLoc(cv2.matchTemplate(window, before[y1:y2, x1:x2], cv2.TM_CCOEFF_NORMED))

    def track(self, every: int) -> int:
        """Find cuts and follow the faces, detected in every n-th frame; return how many tracks there are."""
        tracker, cuts = Follower(25, 0.3, (1920, 1080)), CutDetector(25)
        for number, luma in enumerate(self.lumas):
            cuts.push(luma)
            tracker.wanted(luma, begins_shot=number == 0)
            tracker.update(luma, None if number % every else self.detections[number], begins_shot=number == 0)
        return len(finish(tracker))


def _smooth(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    rough = rng.uniform(0, 255, (height // 4, width // 4)).astype(np.uint8)
    return np.kron(rough, np.ones((4, 4), np.uint8))


@pytest.fixture(scope="module")
def film() -> Film:
    return Film()


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.benchmark(group=f"cuts, and {FACES} faces of 1080p through {FRAMES} frames, forwards, backwards, smoothed")
def test_tracker(benchmark: BenchmarkFixture, film: Film, every: int) -> None:
    film.track(every)
    assert benchmark(film.track, every) == FACES
    ours, rival = (min(_seconds(work) for _ in range(TURNS)) for work in (partial(film.track, every), film.search))
    benchmark.extra_info |= {"milliseconds a frame": 1e3 * ours / FRAMES, "times the search": ours / rival}
    assert ours <= MOST_OF_SEARCH * rival


def _seconds(work: Callable[[], object]) -> float:
    """Return how much of the thread's processor time something takes."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun
