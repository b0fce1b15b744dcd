"""Planes in memory of the caller's -> a picture that is written into where it is, or an error: nothing between.

What NumPy would copy to bring it into the form of rows and samples would be hidden in the copy, and lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from facered import checks
from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError, ContentUnsupportedError
from facered.live.input import GivenPlanes, Planes
from facered.video import formats
from facered.video.picture import Picture, exceed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.video.formats import Layout

MATRICES = ("bt601", "bt709", "bt2020")
MAX_SIDE = 65536
_MAX_WORK = 10_000
"""How much is done to find out whether two planes overlap; by hand. More takes longer, with less more is refused."""


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
        They cannot be of such a picture, nor can their samples, or they cannot be written into.
    ContentUnsupportedError
        The pixel format is not one that the kernels work on.
    """
    form = formats.layout(pixel_format) if isinstance(pixel_format, str) else None
    if form is None:
        raise ContentUnsupportedError(f"planes in {shown(pixel_format)} are not redacted; use yuv420p or nv12, say")
    if not all(isinstance(side, int) and 0 < side <= MAX_SIDE for side in (width, height)):
        raise ConfigurationUnsupportedError(f"a picture of {shown(width)} by {shown(height)}: no such size")
    sizes = _sizes(form, width, height)
    given, lines = _each(planes, "planes"), None if strides is None else _each(strides, "strides")
    if len(given) != len(sizes) or (lines is not None and len(lines) != len(sizes)):
        raise ConfigurationUnsupportedError(
            f"{pixel_format} has {len(sizes)} planes; given are {len(given)}"
            + ("" if lines is None else f" and {len(lines)} strides")
        )
    rows = []
    for number, (plane, size) in enumerate(zip(given, sizes, strict=True)):
        interleaved = number == 1 and form.chroma != "planar"
        taken = _Plane(f"plane {number}", plane, size, np.dtype(np.uint8 if form.depth == 8 else np.uint16))
        rows.append(taken.rows(None if lines is None else lines[number], 2 if interleaved else 1))
    _check_apart(rows)
    if 8 < form.depth < 16 and exceed(rows, form.depth):
        raise ConfigurationUnsupportedError(
            f"there are samples above {(1 << form.depth) - 1}, the most in {pixel_format}; in p010le and its like, the "
            "upper bits count"
        )
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
    return GivenPlanes(Planes(pts, given), picture)


def _each(values: object, name: str) -> tuple[Any, ...]:
    try:
        return tuple(values)  # type: ignore[arg-type]
    except TypeError:
        raise ConfigurationUnsupportedError(f"{name} is {shown(values)}; it can be a sequence, one a plane") from None


