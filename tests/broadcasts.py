"""Transport streams of several programmes."""

from __future__ import annotations

import zlib

PACKET = 188
PIDS = {"v": 0x100, "a": 0x101}
"""Those of pictures and sound, as FFmpeg writes them."""
KINDS = {"v": b"\x1b", "a": b"\x03"}
"""H.264 and MP2."""


def crc(section: bytes) -> bytes:
    """Return the checksum at the end of a table: CRC-32 with the bits of each byte the other way round."""
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in section)
    value = zlib.crc32(turned) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2).to_bytes(4, "big")


def table(pid: int, section: bytes) -> bytes:
    """Return the packet of a transport stream that holds a table without its checksum."""
    content = b"\x00" + section + crc(section)
    return b"\x47" + (0x4000 | pid).to_bytes(2, "big") + b"\x10" + content.ljust(PACKET - 4, b"\xff")


def section(number: int, identifier: int, body: bytes) -> bytes:
    return (
        bytes((number,))
        + (0xB000 | len(body) + 9).to_bytes(2, "big")
        + identifier.to_bytes(2, "big")
        + b"\xc1\0\0"
        + body
    )


def programmes(data: bytes, streams: list[str]) -> bytes:
    """Return a transport stream of H.264 and MP2 as several programmes: each has pictures (v), sound (a) or both."""
    pieces = [data[start : start + PACKET] for start in range(0, len(data), PACKET)]
    entries = b"".join(
        (number + 1).to_bytes(2, "big") + (0xF000 + 16 * number).to_bytes(2, "big") for number in range(len(streams))
    )
    out = [table(0, section(0, 1, entries))]
    for number, kinds in enumerate(streams):
        pid = {kind: PIDS[kind] + 16 * number for kind in kinds}
        body = (0xE000 | pid[kinds[0]]).to_bytes(2, "big") + b"\xf0\0"
        body += b"".join(KINDS[kind] + (0xE000 | pid[kind]).to_bytes(2, "big") + b"\xf0\0" for kind in kinds)
        out.append(table(0x1000 + 16 * number, section(2, number + 1, body)))
    for piece in pieces:
        for number, kinds in enumerate(streams):
            for kind in kinds:
                if (piece[1] & 31) << 8 | piece[2] == PIDS[kind]:
                    pid_now = PIDS[kind] + 16 * number
                    out.append(piece[:1] + bytes((piece[1] & 0xE0 | pid_now >> 8, pid_now & 255)) + piece[3:])
    return b"".join(out)
