"""What FFmpeg is told to open: a file under exactly its name, or a URL.

Without more, FFmpeg takes the beginning of ``12:30.mp4`` or ``http:film.mp4`` for the name of a protocol.
"""

from __future__ import annotations

import os
import re

OPEN_TIMEOUT, READ_TIMEOUT = 15.0, 10.0
"""Seconds that an address may take to answer, and to send nothing, before it is lost; by hand. With less, slow cameras
would be lost that only take long to begin; with more, it takes longer to notice one that is gone."""
MIN_PAUSE, MAX_PAUSE = 0.25, 2.0
"""Seconds between attempts to call again, doubling from one to the other; by hand. Less is more work for an address
that is away, more is a longer gap when it is back."""

_HIDDEN = "***"
_HARMLESS = frozenset(
    ("buffer_size", "fifo_size", "latency", "listen", "localaddr", "localport", "mode", "overrun_nonfatal", "pkt_size",
     "reuse", "timeout", "transtype", "ttl")
)  # fmt: skip
"""What may be shown of the queries of addresses: FFmpeg's options that let nobody in."""
_USER = re.compile(r"(?<=://)[^/?#]*@")
_VALUE = re.compile(r"([^?&;=#]*)=([^&;#]*)")
_STREAM_KEY = re.compile(r"(?<=^rtmp)([a-z]{0,2}://[^/?#]*/[^/?#]+/)[^?#]+", re.IGNORECASE)
"""Whoever knows the last part of such an address may send to it."""
_FILE = "file:"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


def is_url(name: str) -> bool:
    """Tell whether a name is a URL: it begins like one, and no file has that very name."""
    return _URL.match(name) is not None and not os.path.lexists(name)


def shown_address(name: str) -> str:
    """Return an address as it may be shown: without names of users, passwords and keys; file names as they are."""
    if not is_url(name) or file_path(name) is not None:
        return name
    name = name.partition("#")[0]
    place, mark, query = _USER.sub(f"{_HIDDEN}@", name).partition("?")
    place = _STREAM_KEY.sub(rf"\g<1>{_HIDDEN}", place)
    values = _VALUE.sub(lambda pair: pair[0] if pair[1] in _HARMLESS else f"{pair[1]}={_HIDDEN}", query)
    return place + mark + (values if "=" in query else _HIDDEN if query else "")


def file_path(url: str) -> str | None:
    """Return what a URL of the scheme ``file`` names, as FFmpeg reads it; None for others."""
    return url[len(_FILE) :] if url[: len(_FILE)].lower() == _FILE else None


def file_url(path: str | os.PathLike[str]) -> str:
    """Return what FFmpeg opens as the file of that name, whatever is in it."""
    return f"file:{os.fspath(path)}"
