"""Decoding with threads as long as nothing is wrong, and without them from the first damage on.

What decoders make of damage, and whether they tell of it, is up to chance where frames are decoded side by side. So
the threads' decoder stops at the first thing that is wrong, and what it has not given yet is decoded again, from a key
frame on, by one that mends what it can, one packet after the other. A third one, which mends nothing, tells which
packets are damaged: some decoders mend without a word.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from av.error import FFmpegError

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.input.damage import Damage

STRICT = {"err_detect": "explode"}
"""FFmpeg's option of decoders that mend nothing."""
MAX_REMEMBERED = 1200
"""Packets that are kept for being decoded again; by hand. More: memory. Fewer: films with few key frames are decoded
without threads."""


class Decoding:
    """The decoder of one stream.

    Parameters
    ----------
    stream : av.VideoStream
        Its decoder is not open yet.
    damage : Damage
        Told which packets are damaged.
    reopen : callable
        Returns the same stream of another container, with a decoder of its own, and what closes that.
    """

    def __init__(
        self, stream: VideoStream, damage: Damage, reopen: Callable[[], tuple[VideoStream, Callable[[], None]]]
    ) -> None:
        self._damage, self._reopen = damage, reopen
        self._options = dict(stream.codec_context.options)
        stream.codec_context.options = {**self._options, **STRICT}
        self._since: deque[tuple[int, Packet[Stream]]] = deque()  # from the key frame before the last one on
        self._given: set[int] = set()
        self._careful: CodecContext | None = None
        self._witness: CodecContext | None = None
        self._closing: list[Callable[[], None]] = []

    def close(self) -> None:
        """Close the decoders."""
        while self._closing:
            self._closing.pop()()

    def decode(self, packet: Packet[Stream], failed: Callable[[str], None]) -> list[VideoFrame]:
        """Return the frames that come of a packet, the last that was noted; `failed` is told why some do not."""
        if self._careful is not None:
            return self._decode_carefully(self._damage.last_packet, packet, failed)
        self._remember(packet)
        if len(self._since) > MAX_REMEMBERED:
            return self._begin_anew(failed)
        try:
            frames = cast("list[VideoFrame]", packet.decode())
        except FFmpegError:
            return self._begin_anew(failed)
        self._given.update(number for frame in frames if (number := self._damage.origin(frame)) is not None)
        if not packet.size and any(before.size and number not in self._given for number, before in self._since):
            frames += self._begin_anew(failed)  # at the end, FFmpeg does not tell of all that is wrong
        return frames

    def _remember(self, packet: Packet[Stream]) -> None:
        if packet.size and packet.is_keyframe:
            keys = [place for place, (_, before) in enumerate(self._since) if before.is_keyframe]
            # What is shown before the last key frame may look back at the one before.
            for _ in range(keys[-1] if keys else 0):
                self._given.discard(self._since.popleft()[0])
        self._since.append((self._damage.last_packet, packet))

    def _begin_anew(self, failed: Callable[[str], None]) -> list[VideoFrame]:
        """Decode again what is remembered, and return what was not given yet."""
        self._careful, self._witness = self._decoder(), self._decoder(STRICT)
        remembered, self._since = self._since, deque()
        frames = [frame for number, packet in remembered for frame in self._decode_carefully(number, packet, failed)]
        return [frame for frame in frames if self._damage.origin(frame) not in self._given]

    def _decoder(self, options: dict[str, str] | None = None) -> CodecContext:
        stream, close = self._reopen()
        self._closing.append(close)
        context = stream.codec_context
        context.thread_count = 1
        context.flags |= self._damage.flags
        context.options = {**self._options, **(options or {})}
        return context

    def _decode_carefully(self, number: int, packet: Packet[Stream], failed: Callable[[str], None]) -> list[VideoFrame]:
        assert self._careful is not None
        assert self._witness is not None
        given = packet if packet.size else None  # that flushes them
        try:
            cast("Any", self._witness).decode(given)
        except FFmpegError:
            if packet.size:
                self._damage.note_damaged(number)
        self._damage.mark(packet, number)  # other decoders have taken the mark with them
        try:
            return cast("list[VideoFrame]", cast("Any", self._careful).decode(given))
        except FFmpegError as error:
            failed(getattr(error, "strerror", None) or str(error))
            return []
