"""The first packets of a stream, read ahead for what their times tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from av.error import FFmpegError

from facered.video.input.rate import chosen

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

PICTURES = 32
"""Packets of pictures whose times are looked at; by hand. More: a film begins later. Fewer: a start that stutters
counts."""
MAX_REORDERED = 16
"""Pictures that may be stored before one that is shown before them: what H.264 and HEVC allow."""
MAX_UNDATED = 500
"""Packets without times at a file's beginning that are looked past; by hand. With more, memory; with fewer, longer
beginnings would be shown too fast."""
MAX_PACKETS = 1000
"""Packets of all streams that are read for that; by hand. More: memory. Fewer: pictures behind much sound do not
count."""
MAX_BYTES = 64 << 20
"""Bytes that they may have together; by hand. More: memory. Fewer: raw pictures of large sizes do not count."""


class Preview:
    """Packets of which the first ones are known before they come.

    Parameters
    ----------
    packets : iterable of av.Packet
    stream : av.VideoStream
    pictures : int
        How many packets of the stream with times to look at, at most; 0 looks at nothing. Where packets without times
        come first, some more are looked at.

    Attributes
    ----------
    times : list of int
        Of those packets, in the stream's ticks.
    undated : int
        How many packets of pictures have none.
    """

    def __init__(self, packets: Iterable[Packet[Stream]], stream: Stream, pictures: int = PICTURES) -> None:
        self._packets = iter(packets)
        self._stream = stream
        self._ahead: deque[Packet[Stream]] = deque()
        self.times: list[int] = []
        self.undated = 0
        self._error: FFmpegError | None = None
        try:
            if pictures:
                self._look(pictures)
        except FFmpegError as error:  # raised again where it stands
            self._error = error

    def rate(self, told: Fraction | None, time_base: Fraction) -> Fraction:
        """Return the frames a second, by what the file tells and by the times; see `rate.chosen`."""
        return chosen(told, self.times, time_base)

    def __iter__(self) -> Iterator[Packet[Stream]]:
        while self._ahead:
            yield self._ahead.popleft()
        if self._error is not None:
            raise self._error
        yield from self._packets

    def _look(self, pictures: int) -> None:
        size = 0
        for packet in self._packets:
            self._ahead.append(packet)
            size += packet.size
            if packet.stream is self._stream and packet.size:
                time = packet.pts if packet.pts is not None else packet.dts
                if time is None:
                    self.undated += 1
                else:
                    self.times.append(time)
            wanted = max(pictures, MAX_REORDERED) if self.undated else pictures
            enough = len(self.times) >= wanted or self.undated >= MAX_UNDATED
            if enough or not packet.size or len(self._ahead) >= MAX_PACKETS + self.undated or size > MAX_BYTES:
                return
