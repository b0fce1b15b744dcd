"""Frames as planes: NumPy views on a frame's own memory, for the kernels to read and write.

A plane is a (height, width) uint8 array whose row stride may be larger than its width, or negative.
"""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from facered.video.orientation import UPRIGHT, Orientation

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

NATIVE_FORMATS = frozenset({"yuv420p", "yuvj420p", "nv12", "gray"})
"""Pixel formats that the kernels work on as they are."""

FALLBACK_FORMAT = "yuv420p"

_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
_FULL_RANGE = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """The planes of one 8-bit picture and what its samples mean.

    Attributes
    ----------
    y : (height, width) uint8
    u, v : ((height + 1) // 2, (width + 1) // 2) uint8, or None for gray pictures
        Chroma at half the resolution (4:2:0).
    matrix : str
        ``"bt601"``, ``"bt709"`` or ``"bt2020"``.
    full_range : bool
        Whether black is 0 and white 255, instead of 16 and 235.
    orientation : Orientation
        How the picture is turned when it is shown.
    """

    y: NDArray[np.uint8]
    u: NDArray[np.uint8] | None
    v: NDArray[np.uint8] | None
    matrix: str
    full_range: bool
    orientation: Orientation = UPRIGHT

    @property
    def width(self) -> int:
        """Width in luma samples, as stored."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height in luma samples, as stored."""
        return int(self.y.shape[0])

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is shown."""
        return self.orientation.size(self.width, self.height)

    def upright(self) -> Picture:
        """Return the picture as it is shown, as views of the same planes."""
        if not self.orientation:
            return self
        y, u, v = (None if plane is None else self.orientation.turn(plane) for plane in (self.y, self.u, self.v))
        assert y is not None
        return replace(self, y=y, u=u, v=v, orientation=UPRIGHT)


def to_native(frame: VideoFrame) -> VideoFrame:
    """Return the frame itself where its pixel format is native, else a copy in `FALLBACK_FORMAT`.

    The conversion is swscale's; times and colour tags are kept.
    """
    if frame.format.name in NATIVE_FORMATS:
        return frame
    converted = frame.reformat(format=FALLBACK_FORMAT)
    converted.pts, converted.time_base, converted.duration = frame.pts, frame.time_base, frame.duration
    return converted


def view(frame: VideoFrame, orientation: Orientation = UPRIGHT) -> Picture:
    """Return the planes of a frame in a native format, sharing its memory.

    To write into them, call ``frame.make_writable()`` *before*: decoded frames share their memory with the decoder's
    reference pictures, and views taken earlier are stale afterwards.
    """
    name = frame.format.name
    planes = frame.planes
    y = _rows(planes[0], frame.width, frame.height)
    u = v = None
    chroma_width, chroma_height = (frame.width + 1) // 2, (frame.height + 1) // 2
    if name == "nv12":
        pairs = _rows(planes[1], 2 * chroma_width, chroma_height)
        u, v = pairs[:, 0::2], pairs[:, 1::2]
    elif name != "gray":
        u, v = (_rows(plane, chroma_width, chroma_height) for plane in planes[1:3])
    # Untagged video follows the usual rule: high definition is BT.709, smaller pictures BT.601.
    matrix = _MATRICES.get(int(frame.colorspace), "bt709" if frame.height >= 720 else "bt601")
    full_range = name.startswith("yuvj") or int(frame.color_range) == _FULL_RANGE
    return Picture(y, u, v, matrix, full_range, orientation)


def _rows(plane: VideoPlane, width: int, height: int) -> NDArray[np.uint8]:
    stride = plane.line_size
    if stride >= 0:
        return np.ndarray((height, width), np.uint8, buffer=memoryview(plane), strides=(stride, 1))
    # A bottom-up picture: the plane's address is that of its first row, and the others lie before it, out of reach of
    # the plane's own buffer. The array keeps the plane, and so the frame, alive through `owner`.
    below = (height - 1) * stride
    memory = (ctypes.c_uint8 * (below * -1 + width)).from_address(plane.buffer_ptr + below)
    memory.owner = plane  # type: ignore[attr-defined]
    upwards = memoryview(memory).cast("B")
    return np.ndarray((height, width), np.uint8, buffer=upwards, offset=-below, strides=(stride, 1))
