"""Addresses and the standard input, opened so that what comes from there reads no file of this machine.

A playlist from the network may name pieces on the network, and none on the disk; what comes down a pipe names nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from facered.options import MAX_PIXELS
from facered.video.address import file_path
from facered.video.input.local import LITERAL, formats_without_references, open_file, open_limited

if TYPE_CHECKING:
    from av.container import InputContainer

# fmt: off
NETWORK = (
    "amqp", "crypto", "data", "ffrtmpcrypt", "ffrtmphttp", "ftp", "gopher", "gophers", "http", "httpproxy", "https",
    "mmsh", "mmst", "prompeg", "rist", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts", "rtp", "sctp", "sftp",
    "srt", "srtp", "tcp", "tls", "udp", "udplite",
)
# fmt: on
"""FFmpeg's protocols that read nothing from this machine."""
PLAYLISTS = ("dash", "hls", "rtp", "rtsp", "sap")
"""Formats of the network that name addresses; others, which might name themselves, are taken by their names alone."""


def open_address(
    address: str,
    container_format: str | None = None,
    options: Mapping[str, str] | None = None,
    timeout: tuple[float, float] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> InputContainer:
    """Open a URL, or a device under its name; parameters are those of `open_file`, and FFmpeg's timeouts."""
    path = file_path(address)
    if path is not None:
        return open_file(Path(path), container_format, options, max_pixels)
    given = dict(LITERAL)
    scheme, colon, _ = address.partition("://")
    if colon:  # devices have none
        given["protocol_whitelist"] = ",".join((*NETWORK, scheme.lower()))
        given["format_whitelist"] = formats_without_references(*PLAYLISTS, container_format or "")
    return open_limited(address, container_format, {**given, **(options or {})}, max_pixels, timeout)


def open_standard_input(
    container_format: str | None = None, options: Mapping[str, str] | None = None
) -> InputContainer:
    """Open the standard input; see `open_file`."""
    given = {
        "protocol_whitelist": "pipe",
        "format_whitelist": formats_without_references(container_format or ""),
        **LITERAL,
    }
    return open_limited("pipe:0", container_format, {**given, **(options or {})})
