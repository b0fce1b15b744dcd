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
        self._rates = array("d")  # about each of these frames, as far as no later frame can change it
        self._last_rates: list[float] = []  # about the others, empty where it is to be measured anew
        self._first = 0

    def push(self, seconds: float | None = None) -> None:
        """Take the next frame's time, or None where it is not known."""
        if not self._seconds:
            self._seconds.append(0.0 if seconds is None else seconds)
            return
        self._last_rates = []
        last = self._seconds[-1]
        known = seconds is not None and seconds - last >= MIN_STEP
        self._seconds.append(seconds if known and seconds is not None else last + 1 / self.told)
        count = len(self._seconds)
        self._now = self._measured(count - 1)
        if count > STEPS:
            self._rates.append(self._measured(count - 1 - STEPS))

    def forget(self, frame: int) -> None:
        """Drop the times of the frames long before one."""
        count = frame - STEPS - self._first
        if count > 0:
            del self._seconds[:count], self._rates[:count], self._last_rates[:]
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
        index, count = frame - self._first, len(self._seconds)
        if index >= count - 1:
            return self._now
        if count < 2:
            return self.told
        index = max(index, 0)
        # Where frames were forgotten, fewer are before the first ones than when their rates were measured.
        if index < (STEPS if self._first else 0):
            return self._measured(index)
        known = len(self._rates)
        return self._rates[index] if index < known else self._newest()[index - known]

    def rates(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many frames a second there are about each of some frames, by those before and after it."""
        count, known = len(self._seconds), len(self._rates)
        if count < 2 or not len(frames):
            return np.full(len(frames), self.told)
        index = (frames - self._first).clip(0, count - 1)
        low, high = int(index.min()), int(index.max())
        near = np.frombuffer(self._rates[low : high + 1])
        if high >= known:
            near = np.concatenate([near, self._newest()[max(low - known, 0) :]])
        found: NDArray[np.float64] = near[index - low]
        if self._first and low < STEPS:
            for forgotten in np.flatnonzero(index < STEPS).tolist():
                found[forgotten] = self._measured(int(index[forgotten]))
        return found

    def _newest(self) -> list[float]:
        """Return the rates about the frames that later ones may change."""
        if not self._last_rates:
            self._last_rates = [self._measured(index) for index in range(len(self._rates), len(self._seconds))]
        return self._last_rates

    def _measured(self, index: int) -> float:
        """Return the rate that the times of the frames about one tell: the median of the steps."""
        near = self._seconds[max(index - STEPS, 0) : index + STEPS + 1]
        steps = sorted(later - earlier for earlier, later in pairwise(near))
        measured = 2 / (steps[(len(steps) - 1) // 2] + steps[len(steps) // 2])
        return self.told if abs(measured / self.told - 1) < SAME_RATE else measured

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
