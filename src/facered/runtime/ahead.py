"""Stages side by side: each is an iterator that takes from the one before it and may run in a thread of its own."""

from __future__ import annotations

import inspect
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextvars import copy_context
from typing import Generic, TypeVar

from facered.runtime import cancellation, profiling

T = TypeVar("T")

MAX_WAITING_BYTES = 8 * 2**20
"""About so many bytes of pictures may wait between two stages. By hand, as are the next. Larger: memory. Smaller:
stages wait for each other."""
MIN_DEPTH, MAX_DEPTH = 2, 8
"""Bounds for the number of pictures that wait, whatever their size. Larger and smaller: likewise."""

MAX_LEAVING_SECONDS = 0.5
"""How long to wait for a thread's last item when nobody wants it; by hand. Longer: a job whose source stalls takes
longer to be cancelled. Shorter: threads outlive the block that take long for one item."""


def depth(width: int, height: int) -> int:
    """Return how many 4:2:0 pictures of a size may wait between two stages."""
    return min(max(MAX_WAITING_BYTES // (width * height * 3 // 2), MIN_DEPTH), MAX_DEPTH)


class Ahead(Generic[T]):
    """An iterator in a thread of its own, some items ahead of whoever takes them; with the context the thread ends.

    Items come in their order, then what the iterator raised, so that nothing depends on who is faster. The thread waits
    when `depth` items wait, and sleeps meanwhile. Leaving the block early closes the iterator, in its own thread, and
    returns when the thread has ended: what the iterator uses may be closed then. A thread that does not end, because it
    waits for what never comes, is left to itself after a while; the iterator is still running then. Stages follow one
    another::

        with Ahead(decoded(), 4, "decode") as frames, Ahead(hidden(frames), 4, "hide") as ready:
            for frame in ready: ...

    Parameters
    ----------
    items : iterable
        Used by its thread alone, from now on.
    depth : int
        Most items that wait; 0 takes them in the caller's thread, one when it is asked for.
    name : str
        The thread's.
    """

    def __init__(self, items: Iterable[T], depth: int, name: str) -> None:
        self._items, self._depth, self._name = iter(items), depth, name
        self._ready: deque[T] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._over = self._left = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Iterator[T]:
        if not self._depth:
            return self._items
        # What is recorded of the caller's work is recorded of the thread's too.
        name = f"facered {self._name}"
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name=name, daemon=True)
        self._thread.start()
        return self._take()

    def __exit__(self, *_: object) -> None:
        thread = self._thread
        if thread is None:
            _close(self._items)
            return
        with self._changed:
            self._left = True
            self._changed.notify_all()
        interruption: BaseException | None = None
        until = time.monotonic() + MAX_LEAVING_SECONDS
        while thread.is_alive() and time.monotonic() < until:
            try:
                thread.join(max(until - time.monotonic(), 0))
            except BaseException as error:
                # Going on would close files that the thread still works on.
                interruption = error
        if thread.is_alive():
            cancellation.leave(thread)
        self._ready.clear()
        if interruption is not None:
            raise interruption

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._give(item):
                    break
        except BaseException as error:  # raised again where the items are taken
            self._error = error
        try:
            _close(self._items)
        except BaseException as error:
            self._error = self._error or error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _give(self, item: T) -> bool:
        """Hand an item over when there is room; return False when nobody wants it any more."""
        with self._changed:
            if len(self._ready) >= self._depth and not self._left:
                with profiling.timed_wait(f"{self._name}: waiting for room"):
                    self._changed.wait_for(lambda: len(self._ready) < self._depth or self._left)
            if self._left:
                return False
            self._ready.append(item)
            self._changed.notify_all()
            return True

    def _take(self) -> Iterator[T]:
        while True:
            with self._changed:
                if not self._ready and not self._over:
                    with profiling.timed_wait(f"waiting for {self._name}"):
                        self._await_item()
                if not self._ready:
                    break
                item = self._ready.popleft()
                self._changed.notify_all()
            yield item
            del item  # else the last picture would be held while the next is waited for
        if self._error is not None:
            raise self._error

    def _await_item(self) -> None:
        """Wait for an item, or the end; with the lock."""
        while not self._changed.wait_for(lambda: self._ready or self._over, cancellation.POLL_SECONDS):
            cancellation.check()


def _close(items: Iterator[T]) -> None:
    if isinstance(items, Generator) and inspect.getgeneratorstate(items) != inspect.GEN_RUNNING:
        items.close()
