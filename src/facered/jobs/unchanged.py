"""Whether a video stays the same while a job reads it, once or twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from facered.errors import ContentMalformedError
from facered.video.input.file import Source
from facered.video.sequence import ImageSequence


class Unchanged:
    """Remembers what a video's files are like when it is made.

    Two passes over a file that is still being written, or that another one replaces, would not see the same frames.
    What the passes have read is compared as well: of URLs nothing else is known.

    Parameters
    ----------
    path : Path
        Names the video; read where there is no `opened`.
    opened : Source or None
    """

    def __init__(self, path: Path, opened: Source | None) -> None:
        self._path, self._opened = path, opened
        self._before = self._state()
        self._checksum: int | None = None

    @property
    def identity(self) -> str | list[tuple[int, ...]] | None:
        """An address, or device, inode, size and time of each file; None where nobody can know it again."""
        if isinstance(self._opened, str):
            return self._opened
        known = [] if self._opened is not None else [state for state in self._before if state is not None]
        return known if known and len(known) == len(self._before) else None

    def check(self, checksum: int) -> None:
        """Make sure that nothing has changed; to be called after each pass, with the `Reader.checksum` of it.

        Raises
        ------
        ContentMalformedError
            Something has.
        """
        if self._state() != self._before or self._checksum not in (None, checksum):
            raise ContentMalformedError(
                f"{self._path}: has changed while it was read; wait until it is complete, and begin anew"
            )
        self._checksum = checksum

    def _state(self) -> list[tuple[int, ...] | None]:
        """Return device, inode, size and time of each file, or only the size of what is no file."""
        opened = self._opened
        if isinstance(opened, str):
            return []
        if opened is not None and not isinstance(opened, Path):
            return [_of_object(opened)]
        path = self._path if opened is None else opened
        sequence = ImageSequence.of(path)
        return [_of_file(file) for file in ([path] if sequence is None else sequence.files())]


def _of_file(file: Path | int) -> tuple[int, ...] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  (may be a descriptor)
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _of_object(file: IO[bytes]) -> tuple[int, ...] | None:
    try:
        return _of_file(file.fileno())
    except (AttributeError, OSError):  # it is none of the system's
        return (file.seek(0, os.SEEK_END),)
