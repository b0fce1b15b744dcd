"""Decoding with threads as long as nothing is wrong, and without them from the first damage on.

What decoders make of damage, and whether they tell of it, is up to chance where frames are decoded side by side. So
the threads' decoder stops at the first thing that is wrong, and the film is decoded again, from its start or from far
before, by one that mends what it can, one packet after the other: what that gives is the same whatever the threads
gave before, and when they noticed. A third one, which mends nothing, tells which packets are damaged: some decoders
mend without a word.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from av.error import FFmpegError

from facered.runtime import cancellation
from facered.video.input.preview import MAX_REORDERED

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.input.damage import Damage

logger = logging.getLogger(__name__)

STRICT = {"err_detect": "explode+crccheck+careful"}
"""FFmpeg's option of decoders that mend nothing."""
STRICTER = {"libdav1d": {"strict": "strict"}}
"""More of them, by decoder: dav1d then looks whether what it has read ends as it must."""
SEGMENT = 3000
"""Least packets between two key frames at which decoding may begin again, and before the damage; by hand. More: damage
takes longer to be passed. Fewer: what a decoder has learned of the film before, such as how late frames may come,
makes a difference."""
MANY_AGAIN = 1000
"""From so many packets on that are decoded once more it is said; by hand. Fewer: words about a moment. More: nobody
knows why no picture comes."""
MAX_UNEXPLAINED = 3
"""How often a packet may give no frame, without damage, until that is taken to be this film's way; by hand. Each time
costs decoding again."""
SILENT = ("vp8",)
"""Decoders whose threads make something else of damage each time, and do not tell: they are given one."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The same stream once more: its packets from the first one on, and a decoder of its own that is not open yet."""

    stream: VideoStream
    packets: Iterator[Packet[Stream]]
    close: Callable[[], None]


