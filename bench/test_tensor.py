"""From a decoded frame to the detector's float tensor: the kernel beside OpenCV and beside swscale, one thread each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from facered._native.tensor import Letterbox
from facered.detect.colour import conversion
from facered.detect.families import TensorLayout
from facered.video.picture import view

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

SIZES = pytest.mark.parametrize(
    "size", [(1280, 720), (1920, 1080), (3840, 2160), (1000, 700)], ids=["720p", "1080p", "4K", "no round ratio"]
)
LONGER = 640

Size = tuple[int, int]
Pictures = Callable[[int, int], VideoFrame]


@pytest.fixture
def frame(size: Size, picture: Pictures, benchmark: BenchmarkFixture) -> VideoFrame:
    benchmark.group = f"tensor from {size[0]}x{size[1]}"
    return picture(*size)


def content(frame: VideoFrame) -> Size:
    """Return the width and height of the small picture."""
    return LONGER, round(LONGER * frame.height / frame.width)


def empty_tensor(frame: VideoFrame) -> NDArray[np.float32]:
    width, height = content(frame)
    return np.zeros((3, -(-height // 32) * 32, width), np.float32)


def facered_tensor(frame: VideoFrame) -> tuple[Callable[[], None], NDArray[np.float32]]:
    """Return a call that fills the tensor, and the tensor."""
    planes = view(frame)
    assert planes.u is not None
    letterbox = Letterbox(planes.width, planes.height, *planes.u.shape[::-1], *content(frame))
    matrix, limits = conversion("bt601", False, TensorLayout())
    tensor, luma = empty_tensor(frame), np.empty(content(frame)[::-1], np.uint8)
    return lambda: letterbox(planes.y, planes.u, planes.v, matrix, limits, tensor, luma), tensor


def assert_same_picture(tensor: NDArray[np.float32], frame: VideoFrame) -> None:
    """The rival did the same work: rounding and filters differ a little."""
    fill, expected = facered_tensor(frame)
    fill()
    assert np.abs(tensor - expected).mean() < 1.5


@SIZES
def test_facered(benchmark: BenchmarkFixture, frame: VideoFrame) -> None:
    fill, tensor = facered_tensor(frame)
    benchmark(fill)
    assert tensor.any()


@SIZES
def test_facered_luma_alone(benchmark: BenchmarkFixture, frame: VideoFrame) -> None:
    y = view(frame).y
    luma = np.zeros(content(frame)[::-1], np.uint8)
    benchmark(Letterbox(frame.width, frame.height, 0, 0, *content(frame)).shrink, y, luma)
    assert luma.any()


@SIZES
def test_opencv_luma_alone(benchmark: BenchmarkFixture, frame: VideoFrame, cv2: ModuleType) -> None:
    y, small = np.ascontiguousarray(view(frame).y), content(frame)
    benchmark(cv2.resize, y, small, interpolation=cv2.INTER_AREA)


@SIZES
def test_opencv_rgb_resize_transpose(benchmark: BenchmarkFixture, frame: VideoFrame, cv2: ModuleType) -> None:
    i420 = frame.to_ndarray()
    tensor, small = empty_tensor(frame), content(frame)

    def fill() -> None:
        rgb = cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)
        tensor[:, : small[1]] = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA).transpose(2, 0, 1)

    benchmark(fill)
    assert_same_picture(tensor, frame)


@SIZES
def test_swscale_planar_rgb(benchmark: BenchmarkFixture, frame: VideoFrame) -> None:
    reformatter = VideoReformatter()
    tensor, (width, height) = empty_tensor(frame), content(frame)

    def fill() -> None:
        small = reformatter.reformat(frame, width, height, "gbrp", interpolation=Interpolation.AREA, threads=1)
        for channel, plane in zip((1, 2, 0), small.planes, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
            tensor[channel, :height] = rows[:, :width]

    benchmark(fill)
    assert_same_picture(tensor, frame)
