"""A frame as it was given, and as planes: PyAV's, or planes of the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from facered import checks
from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError, ContentUnsupportedError
from facered.video import formats
from facered.video.info import display_matrix
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.picture import Picture, VideoFrame, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.formats import Layout

MATRICES = ("bt601", "bt709", "bt2020")


@dataclass(frozen=True, slots=True)
class Planes:
    """What `facered.Redactor.process_planes` was given, redacted.

    Attributes
    ----------
    pts : object
    planes : tuple
        The very objects.
    """

    pts: Any
    planes: tuple[Any, ...]


class Given(Protocol):
    """A frame that waits to be returned."""

    @property
    def result(self) -> Any:
        """What is returned."""

    @property
    def picture(self) -> Picture:
        """Its planes, to be read."""

    @property
    def seconds(self) -> float | None:
        """Its time, where it says so."""

    @property
    def duration(self) -> float:
        """For how many seconds it is shown; 0 where it does not say so."""

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, to be written into, and how many bytes were copied for that."""


class Orientations:
    """Tells how frames of a stream are turned; asks one in full only when that may have changed.

    What PyAV tells in full of a frame keeps it alive until the garbage collector comes.
    """

    def __init__(self) -> None:
        self._about: tuple[int, ...] = ()
        self._orientation = UPRIGHT

    def of(self, frame: VideoFrame) -> Orientation:
        """Return how a frame is turned when it is shown."""
        about = frame.rotation, frame.width, frame.height
        if about != self._about:
            matrix = display_matrix(frame)
            self._about, self._orientation = about, Orientation.of_matrix(matrix) if matrix else UPRIGHT
        return self._orientation


class GivenFrame:
    """A frame of PyAV.

    Parameters
    ----------
    frame : av.VideoFrame
    orientations : Orientations

    Raises
    ------
    ContentUnsupportedError
        Its pixel format is not one that the kernels work on.
    """

    def __init__(self, frame: VideoFrame, orientations: Orientations) -> None:
        name = frame.format.name
        if formats.layout(name) is None:
            raise ContentUnsupportedError(
                f"frames in {name} are not redacted as they are; "
                f"convert them: frame.reformat(format={formats.working_format(name)!r})"
            )
        self.result = frame
        self._orientations = orientations
        self._orientation = UPRIGHT
        self._picture: Picture | None = None

    @property
    def picture(self) -> Picture:
        """Its planes, to be read."""
        if self._picture is None:
            self._orientation = self._orientations.of(self.result)
            self._picture = view(self.result, self._orientation)
        return self._picture

    @property
    def seconds(self) -> float | None:
        """Its time, where it says so."""
        pts, base = self.result.pts, self.result.time_base
        return None if pts is None or base is None else float(pts * base)

    @property
    def duration(self) -> float:
        """For how many seconds it is shown; 0 where it does not say so."""
        duration, base = self.result.duration, self.result.time_base
        return float(duration * base) if duration and base else 0.0

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, to be written into, and how many bytes were copied for that."""
        frame, picture = self.result, self.picture
        before = frame.planes[0].buffer_ptr
        frame.make_writable()
        if frame.planes[0].buffer_ptr == before:
            return picture, 0
        self._picture = picture = view(frame, self._orientation)
        return picture, sum(plane.buffer_size for plane in frame.planes)


class GivenPlanes:
    """Planes in memory of the caller's.

    Parameters
    ----------
    record : Planes
    picture : Picture
    """

    def __init__(self, record: Planes, picture: Picture) -> None:
        self.result, self.picture = record, picture
        self.seconds: float | None = None  # their time is in units that only the caller knows
        self.duration = 0.0

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, which are written into where they are."""
        return self.picture, 0


