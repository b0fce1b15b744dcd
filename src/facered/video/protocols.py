"""What this build of FFmpeg can open and write on the network, and the way to what it cannot."""

from __future__ import annotations

import av
from av.error import FFmpegError

# fmt: off
READ = (
    "ftp", "http", "https", "mmsh", "mmst", "rist", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpts", "rtp", "rtsp", "sftp",
    "srt", "srtp", "tcp", "tls", "udp", "unix",
)
WRITTEN = (
    "ftp", "http", "https", "rist", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpts", "rtp", "rtsp", "sftp", "srt", "srtp",
    "tcp", "tls", "udp", "unix",
)
# fmt: on
"""Protocols of FFmpeg that somebody sends streams by, where it was built with them."""
_FORMATS = ("rtsp",)
"""Those that are a format of FFmpeg, and no protocol."""


def is_known(scheme: str) -> bool:
    """Tell whether this FFmpeg knows a protocol; nobody is called."""
    if scheme in _FORMATS:
        return scheme in av.formats_available
    try:
        # Whether it is known is found out before whether it is allowed.
        av.open(f"{scheme}://0", format="mpegts", options={"protocol_whitelist": "none"}).close()
    except av.error.ProtocolNotFoundError:
        return False
    except (FFmpegError, OSError, ValueError):
        return True
    return True


def told() -> str:
    """Return lines that tell which there are."""
    known = {scheme for scheme in {*READ, *WRITTEN} if is_known(scheme)}
    lines = [
        f"reads: {', '.join(scheme for scheme in READ if scheme in known)}",
        f"writes: {', '.join(scheme for scheme in WRITTEN if scheme in known)}",
    ]
    unknown = sorted({*READ, *WRITTEN} - known)
    if unknown:
        lines.append(f"not in this build of FFmpeg: {', '.join(unknown)}")
    if "srt" in unknown:
        lines += [f"  {reading('srt://:9000?mode=listener')} ...", f"  facered pipe ... {writing('srt://host:9000')}"]
    return "\n".join(lines)


def reading(address: str) -> str:
    """Return how another program receives what comes by SRT."""
    return f'srt-live-transmit "{address}" file://con | facered pipe'


def writing(address: str) -> str:
    """Return how another program sends by SRT."""
    return f'-o /dev/stdout --format mpegts | srt-live-transmit file://con "{address}"'


def unknown(address: str, shown: str, *, writes: bool = False) -> str:
    """Return what is said where somebody asks for a protocol that is not known; `shown` is the address as it may be."""
    scheme = address.partition(":")[0]
    way = writing(shown) if writes else reading(shown)
    what = f", such as {way}" if scheme.lower() == "srt" else "; facered pipe --protocols tells which there are"
    return f"{shown}: this FFmpeg knows no {scheme}://; have another program {'send' if writes else 'receive'} it{what}"
