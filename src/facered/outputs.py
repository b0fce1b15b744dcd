"""Where results go, and what they are called."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""What can be written, by the end of the file's name, and FFmpeg's names for it."""
OTHER_VIDEOS = frozenset({".avi", ".m4v", ".mpg", ".ts", ".webm", ".wmv"})
"""Ends of names that nobody gives to a directory."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that belong to a video ``foo.bar``, whose names begin with ``foo``.

    Attributes
    ----------
    source : Path
        The video itself.
    directory : Path
        Where the other files are.
    video : Path
        ``foo_redacted.mp4``, or the file that the caller named.
    """

    source: Path
    directory: Path
    video: Path

    @classmethod
    def of(cls, source: Path, output: Path) -> Outputs:
        """Name the outputs for a video; `output` is a directory, or the redacted video where it ends like one.

        Raises
        ------
        ConfigurationUnsupportedError
            It ends like a kind of video that cannot be written.
        """
        suffix = output.suffix.lower()
        named = suffix in CONTAINERS and not output.is_dir()
        if suffix in OTHER_VIDEOS and not output.is_dir():
            raise ConfigurationUnsupportedError(f"{output}: only {', '.join(CONTAINERS)} can be written; choose one")
        directory = output.parent if named else output
        return cls(source, directory, output if named else directory / f"{source.stem}_redacted.mp4")

    @property
    def annotations(self) -> Path:
        """``foo_annotations.json``."""
        return self.directory / f"{self.source.stem}_annotations.json"

    @property
    def id_list(self) -> Path:
        """``foo_IDList.txt``."""
        return self.directory / f"{self.source.stem}_IDList.txt"

    def thumbnail(self, number: int) -> Path:
        """``foo_thumb000001.jpg`` for the id 1."""
        return self.directory / f"{self.source.stem}_thumb{number:06d}.jpg"

    def old_thumbnails(self) -> list[Path]:
        """Return the thumbnails of this video that are there already."""
        pattern = f"{self.source.stem}_thumb"
        if not self.directory.is_dir():
            return []
        found = (path for path in self.directory.iterdir() if path.name.startswith(pattern) and path.suffix == ".jpg")
        return sorted(path for path in found if path.stem[len(pattern) :].isdigit())

    def prepare(self, wanted: Iterable[Path], overwrite: bool) -> None:
        """Make the directory, and make sure that each file can be written there.

        Raises
        ------
        ConfigurationUnsupportedError
            An output exists, is the input itself, or cannot be written.
        """
        for path in wanted:
            if path.exists() and self.source.exists() and path.samefile(self.source):
                raise ConfigurationUnsupportedError(f"{path}: this is the input itself; choose another output")
            if path.is_dir():
                raise ConfigurationUnsupportedError(f"{path}: is a directory; move it away")
            if path.exists() and not overwrite:
                raise ConfigurationUnsupportedError(f"{path}: exists already; add --overwrite to replace it")
            directory = path.parent
            try:
                directory.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=directory):
                    pass  # permission bits do not tell everything: try it
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)
                raise ConfigurationUnsupportedError(
                    f"{directory}: cannot be written ({reason}); choose another directory"
                ) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears under its name when it is complete."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
