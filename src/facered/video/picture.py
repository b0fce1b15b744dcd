"""Pictures as planes: NumPy views on a frame's own memory, for the kernels to read and write.

A plane is a (height, width) array of uint8, or of uint16 where samples have more than 8 bits, whose row stride may be
larger than its width, or negative.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from av.video.frame import VideoFrame as VideoFrame

from facered.video.formats import FULL_RANGE, layout
from facered.video.orientation import UPRIGHT, Orientation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.video.plane import VideoPlane
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8] | NDArray[np.uint16]

_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}


@dataclass(frozen=True, slots=True)
class Picture:
    """The planes of one picture and what its samples mean.

    Attributes
    ----------
    y : (height, width) uint8 or uint16
    u, v : (ceil(height / down), ceil(width / across)) uint8 or uint16, or None for gray pictures
        Chroma.
    matrix : str
        ``"bt601"``, ``"bt709"`` or ``"bt2020"``; or ``"gbr"``, where `y`, `u` and `v` are green, blue and red.
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

    def gray(self, light: float) -> tuple[int, int]:
        """Return the samples of `y`, and of `u` and `v`, that make gray, from black at 0 to white at 1."""
        low, high = (0, 255) if self.full_range else (16, 235)
        scale = 1 << (self.depth - 8)
        luma = round(low + (high - low) * light) * scale
        return luma, luma if self.matrix == "gbr" else 128 * scale

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


def side_by_side(plane: Plane) -> Plane:
    """Return a plane whose samples lie side by side, or in pairs as NV12 has them: itself, or a copy of packed ones."""
    return plane if plane.strides[1] // plane.itemsize in (1, 2) else plane.copy()


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
    full_range = name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE
    interlaced = frame.interlaced_frame and frame.height > 1
    return Picture(y, u, v, matrix, full_range, orientation, form.depth, form.across, form.down, interlaced)


def rows(plane: VideoPlane, width: int, height: int, kind: type[np.uint8 | np.uint16] | str) -> Plane:
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


def has_stray_bits(frame: VideoFrame) -> bool:
    """Tell whether any sample is larger than those of the frame's format can be."""
    name, form = frame.format.name, layout(frame.format.name)
    depth = form.depth if form else frame.format.components[0].bits
    if not 8 < depth < 16 or (form is None and not (name.startswith(("yuv", "gbr")) and frame.format.is_planar)):
        return False
    if "msb" in name:  # there it is the lower bits that say nothing
        return False
    kind = ">u2" if frame.format.is_big_endian else "<u2"
    pairs = form is not None and form.chroma in ("uv", "vu")
    planes = [
        rows(plane, plane.width * (2 if pairs and number else 1), plane.height, kind)
        for number, plane in enumerate(frame.planes)
    ]
    return exceed(planes, depth)


def exceed(planes: Iterable[Plane], depth: int) -> bool:
    """Tell whether any sample of planes of 16 bits a sample is larger than so many bits are."""
    return any(int(plane.max()) >> depth for plane in planes)
