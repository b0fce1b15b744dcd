"""A target that goes wrong in the way that its input says, for the tests of what notices it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

from facered.errors import ContentMalformedError, ServiceError
from fuzz.mutation import mutated_bytes
from fuzz.target import Target, check_only

MOST_BYTES = 1 << 28


def _run(data: bytes, folder: Path) -> str:
    way = data.decode()
    if way == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif way == "exception":
        raise IndexError("none of facered's own")
    elif way == "internal":
        raise ServiceError("foo.mp4: internal error, KeyError: 3; please report it")
    elif way == "hang":
        time.sleep(60)
    elif way == "memory":
        return f"{len(bytes(1) * MOST_BYTES)} bytes"
    elif way == "temporary":
        Path(tempfile.mkdtemp(), "left").touch()
    elif way == "left":
        (folder / ".foo_redacted.mp4.facered").mkdir()
        check_only(folder, [])
    elif way == "error":
        raise ContentMalformedError("foo.mp4: is no video")
    return "done"


TARGET = Target("broken", lambda: [b"done"], mutated_bytes, _run, seconds=5, most_bytes=MOST_BYTES)
