"""Animated WebP, which FFmpeg does not decode: its pictures are put together and kept without loss as a film.

A picture is a part of the canvas, drawn over what is there or instead of it, and perhaps wiped away when it has been
shown; see the WebP container specification, https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import av
import numpy as np
from av.codec import CodecContext
from av.packet import Packet
from av.video.frame import VideoFrame

from facered.errors import ContentMalformedError, ContentUnsupportedError
from facered.options import MAX_PIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER = 21
"""Bytes from the start that tell whether it is one."""
_ANIMATION, _ALPHA = 0x02, 0x10
_WIPED, _INSTEAD = 0x01, 0x02
MAX_BYTES = 256 << 20
"""Bytes of a file, which are in memory as a whole; by hand. More: memory. Fewer: long animations are refused."""
_ROWS = 256
"""Rows that are blended at a time, so that this takes little memory."""
DEFAULT_MILLISECONDS = 100
"""How long a picture is shown whose time is 0, as browsers have it."""


def is_animated(path: Path) -> bool:
    """Tell whether a file is an animated WebP."""
    try:
        with path.open("rb") as file:
            return begins_animated(file.read(HEADER))
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return False


def begins_animated(header: bytes) -> bool:
    """Tell whether an animated WebP begins so."""
    known = header[:4] == b"RIFF" and header[8:16] == b"WEBPVP8X" and len(header) >= HEADER
    return known and bool(header[20] & _ANIMATION)


def write_film(source: IO[bytes], target: IO[bytes], name: object, max_pixels: int = MAX_PIXELS) -> None:
    """Write the pictures of an animated WebP as a film, without loss; `name` stands in errors.

    Raises
    ------
    ContentMalformedError
        It is damaged.
    ContentUnsupportedError
        It is too large, or has more than `max_pixels`.
    """
    data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ContentUnsupportedError(f"{name}: this animation has more than {MAX_BYTES >> 20} MiB")
    _check_size(data, name, max_pixels)
    with av.open(target, "w", format="matroska") as output:
        stream = output.add_stream("ffv1", rate=Fraction(1000 // DEFAULT_MILLISECONDS))
        stream.codec_context.time_base = Fraction(1, 1000)
        time = 0
        try:
            for canvas, milliseconds in _pictures(data):
                frame = VideoFrame.from_ndarray(canvas, format="rgb24").reformat(format="bgr0")
                if not time:
                    stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
                frame.pts, frame.duration, frame.time_base = time, milliseconds, Fraction(1, 1000)
                output.mux(stream.encode(frame))
                time += milliseconds
        except (IndexError, ValueError) as error:
            raise ContentMalformedError(f"{name}: the animation is damaged or truncated ({error})") from error
        if not time:
            raise ContentMalformedError(f"{name}: the animation holds no picture")
        output.mux(stream.encode(None))


def _check_size(data: bytes, name: object, max_pixels: int) -> None:
    if len(data) < HEADER + 9:
        return  # it is found out that it is damaged
    width, height = _number(data, 24) + 1, _number(data, 27) + 1
    if width * height > max_pixels:
        raise ContentUnsupportedError(
            f"{name}: pictures of {width}x{height} pixels are larger than --max-pixels {max_pixels}"
        )


def _pictures(data: bytes) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Yield the canvas after each picture, (height, width, 3), the same array each time, and its milliseconds."""
    chunks = _chunks(data, 12)
    _, header = next(chunks)
    width, height = _number(header, 4) + 1, _number(header, 7) + 1
    background = np.full(3, 255, np.uint8)
    canvas = np.empty((height, width, 3), np.uint8)
    for kind, content in chunks:
        if kind == b"ANIM":
            background = np.frombuffer(content[:3], np.uint8)[::-1]
            canvas[:] = background
        elif kind == b"ANMF":
            x, y = 2 * _number(content, 0), 2 * _number(content, 3)
            shape = _number(content, 9) + 1, _number(content, 6) + 1
            part = canvas[y : y + shape[0], x : x + shape[1]]
            if part.shape[:2] != shape:
                raise ValueError("a picture reaches beyond the canvas")
            drawn = _decode(content[16:], shape)
            for top in range(0, shape[0], _ROWS):
                rows = slice(top, top + _ROWS)
                part[rows] = _blended(background if content[15] & _INSTEAD else part[rows], drawn[rows])
            yield canvas, _number(content, 12) or DEFAULT_MILLISECONDS
            if content[15] & _WIPED:
                part[:] = background


def _decode(content: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the samples of one picture, (height, width, 4): red, green, blue, opacity."""
    size = b"".join((side - 1).to_bytes(3, "little") for side in reversed(shape))
    header = b"VP8X" + (10).to_bytes(4, "little") + bytes([_ALPHA, 0, 0, 0]) + size
    file = b"WEBP" + (header if content[:4] == b"ALPH" else b"") + content
    context = CodecContext.create("webp", "r")
    packet = Packet(b"RIFF" + len(file).to_bytes(4, "little") + file)
    frames = [*context.decode(packet), *context.decode(None)]
    if not frames or (frames[0].height, frames[0].width) != shape:
        raise ValueError("a picture cannot be decoded")
    return cast("NDArray[np.uint8]", frames[0].to_ndarray(format="rgba"))


def _blended(under: NDArray[np.uint8], drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    opacity = drawn[:, :, 3:].astype(np.uint32)
    mixed = (drawn[:, :, :3] * opacity + under * (255 - opacity) + 127) // 255
    return mixed.astype(np.uint8)


def _chunks(data: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each part of a RIFF file."""
    while start + 8 <= len(data):
        kind, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        content = data[start + 8 : start + 8 + size]
        if len(content) < size:
            raise ValueError("its end is missing")
        yield kind, content
        start += 8 + size + size % 2


def _number(data: bytes, start: int) -> int:
    if start + 3 > len(data):
        raise ValueError("a part is too short")
    return int.from_bytes(data[start : start + 3], "little")
