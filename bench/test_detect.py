"""What comes after the network, decoding its boxes and suppressing overlapping ones, beside the network itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from facered._native import decode
from facered.detect import inference
from facered.detect.detector import MAX_CANDIDATES, MAX_IOU, Detector
from facered.options import Options
from facered.track import tuning
from facered.video.picture import view

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from pytest_benchmark.fixture import BenchmarkFixture

THRESHOLD = Options().threshold * tuning.LOW_SCORE_FRACTION

Run = Callable[[], list[NDArray[np.float32]]]
pytestmark = pytest.mark.benchmark(group="detect in a 720p frame")


@pytest.fixture
def frame(picture: Callable[[int, int], VideoFrame]) -> VideoFrame:
    return picture(1280, 720)


@pytest.fixture(params=["fp32", "int8"])
def detector(request: pytest.FixtureRequest, frame: VideoFrame) -> Detector:
    """A detector, on one thread, that finds somebody in the frame."""
    detector = Detector(threads=1, precision=request.param)
    assert len(detector.detect(view(frame), THRESHOLD).boxes)
    return detector


@pytest.fixture
def tensor(detector: Detector, frame: VideoFrame) -> NDArray[np.float32]:
    """What the network is shown."""
    (tile,) = detector._planned(view(frame), None)
    return tile.view.tensor


@pytest.fixture
def run(detector: Detector, tensor: NDArray[np.float32]) -> Run:
    """The network by itself."""
    return lambda: inference.run(detector._session, detector.family, tensor)


def test_network(benchmark: BenchmarkFixture, run: Run) -> None:
    assert benchmark(run)


def test_decoding_and_suppression(
    benchmark: BenchmarkFixture, detector: Detector, tensor: NDArray[np.float32], run: Run
) -> None:
    outputs, columns = run(), tensor.shape[3]
    boxes = np.empty((MAX_CANDIDATES, 5), np.float32)

    def find() -> int:
        count = detector.family.decode(outputs, columns, THRESHOLD, boxes)
        found = boxes[:count]
        found = np.ascontiguousarray(found[np.lexsort((found[:, 0], found[:, 1], -found[:, 4]))])
        keep = np.empty(count, np.uint8)
        decode.suppress(found, MAX_IOU, keep)
        return int(keep.sum())

    assert benchmark(find) > 0


def test_all_of_detection(benchmark: BenchmarkFixture, detector: Detector, frame: VideoFrame) -> None:
    assert len(benchmark(detector.detect, view(frame), THRESHOLD).boxes)
