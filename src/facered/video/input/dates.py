"""Times of pictures where a container does not tell them, or tells them in another order than that of showing."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from facered.video.info import NO_TIMES

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_REORDERED = 16
"""Pictures that may be stored before one that is shown before them: what H.264 and HEVC allow."""
MAX_UNDATED = 500
"""Packets without times at a file's beginning that are looked past; by hand. With more, memory; with fewer, longer
beginnings would be shown too fast."""


class Dates:
    """Gives frames the times that their container does not.

    FFmpeg has no times for pictures of Matroska that begin before 0, and AVI numbers pictures as they are stored.

    Parameters
    ----------
    container : av.container.InputContainer
    stream : av.VideoStream
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._stream = stream
        self._told = not container.format.flags & NO_TIMES
        # Kept in order, so that the next frame's is the first.
        self._sorted: list[int] | None = None
        if container.format.name == "avi" and stream.codec_context.has_b_frames:
            self._sorted = []
        self._undated = 0  # frames at the beginning that are still to come
        self._next: Fraction | None = None  # when the first of them begins

    def look_ahead(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """Yield packets, once it is known when those begin that come first and have no times."""
        held: list[Packet[Stream]] | None = [] if self._told else None
        dates: list[int] = []
        for packet in packets:
            if held is None:
                yield packet
                continue
            held.append(packet)
            if packet.stream is self._stream:
                date = packet.pts if packet.pts is not None else packet.dts
                if packet.size and date is None:
                    self._undated += 1
                elif date is not None:
                    dates.append(date)
                enough = not self._undated or len(dates) >= MAX_REORDERED or self._undated >= MAX_UNDATED
                if enough or not packet.size:
                    self._begin(dates)
                    yield from held
                    held = None
        yield from held or ()

    def note(self, packet: Packet[Stream]) -> None:
        """Take notice of a packet that will be decoded."""
        if self._sorted is not None and packet.size and packet.pts is not None:
            heapq.heappush(self._sorted, packet.pts)

    def mend(self, frame: VideoFrame) -> None:
        """Give a frame its time, where it has none or another one's."""
        if self._sorted:
            frame.pts = heapq.heappop(self._sorted)
        if frame.pts is not None or frame.dts is not None:
            self._undated = 0
        elif self._undated and self._next is not None:
            frame.pts = round(self._next)
            self._next += self._step()
            self._undated -= 1

    def _begin(self, dates: list[int]) -> None:
        if self._undated and dates:
            self._next = min(dates) - self._undated * self._step()

    def _step(self) -> Fraction:
        rate = self._stream.average_rate or self._stream.base_rate or Fraction(25)
        return 1 / (rate * (self._stream.time_base or Fraction(1)))