class Decoding:
    """The decoder of one stream.

    Parameters
    ----------
    stream : av.VideoStream
        Its decoder is not open yet.
    damage : Damage
        Told which packets are damaged.
    reopen : callable, optional
        Returns a `Replay`. Where there is none, the threads go on after damage.
    name : object, optional
        What the input is called where it is said that much is decoded again; by default that is not said.
    """

    def __init__(
        self,
        stream: VideoStream,
        damage: Damage,
        reopen: Callable[[], Replay] | None,
        name: object = None,
    ) -> None:
        self._damage, self._reopen, self._name = damage, reopen, name
        self._options = dict(stream.codec_context.options)
        self._strict = STRICT | STRICTER.get(stream.codec_context.name, {})
        self._anchors: deque[int] = deque([0], maxlen=3)  # key frames at which decoding may begin again
        self._given: Counter[int | None] = Counter()  # frames by packet, from the first of these on
        self._last_given: int | None = None
        self._held: deque[VideoFrame] = deque()
        self._come: set[int] = set()  # packets that gave a frame, and below which one did not
        self._whole = 0  # below this one, all did
        self._unexplained = 0
        self._told = False  # whether anything but missing frames tells of damage
        self._context = stream.codec_context
        self._careful: VideoCodecContext | None = None
        self._witness: VideoCodecContext | None = None
        self._closing: list[Callable[[], None]] = []
        if self._context.name in SILENT:
            self._context.thread_count = 1
            self._careful = self._context
        elif reopen is not None:
            self._context.options = self._options | self._strict

    def close(self) -> None:
        """Close the decoders."""
        while self._closing:
            self._closing.pop()()

    def decode(self, packet: Packet[Stream], failed: Callable[[str], None]) -> list[VideoFrame]:
        """Return the frames that come of a packet, the last that was noted; `failed` is told why some do not."""
        number = self._damage.last_packet
        if self._careful is not None:
            return self._decode_carefully(number, packet, failed)
        if packet.size and packet.is_keyframe and number >= self._anchors[-1] + SEGMENT:
            self._anchors.append(number)
            self._given = Counter({of: n for of, n in self._given.items() if of is None or of >= self._anchors[0]})
        if self._reopen is None:
            return cast("list[VideoFrame]", packet.decode())
        if packet.is_corrupt:
            return self._begin_anew(packet, failed)
        try:
            frames = cast("list[VideoFrame]", packet.decode())
        except FFmpegError:
            return self._begin_anew(packet, failed)
        ready: list[VideoFrame] = []
        for frame in frames:
            if frame.is_corrupt:
                return ready + self._begin_anew(packet, failed)
            self._held.append(frame)
            ready += self._released(self._damage.origin(frame))
        most = MAX_REORDERED if self._context.has_b_frames else 1
        if self._patient or not (len(self._held) > most if packet.size else self._whole <= number):
            return ready
        found = self._begin_anew(packet, failed)
        return ready + (found if self._told or not packet.size else self._go_on())

    @property
    def _patient(self) -> bool:
        """Whether packets that give no frame are this film's way."""
        return self._unexplained >= MAX_UNEXPLAINED

    def _go_on(self) -> list[VideoFrame]:
        """Have the threads go on: nothing is wrong with packets that gave no frame."""
        self._unexplained += 1
        self._careful = self._witness = None
        self.close()
        self._whole = min(self._come)
        return self._released(None)

    def _released(self, origin: int | None) -> list[VideoFrame]:
        """Take it that a packet gave a frame, and return what need not be held any more.

        That is what all packets before have given a frame for: what is shown before a damaged frame and decoded after
        it looks back at it.
        """
        if origin is not None and origin >= self._whole and not self._patient:
            self._come.add(origin)
        while self._whole in self._come:
            self._come.remove(self._whole)
            self._whole += 1
        released = []
        while self._held:
            origin = self._damage.origin(self._held[0])
            if origin is not None and origin > self._whole and not self._patient:
                break
            released.append(self._held.popleft())
            self._last_given = origin
            self._given[origin] += 1
        return released

    def _begin_anew(self, packet: Packet[Stream], failed: Callable[[str], None]) -> list[VideoFrame]:
        """Decode again up to a packet, the last that was noted, and return what was not given yet."""
        last = self._damage.last_packet
        anchor = max(number for number in self._anchors if number == self._anchors[0] or number <= last - SEGMENT)
        if self._name is not None and last - anchor >= MANY_AGAIN:
            logger.warning(
                "%s: something is wrong near picture %d; %d pictures are decoded once more, by one thread, slowly",
                self._name,
                last,
                last - anchor,
            )
        packets = self._open_decoders()
        found: list[VideoFrame] = []
        given = self._given.copy()
        for number in range(last + 1):
            again = next(packets, None)
            cancellation.check()  # it may take a minute
            if again is None or not again.size:  # the file is being changed
                break
            if number >= anchor:
                self._add_new(found, self._decode_carefully(number, again, failed), given)
        if not packet.size:
            self._add_new(found, self._decode_carefully(last, packet, failed), given)
        return found

    def _add_new(self, found: list[VideoFrame], frames: list[VideoFrame], given: Counter[int | None]) -> None:
        """Add frames that were not given: of those that were lost before the last given one it is too late."""
        for frame in frames:
            origin = self._damage.origin(frame)
            if not given[origin]:
                found.append(frame)
                continue
            given[origin] -= 1
            if origin == self._last_given and not given[origin]:
                found.clear()

    def _open_decoders(self) -> Iterator[Packet[Stream]]:
        assert self._reopen is not None
        replay, other = self._reopen(), self._reopen()
        self._closing += [replay.close, other.close]
        self._careful, self._witness = self._decoder(replay, {}), self._decoder(other, self._strict)
        return replay.packets

    def _decoder(self, replay: Replay, options: dict[str, str]) -> VideoCodecContext:
        context = replay.stream.codec_context
        context.thread_count = 1
        context.flags |= self._damage.flags
        context.options = self._options | options
        return context

    def _decode_carefully(self, number: int, packet: Packet[Stream], failed: Callable[[str], None]) -> list[VideoFrame]:
        assert self._careful is not None
        given = packet if packet.size else None  # that flushes them
        if self._witness is not None:
            try:
                cast("Any", self._witness).decode(given)
            except FFmpegError:
                self._told = True
                if packet.size:
                    self._damage.note_damaged(number)
        self._damage.mark(packet, number)  # other decoders have taken the mark with them
        try:
            frames = cast("list[VideoFrame]", cast("Any", self._careful).decode(given))
        except FFmpegError as error:
            self._told = True
            failed(getattr(error, "strerror", None) or str(error))
            return []
        self._told |= any(frame.is_corrupt for frame in frames)
        if self._careful is not self._context:  # where others look up how the pictures are now
            self._context.sample_aspect_ratio = self._careful.sample_aspect_ratio or Fraction(0)
        return [_copied(frame) for frame in frames]


def _copied(frame: VideoFrame) -> VideoFrame:
    """Return a frame that shares no memory with its decoder.

    Where a picture lacks data, there remains what its memory held before: which frame that was is up to when frames are
    given back, and that must not be up to who works on them.
    """
    with suppress(NotImplementedError):  # formats that are converted, which copies them
        shared = frame.planes[0].__dlpack__()  # a second reference, with which memory is not writable
        frame.make_writable()
        del shared
    return frame
