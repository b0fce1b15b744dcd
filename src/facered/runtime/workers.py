"""Worker processes: programs that carry out functions of ours, one after the other, and end when we do.

They begin anew, and do not import what the program that uses us has as its main module. Whatever happens to either
side, the other learns of it by the end of the connection.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

PROGRAM = "import sys; sys.path[:] = {path!r}; from facered.runtime.workers import serve; serve({descriptor})"
MAX_START = 60.0
"""Seconds within which a worker answers for the first time; by hand. More: whoever is no Python is waited for longer.
Fewer: slow disks."""
_OOM_SCORE = "500"
"""By how much sooner than the main process workers are ended by the system when memory is short, of 1000; by hand."""


class WorkerDiedError(Exception):
    """A worker is no more, or has no memory; another one may do what it did."""


class ApartError(Exception):
    """Something cannot be done by a worker: do it here."""


class _Ticked(NamedTuple):
    frames: int


class _Done(NamedTuple):
    value: Any
    most_bytes: int


class _Failed(NamedTuple):
    reason: str
    starved: bool


class Worker:
    """A worker process.

    Attributes
    ----------
    most_bytes : int
        The most memory that it has taken.

    Raises
    ------
    WorkerDiedError
        It cannot be started.
    """

    def __init__(self) -> None:
        self.most_bytes = 0
        if not Path(sys.executable or "").name.startswith(("python", "pypy")):  # a program that has Python in it
            raise WorkerDiedError("there is no Python to be started")
        ours, theirs = socket.socketpair()
        with theirs:
            program = PROGRAM.format(path=[entry or str(Path.cwd()) for entry in sys.path], descriptor=theirs.fileno())
            try:
                self._process = subprocess.Popen(  # noqa: S603  (Python, and this program)
                    [sys.executable, "-c", program],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is for us to tell of
                )
            except (OSError, ValueError) as error:
                ours.close()
                raise WorkerDiedError(str(error)) from error
        self._connection = Connection(ours.detach())
        self._answered = False

    def call(self, function: Callable[..., Any], arguments: tuple[object, ...], tick: Callable[[int], object]) -> Any:
        """Return what a function returns there; it is given the arguments and whom to tell of frames it has done.

        Raises
        ------
        ApartError
            It has failed.
        WorkerDiedError
            The worker has died, or had too little memory.
        """
        try:
            if not self._answered and not self._connection.poll(MAX_START):
                raise WorkerDiedError("it does not answer")
            self._answered = True
            self._connection.send((function, arguments))
            while isinstance(answer := self._connection.recv(), _Ticked):
                tick(answer.frames)
        except (EOFError, OSError) as error:
            raise WorkerDiedError(str(error)) from error
        if isinstance(answer, _Failed):
            raise (WorkerDiedError if answer.starved else ApartError)(answer.reason)
        self.most_bytes = answer.most_bytes
        return answer.value

    def kill(self) -> None:
        """End it at once; whoever waits for it is told. May be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End it, and wait for that."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


def serve(descriptor: int) -> None:
    """Carry out what comes along a connection, until it ends: the program of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write(_OOM_SCORE)
    connection, tasks = Connection(descriptor), SimpleQueue[tuple[Callable[..., Any], tuple[object, ...]]]()
    connection.send(_Ticked(0))
    threading.Thread(target=_receive, args=(connection, tasks), daemon=True).start()
    while True:
        function, arguments = tasks.get()
        try:
            answer = _Done(function(*arguments, lambda frames: connection.send(_Ticked(frames))), _most_bytes())
            connection.send(answer)
        except BaseException as error:
            connection.send(_Failed(f"{type(error).__name__}: {error}", isinstance(error, MemoryError)))


def _receive(connection: Connection, tasks: SimpleQueue[Any]) -> None:
    """Take tasks as they come; when nobody is there any more, nobody wants what is being done."""
    try:
        while True:
            tasks.put(connection.recv())
    except BaseException:
        os._exit(1)


def _most_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
