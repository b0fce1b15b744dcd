"""Ctrl-C, termination signals, and terminals that are closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Cancellable(Protocol):
        """What can be ended."""

        def cancel(self) -> object:
            """Have it end soon."""


CANCELLED = 130
"""The exit code of what was interrupted."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Ctrl-C and termination signals cancel the job at hand; a second one ends the process at once.

    An exception out of a signal handler would be swallowed, or taken for another, where it strikes amid an import.
    """

    def __init__(self) -> None:
        self._asked = False
        self._job: Cancellable | None = None

    def watch(self, job: Cancellable) -> None:
        """Have the job cancelled when a signal comes, or at once if one has come already."""
        self._job = job
        if self._asked:
            job.cancel()

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has come."""
        if self._asked:
            raise KeyboardInterrupt

    def _heed(self, *_: object) -> None:
        if self._asked:
            # What is left behind the next job cleans up; a library that is stuck would stay so until its end.
            os._exit(CANCELLED)
        self._asked = True
        if self._job is not None:
            self._job.cancel()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Take the signals while the block runs."""
        # Who has a program go on without its terminal says so before it begins. That it is begun in the background is
        # no such wish, although shells have it ignore Ctrl-C then.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        wanted = [number for number in SIGNALS if not (number == signal.SIGHUP and ignored)]
        before = {number: signal.signal(number, self._heed) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
