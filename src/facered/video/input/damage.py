"""Which frames may not look as they should: those between damage and the next key frame.

A decoder tells of damage late, the later the more threads it has. So what is damaged is a packet, known by its number,
and which frames that concerns is found out when all have come.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, cast

from av.codec.context import Flags

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

_SOUND, _DAMAGED, _KEY = 0, 1, 2
ONE_EACH = ("hevc",)
"""Decoders that give a frame for each packet, and drop what they cannot decode without a word."""


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
    """

    def __init__(self, decoder: CodecContext) -> None:
        decoder.flags |= Flags.copy_opaque.value
        self.known = False
        self._failed = False
        self._one_each = decoder.name in ONE_EACH
        self._packets = array("b")
        self._frames = array("b")
        self._origins = array("q")

    def note_packet(self, packet: Packet[Stream], *, damaged: bool) -> None:
        """Take a packet that is about to be decoded."""
        cast("Any", packet).opaque = len(self._packets)
        self._packets.append(_DAMAGED if damaged else _SOUND)
        self.known |= damaged

    def note_failure(self) -> None:
        """Take it that a packet, one from which no frame will have come, cannot be decoded."""
        self._failed = self.known = True

    def note_frame(self, frame: VideoFrame) -> None:
        """Take the next frame as it comes from the decoder."""
        origin = cast("Any", frame).opaque
        self._origins.append(origin if isinstance(origin, int) else len(self._packets) - 1)
        self._frames.append(_DAMAGED if frame.is_corrupt else _KEY if frame.key_frame else _SOUND)
        self.known |= frame.is_corrupt

    def frames(self) -> set[int]:
        """Return the numbers of the damaged frames; to be asked when all have come."""
        frame_of = dict(zip(self._origins, range(len(self._frames)), strict=True))
        if not self.known and not (self._one_each and len(frame_of) < len(self._packets)):
            return set()
        found, suspect, begun = set(), False, 0
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
