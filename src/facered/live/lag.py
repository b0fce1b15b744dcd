"""How late frames are, by the times that they bring along."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MAX_BACK = 1.0
"""Seconds by which times may go back; by hand. More: a new beginning is taken for a frame that is late. Less: frames
out of order are taken for a new beginning."""
PATIENCE = 10.0
"""Seconds in which no frame may come in time before a stream is late; by hand: lists on the network send so much at
once, and only the last of it comes in time. More: a stream that is late falls further behind. Less: what comes in
pieces is taken for late."""
SPARED = 0.5
"""Which part of the time between two frames may be waited where they come sooner; by hand. More: a stream that had to
stop takes longer to catch up. Less: of what comes in pieces less is looked at."""
DRIFT = 1 / 5000
"""Seconds a second by which the source's clock may be slower than this machine's; by hand: quartz is better by half.
More: a constant delay is forgotten sooner. Less: clocks that drift look like a delay."""


class Lag:
    """Tells how late frames are: by how much later than the one that came most promptly.

    Parameters
    ----------
    now : callable
        Tells seconds, as `time.monotonic` does.

    Attributes
    ----------
    spare : float
        Seconds that the frame that came last may wait because it came sooner after the one before than their times are
        apart.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._zero, self._at, self._latest = math.inf, now(), -math.inf
        self.spare = 0.0
        self._prompt = self._at  # when a frame came in time

    def arrive(self, seconds: float) -> float:
        """Take notice that the frame of a time comes, and return by how many seconds it is late."""
        if seconds < self._latest - MAX_BACK:
            self._zero, self._latest = math.inf, -math.inf
        now = self._now()
        self._zero = min(self._zero + DRIFT * (now - self._at), now - seconds)
        self.spare = max(SPARED * (seconds - self._latest) - (now - self._at), 0.0) if self._latest > -math.inf else 0.0
        self._at, self._latest = now, seconds
        return now - seconds - self._zero

    def is_late(self, seconds: float, most: float) -> bool:
        """Tell of the frame of a time that comes whether the stream is late: all come later than `most` seconds."""
        if self.arrive(seconds) <= most:
            self._prompt = self._at
        return self._at - self._prompt > PATIENCE

    def leave(self, seconds: float) -> float:
        """Return by how many seconds the frame of a time is late that leaves now."""
        return max(self._now() - seconds - self._zero, 0.0)
