"""The clock of a live stream, which goes on while its source is away."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.packet import Packet
    from av.stream import Stream

_ZERO = Fraction(0)
_MINUTE = 60.0
MAX_BACK = Fraction(1)
"""Seconds by which a stream's times may go back; by hand. More: pictures stand still after a publisher begins anew.
Less: times that are only badly written are taken for a new beginning."""
MAX_AHEAD = Fraction(10)
"""Seconds by which they may leap ahead of all that has come; by hand, likewise."""
APART = Fraction(1, 4)
"""Seconds after all that has come at which a new beginning goes on, as a stream may be as far behind another; by hand.
More: a longer gap. Less: times of the stream that is behind go back."""


class Clock:
    """Shifts the times of packets of one connection after the other: the first begins at 0, the next ones when they do.

    Parameters
    ----------
    now : callable
        Tells seconds, as `time.monotonic` does.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due = _ZERO
        self._shift: Fraction | None = None
        self._shifts: dict[int, Fraction] = {}  # of each stream, by its index
        self._lasts: dict[int, Fraction] = {}
        self._reached: Fraction | None = None  # when what came last ends
        # What comes last may come late, when FFmpeg gives up waiting for more: the promptest packet of the last minute
        # or two tells which moment is time 0. Older ones do not count, because clocks drift.
        self._zero = self._zero_before = math.inf
        self._minute = now()

    def connect(self, start: Fraction | None, began: float) -> None:
        """Take a connection that began at a moment of `now`, and whose times begin at `start`, if that is known."""
        self._due = self._moment(began)
        self._shift = None if start is None else self._due - start
        self._shifts, self._lasts = {}, {}

    def mend(self, packet: Packet[Stream]) -> None:
        """Shift the times of a packet."""
        first = packet.dts if packet.dts is not None else packet.pts
        if first is None:
            return
        base = packet.time_base
        if self._shift is None:
            self._shift = self._due - first * base
        ticks = round(self._shift_of(packet.stream_index, first * base) / base)
        packet.dts = packet.dts + ticks if packet.dts is not None else None
        packet.pts = packet.pts + ticks if packet.pts is not None else None
        ends = (first + ticks + (packet.duration or 0)) * base
        self._reached = ends if self._reached is None else max(self._reached, ends)
        now = self._now()
        if now - self._minute > _MINUTE:
            self._zero_before, self._zero, self._minute = self._zero, math.inf, now
        self._zero = min(self._zero, now - float(ends))

    def _moment(self, now: float) -> Fraction:
        """Return which time a moment of the clock is, no earlier than what has come."""
        if self._reached is None:
            return _ZERO
        zero = min(self._zero, self._zero_before)
        return max(self._reached, Fraction(now - zero).limit_denominator(1_000_000))

    def _shift_of(self, stream: int, time: Fraction) -> Fraction:
        """Return the shift of a stream at a time; where times leap, whoever sends has begun anew, and all streams have.

        The first stream that leaps goes on now; the others are shifted as far, so that they stay together.
        """
        assert self._shift is not None
        shift = self._shifts.get(stream, self._shift)
        last = self._lasts.get(stream)
        if last is not None and self._leaps(time + shift, last):
            if shift == self._shift or self._leaps(time + self._shift, last):
                self._shift = self._moment(self._now()) + APART - time
            shift = self._shift
        elif last is not None and time + shift < last <= time + self._shift:  # it leaps less far, as it ended sooner
            shift = self._shift
        self._shifts[stream] = shift
        self._lasts[stream] = time + shift
        return shift

    def _leaps(self, time: Fraction, last: Fraction) -> bool:
        ahead = max(last, self._reached or last, self._moment(self._now())) + MAX_AHEAD
        return time < last - MAX_BACK or time > ahead
