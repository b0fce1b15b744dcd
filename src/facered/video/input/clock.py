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
        self._reached: Fraction | None = None  # when what came last ends
        # What comes last may come late, when FFmpeg gives up waiting for more: the promptest packet of the last minute
        # or two tells which moment is time 0. Older ones do not count, because clocks drift.
        self._zero = self._zero_before = math.inf
        self._minute = now()

    def connect(self, start: Fraction | None, began: float) -> None:
        """Take a connection that began at a moment of `now`, and whose times begin at `start`, if that is known."""
        self._due = _ZERO
        if self._reached is not None:
            zero = min(self._zero, self._zero_before)
            self._due = max(self._reached, Fraction(began - zero).limit_denominator(1_000_000))
        self._shift = None if start is None else self._due - start

    def mend(self, packet: Packet[Stream]) -> None:
        """Shift the times of a packet."""
        first = packet.dts if packet.dts is not None else packet.pts
        if first is None:
            return
        base = packet.time_base
        if self._shift is None:
            self._shift = self._due - first * base
        ticks = round(self._shift / base)
        packet.dts = packet.dts + ticks if packet.dts is not None else None
        packet.pts = packet.pts + ticks if packet.pts is not None else None
        ends = (first + ticks + (packet.duration or 0)) * base
        self._reached = ends if self._reached is None else max(self._reached, ends)
        now = self._now()
        if now - self._minute > _MINUTE:
            self._zero_before, self._zero, self._minute = self._zero, math.inf, now
        self._zero = min(self._zero, now - float(ends))
