"""Writing NUT, the container of pipes: each packet is out at once, whole, in the order that it came.

FFmpeg's own muxer, through PyAV, loses the sample aspect ratio, and holds each packet back until the next one of every
other stream. This is what a pipe needs of https://ffmpeg.org/nut.html: no index, a syncpoint whenever one is due.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

VIDEO, AUDIO, SUBTITLE = 0, 1, 2
"""Classes of streams."""

Buffer = bytes | memoryview
Write = Callable[[Sequence[Buffer]], None]

_ID = b"nut/multimedia container\0"
_MAIN, _STREAM, _SYNCPOINT, _INFO = (
    int.from_bytes(letters) << 48 | number
    for letters, number in (
        (b"NM", 0x7A561F5F04AD), (b"NS", 0x11405BF2F9DB), (b"NK", 0xE4ADEECA4569), (b"NI", 0xAB68B596BA78),
    )
)  # fmt: skip
_KEY, _CODED_PTS, _STREAM_ID, _SIZE_MSB, _CHECKSUM, _CODED = 1, 8, 16, 32, 64, 4096
_MAX_DISTANCE = 65536
_LONG_HEADER = 4096
_SIZES = 255
"""How many frame codes there are: all bytes but ``N``; each stands for one remainder of a packet's size."""
_PTS_SHIFT = 7
"""Times are written in full, and marked so by this bit."""
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class NutStream:
    """What the file says about a stream.

    Attributes
    ----------
    kind : int
        `VIDEO`, `AUDIO` or `SUBTITLE`.
    tag : bytes
        Four bytes that name the codec, or the layout of raw pictures.
    time_base : Fraction
        Seconds a tick.
    setup : bytes
        What the decoder needs beforehand.
    width, height : int
    sample_aspect_ratio : Fraction or None
        Of pictures.
    sample_rate, channels : int
        Of sound.
    delay : int
        How many pictures the decoder holds back.
    tags : mapping of str to str
        Language, title and the like.
    """

    kind: int
    tag: bytes
    time_base: Fraction
    setup: bytes = b""
    width: int = 0
    height: int = 0
    sample_aspect_ratio: Fraction | None = None
    sample_rate: int = 0
    channels: int = 0
    delay: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


class NutWriter:
    """Writes the headers at once, and packets as they come.

    Parameters
    ----------
    write : callable
        Takes pieces of the file, to be written one behind the other before it returns.
    streams : sequence of NutStream
    """

    def __init__(self, write: Write, streams: Sequence[NutStream]) -> None:
        self._write = write
        self._bases = sorted({stream.time_base for stream in streams})
        self._base_of = [self._bases.index(stream.time_base) for stream in streams]
        self._position = 0
        self._syncpoint: int | None = None
        pieces = [_ID, _packet(_MAIN, self._main(len(streams)))]
        for number, stream in enumerate(streams):
            pieces.append(_packet(_STREAM, self._stream(number, stream)))
        for number, stream in enumerate(streams):
            if stream.tags:
                pieces.append(_packet(_INFO, _tags(number, stream.tags)))
        self._put(pieces)

    def write_packet(self, stream: int, pts: int, pieces: Sequence[Buffer], key: bool = True) -> None:
        """Write a packet of a stream, by its number, that begins at `pts`, at least 0, in the stream's ticks."""
        size = sum(len(piece) for piece in pieces)
        header: list[Buffer] = []
        if self._syncpoint is None or self._position + size + 64 > self._syncpoint + _MAX_DISTANCE:
            back = 0 if self._syncpoint is None else (self._position - self._syncpoint) >> 4
            time = pts * len(self._bases) + self._base_of[stream]
            self._syncpoint = self._position
            header.append(_packet(_SYNCPOINT, _number(time) + _number(back)))
        code = size % _SIZES
        start = bytes([code + (code >= ord("N"))]) + _number(_KEY if key else 0) + _number(stream)
        start += _number(pts + (1 << _PTS_SHIFT)) + _number(size // _SIZES)
        header.append(start + _checksum(start))
        self._put([*header, *pieces])

    def _put(self, pieces: Sequence[Buffer]) -> None:
        self._write(pieces)
        self._position += sum(len(piece) for piece in pieces)

    def _main(self, streams: int) -> bytes:
        version = 3
        data = _numbers(version, streams, _MAX_DISTANCE, len(self._bases))
        for base in self._bases:
            data += _numbers(base.numerator, base.denominator)
        # One entry makes the whole table of frame codes; its fields: pts, factor and remainder of sizes, and so on.
        flags = _CODED_PTS | _STREAM_ID | _SIZE_MSB | _CHECKSUM | _CODED
        return data + _numbers(flags, 6, 0, _SIZES, 0, 0, 0, _SIZES) + _number(0)

    def _stream(self, number: int, stream: NutStream) -> bytes:
        most_seconds = 10
        data = _numbers(number, stream.kind) + _blob(stream.tag) + _numbers(self._base_of[number], _PTS_SHIFT)
        data += _numbers(round(most_seconds / stream.time_base) + 1, stream.delay) + b"\0" + _blob(stream.setup)
        if stream.kind == VIDEO:
            aspect = stream.sample_aspect_ratio or Fraction(0)
            ratio = (aspect.numerator, aspect.denominator) if aspect else (0, 0)
            data += _numbers(stream.width, stream.height, *ratio, 0)
        elif stream.kind == AUDIO:
            data += _numbers(stream.sample_rate, 1, stream.channels)
        return data


def _number(value: int) -> bytes:
    parts = [value & 127]
    while value := value >> 7:
        parts.append(value & 127 | 128)
    return bytes(reversed(parts))


def _numbers(*values: int) -> bytes:
    return b"".join(map(_number, values))


def _blob(content: bytes) -> bytes:
    return _number(len(content)) + content


def _tags(stream: int, tags: Mapping[str, str]) -> bytes:
    """Return the texts that belong to a stream, whatever the time."""
    data = _numbers(stream + 1, 0, 0, 0, len(tags))
    for name, text in tags.items():
        data += _blob(name.encode()) + _number(2) + _blob(text.encode())  # 2: a text follows
    return data


def _checksum(data: bytes) -> bytes:
    """CRC-32 with the bits of each byte the other way round, from 0."""
    turned = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return turned.to_bytes(4, "little").translate(_REVERSED)


def _packet(startcode: int, payload: bytes) -> bytes:
    start = startcode.to_bytes(8) + _number(len(payload) + 4)
    if len(payload) + 4 > _LONG_HEADER:
        start += _checksum(start)
    return start + payload + _checksum(payload)
