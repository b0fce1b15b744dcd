"""The inputs that once went wrong, as files: one folder a target."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

FOLDER = Path(__file__).parent / "findings"
MAX_PLAIN = 2048
"""Bytes from which on an input is compressed."""


def keep(target: str, data: bytes) -> Path:
    """Write the input of a finding, and return where."""
    packed = len(data) > MAX_PLAIN
    path = FOLDER / target / (hashlib.sha256(data).hexdigest()[:12] + (".xz" if packed else ".bin"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(data) if packed else data)
    return path


def kept() -> list[tuple[str, Path]]:
    """Return the target and the file of each finding."""
    return [(path.parent.name, path) for path in sorted(FOLDER.glob("*/*.*"))]


def read(path: Path) -> bytes:
    """Return the input of a finding."""
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content
