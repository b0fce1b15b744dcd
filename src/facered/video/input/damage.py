"""Which frames may not look as they should: those between damage and the next key frame.

A decoder tells of damage late, the later the more threads it has. So what is damaged is a packet, known by its number,
and which frames that concerns is found out when all have come.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from av.codec.context import Flags

from facered.video.input.preview import MAX_REORDERED

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

_SOUND, _DAMAGED, _KEY = 0, 1, 2
ONE_EACH = ("hevc",)
"""Decoders that give a frame for each packet, and drop what they cannot decode without a word."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A packet's number. PyAV knows objects by where they are, and numbers may be in one place."""

    number: int


class Damage:
    """What is known of the packets and frames of a stream.

    Parameters
    ----------
    decoder : av.CodecContext
        Not open yet; it is told to pass the packets' numbers on.

    Attributes
    ----------
    known : bool
        Whether there was any so far.
    lost : bool
        Whether a packet gave no frame so far that should have, though the decoder said nothing.
    flags : int
        Those of decoders that pass the packets' numbers on.
    """

    flags = Flags.copy_opaque.value

    def __init__(self, decoder: CodecContext) -> None:
        decoder.flags |= self.flags
        self.known = self.lost = False
        self._failed = self._cut_off = False
        self._one_each = decoder.name in ONE_EACH
        self._packets = array("b")
        self._frames = array("b")
        self._origins = array("q")
        self._come: set[int] = set()  # packets that gave a frame, from the next one on that is to be judged
        self._next = self._begun = 0

    @property
    def last_packet(self) -> int:
        """The number of the last packet."""
        return len(self._packets) - 1

    def mark(self, packet: Packet[Stream], number: int) -> None:
        """Have the frames that come of a packet know its number."""
        if packet.size:
            cast("Any", packet).opaque = _Mark(number)

    def origin(self, frame: VideoFrame) -> int | None:
        """Return the number of the packet that a frame came of, where the decoder tells."""
        mark = cast("Any", frame).opaque
        return mark.number if isinstance(mark, _Mark) else None

    def note_packet(self, packet: Packet[Stream], *, damaged: bool) -> None:
        """Take a packet that is about to be decoded."""
        self._packets.append(_DAMAGED if damaged else _SOUND)
        self.mark(packet, self.last_packet)
        self.known |= damaged

    def note_damaged(self, number: int) -> None:
        """Take it that a packet that was taken is damaged."""
        self._packets[number] = _DAMAGED
        self.known = True

    def note_failure(self) -> None:
        """Take it that a packet, one from which no frame will have come, cannot be decoded."""
        self._failed = self.known = True

    def note_end(self) -> None:
        """Take it that no more can be read: the last frame that there is may be cut off, and others are missing."""
        self.known = self._cut_off = True

    def note_frame(self, frame: VideoFrame) -> None:
        """Take the next frame as it comes from the decoder."""
        origin = self.origin(frame)
        origin = self.last_packet if origin is None else origin
        self._origins.append(origin)
        if self._one_each:
            self._judge(origin)
        self._frames.append(_DAMAGED if frame.is_corrupt else _KEY if frame.key_frame else _SOUND)
        self.known |= frame.is_corrupt

    def _judge(self, origin: int) -> None:
        """Take it that a packet gave a frame; of one that is far before it no frame will come any more."""
        self._come.add(origin)
        while self._next < origin - MAX_REORDERED:
            if self._next in self._come:
                self._come.remove(self._next)
                self._begun += 1
            else:
                self.lost |= self._begun > 1  # as in `frames`
            self._next += 1

    def frames(self) -> set[int]:
        """Return the numbers of the damaged frames; to be asked when all have come."""
        frame_of = dict(zip(self._origins, range(len(self._frames)), strict=True))
        if not self.known and not (self._one_each and len(frame_of) < len(self._packets)):
            return set()
        found: set[int] = set()
        lost = self._failed and len(self._packets) - 1 not in frame_of
        if (self._cut_off or lost) and self._frames:
            found.add(len(self._frames) - 1)
        suspect, begun = False, 0
        for number, packet in enumerate(self._packets):
            frame = frame_of.get(number)
            # What follows the first key frame may look back at what was cut off, and is rightly left out.
            begun += frame is not None
            failed = self._failed or (self._one_each and begun > 1)
            state = (_DAMAGED if failed else _SOUND) if frame is None else self._frames[frame]
            if _DAMAGED in (packet, state):
                suspect = True
            elif state == _KEY:
                suspect = False
            if suspect and frame is not None:
                found.add(frame)
        # What is shown before a key frame and decoded after it may look back at what is damaged.
        suspect = False
        for frame, state in enumerate(self._frames):
            suspect = frame in found or (suspect and state != _KEY)
            if suspect:
                found.add(frame)
        return found
