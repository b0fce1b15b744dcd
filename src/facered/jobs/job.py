"""Jobs: a task in the background, or in the foreground, with states, progress and cancellation.

The states are those of Azure Media Services' jobs.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from enum import StrEnum
from functools import cache, partial
from typing import TypeVar

from facered import checks
from facered.errors import ConfigurationUnsupportedError, FaceredError, JobCanceledError, ServiceError
from facered.jobs.progress import Progress, ProgressCallback
from facered.jobs.result import Result
from facered.jobs.task import Task, perform
from facered.runtime import cancellation, cores, forking

logger = logging.getLogger(__name__)


class JobState(StrEnum):
    """What has become of a job so far."""

    QUEUED = "Queued"
    SCHEDULED = "Scheduled"
    PROCESSING = "Processing"
    FINISHED = "Finished"
    CANCELING = "Canceling"
    CANCELED = "Canceled"
    ERROR = "Error"


FINAL = frozenset({JobState.FINISHED, JobState.CANCELED, JobState.ERROR})

T = TypeVar("T")
StateCallback = Callable[[JobState, JobState], None]


class Job:
    """A task on its way; made by `facered.submit`. Safe to use from any thread.

    Attributes
    ----------
    task : Task
    progress : Progress or None
        The latest there is; None before the first frame.
    """

    def __init__(
        self,
        task: Task,
        progress: ProgressCallback | None = None,
        work: Callable[[Task, ProgressCallback | None], Result] = perform,
    ) -> None:
        self.task = replace(task, segments=None if task.segments is None else partial(self._call, task.segments))
        self._work = work
        self.progress: Progress | None = None
        self._callback: ProgressCallback | None = checks.FUNCTION.check("progress", progress)
        self._state = JobState.QUEUED
        self._state_callbacks: list[StateCallback] = []
        self._lock = threading.RLock()  # a signal handler may cancel while its own thread holds it
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._process = os.getpid()
        self._ending: int | None = None  # the thread that tells the callbacks of the end
        self._callback_error: Exception | None = None
        self._result: Result | None = None
        self._error: FaceredError | None = None

    @property
    def state(self) -> JobState:
        """Queued, Scheduled, Processing, then Finished or Error; or Canceling, then Canceled."""
        return self._state

    def add_state_callback(self, callback: StateCallback) -> None:
        """Have ``callback(previous, current)`` called at each change of state, in the thread that makes it."""
        with self._lock:
            self._state_callbacks.append(callback)

    def cancel(self) -> bool:
        """Stop the job within a second; nothing half-written is left.

        Return False if it is over already, or if it is not this process that carries it out, but the one that this was
        forked from.
        """
        if self._process != os.getpid():
            return False
        self._cancel.set()
        if self._enter(JobState.CANCELED, JobState.QUEUED, error=self._canceled()):
            return True
        self._enter(JobState.CANCELING, JobState.PROCESSING)
        return self._state not in FINAL

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the end, until all callbacks are told of it, and return the result.

        Raises
        ------
        FaceredError
            What the job failed with; `JobCanceledError` if it was canceled.
        TimeoutError
            It is not over after `timeout` seconds.
        """
        if self._process != os.getpid() and not self._over.is_set():
            raise ConfigurationUnsupportedError(
                f"{self.task.source}: the job is carried out in another process; ask there"
            )
        if self._ending != threading.get_ident() and not self._over.wait(timeout):
            raise TimeoutError(f"{self.task.source}: the job is not over after {timeout} s")
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def run(self) -> Result:
        """Carry out the job in this thread and return its result.

        Raises
        ------
        FaceredError
            What the job failed with; a `ServiceError` with the cause attached where that is none of facered's own.
        Exception
            What a progress callback raised.
        """
        if not self._enter(JobState.SCHEDULED, JobState.QUEUED):
            return self.result()
        try:
            self._enter(JobState.PROCESSING)
            self._check()
            with cancellation.watched(self._check), forking.heeded():
                result = self._work(self.task, self._tell)
        except (JobCanceledError, KeyboardInterrupt) as error:
            self._enter(JobState.CANCELING, JobState.PROCESSING)  # unless it came by way of `cancel`
            self._enter(JobState.CANCELED, error=error if isinstance(error, JobCanceledError) else self._canceled())
            raise
        except FaceredError as error:
            self._enter(JobState.ERROR, error=error)
            if self._callback_error is not None and self._callback_error is error.__cause__:
                raise self._callback_error from None  # of a kind that would be ours if it came from the system
            raise
        except BaseException as error:
            wrapped = self._wrapped(error)
            self._enter(JobState.ERROR, error=wrapped)
            if error is self._callback_error or isinstance(error, BrokenPipeError) or not isinstance(error, Exception):
                raise
            raise wrapped from error
        self._enter(JobState.FINISHED, result=result)
        return result

    def _tell(self, progress: Progress) -> None:
        self._check()
        self.progress = replace(progress, stages=self.task.stages)
        if self._callback is not None:
            self._call(self._callback, self.progress)

    def _call(self, callback: Callable[[T], None], news: T) -> None:
        """Call a callback; what it raises is raised to whoever gave it."""
        try:
            callback(news)
        except Exception as error:
            self._callback_error = error
            raise

    def _wrapped(self, error: BaseException) -> ServiceError:
        if isinstance(error, MemoryError):
            reason = "out of memory"
        elif error is self._callback_error:
            reason = f"a callback failed, {type(error).__name__}: {error}"
        else:
            reason = f"internal error, {type(error).__name__}: {error}; please report it"
        wrapped = ServiceError(f"{self.task.source}: {reason}")
        wrapped.__cause__ = error
        return wrapped

    def _check(self) -> None:
        if self._cancel.is_set():
            raise self._canceled()

    def _canceled(self) -> JobCanceledError:
        return JobCanceledError(f"{self.task.source}: the job was canceled; nothing half-written is left")

    def _enter(
        self,
        state: JobState,
        only_from: JobState | None = None,
        *,
        result: Result | None = None,
        error: FaceredError | None = None,
    ) -> bool:
        """Change the state, if it is `only_from`, and tell; callbacks may call back, so no lock is held meanwhile."""
        with self._lock:
            previous = self._state
            if only_from is not None and previous is not only_from:
                return False
            self._state, self._result, self._error = state, result, error
            if state in FINAL:
                self._ending = threading.get_ident()
            callbacks = list(self._state_callbacks)
        for callback in callbacks:
            try:
                callback(previous, state)
            except Exception:
                logger.exception("a state callback failed")
        if state in FINAL:
            self._over.set()
        return True


def _executor() -> ThreadPoolExecutor:
    return _threads_of(os.getpid())


@cache
def _threads_of(_: int) -> ThreadPoolExecutor:
    """Return the threads of a process: those of the one that it was forked from do not run in it."""
    # Each job keeps two cores busy; more at once would only share them.
    return ThreadPoolExecutor(max(1, cores.available() // 2), thread_name_prefix="facered")


def _run(job: Job) -> None:
    try:
        job.run()
    except FaceredError:
        pass  # the job tells whoever asks for its result
    except Exception:
        logger.exception("%s: the job failed", job.task.source)


def start(job: Job) -> Job:
    """Have a job carried out in the background, in its turn."""
    _executor().submit(copy_context().run, _run, job)
    return job
