"""What is kept where a process is forked while a job runs in it.

The job's threads do not run in the child, and what only they had would be torn down there amid their work: decoders
whose threads are gone, generators that were running. So the child keeps all of it until its end, untouched.

A module that a thread was amid importing would stay half imported in the child, and whoever imports it there would wait
for that thread without end. So a fork waits until the jobs' imports are done.
"""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_running: set[object] = set()
_kept: list[object] = []
_importing = threading.RLock()


@contextmanager
def heeded() -> Iterator[None]:
    """Have children keep what the work of this block has, if they are forked meanwhile."""
    work = object()
    _running.add(work)
    try:
        yield
    finally:
        _running.discard(work)


@contextmanager
def importing() -> Iterator[None]:
    """Have forks wait until this block, which imports what a job's thread needs, is done."""
    with _importing:
        yield


def _before() -> None:
    _importing.acquire()
    if _running:
        _kept.append(gc.get_objects())


def _after_in_parent() -> None:
    _kept.clear()
    _importing.release()


def _after_in_child() -> None:
    _importing.release()
    _running.clear()
    if _kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_kept))  # or it would be torn down at the child's end


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
