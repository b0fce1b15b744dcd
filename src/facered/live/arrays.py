"""Pictures that are one NumPy array, as OpenCV, imageio and GStreamer have them, written into where they are.

Packed colours are worked on as three planes that lie in one another: nothing is converted, so no sample changes but in
the masks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError, ContentUnsupportedError
from facered.live.planes import MAX_SIDE, given_planes
from facered.video.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.uint8]

PACKED = {
    "rgb24": "rgb", "bgr24": "bgr", "rgba": "rgba", "bgra": "bgra", "argb": "argb", "abgr": "abgr",
    "rgb0": "rgb0", "bgr0": "bgr0", "0rgb": "0rgb", "0bgr": "0bgr",
}  # fmt: skip
"""FFmpeg's names of packed formats, and what the samples of a pixel are."""
PLANAR = {"gray": "gray", "i420": "yuv420p", "yuv420p": "yuv420p", "nv12": "nv12", "nv21": "nv21"}
"""Names of formats whose planes lie one below the other in an array, and FFmpeg's names of them."""


class GivenArray:
    """A picture in an array of the caller's.

    Parameters
    ----------
    array : (height, width, 3 or 4) uint8, (height, width) uint8 for gray, or (1.5 * height, width) uint8
        Writable; the latter holds the planes of i420, nv12 or nv21.
    pixel_format : str
        One of `PACKED` or `PLANAR`.
    seconds : float or None
        Its time.

    Raises
    ------
    ConfigurationUnsupportedError
        It is no such array, or cannot be written into.
    ContentUnsupportedError
        There is no such format.
    """

    def __init__(self, array: Array, pixel_format: object, seconds: object) -> None:
        if not isinstance(pixel_format, str) or not pixel_format:
            raise ConfigurationUnsupportedError(
                f"of what format the array is has to be told, such as format='bgr24'; it is {shown(pixel_format)}"
            )
        if pixel_format not in PACKED and pixel_format not in PLANAR:
            raise ContentUnsupportedError(
                f"arrays in {shown(pixel_format)} are not redacted; they can be {', '.join([*PACKED, *PLANAR])}"
            )
        if array.dtype != np.uint8:
            raise ConfigurationUnsupportedError(f"the array is {array.dtype}; pictures are uint8, from 0 to 255")
        self.result = array
        self.seconds = _seconds(seconds)
        self.duration = 0.0
        plain = np.asarray(array)
        self.picture = _packed(plain, pixel_format) if pixel_format in PACKED else _planar(plain, pixel_format)

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, which are written into where they are."""
        return self.picture, 0


def nothing(width: int, height: int, pixel_format: str) -> Array:
    """Return a picture in one of the `PACKED` formats whose samples are all 0."""
    return np.zeros((height, width, len(PACKED[pixel_format])), np.uint8)


def _packed(array: Array, pixel_format: str) -> Picture:
    order = PACKED[pixel_format]
    if array.ndim != 3 or array.shape[2] != len(order) or not _is_size(array.shape[1], array.shape[0]):
        raise _misfit(array, pixel_format, f"(height, width, {len(order)})")
    _check_writable(array)
    if 0 in array.strides:
        raise ConfigurationUnsupportedError("the array has pixels that lie in each other's memory; give a copy")
    green, blue, red = (array[:, :, order.index(colour)] for colour in "gbr")
    return Picture(green, blue, red, "gbr", full_range=True, across=1, down=1)


def _planar(array: Array, pixel_format: str) -> Picture:
    gray = pixel_format == "gray"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 or (not gray and (array.shape[0] % 3 or array.shape[1] % 2)):
        needed = "(height, width)" if gray else "(height * 3 / 2, width), both even"
        raise _misfit(array, pixel_format, needed)
    height, width = array.shape[0] if gray else array.shape[0] // 3 * 2, array.shape[1]
    if not _is_size(width, height):
        raise _misfit(array, pixel_format, "one of a picture")
    _check_writable(array)
    planes: list[Any] = [array[:height]]
    if PLANAR[pixel_format] == "yuv420p":
        if not array.flags.c_contiguous:
            raise ConfigurationUnsupportedError(
                "an array of i420 must be contiguous: half rows follow each other in it"
            )
        planes += list(array[height:].reshape(2, height // 2, width // 2))
    elif not gray:
        planes.append(array[height:])
    given = given_planes(
        planes, None, PLANAR[pixel_format], None, width=width, height=height, matrix=None, full_range=False,
        interlaced=False,
    )  # fmt: skip
    return given.picture


def _check_writable(array: Array) -> None:
    if not array.flags.writeable:
        raise ConfigurationUnsupportedError("the array cannot be written into; give a copy: array.copy()")


def _is_size(width: int, height: int) -> bool:
    return 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE


def _misfit(array: Array, pixel_format: str, needed: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"the array is {array.shape}; {pixel_format} is {needed}")


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ConfigurationUnsupportedError(f"pts is {shown(value)}; of an array it is its time in seconds")
    return seconds
