"""Detectors that work beside a stream, and streams that give them the time: no test depends on who is faster."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Working:
    """Knows whether a detection is being made."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def watched(self, run: Callable[[], T]) -> Callable[[], T]:
        """Return what does the same as `run`, which will be called once, and is known to be under way until then."""
        with self._changed:
            self._count += 1

        def watched() -> T:
            try:
                return run()
            finally:
                with self._changed:
                    self._count -= 1
                    self._changed.notify_all()

        return watched

    def wait(self) -> None:
        """Wait until none is under way."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._count == 0, 10)
