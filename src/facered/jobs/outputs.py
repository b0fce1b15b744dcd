"""Where results go, and what they are called."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError
from facered.runtime.replace import MAX_NAME_BYTES, BusyError, FileSet
from facered.video.input.webp import is_animated
from facered.video.output import CONTAINERS, IMAGES
from facered.video.sequence import ImageSequence

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
        image.
    sequence : ImageSequence or None
        The images that `video` stands for, if it is the pattern of their names.
    """

    source: Path
    directory: Path
    video: Path
    sequence: ImageSequence | None = None

    @property
    def is_image(self) -> bool:
        """Whether the result is an image, or a sequence of them."""
        return self.video.suffix.lower() in IMAGES

    @classmethod
    def of(cls, source: Path, output: Path, single: bool = False) -> Outputs:
        """Name the outputs for a video; `output` is a directory, or the redacted video where it ends like one.

        With `single` the source is one, even if its name could be a pattern.

        Raises
        ------
        ConfigurationUnsupportedError
            It ends like a kind of video that cannot be written.
        """
        suffix, kind = output.suffix.lower(), source.suffix.lower()
        image = (kind in IMAGES or kind in OTHER_IMAGES) and not is_animated(source)
        writable = [*CONTAINERS, *(sorted(IMAGES) if image or not kind else ())]
        is_directory = os.path.isdir(output)  # noqa: PTH112  (no name makes it fail)
        named = suffix in writable and not is_directory
        if suffix in OTHER_VIDEOS | OTHER_IMAGES | IMAGES and not named and not is_directory:
            raise ConfigurationUnsupportedError(f"{output}: only {', '.join(writable)} can be written; choose one")
        images = None if single else ImageSequence.of(source)
        if not named:
            ending = (kind if kind in IMAGES else ".png") if image else ".mp4"
            video = output / f"{source.stem}_redacted{ending}"
            # A percent sign in the name of one picture stays one in that of the result.
            return cls(source, output, video, None if images is None else ImageSequence.named(video))
        sequence = ImageSequence.of(output)
        if images is not None and sequence is None and suffix in IMAGES:
            raise ConfigurationUnsupportedError(f"{output}: this is one name for many images; put %04d into it")
        return cls(source, output.parent, output, sequence)

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
        if not os.path.isdir(self.directory):  # noqa: PTH112
            return []
        found = (path for path in self.directory.iterdir() if path.name.startswith(pattern) and path.suffix == ".jpg")
        return sorted(path for path in found if path.stem[len(pattern) :].isdigit())

    def check(self, wanted: Sequence[Path], overwrite: bool, read: Sequence[Path | int] = ()) -> None:
        """Make sure that files can be written where results go; `read` are further files that are read.

        Raises
        ------
        ConfigurationUnsupportedError
            An output exists, is the input itself, or cannot be written.
        """
        try:
            self._check(wanted, overwrite, read)
        except (OSError, ValueError) as error:  # the directory's name is no name
            raise _unwritable(self.directory, str(getattr(error, "strerror", error))) from None

    def _check(self, wanted: Sequence[Path], overwrite: bool, read: Sequence[Path | int]) -> None:
        inputs = {_identity(path) for path in (*_files(self.source, ImageSequence.of(self.source)), self.source, *read)}
        inputs.discard(None)
        files = [file for name in wanted for file in _files(name, self.sequence if name == self.video else None)]
        for path in files:
            _check_name(path)
            if _identity(path) in inputs:
                raise ConfigurationUnsupportedError(f"{path}: this is the input itself; choose another output")
            if os.path.isdir(path):  # noqa: PTH112
                raise ConfigurationUnsupportedError(f"{path}: is a directory; move it away")
            if os.path.lexists(path) and not overwrite:
                raise ConfigurationUnsupportedError(f"{path}: exists already; add --overwrite to replace it")
            if os.path.lexists(path) and not _is_replaceable(path):
                raise _unwritable(path.parent, os.strerror(errno.EPERM))

    @contextmanager
    def claimed(self, names: Sequence[Path]) -> Iterator[FileSet]:
        """Make the directory, and keep others from making files of these names while the block runs.

        Raises
        ------
        ConfigurationUnsupportedError
            Somebody makes one of them, or the directory cannot be written.
        """
        try:
            if names:
                self.directory.mkdir(parents=True, exist_ok=True)
            files = FileSet(names).claim()
        except BusyError:
            raise ConfigurationUnsupportedError(
                f"{names[0]}: another job is about to write this; wait for it, or choose another output"
            ) from None
        except (OSError, ValueError) as error:
            raise _unwritable(self.directory, getattr(error, "strerror", None) or str(error)) from None
        try:
            yield files
        finally:
            files.release()


def _files(path: Path, sequence: ImageSequence | None) -> list[Path]:
    """Return a file, or those that there are of a sequence, or what one of them would be called."""
    return [path] if sequence is None else sequence.files() or [sequence.file(0)]


def _identity(path: Path | int) -> tuple[int, int] | None:
    """Return what tells a file from all others, whatever it is called; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  (may be a descriptor)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _check_name(path: Path) -> None:
    count = len(os.fsencode(path.name))
    if count > MAX_NAME_BYTES:
        raise ConfigurationUnsupportedError(
            f"{path}: this name has {count} bytes, a file's can have {MAX_NAME_BYTES}; choose a shorter one"
        )


def _unwritable(directory: Path, reason: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"{directory}: cannot be written ({reason}); choose another directory")


def _is_replaceable(path: Path) -> bool:
    """Tell whether a file may be replaced; in directories such as /tmp everybody may replace only their own."""
    directory = path.parent.stat()
    return not directory.st_mode & stat.S_ISVTX or os.geteuid() in (0, directory.st_uid, path.lstat().st_uid)
