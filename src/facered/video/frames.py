"""Frames as planes: NumPy views on a frame's own memory, for the kernels to read and write.

A plane is a (height, width) array of uint8, or of uint16 where samples have more than 8 bits, whose row stride may be
larger than its width, or negative.
"""

from __future__ import annotations

import ctypes
import logging
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from av.video.format import VideoFormat

from facered.video.orientation import UPRIGHT, Orientation

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8] | NDArray[np.uint16]

logger = logging.getLogger(__name__)

_PLANAR = re.compile(r"yuvj?(420|422|444|440|411|410)p(?:(9|10|12|14|16)le)?")
_GRAY = re.compile(r"gray(?:(9|10|12|14|16)le)?")
_SUBSAMPLING = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
# Those of more than 8 bits but one hold them at the top of 16.
_PAIRED = {"nv12": ("420", 8), "nv16": ("422", 8), "nv24": ("444", 8), "nv20le": ("422", 10)} | {
    f"p{family}{bits}le": (chroma, 16)
    for family, chroma in (("0", "420"), ("2", "422"), ("4", "444"))
    for bits in (10, 12, 16)
}
_EXCHANGED = {"nv21": "nv12", "nv42": "nv24"}

_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
_FULL_RANGE = 2
_BT709 = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """How the planes of a pixel format that the kernels work on lie in memory.

    Attributes
    ----------
    depth : int
        Bits of a sample; 16 where fewer lie at the top of 16.
    across, down : int
        How many luma samples share a chroma sample along a row, and down a column.
    chroma : str
        ``"planar"``, ``"uv"`` or ``"vu"`` (alternating in one plane), or ``"none"``.
    """

    depth: int
    across: int
    down: int
    chroma: str


@cache
def layout(name: str) -> Layout | None:
    """Return the layout of a pixel format by FFmpeg's name, or None if the kernels do not work on it."""
    if match := _PLANAR.fullmatch(name):
        return Layout(int(match[2] or 8), *_SUBSAMPLING[match[1]], "planar")
    if match := _GRAY.fullmatch(name):
        return Layout(int(match[1] or 8), 1, 1, "none")
    if name in _EXCHANGED:
        return replace(_paired(_EXCHANGED[name]), chroma="vu")
    return _paired(name) if name in _PAIRED else None


def _paired(name: str) -> Layout:
    subsampling, depth = _PAIRED[name]
    return Layout(depth, *_SUBSAMPLING[subsampling], "uv")


def planar_name(across: int, down: int, depth: int) -> str:
    """Return the name of the planar format with a subsampling and a depth, where there is one."""
    name = next(name for name, factors in _SUBSAMPLING.items() if factors == (across, down))
    return f"yuv{name}p" + (f"{depth}le" if depth > 8 else "")


@cache
def working_format(name: str) -> str:
    """Return the pixel format itself where the kernels work on it, else the one that keeps most of it.

    RGB and palettes become 4:4:4; depth and subsampling of other formats stay, alpha does not.
    """
    if layout(name) is not None:
        return name
    pixel_format = VideoFormat(name)
    components = [component for component in pixel_format.components if not component.is_alpha]
    bits = max(component.bits for component in components)
    depth = next((depth for depth in (8, 10, 12) if bits <= depth), 16)
    colours = pixel_format.is_rgb or pixel_format.has_palette or pixel_format.is_bayer
    if len(components) == 1 and not colours:
        return "gray" if depth == 8 else f"gray{depth}le"
    factors = 16 // pixel_format.chroma_width(16), 16 // pixel_format.chroma_height(16)
    return planar_name(*((1, 1) if colours or factors not in _SUBSAMPLING.values() else factors), depth)


def bits(name: str) -> int:
    """Return how many bits a luma sample of a pixel format has."""
    return VideoFormat(name).components[0].bits


