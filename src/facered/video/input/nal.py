"""Whether decoding may begin with a key frame, by what is in it, and not by what its container calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

WHOLE = ("av1", "dnxhd", "ffv1", "huffyuv", "mjpeg", "png", "prores", "rawvideo", "utvideo", "vp8", "vp9")
"""Codecs whose key frames forget all that was before."""
_START = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_AVCC, _HVCC = 5, 22  # bytes of the headers that tell how long a unit's length is, at least


def begins_anew(packet: Packet[VideoStream], stream: VideoStream) -> bool:
    """Tell whether all that is shown from a key frame on can be decoded from it on, whoever wrote the file.

    Of H.264 and HEVC that is so where the standard has it; of other codecs where they know nothing else. A frame that a
    file merely calls a key frame may be followed by some that look back beyond it.
    """
    codec = stream.codec_context.codec.canonical_name
    if codec not in ("h264", "hevc"):
        return codec in WHOLE
    for header in _headers(bytes(packet), stream.codec_context.extradata or b"", codec):
        kind = header & 0x1F if codec == "h264" else header >> 1 & 0x3F
        if codec == "h264" and 1 <= kind <= 5:
            return kind == 5  # IDR
        if codec == "hevc" and kind < 32:
            return 16 <= kind <= 21  # random access
    return False


def _headers(data: bytes, extradata: bytes, codec: str) -> Iterator[int]:
    """Yield the first byte of each unit."""
    least, place = (_AVCC, 4) if codec == "h264" else (_HVCC, 21)
    if len(extradata) < least or extradata[0] != 1:
        yield from (match[1][0] for match in _START.finditer(data))
        return
    size, at = (extradata[place] & 3) + 1, 0
    while at + size < len(data):
        yield data[at + size]
        at += size + int.from_bytes(data[at : at + size], "big")
