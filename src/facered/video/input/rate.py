"""How many frames a second there are: by the frames' own times, as what files tell of it is often wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from av.error import FFmpegError

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

PICTURES = 32
"""Packets of pictures whose times are looked at; by hand. More: a film begins later. Fewer: a start that stutters
counts."""
MAX_PACKETS = 1000
"""Packets of all streams that are read for that; by hand. More: memory. Fewer: pictures behind much sound do not
count."""
SIMILAR = Fraction(1, 10)
"""Part by which the rate that is told may differ from the times'; by hand. Larger: wrong rates are believed. Smaller:
what is rounded to a container's ticks passes for another rate."""
REGULAR = Fraction(3, 2)
"""Steps longer than so many typical ones are pauses, and do not count; by hand."""
MAX_RATE = 1000
"""Most frames a second that are believed."""
USUAL = Fraction(25)
"""The rate where nothing can be believed: European television's."""


class Preview:
    """The first packets of a stream, read ahead for their times, and then the others."""

    def __init__(self, packets: Iterable[Packet[Stream]], stream: Stream) -> None:
        self._packets = iter(packets)
        self._ahead: deque[Packet[Stream]] = deque()
        self._times: list[int] = []
        self._error: FFmpegError | None = None
        try:
            for packet in self._packets:
                self._ahead.append(packet)
                time = packet.pts if packet.pts is not None else packet.dts
                if packet.stream is stream and packet.size and time is not None:
                    self._times.append(time)
                if len(self._times) == PICTURES or len(self._ahead) == MAX_PACKETS:
                    break
        except FFmpegError as error:  # raised again where it stands
            self._error = error

    def rate(self, told: Fraction | None, time_base: Fraction) -> Fraction:
        """Return the frames a second: what is told where the times are like it, else what they say.

        Parameters
        ----------
        told : Fraction or None
            What the file says.
        time_base : Fraction
            Seconds a tick of the packets' times.
        """
        measured = measure(self._times, time_base)
        if measured is None:
            return believable(told)
        if told is not None and abs(told - measured) <= SIMILAR * measured:
            return told
        return measured

    def __iter__(self) -> Iterator[Packet[Stream]]:
        while self._ahead:
            yield self._ahead.popleft()
        if self._error is not None:
            raise self._error
        yield from self._packets


def believable(told: Fraction | None) -> Fraction:
    """Return the rate that is told, or the usual one where that cannot be."""
    return told if told is not None and 0 < told <= MAX_RATE else USUAL


def measure(times: Iterable[int], time_base: Fraction) -> Fraction | None:
    """Return the frames a second that times, in ticks and any order, tell; None where they do not."""
    ordered = sorted(set(times))
    steps = sorted(later - earlier for earlier, later in pairwise(ordered))
    if not steps:
        return None
    typical = [step for step in steps if step <= REGULAR * steps[len(steps) // 2]]
    rate = 1 / (Fraction(sum(typical), len(typical)) * time_base)
    return rate.limit_denominator(1001) if rate <= MAX_RATE else None
