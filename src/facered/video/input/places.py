"""The order of frames and of packets of other streams: that of the file, however late a decoder gives its frames.

Decoders give frames the later, the more threads they have. What is written must not depend on that: each frame comes
where a packet of pictures stood, the first one at the first, and what stood behind it follows it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

MAX_EXPECTED = 64
"""Frames that are waited for, at most; by hand: threads, reordering and the wait for damage take fifty. More: sound
stays behind where packets give no frame. Fewer: the order depends on the threads."""


class Places:
    """Puts frames, and packets of other streams, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Packet[Stream] | None] = deque()  # None: the place of a frame, first of all
        self._expected = 0

    def expect(self) -> Iterator[Packet[Stream]]:
        """Take it that a packet of pictures has come, which a frame will follow; yield what waits no longer."""
        self._waiting.append(None)
        self._expected += 1
        if self._expected > MAX_EXPECTED:
            yield from self._next()

    def packet(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Take a packet of another stream; yield it, if it need not wait."""
        if self._expected:
            self._waiting.append(packet)
        else:
            yield packet

    def frame(self, frame: VideoFrame) -> Iterator[VideoFrame | Packet[Stream]]:
        """Take the next frame; yield it, and what has waited for it."""
        yield frame
        yield from self._next()

    def rest(self) -> Iterator[Packet[Stream]]:
        """Yield what is left."""
        while self._expected:
            yield from self._next()

    def _next(self) -> Iterator[Packet[Stream]]:
        if self._expected:
            self._waiting.popleft()
            self._expected -= 1
        while self._waiting and (packet := self._waiting[0]) is not None:
            self._waiting.popleft()
            yield packet
