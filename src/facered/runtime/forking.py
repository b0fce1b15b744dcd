"""What is kept, and what is waited for, where a process is forked while a job runs in it.

The job's threads do not run in the child, and what only they had would be torn down there amid their work: decoders
whose threads are gone, generators that were running. So the child keeps all of it until its end, untouched.

Modules are imported when something is first asked for. A child that is forked amid that would wait for ever for a
thread that it has not got, so forking waits until they are there.
"""

from __future__ import annotations

# What has Python do something at a fork must not come while one waits: it would be done after it, and not before it.
import concurrent.futures.thread  # noqa: F401
import ctypes
import gc
import logging  # noqa: F401
import os
import random  # noqa: F401
import threading
from collections.abc import Iterator
from contextlib import contextmanager

importing = threading.RLock()
"""Held by whoever imports something late."""
_running: set[object] = set()
_kept: list[object] = []


@contextmanager
def heeded() -> Iterator[None]:
    """Have children keep what the work of this block has, if they are forked meanwhile."""
    work = object()
    _running.add(work)
    try:
        yield
    finally:
        _running.discard(work)


def _before() -> None:
    importing.acquire()
    if _running:
        _kept.append(gc.get_objects())


def _after_in_parent() -> None:
    _kept.clear()
    importing.release()


def _after_in_child() -> None:
    importing.release()
    _running.clear()
    if _kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_kept))  # or it would be torn down at the child's end


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
