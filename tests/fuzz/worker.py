"""The process in which inputs are tried: with little memory, so that a crash, a hang or greed ends nothing else."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.target import answer
from fuzz.targets import KNOWN

HARD_LIMIT = 3 << 30
"""Bytes of data at which the system refuses more: above `Target.most_bytes`, which are measured."""
MOST_INPUTS = 2000
"""After so many inputs a process is ended, and another begun."""


SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
"""Whether this runs under sanitizers, which need memory of their own without measure."""


@dataclass(frozen=True)
class Outcome:
    """What came of an input: words, and whether they tell of a finding."""

    words: str
    wrong: bool = False


class Worker:
    """A process that tries inputs, begun again where it ends."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._log = tempfile.NamedTemporaryFile(prefix="facered-fuzz-", suffix=".log")  # noqa: SIM115  (closed below)
        self._tried = 0

    def try_out(self, name: str, data: bytes) -> Outcome:
        """Give a target an input, and return what came of it."""
        if self._process is None or not self._process.is_alive() or self._tried >= MOST_INPUTS:
            self._begin()
        self._tried += 1
        Path(self._log.name).write_bytes(b"")
        try:
            self._connection.send((name, data))
            if not self._connection.poll(KNOWN[name].seconds):
                self._end()
                return Outcome(f"not done after {KNOWN[name].seconds:g} s\n{self._told()}", wrong=True)
            outcome: Outcome = self._connection.recv()
        except (EOFError, ConnectionError):
            return Outcome(f"{self._death()}\n{self._told()}", wrong=True)
        return outcome

    def close(self) -> None:
        """End the process."""
        self._end()
        self._log.close()

    def _begin(self) -> None:
        self._end()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._log.name), daemon=True)
        self._process.start()
        theirs.close()
        self._tried = 0
        self._connection.recv()  # it is ready: time counts from now on

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _death(self) -> str:
        assert self._process is not None
        self._process.join(10)
        code = self._process.exitcode or 0
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _told(self) -> str:
        return Path(self._log.name).read_text(errors="replace")[-4000:]


def _serve(connection: Connection, log: str) -> None:
    """Try what comes."""
    silent, file = os.open(os.devnull, os.O_RDWR), os.open(log, os.O_WRONLY | os.O_APPEND)
    for number, target in ((0, silent), (1, silent), (2, file)):
        os.dup2(target, number)
    faulthandler.enable()
    logging.captureWarnings(True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not SANITIZED:
        with suppress(ValueError, OSError):  # not on every system
            resource.setrlimit(resource.RLIMIT_DATA, (HARD_LIMIT, HARD_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="facered-fuzz-") as folder:
        connection.send(None)
        while True:
            try:
                name, data = connection.recv()
            except EOFError:
                return
            faulthandler.dump_traceback_later(KNOWN[name].seconds - 1)
            connection.send(outcome_of(name, data, Path(folder)))


def outcome_of(name: str, data: bytes, folder: Path) -> Outcome:
    """Give a target an input in this process, and return what came of it; the folder is empty again then."""
    place, scratch = folder / "place", folder / "scratch"
    for each in (place, scratch):
        each.mkdir(exist_ok=True)
    tempfile.tempdir = str(scratch)
    _forget_peak()
    try:
        words = answer(KNOWN[name], data, place)
        left, used = [path.name for path in scratch.rglob("*")], _peak()
        if left:
            return Outcome(f"temporary files are left: {left}", wrong=True)
        if used > KNOWN[name].most_bytes:
            return Outcome(f"{used >> 20} MiB of memory were needed for: {words}", wrong=True)
        return Outcome(words.replace(str(folder), ""))
    except BaseException:
        return Outcome(traceback.format_exc().replace(str(folder), ""), wrong=True)
    finally:
        tempfile.tempdir = None
        _empty(place)
        _empty(scratch)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the most bytes of memory since the last `_forget_peak`, 0 where nobody tells."""
    if sys.platform != "linux" or SANITIZED:
        return 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0
