"""Which task comes next, and how many workers there may be: decisions alone, without processes or clocks."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Dispatcher(Generic[T]):
    """Gives out tasks in the order of the film, to as many workers as there are cores and memory for.

    Parameters
    ----------
    workers : int
        The most there may be.
    memory : int
        Bytes that all of them may take.
    worker_bytes : int
        What one is taken to need, as long as none has needed more.

    Attributes
    ----------
    workers : int
        The most there may be now.
    """

    def __init__(self, workers: int, memory: int, worker_bytes: int) -> None:
        self.workers = workers
        self._memory, self._each = memory, worker_bytes
        self._waiting: list[tuple[int, int, T]] = []
        self._count = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, position: int, task: T) -> None:
        """Take a task; what is earlier in the film is done first, and what was given first, where that is the same."""
        heapq.heappush(self._waiting, (position, next(self._count), task))

    def take(self) -> T:
        """Return the next task, of which there must be one."""
        return heapq.heappop(self._waiting)[2]

    def may_begin(self, running: int, idle: int) -> bool:
        """Tell whether another worker may begin beside those that run, of whom some have nothing to do."""
        fits = (running + 1) * self._each <= self._memory
        return len(self._waiting) > idle and running < self.workers and (fits or not running)

    def note_peak(self, most: int) -> None:
        """Take notice of the bytes that a worker has needed so far."""
        self._each = max(self._each, most)

    def too_many(self, running: int) -> bool:
        """Tell whether one of the workers has to end, as they take more than was thought."""
        return running > 1 and (running * self._each > self._memory or running > self.workers)

    def lose(self) -> None:
        """Do with one worker less from now on: one has died, and others would."""
        self.workers -= 1