def given_planes(
    planes: Sequence[Any],
    strides: Sequence[int] | None,
    pixel_format: str,
    pts: object,
    *,
    width: int,
    height: int,
    matrix: str | None,
    full_range: bool,
    interlaced: bool,
) -> GivenPlanes:
    """Check planes and return them as a picture.

    Raises
    ------
    ConfigurationUnsupportedError
        They cannot be of such a picture, or cannot be written into.
    ContentUnsupportedError
        The pixel format is not one that the kernels work on.
    """
    form = formats.layout(pixel_format) if isinstance(pixel_format, str) else None
    if form is None:
        raise ContentUnsupportedError(f"planes in {shown(pixel_format)} are not redacted; use yuv420p or nv12, say")
    if not all(isinstance(side, int) and 0 < side <= 65536 for side in (width, height)):
        raise ConfigurationUnsupportedError(f"a picture of {shown(width)} by {shown(height)}: no such size")
    sizes = _sizes(form, width, height)
    if len(planes) != len(sizes) or (strides is not None and len(strides) != len(sizes)):
        raise ConfigurationUnsupportedError(
            f"{pixel_format} has {len(sizes)} planes; given are {len(planes)}"
            + ("" if strides is None else f" and {len(strides)} strides")
        )
    rows = [
        _rows(plane, None if strides is None else strides[number], size, form, f"plane {number}")
        for number, (plane, size) in enumerate(zip(planes, sizes, strict=True))
    ]
    u = v = None
    if form.chroma == "planar":
        u, v = rows[1:]
    elif form.chroma != "none":
        u, v = rows[1][:, 0::2], rows[1][:, 1::2]
        if form.chroma == "vu":
            u, v = v, u
    matrix = (
        checks.choice(MATRICES).check("matrix", matrix) if matrix is not None else "bt709" if height >= 720 else "bt601"
    )
    whole = Picture(rows[0], u, v, matrix, bool(full_range) or pixel_format.startswith("yuvj"))
    picture = replace(whole, depth=form.depth, across=form.across, down=form.down, interlaced=interlaced and height > 1)
    return GivenPlanes(Planes(pts, tuple(planes)), picture)


def _sizes(form: Layout, width: int, height: int) -> list[tuple[int, int]]:
    """Return the width and height of each plane in samples."""
    chroma = -(-width // form.across), -(-height // form.down)
    further = {"planar": [chroma, chroma], "none": []}.get(form.chroma, [(2 * chroma[0], chroma[1])])
    return [(width, height), *further]


def _rows(plane: object, stride: int | None, size: tuple[int, int], form: Layout, name: str) -> NDArray[Any]:
    """Return a plane as (height, width) samples."""
    width, height = size
    kind = np.dtype(np.uint8 if form.depth == 8 else np.uint16)
    memory = _array(plane, name)
    if not memory.flags.writeable:
        raise ConfigurationUnsupportedError(f"{name} cannot be written into; give writable memory, or a copy")
    if stride is None and memory.ndim > 1:
        flat = memory.reshape(memory.shape[0], -1) if memory.ndim > 2 else memory
        if flat.dtype != kind and flat.strides[1] == flat.itemsize:
            flat = flat.view(kind)
        if flat.dtype != kind or flat.shape[0] < height or flat.shape[1] < width or flat.strides[1] != kind.itemsize:
            raise ConfigurationUnsupportedError(
                f"{name} is {memory.dtype} of {' x '.join(map(str, memory.shape))}; "
                f"needed are at least {height} rows of {width} {kind} side by side"
            )
        return flat[:height, :width]
    if not memory.flags.c_contiguous:
        raise ConfigurationUnsupportedError(f"{name} has strides of its own; leave out strides, or give flat memory")
    line = width * kind.itemsize if stride is None else stride
    if not isinstance(line, int) or line < width * kind.itemsize or line % kind.itemsize:
        raise ConfigurationUnsupportedError(
            f"{name}: a row of {width} {kind} does not fit a stride of {shown(line)} bytes"
        )
    needed = (height - 1) * line + width * kind.itemsize
    if memory.nbytes < needed:
        raise ConfigurationUnsupportedError(
            f"{name} has {memory.nbytes} bytes; {height} rows of {line} bytes need {needed}"
        )
    return np.ndarray((height, width), kind, buffer=memory.reshape(-1).view(np.uint8), strides=(line, kind.itemsize))


def _array(plane: object, name: str) -> NDArray[Any]:
    if isinstance(plane, np.ndarray):
        return plane
    try:
        memory = memoryview(plane)  # type: ignore[arg-type]
    except TypeError:
        if not hasattr(plane, "__dlpack__"):
            raise ConfigurationUnsupportedError(
                f"{name} is a {type(plane).__name__}; it can be anything with the buffer protocol or DLPack"
            ) from None
        try:
            return np.from_dlpack(plane)
        except (TypeError, ValueError, RuntimeError, BufferError) as error:
            raise ConfigurationUnsupportedError(f"{name} cannot be taken by DLPack: {error}") from error
    return np.asarray(memory)