def _sizes(form: Layout, width: int, height: int) -> list[tuple[int, int]]:
    """Return the width and height of each plane in samples."""
    chroma = -(-width // form.across), -(-height // form.down)
    further = {"planar": [chroma, chroma], "none": []}.get(form.chroma, [(2 * chroma[0], chroma[1])])
    return [(width, height), *further]


def _check_apart(rows: Sequence[NDArray[Any]]) -> None:
    """Make sure that no plane lies in the memory of another."""
    for number, one in enumerate(rows):
        for before, other in enumerate(rows[:number]):
            try:
                overlap = np.shares_memory(one, other, max_work=_MAX_WORK)  # type: ignore[arg-type]
            except np.exceptions.TooHardError:
                overlap = True
            if overlap:
                raise ConfigurationUnsupportedError(f"planes {before} and {number} overlap; give each its own memory")


@dataclass(frozen=True, slots=True)
class _Plane:
    """A plane as it was given, and what it should be: `size` is width and height in samples of a `kind`."""

    name: str
    given: object
    size: tuple[int, int]
    kind: np.dtype[Any]

    def rows(self, stride: int | None, interleaved: int) -> NDArray[Any]:
        """Return it as (height, width) samples, in its own memory.

        Parameters
        ----------
        stride : int or None
            Bytes from row to row, where that was given.
        interleaved : int
            How many samples may be apart in a third dimension.
        """
        memory = self._array()
        if not memory.flags.writeable:
            raise self._error("cannot be written into; give writable memory, or a copy")
        wide = memory.dtype.itemsize != 1
        if memory.dtype.kind not in "ui" + "SV" * (not wide) or (wide and memory.dtype != self.kind):
            raise self._error(f"is {memory.dtype}; needed is {self.kind}, or bytes")
        found = (
            self._lines(memory, stride)
            if stride is not None or memory.ndim < 2
            else self._array_rows(memory, interleaved)
        )
        if not found.flags.aligned:
            raise self._error(f"begins, or has rows that begin, between two samples of {self.kind.itemsize} bytes")
        return found

    def _array_rows(self, memory: NDArray[Any], interleaved: int) -> NDArray[Any]:
        """Return the rows of an array of two dimensions, or of three where samples lie apart."""
        width, height = self.size
        whole = " x ".join(map(str, memory.shape))
        misfit = self._error(
            f"is {memory.dtype} of {whole}; needed are at least {height} rows of {width} {self.kind} side by side"
        )
        size = self.kind.itemsize
        if memory.ndim > 2:
            apart = memory.shape[2] * memory.itemsize
            if memory.ndim > 3 or apart not in (size, interleaved * size) or memory.shape[1] * apart < width * size:
                raise misfit
            # Of a single sample NumPy tells any stride.
            steps = zip(memory.shape[1:], memory.strides[1:], (apart, memory.itemsize), strict=True)
            if any(count > 1 and step != side_by_side for count, step, side_by_side in steps):
                raise self._error(
                    "has samples that are not side by side, so it cannot be written into where it is; give a copy"
                )
            memory = np.lib.stride_tricks.as_strided(
                memory, (len(memory), memory.shape[1] * memory.shape[2]), (memory.strides[0], memory.itemsize)
            )
        if memory.strides[1] != memory.itemsize or memory.shape[1] * memory.itemsize % size:
            raise misfit
        flat = memory.view(self.kind)
        if flat.shape[0] < height or flat.shape[1] < width:
            raise misfit
        flat = flat[:height, :width]
        if height > 1 and abs(flat.strides[0]) < width * size:
            raise self._error("has rows that overlap")
        return flat

    def _lines(self, memory: NDArray[Any], stride: int | None) -> NDArray[Any]:
        """Return the rows in memory without any gaps, by their stride in bytes."""
        width, height = self.size
        if not memory.flags.c_contiguous:
            raise self._error("has strides of its own; leave out strides, or give flat memory")
        line = width * self.kind.itemsize if stride is None else stride
        if not isinstance(line, int) or line < width * self.kind.itemsize or line % self.kind.itemsize:
            raise ConfigurationUnsupportedError(
                f"{self.name}: a row of {width} {self.kind} does not fit a stride of {shown(line)} bytes"
            )
        needed = (height - 1) * line + width * self.kind.itemsize
        if memory.nbytes < needed:
            raise self._error(f"has {memory.nbytes} bytes; {height} rows of {line} bytes need {needed}")
        flat = memory.reshape(-1).view(np.uint8)
        return np.ndarray((height, width), self.kind, buffer=flat, strides=(line, self.kind.itemsize))

    def _array(self) -> NDArray[Any]:
        """Return it as an array, of no subclass, of the same memory."""
        plane = self.given
        if isinstance(plane, np.ndarray):
            return np.asarray(plane)
        try:
            memory = memoryview(plane)  # type: ignore[arg-type]
        except TypeError:
            return self._tensor()
        except (ValueError, BufferError) as error:
            raise self._error(f"gives no access to its memory ({error})") from error
        return np.asarray(memory)

    def _tensor(self) -> NDArray[Any]:
        plane: Any = self.given
        if not hasattr(plane, "__dlpack__"):
            raise self._error(
                f"is a {type(plane).__name__}; it can be anything with the buffer protocol or DLPack"
            ) from None
        try:
            return np.from_dlpack(plane, **_NO_COPY)
        except (TypeError, ValueError, RuntimeError, BufferError) as error:
            raise self._error(f"cannot be taken by DLPack: {error}") from error

    def _error(self, what: str) -> ConfigurationUnsupportedError:
        return ConfigurationUnsupportedError(f"{self.name} {what}")


_NO_COPY: dict[str, Any] = {"copy": False} if np.lib.NumpyVersion(np.__version__) >= "2.1.0" else {}
"""Before, there was no such thing."""
