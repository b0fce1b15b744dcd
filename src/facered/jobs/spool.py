"""Inputs that can be read only once, such as pipes: both passes read a copy, which nobody else can and nobody keeps."""

from __future__ import annotations

import os
import re
import select
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError
from facered.runtime import cancellation
from facered.video.input.file import Source

STANDARD_INPUT = Path("/dev/stdin")
_DESCRIPTOR = re.compile(r"/dev/stdin|(?:/dev/fd|/proc/self/fd)/([0-9]{1,9})")
_PIECE = 1 << 20
_POLL_SECONDS = 0.2
"""How long to wait for more before looking whether the job was cancelled; by hand."""


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """Return the number of the file descriptor that a name such as ``/dev/fd/63`` stands for, None for others."""
    match = _DESCRIPTOR.fullmatch(os.fspath(path))
    return int(match[1] or 0) if match is not None else None


@contextmanager
def spooled(source: Path, opened: Source | None, tell: Callable[[], None]) -> Iterator[Source | None]:
    """Yield what is read in place of `opened`, or of the file `source`: a copy where that can be read only once.

    The copy has no name and is readable by its owner alone; it is gone when the block ends, or the process.

    Parameters
    ----------
    source : Path
        Names the video; read where there is no `opened`.
    opened : Source or None
    tell : callable
        Called now and then while copying; what it raises ends that.

    Raises
    ------
    ConfigurationUnsupportedError
        It is a terminal or a device, or there is no room for the copy.
    ContentMalformedError
        Nothing comes.
    """
    path = source if opened is None else opened
    if not isinstance(path, str | Path) and not getattr(path, "seekable", lambda: False)():
        with _temporary(str(source)) as copy:
            _copy_object(path, copy, str(source), tell)
            _check_not_empty(copy, str(source))
            yield Path(f"/proc/self/fd/{copy.fileno()}")
        return
    kind = _kind(path) if isinstance(path, Path) else 0
    if not isinstance(path, Path) or not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or stat.S_ISCHR(kind)):
        yield opened
        return
    name = "standard input" if descriptor_of(path) == 0 else str(path)
    if stat.S_ISCHR(kind):
        raise ConfigurationUnsupportedError(f"{name}: this is a terminal or a device; facered pipe reads devices")
    with _temporary(name) as copy:
        _copy(path, copy, name, tell)
        _check_not_empty(copy, name)
        yield Path(f"/proc/self/fd/{copy.fileno()}")


def _kind(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return 0


def _temporary(name: str) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(buffering=0)  # only its owner can read it
    except OSError as error:
        raise _unwritable(name, error) from error


def _copy(path: Path, copy: IO[bytes], name: str, tell: Callable[[], None]) -> None:
    number = descriptor_of(path)
    # What is open already is not opened again: that would be another reader, who may come too late.
    descriptor = os.dup(number) if number is not None else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            tell()
            if not poll.poll(_POLL_SECONDS * 1000):
                continue
            try:
                piece = os.read(descriptor, _PIECE)
            except BlockingIOError:  # somebody else has read it
                time.sleep(_POLL_SECONDS)
                continue
            if not piece:
                break
            _write(copy, piece, name)
    finally:
        os.close(descriptor)


def _copy_object(file: IO[bytes], copy: IO[bytes], name: str, tell: Callable[[], None]) -> None:
    while piece := cancellation.call(partial(file.read, _PIECE)):
        _write(copy, piece, name)
        tell()


def _check_not_empty(copy: IO[bytes], name: str) -> None:
    if not copy.tell():
        raise ContentMalformedError(f"{name}: it is empty; see what should have written into it")


def _write(copy: IO[bytes], piece: bytes, name: str) -> None:
    left = memoryview(piece)
    try:
        while left:
            left = left[copy.write(left) :]
    except OSError as error:
        raise _unwritable(name, error) from error


def _unwritable(name: str, error: OSError) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(
        f"{name}: no room for a copy in {tempfile.gettempdir()} ({error.strerror or error}); choose another with TMPDIR"
    )
