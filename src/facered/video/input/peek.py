"""A look at what comes first out of a file descriptor, which stays there for who reads it."""

from __future__ import annotations

import ctypes
import os
import re
import stat

NUT, Y4M = b"nut/multimedia container", b"YUV4MPEG2 "
_SITING = re.compile(rb" C(\w+)")


def peek(descriptor: int, count: int) -> bytes | None:
    """Return the next bytes, once there are some, at most `count`; none at the end, None where they cannot be seen."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.pread(descriptor, count, os.lseek(descriptor, 0, os.SEEK_CUR))
    if not stat.S_ISFIFO(mode):
        return None
    reading, writing = os.pipe()
    try:
        # Linux copies what is in one pipe to another, and waits until there is something.
        copied = ctypes.CDLL(None).tee(descriptor, writing, ctypes.c_size_t(count), 0)
        return None if copied < 0 else os.read(reading, copied) if copied else b""
    finally:
        os.close(reading)
        os.close(writing)


def siting(beginning: bytes) -> str:
    """Return what the first line of a Y4M file says of its chroma."""
    match = _SITING.search(beginning.partition(b"\n")[0]) if beginning.startswith(Y4M) else None
    return match[1].decode() if match else ""
