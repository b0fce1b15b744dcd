"""How far a job has come, told to whoever asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a job.

    Attributes
    ----------
    stage : str
        ``"analyze"`` or ``"redact"``, or ``"copy"`` while a video comes that can be read only once.
    done : int
        Frames done in this stage.
    total : int
        Frames that there are, as far as is known; 0 where it is not.
    seconds : float
        Time since the stage began.
    stages : tuple of str
        The stages of the whole job, in order; empty outside of jobs.
    finished : bool
        Whether all frames of the stage have been taken.
    """

    stage: str
    done: int
    total: int
    seconds: float
    stages: tuple[str, ...] = ()
    finished: bool = False

    @property
    def speed(self) -> float:
        """Frames a second since the stage began."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds that the stage will still take at this speed; None where that is not known."""
        if not self.done or not self.total:
            return None
        return max(self.total - self.done, 0) / self.speed if self.speed else None

    @property
    def fraction(self) -> float:
        """How much of the whole job is done, 0 to 1; stages count alike."""
        part = min(self.done / self.total, 1.0) if self.total else 0.0
        if self.stage not in self.stages:
            return part
        return (self.stages.index(self.stage) + part) / len(self.stages)


ProgressCallback = Callable[[Progress], None]


class Startup:
    """Passes progress on, and takes the time until the first stage begins.

    Attributes
    ----------
    begun : float
        When it was made, by `time.perf_counter`.
    seconds : float
        How long it took from then on until the first frame was worked on.
    """

    def __init__(self, callback: ProgressCallback | None) -> None:
        self.begun = time.perf_counter()
        self.seconds = 0.0
        self._callback = callback
        self._told = False

    def __call__(self, progress: Progress) -> None:
        """Take a moment of the job."""
        if not self._told and progress.done:
            self._told = True
            self.seconds = time.perf_counter() - self.begun - progress.seconds
        if self._callback is not None:
            self._callback(progress)


class StageProgress:
    """Counts the frames of a stage and tells the callback, if there is one."""

    def __init__(self, name: str, total: int, callback: ProgressCallback | None) -> None:
        self.name, self.total, self.done = name, total, 0
        self._callback = callback
        self._start = time.perf_counter()
        self._finished = False
        self._reached = 0
        self._lock = threading.RLock()

    @property
    def shown(self) -> int:
        """How many frames were told of."""
        return max(self.done, self._reached)

    def step(self) -> None:
        """Count a frame."""
        with self._lock:
            self.done += 1
            if self.done > self._reached:
                self._tell()

    def reach(self, count: int) -> None:
        """Be told of how many frames are done, wherever that is, if not counted yet; from any thread."""
        with self._lock:
            if count > self.shown:
                self._reached = count
                self._tell()

    def finish(self) -> None:
        """Take the count for the total: the stage is over."""
        with self._lock:
            self.total, self._finished, self._reached = self.done, True, 0
            self._tell()

    def _tell(self) -> None:
        if self._callback is not None:
            seconds = time.perf_counter() - self._start
            self._callback(Progress(self.name, self.shown, self.total, seconds, finished=self._finished))
