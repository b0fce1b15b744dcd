"""Workers for the tasks of a job: as many as cores and memory allow, which all jobs of this process share."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from facered.errors import JobCanceledError
from facered.runtime import cancellation
from facered.runtime.dispatch import Dispatcher
from facered.runtime.workers import ApartError, Worker, WorkerDiedError

MAX_TRIES = 2
"""Workers that may die of a task before it is done here; by hand. More: what kills one kills many. Fewer: who kills one
by chance slows the job down."""


@dataclass
class _Shared:
    """What the jobs of a process have taken."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    workers: int = 0
    memory: int = 0

    def take(self, workers: int, memory: int) -> None:
        """Note what a job takes; with the lock."""
        self.workers, self.memory = self.workers + workers, self.memory + memory

    def give_back(self, workers: int, memory: int) -> None:
        """Note that a job has ended."""
        with self.lock:
            self.take(-workers, -memory)


@cache
def _shared(_: int) -> _Shared:
    """Return what is taken in a process: where it was forked, the other's jobs do not run."""
    return _Shared()


@dataclass(eq=False)
class _Task:
    function: Callable[..., Any]
    arguments: tuple[object, ...]
    kind: str
    position: int
    then: Callable[[Any], object]
    future: Future[Any] = field(default_factory=Future)
    tries: int = 0


class Pool:
    """The workers of one job, each with a thread here that waits for it; a context, at whose end they are no more.

    See `reserved`.

    Attributes
    ----------
    size : int
        How many workers there may be.
    """

    def __init__(
        self, workers: int, memory: int, worker_bytes: int, release: Callable[[], object] = lambda: None
    ) -> None:
        self.size = workers
        self._dispatcher: Dispatcher[_Task] = Dispatcher(workers, memory, worker_bytes)
        self._release = release
        self._changed = threading.Condition()
        self._workers: set[Worker] = set()
        self._threads: list[threading.Thread] = []
        self._running = self._idle = 0
        self._closed = False
        self._reason: Exception = ApartError("there are no workers")  # why what is not done is not done
        self._finished: Counter[str] = Counter()
        self._ticks: dict[_Task, int] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(JobCanceledError("the job has ended meanwhile"))

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        kind: str,
        position: int,
        then: Callable[[Any], object] = lambda _: None,
    ) -> Future[Any]:
        """Have a function of a module called by a worker; return what will become of that.

        Parameters
        ----------
        function : callable
            Given the arguments, and a function to be told of frames that are done.
        kind : str
            Under which its frames are counted.
        position : int
            Where in the film it is.
        then : callable
            Told what it returned, here, before others are.
        """
        task = _Task(function, arguments, kind, position, then)
        with self._changed:
            if self._closed or self._dispatcher.workers < 1:
                task.future.set_exception(self._reason)
            else:
                self._dispatcher.add(position, task)
                self._staff()
                self._changed.notify()
                if self._dispatcher.workers < 1:
                    self._drop_waiting()
        return task.future

    def frames(self, kind: str) -> int:
        """Return how many frames tasks of a kind have done so far."""
        with self._changed:
            return self._finished[kind] + sum(ticks for task, ticks in self._ticks.items() if task.kind == kind)

    def close(self, reason: Exception | None = None) -> None:
        """End all workers at once; what is not done will have to be done here, or nobody wants it, for a reason."""
        with self._changed:
            self._reason = reason or self._reason
            if self._closed:
                return
            self._closed = True
            for worker in self._workers:
                worker.kill()
            self._drop_waiting()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._release()

    def _staff(self) -> None:
        """Begin another worker, if there is use for it; with the lock."""
        if not self._closed and self._dispatcher.may_begin(self._running, self._idle):
            self._running += 1
            thread = threading.Thread(target=self._work, name="facered worker", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads for us
                self._running -= 1
                self._dispatcher.lose()
            else:
                self._threads.append(thread)

    def _drop_waiting(self) -> None:
        while len(self._dispatcher):
            self._dispatcher.take().future.set_exception(self._reason)

    def _work(self) -> None:
        """See to one worker: give it tasks until there are no more, or it has died."""
        worker: Worker | None = None
        task: _Task | None = None
        try:
            worker = Worker()
            with self._changed:
                self._workers.add(worker)
            while (task := self._next()) is not None:
                self._carry_out(worker, task)
                task = None
        except WorkerDiedError:
            with self._changed:
                self._dispatcher.lose()
                if task is not None:
                    self._give_back(task)
        finally:
            if worker is not None:
                worker.close()
            with self._changed:
                self._workers.discard(worker)
                self._running -= 1
                if self._dispatcher.workers < 1:
                    self._drop_waiting()
                self._staff()

    def _next(self) -> _Task | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._closed or len(self._dispatcher))
            self._idle -= 1
            if self._closed or self._dispatcher.too_many(self._running):
                self._changed.notify()  # another one may take it
                return None
            task = self._dispatcher.take()
            self._ticks[task] = 0
            self._staff()
            return task

    def _carry_out(self, worker: Worker, task: _Task) -> None:
        def tick(frames: int) -> None:
            self._ticks[task] += frames

        try:
            value = worker.call(task.function, task.arguments, tick)
            task.then(value)
        except WorkerDiedError:
            raise
        except BaseException as error:
            self._end(task)
            task.future.set_exception(error)
        else:
            with self._changed:
                self._dispatcher.note_peak(worker.most_bytes)
            self._end(task)
            task.future.set_result(value)

    def _end(self, task: _Task) -> None:
        with self._changed:
            self._finished[task.kind] += self._ticks.pop(task)

    def _give_back(self, task: _Task) -> None:
        """Have another worker do what one has died of; with the lock."""
        del self._ticks[task]
        task.tries += 1
        if self._closed:
            task.future.set_exception(self._reason)
        elif task.tries >= MAX_TRIES:
            task.future.set_exception(ApartError("workers died of it"))
        else:
            self._dispatcher.add(task.position, task)
            self._changed.notify()


def reserved(wanted: int, workers: int, memory: int, worker_bytes: int) -> Pool | None:
    """Return a pool of as many workers as are wanted and other jobs of the process have left; None if not for two.

    Parameters
    ----------
    wanted : int
    workers : int
        The most that all jobs of the process may have together.
    memory : int
        Bytes that these may take.
    worker_bytes : int
        What one takes.
    """
    shared = _shared(os.getpid())
    with shared.lock:
        count = min(wanted, workers - shared.workers, (memory - shared.memory) // worker_bytes)
        if count < 2:
            return None
        share = max(count * worker_bytes, min(memory - shared.memory, memory * count // workers))
        shared.take(count, share)
    return Pool(count, share, worker_bytes, lambda: shared.give_back(count, share))


def outcome(future: Future[Any], waiting: Callable[[], object] = lambda: None) -> Any:
    """Return what becomes of a task, or raise it; ask meanwhile whether the work is to end.

    Parameters
    ----------
    waiting : callable
        Called again and again as long as it takes.
    """
    while True:
        cancellation.check()
        waiting()
        try:
            return future.result(cancellation.POLL_SECONDS)
        except TimeoutError:
            if future.done():
                return future.result()
