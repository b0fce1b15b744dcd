"""Pixel formats by FFmpeg's names: which of them the kernels work on, and how the others are brought into one of those.

A format is native if the kernels work on it as it is: YUV of any usual subsampling or gray, of 8 to 16 bits, planar or
with U and V alternating.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from av.video.format import VideoFormat

from facered.errors import ContentUnsupportedError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

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
_BT709 = 1

LIMITED_RANGE, FULL_RANGE = 1, 2
"""FFmpeg's numbers for samples from 16 to 235 and from 0 to 255, or so many times more where they have more bits."""


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

    Raises
    ------
    ContentUnsupportedError
        The frames are somewhere else than in memory.
    """
    if layout(name) is not None:
        return name
    pixel_format = VideoFormat(name)
    components = [component for component in pixel_format.components if not component.is_alpha]
    if not components:
        raise ContentUnsupportedError(
            f"frames in {name} are in a graphics card's memory; have them downloaded first (FFmpeg's hwdownload)"
        )
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


def picture_bits(name: str | None) -> int:
    """Return how many bits of memory a pixel takes, chroma included; 24 where that is not known."""
    return VideoFormat(name).padded_bits_per_pixel if name else 24


class Converter:
    """Brings frames into one native pixel format, by swscale where they have another.

    Parameters
    ----------
    name : str
        The pixel format, one that has a `layout`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, frame: VideoFrame, size: tuple[int, int] | None = None) -> VideoFrame:
        """Return the frame itself where its pixel format is the one, else a copy; times and colour tags are kept.

        RGB becomes BT.709 in limited range, and is tagged so. Where a `size` is given, width and height, the frame is
        scaled to that.
        """
        width, height = size or (frame.width, frame.height)
        if frame.format.name == self.name and (frame.width, frame.height) == (width, height):
            return frame
        colours = frame.format.is_rgb or frame.format.has_palette or frame.format.is_bayer
        if colours:
            converted = frame.reformat(width, height, format=self.name, dst_colorspace="ITU709", dst_color_range="MPEG")
            converted.colorspace, converted.color_range = _BT709, LIMITED_RANGE
        else:
            converted = frame.reformat(width, height, format=self.name)
            converted.colorspace = frame.colorspace
        converted.color_primaries, converted.color_trc = frame.color_primaries, frame.color_trc
        converted.pts, converted.time_base, converted.duration = frame.pts, frame.time_base, frame.duration
        return converted


def to_native(frame: VideoFrame) -> VideoFrame:
    """Return the frame itself where its pixel format is native, else a copy in the `working_format` of its own."""
    return Converter(working_format(frame.format.name)).convert(frame)
