"""What is kept where a process is forked while a job runs in it.

The job's threads do not run in the child, and what only they had would be torn down there amid their work: decoders
whose threads are gone, generators that were running. So the child keeps all of it until its end, untouched.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

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
    if _running:
        _kept.append(gc.get_objects())


def _after_in_parent() -> None:
    _kept.clear()


def _after_in_child() -> None:
    _running.clear()
    if _kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_kept))  # or it would be torn down at the child's end


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
