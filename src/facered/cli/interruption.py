"""Ctrl-C and termination signals."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facered.jobs.job import Job
    from facered.live.pipe import Pipe


class Interruption:
    """Ctrl-C and termination signals cancel the job at hand; a second one does not wait for it.

    An exception out of a signal handler would be swallowed, or taken for another, where it strikes amid an import.
    """

    def __init__(self) -> None:
        self._asked = False
        self._job: Job | Pipe | None = None

    def watch(self, job: Job | Pipe) -> None:
        """Have the job cancelled when a signal comes, or at once if one has come already."""
        self._job = job
        if self._asked:
            job.cancel()

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def _heed(self, *_: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._job is not None:
            self._job.cancel()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Take the signals while the block runs."""
        before = {number: signal.signal(number, self._heed) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
