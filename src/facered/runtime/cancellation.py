"""Giving up within a moment, whatever is being waited for.

Whoever carries out a job says how to find out that it was cancelled; whoever waits, or works for long, asks. What
cannot ask, because it waits inside a library or the system, is left to a thread that nobody waits for any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Generic, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1
"""How often to ask while waiting; by hand. Longer: it takes longer to give up. Shorter: waking up for nothing."""

_asked: ContextVar[Callable[[], None] | None] = ContextVar("asked", default=None)


@contextmanager
def watched(check: Callable[[], None]) -> Iterator[None]:
    """Have `check` asked while the block runs; what it raises ends the work."""
    token = _asked.set(check)
    try:
        yield
    finally:
        _asked.reset(token)


def check() -> None:
    """Raise what ends the work, if it is to end."""
    asked = _asked.get()
    if asked is not None:
        asked()


def call(function: Callable[[], T], drop: Callable[[T], object] | None = None) -> T:
    """Return what a function returns that may wait for long, and ask meanwhile; it runs in a thread of its own.

    Parameters
    ----------
    function : callable
        If the work ends, it goes on until it returns, and nobody waits for that.
    drop : callable, optional
        Takes what it returns then.
    """
    if _asked.get() is None:
        return function()
    outcome = _Outcome(function, drop)
    thread = threading.Thread(target=copy_context().run, args=(outcome.run,), name="facered wait", daemon=True)
    thread.start()
    try:
        while not outcome.over.wait(POLL_SECONDS):
            check()
    except BaseException:
        outcome.abandon()
        raise
    if outcome.error is not None:
        raise outcome.error
    return outcome.value[0]


class _Outcome(Generic[T]):
    """What has become of a call."""

    def __init__(self, function: Callable[[], T], drop: Callable[[T], object] | None) -> None:
        self._function, self._drop = function, drop
        self._lock = threading.Lock()
        self._abandoned = False
        self.over = threading.Event()
        self.value: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function."""
        try:
            value = self._function()
        except BaseException as error:
            self.error = error
        else:
            with self._lock:
                self.value.append(value)
                dropped = self._abandoned
            if dropped:
                self._dispose()
        self.over.set()

    def abandon(self) -> None:
        """Have what the function returns dropped."""
        with self._lock:
            self._abandoned = True
        if self.value:
            self._dispose()

    def _dispose(self) -> None:
        with self._lock:
            value, self.value = self.value, []
        if value and self._drop is not None:
            self._drop(value[0])
