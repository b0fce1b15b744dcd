"""When the frames are: what means seconds follows from the frames' own times, not from a rate that a file tells."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_STEP = 1 / 2000
"""Least seconds from a frame to the next that are believed: twice as fast as the fastest cameras that film people."""
STEPS = 8
"""Steps before and after a frame whose median is the step there; by hand. Larger: a change of rate is noticed late.
Smaller: single frames that come late or early count."""
SAME_RATE = 0.05
"""Part by which the measured rate may differ from the one that was told for the latter to be taken: times are rounded
to a container's ticks; by hand."""
TOLERANCE = 1e-6
"""Seconds by which times that are equal may differ as floating-point numbers."""


class Clock:
    """The times of the frames so far.

    Parameters
    ----------
    rate : float
        Frames a second, as it is told; where a frame has no time, it is taken to follow the one before at this rate.
    """

    def __init__(self, rate: float) -> None:
        self.told = self._now = rate
        self._seconds = array("d")
        self._first = 0

    def push(self, seconds: float | None = None) -> None:
        """Take the next frame's time, or None where it is not known."""
        if not self._seconds:
            self._seconds.append(0.0 if seconds is None else seconds)
            return
        last = self._seconds[-1]
        known = seconds is not None and seconds - last >= MIN_STEP
        self._seconds.append(seconds if known and seconds is not None else last + 1 / self.told)
        steps = sorted(later - earlier for earlier, later in pairwise(self._seconds[-STEPS - 1 :]))
        measured = 2 / (steps[(len(steps) - 1) // 2] + steps[len(steps) // 2])
        self._now = self.told if abs(measured / self.told - 1) < SAME_RATE else measured

    def forget(self, frame: int) -> None:
        """Drop the times of the frames long before one."""
        count = frame - STEPS - self._first
        if count > 0:
            del self._seconds[:count]
            self._first += count

    def at(self, frame: int) -> float:
        """Return a frame's time in seconds; beyond the frames there are, time goes on as it does at their ends."""
        index, last = frame - self._first, len(self._seconds) - 1
        if last < 0:
            return frame / self.told
        inside = min(max(index, 0), last)
        return self._seconds[inside] + ((index - inside) / self.rate(frame) if index != inside else 0.0)

    def between(self, first: int, last: int) -> float:
        """Return the seconds from one frame to another."""
        return self.at(last) - self.at(first)

    def rate(self, frame: int) -> float:
        """Return how many frames a second there are about a frame."""
        if frame - self._first >= len(self._seconds) - 1:
            return self._now
        return float(self.rates(np.array([frame]))[0])

    def rates(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many frames a second there are about each of some frames, by those before and after it."""
        times = np.frombuffer(self._seconds[:])
        if len(times) < 2:
            return np.full(len(frames), self.told)
        reach = np.arange(-STEPS, STEPS + 1)
        near = np.clip(frames[:, None] - self._first, 0, len(times) - 1) + reach
        return self._measured(np.where((near >= 0) & (near < len(times)), times[near.clip(0, len(times) - 1)], np.nan))

    def _measured(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rate that each row of times of successive frames tells; NaN stands where there is no frame."""
        steps = np.sort(np.diff(times, axis=1), axis=1)  # NaN last
        count = np.count_nonzero(~np.isnan(steps), axis=1)
        if not count.all():
            return np.full(len(times), self.told)
        # The medians, by hand: NumPy's takes a hundred times as long for rows as short as these.
        low, high = (np.take_along_axis(steps, middle[:, None], 1)[:, 0] for middle in ((count - 1) // 2, count // 2))
        measured = 2 / (low + high)
        return np.where(np.abs(measured / self.told - 1) < SAME_RATE, self.told, measured)

    def count(self, seconds: float, frame: int) -> int:
        """Return how many frames, one at least, make up some seconds about a frame."""
        return max(1, round(seconds * self.rate(frame)))

    def has_passed(self, seconds: float, first: int, last: int, part: float = 1.0) -> bool:
        """Tell whether a part of some seconds, rounded to whole frames, has passed from one frame to another."""
        waited = last - first
        passed = waited >= part * self.count(seconds, last) or self.between(first, last) >= part * seconds - TOLERANCE
        return waited > 0 and passed

    def is_beyond(self, seconds: float, first: int, last: int) -> bool:
        """Tell whether one frame is more than some seconds, rounded to whole frames, after another."""
        return last - first > self.count(seconds, last) and self.between(first, last) > seconds + TOLERANCE
