"""How late frames are, by the times that they bring along."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MAX_BACK = 1.0
"""Seconds by which times may go back; by hand. More: a new beginning is taken for a frame that is late. Less: frames
out of order are taken for a new beginning."""
DRIFT = 1 / 5000
"""Seconds a second by which the source's clock may be slower than this machine's; by hand: quartz is better by half.
More: a constant delay is forgotten sooner. Less: clocks that drift look like a delay."""


class Lag:
    """Tells how late frames are: by how much later than the one that came most promptly.

    Parameters
    ----------
    now : callable
        Tells seconds, as `time.monotonic` does.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._zero, self._at, self._latest = math.inf, now(), -math.inf

    def arrive(self, seconds: float) -> float:
        """Take notice that the frame of a time comes, and return by how many seconds it is late."""
        if seconds < self._latest - MAX_BACK:
            self._zero = math.inf
        now = self._now()
        self._zero = min(self._zero + DRIFT * (now - self._at), now - seconds)
        self._at, self._latest = now, seconds
        return now - seconds - self._zero

    def leave(self, seconds: float) -> float:
        """Return by how many seconds the frame of a time is late that leaves now."""
        return max(self._now() - seconds - self._zero, 0.0)
