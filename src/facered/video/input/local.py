"""Files opened under exactly their names: no protocol, no pattern, and no other file that they would have read.

FFmpeg reads lists of other files (playlists, scripts) as if they were films, and they may name any file on the disk. So
such formats are left out, unless they are asked for by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import av
from av.format import Flags

from facered.errors import ConfigurationUnsupportedError
from facered.options import MAX_PIXELS
from facered.video.address import file_url
from facered.video.info import MAX_SIDE
from facered.video.sequence import SUFFIXES, ImageSequence

if TYPE_CHECKING:
    from av.container import InputContainer

REFERRING = frozenset(
    ("avisynth", "concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vapoursynth", "vobsub",
     "webm_dash_manifest")
)  # fmt: skip
"""FFmpeg's formats that name other files or addresses, which it then opens."""
LISTS = {b"ffconcat": "concat", b"#EXTM3U": "hls", b"v=0": "sdp"}
"""How files of such formats begin."""
PROTOCOLS = {"hls": "file,crypto,data", "sdp": "file,rtp,srtp,udp"}
"""What may be opened besides, by format; all others open files alone."""
MAX_PADDING = 128
"""Columns by which decoders make pictures wider, at most."""
LITERAL = {"pattern_type": "none"}
"""Has FFmpeg look for no pattern in the name of an image."""
_NO_FILE = cast("int", Flags.no_file.value)
_IMAGES = "image2"


def open_file(
    path: Path,
    container_format: str | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> InputContainer:
    """Open a file, or the sequence of images that its name stands for.

    Parameters
    ----------
    path : Path
    container_format : str, optional
        FFmpeg's name; by default it finds out, and takes no format that names other files.
    options : mapping of str to str, optional
        FFmpeg's options; they go before those that are set here.
    max_pixels : int
        Most pixels of a picture; of larger ones not even the size is found out, which would take their memory.
    """
    named = container_format or ""
    given = {
        "protocol_whitelist": PROTOCOLS.get(named, "file"),
        "format_whitelist": formats_without_references(named),
        **LITERAL,
    }
    sequence = ImageSequence.of(path)
    if sequence is not None:
        given["pattern_type"] = "sequence"
    given.update(options or {})
    if sequence is not None:
        return open_limited(file_url(sequence.escaped()), container_format, given, max_pixels)
    if "%" not in os.fspath(path) or path.suffix.lower() not in SUFFIXES:
        return open_limited(file_url(path), container_format, given, max_pixels)
    # FFmpeg would go by the name, and take it for a sequence.
    with path.open("rb") as file:
        return open_limited(file_url(f"/proc/self/fd/{file.fileno()}"), container_format, given, max_pixels)


def open_limited(
    url: str | IO[bytes],
    container_format: str | None,
    options: dict[str, str],
    max_pixels: int = MAX_PIXELS,
    timeout: tuple[float, float] | None = None,
) -> InputContainer:
    """Have FFmpeg open what it calls by a URL, or a file-like object; parameters are those of `open_file`."""
    return av.open(
        url,
        "r",
        format=container_format,
        # Also for what is decoded to find out what it is.
        options={"max_pixels": str(max_pixels + MAX_PADDING * MAX_SIDE)},
        container_options=options,
        timeout=timeout,
        metadata_errors="replace",
    )


def list_format(path: Path) -> str | None:
    """Return FFmpeg's name of the kind of list of other files that a file is, by how it begins; None for others."""
    with path.open("rb") as file:
        begin = file.read(16).lstrip(b"\xef\xbb\xbf")
    return next((name for start, name in LISTS.items() if begin.startswith(start)), None)


def check_format(name: str | None) -> None:
    """Make sure that files can have a format.

    Raises
    ------
    ConfigurationUnsupportedError
        There is none of that name, or it is that of a device.
    """
    if name is None:
        return
    try:
        device = name != _IMAGES and av.ContainerFormat(name, "r").flags & _NO_FILE
    except ValueError:
        raise ConfigurationUnsupportedError(f"input_format is {name!r}; FFmpeg has no such format to read") from None
    if device:
        raise ConfigurationUnsupportedError(f"input_format is {name!r}; that is no file's: facered pipe reads devices")


@cache
def formats_without_references(*but: str) -> str:
    """Return the names of all formats of files that name no others, and of some more, as FFmpeg's options take them."""
    known = {part for name in av.formats_available if _is_of_files(name) for part in name.split(",")}
    return ",".join(sorted((known - REFERRING) | set(but) - {""}))


def _is_of_files(name: str) -> bool:
    try:
        return name == _IMAGES or not av.ContainerFormat(name, "r").flags & _NO_FILE
    except ValueError:  # it is only written
        return False