@dataclass(frozen=True, slots=True)
class Picture:
    """The planes of one picture and what its samples mean.

    Attributes
    ----------
    y : (height, width) uint8 or uint16
    u, v : (ceil(height / down), ceil(width / across)) uint8 or uint16, or None for gray pictures
        Chroma.
    matrix : str
        ``"bt601"``, ``"bt709"`` or ``"bt2020"``.
    full_range : bool
        Whether black is 0 and white 255, instead of 16 and 235; so many times more where samples have more bits.
    orientation : Orientation
        How the picture is turned when it is shown.
    depth : int
        Bits of a sample: 8 where they are uint8, 9 to 16 where they are uint16.
    across, down : int
        How many luma samples share a chroma sample along a row, and down a column.
    interlaced : bool
        Whether even and odd rows are pictures of different moments.
    """

    y: Plane
    u: Plane | None
    v: Plane | None
    matrix: str
    full_range: bool
    orientation: Orientation = UPRIGHT
    depth: int = 8
    across: int = 2
    down: int = 2
    interlaced: bool = False

    @property
    def width(self) -> int:
        """Width in luma samples, as stored."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height in luma samples, as stored."""
        return int(self.y.shape[0])

    def part(self, left: int, top: int, right: int, bottom: int) -> Picture:
        """Return the part between these stored luma samples, sharing memory; left and top are multiples of 4."""
        rows = slice(top // self.down, -(-bottom // self.down))
        columns = slice(left // self.across, -(-right // self.across))
        return replace(
            self,
            y=self.y[top:bottom, left:right],
            u=self.u[rows, columns] if self.u is not None else None,
            v=self.v[rows, columns] if self.v is not None else None,
        )

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
        across, down = self.orientation.size(self.across, self.down)
        return replace(self, y=y, u=u, v=v, orientation=UPRIGHT, across=across, down=down)

    def field(self, number: int) -> Picture:
        """Return the even (0) or odd (1) rows as a picture of half the height."""
        y, u, v = (None if plane is None else plane[number::2] for plane in (self.y, self.u, self.v))
        assert y is not None
        return replace(self, y=y, u=u, v=v, interlaced=False)


class Converter:
    """Brings frames into one native pixel format, by swscale where they have another.

    Parameters
    ----------
    name : str
        The pixel format, one that has a `layout`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._full_range = name.startswith("yuvj")

    def convert(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame itself where its pixel format is the one, else a copy; times and colour tags are kept.

        RGB becomes BT.709 in limited range, and is tagged so.
        """
        if frame.format.name == self.name:
            return frame
        colours = frame.format.is_rgb or frame.format.has_palette or frame.format.is_bayer
        if colours:
            converted = frame.reformat(format=self.name, dst_colorspace="ITU709", dst_color_range="MPEG")
            converted.colorspace, converted.color_range = _BT709, 1
        else:
            converted = frame.reformat(format=self.name)
            converted.colorspace = frame.colorspace
        converted.color_primaries, converted.color_trc = frame.color_primaries, frame.color_trc
        converted.pts, converted.time_base, converted.duration = frame.pts, frame.time_base, frame.duration
        return converted


def to_native(frame: VideoFrame) -> VideoFrame:
    """Return the frame itself where its pixel format is native, else a copy in the `working_format` of its own."""
    return Converter(working_format(frame.format.name)).convert(frame)


def view(frame: VideoFrame, orientation: Orientation = UPRIGHT) -> Picture:
    """Return the planes of a frame in a native format, sharing its memory.

    To write into them, call ``frame.make_writable()`` *before*: decoded frames share their memory with the decoder's
    reference pictures, and views taken earlier are stale afterwards.
    """
    name = frame.format.name
    form = layout(name)
    assert form is not None
    kind: type[np.uint8 | np.uint16] = np.uint8 if form.depth == 8 else np.uint16
    planes = frame.planes
    y = rows(planes[0], frame.width, frame.height, kind)
    u = v = None
    width, height = -(-frame.width // form.across), -(-frame.height // form.down)
    if form.chroma == "planar":
        u, v = (rows(plane, width, height, kind) for plane in planes[1:3])
    elif form.chroma != "none":
        pairs = rows(planes[1], 2 * width, height, kind)
        u, v = pairs[:, 0::2], pairs[:, 1::2]
        if form.chroma == "vu":
            u, v = v, u
    # Untagged video follows the usual rule: high definition is BT.709, smaller pictures BT.601.
    matrix = _MATRICES.get(int(frame.colorspace), "bt709" if frame.height >= 720 else "bt601")
    full_range = name.startswith("yuvj") or int(frame.color_range) == _FULL_RANGE
    interlaced = frame.interlaced_frame and frame.height > 1
    return Picture(y, u, v, matrix, full_range, orientation, form.depth, form.across, form.down, interlaced)


def rows(plane: VideoPlane, width: int, height: int, kind: type[np.uint8 | np.uint16]) -> Plane:
    """Return a plane of a frame as (height, width) samples, sharing its memory."""
    stride, size = plane.line_size, np.dtype(kind).itemsize
    if stride >= 0:
        return np.ndarray((height, width), kind, buffer=memoryview(plane), strides=(stride, size))
    # A bottom-up picture: the plane's address is that of its first row, and the others lie before it, out of reach of
    # the plane's own buffer. The array keeps the plane, and so the frame, alive through `owner`.
    below = (height - 1) * stride
    memory = (ctypes.c_uint8 * (width * size - below)).from_address(plane.buffer_ptr + below)
    memory.owner = plane  # type: ignore[attr-defined]
    upwards = memoryview(memory).cast("B")
    return np.ndarray((height, width), kind, buffer=upwards, offset=-below, strides=(stride, size))
