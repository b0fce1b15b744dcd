"""AAC as broadcast, copied: each packet says rate and channels, and files say them once for all.

Where they change, sound is decoded and encoded again with the first ones, so that what was copied and what was not is
one stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from av.codec import CodecContext
from av.packet import Packet

from facered.video.output.sound import Resampler

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.stream import Stream

RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Samples a second, by the header's number."""
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "7.1"}
"""Speakers by the header's number, by FFmpeg's names."""
_HEADER = 7


class AdtsCopy:
    """Copies the packets of a stream, and encodes those anew that differ from the first one in rate or channels.

    Parameters
    ----------
    source : AudioStream
    """

    def __init__(self, source: AudioStream) -> None:
        self._decoder = source.codec_context
        self._setup: tuple[int, int, int] | None = None  # profile, rate, channels, by the header's numbers
        self._encoder: AudioCodecContext | None = None
        self._resampler: Resampler | None = None
        self._begin: Fraction | None = None  # when the first encoded frame begins

    def take(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """Return what is written for a packet."""
        setup = _setup(bytes(memoryview(packet)[:_HEADER]))
        if self._setup is None:
            self._setup = setup
        if setup is None or setup == self._setup or not _known(self._setup):
            return [*self.finish(), packet]
        return [made for frame in self._decoder.decode(packet) for made in self._encode(frame)]

    def finish(self) -> list[Packet[Stream]]:
        """Return what the encoder has left."""
        if self._encoder is None or self._resampler is None:
            return []
        made = [packet for piece in self._resampler.flush() for packet in self._encoder.encode(piece)]
        made += self._encoder.encode(None)
        ready = list(self._wrapped(made))
        self._encoder = self._resampler = self._begin = None
        return ready

    def _encode(self, frame: AudioFrame) -> Iterator[Packet[Stream]]:
        if self._encoder is None or self._resampler is None:
            assert self._setup is not None
            rate, layout = RATES[self._setup[1]], LAYOUTS[self._setup[2]]
            self._encoder = CodecContext.create("aac", "w")
            self._encoder.sample_rate, self._encoder.layout, self._encoder.format = rate, layout, "fltp"
            self._resampler = Resampler(layout, rate)
        if self._begin is None and frame.pts is not None and frame.time_base is not None:
            self._begin = frame.pts * frame.time_base
        for piece in self._resampler.take(frame):
            yield from self._wrapped(self._encoder.encode(piece))

    def _wrapped(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """Yield packets with the header of the copied ones, without that which only prepares the decoder."""
        assert self._setup is not None
        for packet in packets:
            if self._begin is not None and packet.pts is not None and packet.pts * packet.time_base < self._begin:
                continue
            made: Packet[Stream] = Packet(_header(self._setup, packet.size) + bytes(packet))
            made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
            made.time_base = packet.time_base
            made.is_keyframe = True
            yield made


def _setup(header: bytes) -> tuple[int, int, int] | None:
    """Return profile, rate and channels by the numbers of a packet's header; None where it has none."""
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    return header[2] >> 6, header[2] >> 2 & 15, (header[2] & 1) << 2 | header[3] >> 6


def _known(setup: tuple[int, int, int] | None) -> bool:
    """Tell whether the numbers stand for a rate and for speakers; others are reserved, or said elsewhere."""
    return setup is not None and setup[1] < len(RATES) and setup[2] in LAYOUTS


def _header(setup: tuple[int, int, int], size: int) -> bytes:
    """Return the header of a packet of so many bytes."""
    profile, rate, channels = setup
    size += _HEADER
    return bytes(
        (
            0xFF, 0xF1, profile << 6 | rate << 2 | channels >> 2, (channels & 3) << 6 | size >> 11,
            size >> 3 & 255, (size & 7) << 5 | 31, 0xFC,
        )
    )  # fmt: skip
