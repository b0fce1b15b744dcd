"""Where results go, and what they are called."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError
from facered.video.output import CONTAINERS, IMAGES

OTHER_IMAGES = frozenset({".bmp", ".tif", ".tiff", ".webp"})
"""Images that become PNG."""
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
        ``foo_redacted.mp4``, or the file that the caller named; ``foo_redacted.jpg`` or ``foo_redacted.png`` for an
        image. A name with ``%04d`` or the like in it stands for a sequence of images.
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
        suffix, kind = output.suffix.lower(), source.suffix.lower()
        image = kind in IMAGES or kind in OTHER_IMAGES
        writable = [*CONTAINERS, *(sorted(IMAGES) if image else ())]
        named = suffix in writable and not output.is_dir()
        if suffix in OTHER_VIDEOS | OTHER_IMAGES | IMAGES and not named and not output.is_dir():
            raise ConfigurationUnsupportedError(f"{output}: only {', '.join(writable)} can be written; choose one")
        directory = output.parent if named else output
        ending = (kind if kind in IMAGES else ".png") if image else ".mp4"
        return cls(source, directory, output if named else directory / f"{source.stem}_redacted{ending}")

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
        for path in [file for name in wanted for file in _files(name)]:
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


def _files(path: Path) -> list[Path]:
    """Return a file, or those that there are of a sequence with ``%04d`` or the like in its name, or what it may be."""
    if "%" not in path.name or path.suffix.lower() not in IMAGES:
        return [path]
    pattern = re.compile(r"\d+".join(map(re.escape, re.split(r"%\d*d", path.name))))
    there = path.parent.iterdir() if path.parent.is_dir() else ()
    return [file for file in there if pattern.fullmatch(file.name)] or [path]
