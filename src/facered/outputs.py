"""Where results go, and what they are called."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError

VIDEO_SUFFIXES = (".mp4",)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that belong to a video ``foo.bar``: ``foo_redacted.mp4`` and ``foo_annotations.json``."""

    source: Path
    video: Path
    annotations: Path

    @classmethod
    def of(cls, source: Path, output: Path) -> Outputs:
        """Name the outputs for a video; `output` is a directory, or the redacted video where it ends in .mp4."""
        named = output.suffix.lower() in VIDEO_SUFFIXES and not output.is_dir()
        directory = output.parent if named else output
        video = output if named else directory / f"{source.stem}_redacted.mp4"
        return cls(source, video, directory / f"{source.stem}_annotations.json")

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
            if path.exists() and not overwrite:
                raise ConfigurationUnsupportedError(f"{path}: exists already; add --overwrite to replace it")
            if path.is_dir():
                raise ConfigurationUnsupportedError(f"{path}: is a directory; move it away")
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
