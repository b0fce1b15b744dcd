"""Times of pictures where a container does not tell them, or tells them in another order than that of showing."""

from __future__ import annotations

import heapq
from fractions import Fraction
from typing import TYPE_CHECKING

from facered.video.info import NO_TIMES

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.input.preview import Preview


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
        self._step = Fraction(1)  # ticks a frame

    @property
    def wanted(self) -> int:
        """How many pictures with times have to be seen before the first one can be dated."""
        return int(self._told)

    def begin(self, preview: Preview, rate: Fraction) -> None:
        """Take what is known of a stream's beginning, and how many frames a second there are."""
        self._step = 1 / (rate * (self._stream.time_base or Fraction(1)))
        if self._told and preview.undated and preview.times:
            self._undated = preview.undated
            self._next = min(preview.times) - preview.undated * self._step

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
            self._next += self._step
            self._undated -= 1
