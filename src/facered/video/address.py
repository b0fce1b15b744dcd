"""What FFmpeg is told to open: a file under exactly its name, or a URL.

Without more, FFmpeg takes the beginning of ``12:30.mp4`` or ``http:film.mp4`` for the name of a protocol.
"""

from __future__ import annotations

import os
import re

OPEN_TIMEOUT, READ_TIMEOUT = 15.0, 10.0
"""Seconds that an address may take to answer, and to send nothing, before it is lost; by hand. With less, slow cameras
would be lost that only take long to begin; with more, it takes longer to notice one that is gone."""

_FILE = "file:"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


def is_url(name: str) -> bool:
    """Tell whether a name is a URL: it begins like one, and no file has that very name."""
    return _URL.match(name) is not None and not os.path.lexists(name)


def file_path(url: str) -> str | None:
    """Return what a URL of the scheme ``file`` names, as FFmpeg reads it; None for others."""
    return url[len(_FILE) :] if url[: len(_FILE)].lower() == _FILE else None


def file_url(path: str | os.PathLike[str]) -> str:
    """Return what FFmpeg opens as the file of that name, whatever is in it."""
    return f"file:{os.fspath(path)}"
