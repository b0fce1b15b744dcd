"""Times that go on where a clock is set in the middle: a camera's, or that of files that were joined byte by byte.

For containers whose clock is not made to break off; for the others see `timeline`. Times may leap forward here by up
to a day: these are pauses, and stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from facered.video.input.preview import MAX_REORDERED

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

MIN_FALL = Fraction(1, 2)
"""Seconds by which a clock that was set back falls at least; by hand. Less is what containers make of packets that are
a little out of order, and is mended frame by frame."""
MAX_PAUSE = Fraction(86400)
"""Seconds that a pause takes at most; by hand. A clock that leaps farther was set, and containers cannot hold it."""
MAX_START = Fraction(10**10)
"""Seconds before or after 0 at which a clock may begin, some 300 years; one that is set to more begins at 0."""
MAX_SOUND_AHEAD = Fraction(1)
"""Seconds of sound that may be stored before the pictures of its time; by hand. Where there is more, the next part's
pictures wait for it: with less, pictures would stand still, with more, sound would be left out."""
MAX_DIFFERENCE = Fraction(1)
"""Seconds by which a picture may miss its time for its clock to have been set right again; by hand."""
MAX_KNOWN = 8
"""Settings of the clock that are remembered, as a wrong time may stand alone; by hand. More cost time at each break."""
MAX_HELD = 500
"""Packets of sound that wait to learn whether the pictures' clock was set back, too; by hand. Each takes memory."""


class SetBack:
    """Mends the times of packets. Pictures tell when the clock was set back; sound and subtitles go with them.

    Parameters
    ----------
    pictures : av.VideoStream

    Attributes
    ----------
    breaks : int
        How often the clock was set.
    """

    def __init__(self, pictures: VideoStream) -> None:
        self._pictures = pictures
        self._shifts = [Fraction(0)]
        # Times of pictures since the clock was set. Decoders learn late how many may be out of order.
        few = 4 + 2 * int(pictures.codec_context.has_b_frames or 0)
        self._recent: deque[Fraction] = deque(maxlen=min(few, MAX_REORDERED + 1))
        self._late = Fraction(0)  # by how long pictures are stored behind one that is shown later
        self._before = self._now = Fraction(0)  # the pictures' own times before the clock was set last, and since
        self._reached: list[Fraction] = []  # the last two moments of a picture, mended
        self._others: dict[int, _Other] = {}
        self.breaks = 0

    def mend(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """Yield packets with mended times; sound that overlaps what is heard already is left out."""
        held: list[Packet[Stream]] = []
        for packet in packets:
            own = _time(packet)
            if packet.stream is self._pictures or len(held) >= MAX_HELD:
                if own is not None and packet.stream is self._pictures:
                    self._mend_picture(packet, own)
                yield from self._release(held)
            elif own is not None:
                if held or self._leaps(packet, own):
                    held.append(packet)
                    continue
                if not self._mend_other(packet, own):
                    continue
            yield packet
        yield from self._release(held)

    def _mend_picture(self, packet: Packet[Stream], own: Fraction) -> None:
        before = self._now
        shift = self._shift_of(packet, own)
        if shift == self._shifts[-1]:
            self._late = max(self._late, self._reached[-1] - own - shift if self._reached else self._late)
        else:
            self._shifts.append(shift)
            self._before = before
            self._recent.clear()
        self._now = own
        self._recent.append(own)
        self._reached = sorted({*self._reached, own + shift})[-2:]
        _move(packet, shift)

    def _shift_of(self, packet: Packet[Stream], own: Fraction) -> Fraction:
        shift, recent = self._shifts[-1], self._recent
        if not self._reached:
            self.breaks += abs(own) > MAX_START
            return shift if abs(own) <= MAX_START else -own
        due = self._reached[-1] + min(max(self._step(), (packet.duration or 0) * packet.time_base), MAX_PAUSE)
        # A picture that is shown before some that are stored before it follows one that is shown before it, too.
        fell = bool(recent) and own < min(recent) and own + shift < due - MIN_FALL
        fell = fell and (packet.is_keyframe or len(recent) == recent.maxlen)
        fell = fell or abs(own + shift - due) > MAX_PAUSE
        if not fell and own + shift <= due + MAX_DIFFERENCE:
            return shift
        for known in self._shifts[-MAX_KNOWN:]:
            if known != shift and abs(own + known - due) <= MAX_DIFFERENCE:
                return known
        if not fell:
            return shift
        self.breaks += 1
        if own + shift > due or not packet.is_keyframe:  # some may be shown before it that are stored behind it
            due += self._late
        heard = max((other.due for other in self._others.values()), default=due)
        return (heard if heard > due + MAX_SOUND_AHEAD else due) - own

    def _step(self) -> Fraction:
        return self._reached[-1] - self._reached[0] if len(self._reached) > 1 else Fraction(0)

    def _leaps(self, packet: Packet[Stream], own: Fraction) -> bool:
        """Tell whether the times of other packets than pictures leap, which belong to no part known so far."""
        other = self._others.get(packet.stream_index)
        if other is None:
            return abs(own) > MAX_START
        if other.part != len(self._shifts) - 1:
            return False
        return not other.own - MIN_FALL <= own <= other.own + MAX_PAUSE

    def _release(self, held: list[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        for packet in held:
            own = _time(packet)
            if own is None or self._mend_other(packet, own):
                yield packet
        held.clear()

    def _mend_other(self, packet: Packet[Stream], own: Fraction) -> bool:
        """Change the times of a packet as those of the pictures of its part; tell whether there is room for it."""
        other = self._others.setdefault(packet.stream_index, _Other())
        newest, length = len(self._shifts) - 1, (packet.duration or 0) * packet.time_base
        if other.part != newest and abs(own - self._now) <= abs(own - self._before):
            other.part = newest
        other.own, begin = own, own + self._shifts[other.part]
        if other.part and packet.stream.type == "audio" and begin < other.due - length / 2:
            return False
        other.due = max(other.due, begin + length)
        _move(packet, self._shifts[other.part])
        return True


class _Other:
    """What is known of a stream beside the pictures: its part of the film, its last own time, when the next is due."""

    def __init__(self) -> None:
        self.part, self.own, self.due = 0, Fraction(0), Fraction(0)


def _time(packet: Packet[Stream]) -> Fraction | None:
    time = packet.pts if packet.pts is not None else packet.dts
    return None if time is None or not packet.size else time * packet.time_base


def _move(packet: Packet[Stream], shift: Fraction) -> None:
    ticks = round(shift / packet.time_base)
    if ticks:
        packet.pts = packet.pts + ticks if packet.pts is not None else None
        packet.dts = packet.dts + ticks if packet.dts is not None else None
