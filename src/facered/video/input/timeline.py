"""Times that go on where a recording's clock breaks off and starts anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

MAX_BACKWARD, MAX_FORWARD = Fraction(1, 10), Fraction(10)
"""Seconds that a clock may leap back or on; one that leaps farther has broken off. By hand: within these bounds lie
packets that are out of order and pauses of what was recorded, whose times must stay."""
MAX_OVERLAP = Fraction(1, 1000)
"""Seconds by which sound may begin before it is due, which is what rounding to a clock's ticks makes; by hand."""
MAX_DIFFERENCE = Fraction(1)
"""Seconds by which the leaps of two streams may differ that broke off together; by hand. With more, two breaks one soon
after the other would be taken for one, with less, sound and pictures might drift apart."""


class Timeline:
    """Mends the times of packets, of all streams alike, so that sound and pictures stay together.

    Parameters
    ----------
    pictures : av.VideoStream

    Attributes
    ----------
    breaks : int
        How often the clock broke off.
    """

    def __init__(self, pictures: Stream) -> None:
        self._pictures = pictures
        self._shifts: list[Fraction] = [Fraction(0)]
        self._current: dict[int, Fraction] = {}  # shift of each stream
        self._expected: dict[int, Fraction] = {}  # when the next packet of each stream is due
        self.breaks = 0

    def mend(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """Yield packets with mended times; sound that overlaps what came before the break is left out."""
        for packet in packets:
            if not packet.size or self._mend(packet, packet.stream is self._pictures):
                yield packet

    def _mend(self, packet: Packet[Stream], picture: bool) -> bool:
        """Change the times of a packet to what they would be had the clock not broken off.

        Returns
        -------
        bool
            Whether it has a place: sound that overlaps what came before the break has none, pictures always have one.
        """
        index, time_base = packet.stream_index, packet.time_base
        if packet.dts is None:
            return True
        dts, shift = packet.dts * time_base, self._current.get(index, Fraction(0))
        due = self._expected.get(index)
        if due is not None and not -MAX_BACKWARD <= dts + shift - due <= MAX_FORWARD:
            fitting = [known for known in self._shifts if abs(dts + known - due) <= MAX_DIFFERENCE]
            shift = fitting[-1] if fitting else max(self._expected.values()) - dts
            if not fitting:
                self._shifts.append(shift)
                self.breaks += 1
        self._current[index] = shift
        if shift and due is not None and not picture and dts + shift < due - MAX_OVERLAP:
            return False
        self._expected[index] = dts + shift + (packet.duration or 0) * time_base
        if shift:
            ticks = round(shift / time_base)
            packet.dts += ticks
            packet.pts = packet.pts + ticks if packet.pts is not None else None
        return True
