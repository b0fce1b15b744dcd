"""Files opened under exactly their names: no protocol, no pattern, and no other file that they would have read.

FFmpeg reads lists of other files (playlists, scripts) as if they were films. What calls itself a film must not have it
open anything else, so such formats are left out, but for HLS under its own name, whose pieces must be files too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av

from facered.video.address import file_url
from facered.video.sequence import SUFFIXES, ImageSequence

if TYPE_CHECKING:
    from av.container import InputContainer

REFERRING = frozenset(
    ("avisynth", "concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vapoursynth", "vobsub",
     "webm_dash_manifest")
)  # fmt: skip
"""FFmpeg's formats that name other files or addresses, which it then opens."""
LISTS = (b"ffconcat", b"#EXTM3U", b"v=0")
"""How files of such formats begin."""
BY_SUFFIX = {".m3u": "hls", ".m3u8": "hls", ".sdp": "sdp"}
"""Those of them that a file's name may ask for."""
PROTOCOLS = "file,crypto,data"
"""What may be opened besides: no network."""
LITERAL = {"pattern_type": "none"}
"""Has FFmpeg look for no pattern in the name of an image."""


def open_file(
    path: Path, container_format: str | None = None, options: Mapping[str, str] | None = None
) -> InputContainer:
    """Open a file, or the sequence of images that its name stands for.

    Parameters
    ----------
    path : Path
    container_format : str, optional
        FFmpeg's name; by default it finds out.
    options : mapping of str to str, optional
        FFmpeg's options; they go before those that are set here.
    """
    given = {"protocol_whitelist": PROTOCOLS, **LITERAL}
    if container_format is None:
        given["format_whitelist"] = formats_without_references(BY_SUFFIX.get(path.suffix.lower(), ""))
    sequence = ImageSequence.of(path)
    if sequence is not None:
        given["pattern_type"] = "sequence"
        return _open(file_url(sequence.escaped()), container_format, {**given, **(options or {})})
    if "%" not in os.fspath(path) or path.suffix.lower() not in SUFFIXES:
        return _open(file_url(path), container_format, {**given, **(options or {})})
    # FFmpeg would go by the name, and take it for a sequence.
    with path.open("rb") as file:
        return _open(file_url(f"/proc/self/fd/{file.fileno()}"), container_format, {**given, **(options or {})})


def _open(url: str, container_format: str | None, options: dict[str, str]) -> InputContainer:
    return av.open(url, "r", format=container_format, container_options=options, metadata_errors="replace")


def is_list(path: Path) -> bool:
    """Tell whether a file is a list of others, by how it begins."""
    with path.open("rb") as file:
        return file.read(16).lstrip(b"\xef\xbb\xbf").startswith(LISTS)


@cache
def formats_without_references(but: str = "") -> str:
    """Return the names of all formats that name no other files, and of one more, as FFmpeg's options take them."""
    known = {part for name in av.formats_available for part in name.split(",")}
    return ",".join(sorted(known - (REFERRING - {but})))
