"""Faults for every stage of the work: it fails, on its way in or out, or what it gives is wrong."""

from __future__ import annotations

import errno
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import facered

ERRORS: dict[str, Callable[[], BaseException]] = {
    "an exception": lambda: RuntimeError("broken\non purpose"),
    "no memory": MemoryError,
    "a full disk": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "a thread that dies": SystemExit,
}


@dataclass
class Counting(facered.Profile):
    """Counts how often each stage is passed."""

    passed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()

    def note(self, step: str, *_: int) -> None:
        self.passed[step] += 1


class Faulty(facered.Profile):
    """Has a stage fail when it is passed for the n-th time: before it has done its work, or after.

    Stages that give one item after the other fail after each only.
    """

    def __init__(self, stage: str, number: int, raises: Callable[[], BaseException], *, after: bool) -> None:
        super().__init__()
        self._stage, self._number, self._raises, self._after = stage, number, raises, after
        self._lock = threading.Lock()
        self.passed = 0
        self.struck = False

    def strike(self, step: str) -> None:
        """Fail, if it is time."""
        if step != self._stage:
            return
        with self._lock:
            self.passed += 1
            strikes = self.passed == self._number
            self.struck |= strikes
        if strikes:
            raise self._raises()

    @contextmanager
    def _before(self, step: str) -> Iterator[None]:
        self.strike(step)
        yield

    def timing(self, step: str) -> AbstractContextManager[None]:
        return super().timing(step) if self._after else self._before(step)

    def note(self, step: str, *_: int) -> None:
        self.strike(step)


class Slow(facered.Profile):
    """Has a stage take long when it is passed for the n-th time, until `over` is set."""

    def __init__(self, stage: str, number: int, over: threading.Event) -> None:
        super().__init__()
        self._stage, self._number, self._over = stage, number, over
        self._passed = 0
        self.reached = threading.Event()

    def note(self, step: str, *_: int) -> None:
        if step == self._stage:
            self._passed += 1
            if self._passed == self._number:
                self.reached.set()
                self._over.wait(60)


def threads_left(before: set[threading.Thread], seconds: float = 5.0) -> list[str]:
    """Return the names of facered's threads that have come and do not end."""
    until = time.monotonic() + seconds
    while True:
        left = [one.name for one in threading.enumerate() if one not in before and one.name.startswith("facered")]
        # Those of `submit` wait for the next job.
        left = [name for name in left if not name.startswith("facered_")]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)
