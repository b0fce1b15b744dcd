"""Opening what a walk through a film reads: a file, a URL, an object like a file, an animation."""

from __future__ import annotations

import errno
import io
import stat
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from av.error import ExitError, FFmpegError

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError, ContentUnsupportedError
from facered.options import MAX_PIXELS
from facered.video.address import OPEN_TIMEOUT, READ_TIMEOUT
from facered.video.input import webp
from facered.video.input.decode import reason
from facered.video.input.local import (
    LITERAL,
    check_format,
    formats_without_references,
    list_format,
    open_file,
    open_limited,
)  # fmt: skip
from facered.video.input.remote import open_address
from facered.video.sequence import ImageSequence

if TYPE_CHECKING:
    from av.container import InputContainer

TIMEOUTS = OPEN_TIMEOUT, READ_TIMEOUT
Source = str | Path | IO[bytes]
"""What is read instead of the file that gives its name: a URL, another file, or a file-like object."""


def open_source(
    path: Path, opened: Source | None = None, container_format: str | None = None, max_pixels: int = MAX_PIXELS
) -> InputContainer:
    """Open what is read as the file of a name: itself, or what is given instead; for the rest see `open_file`.

    Raises
    ------
    ConfigurationUnsupportedError
        The file is missing or cannot be read, or there is no such format.
    ContentMalformedError
        It is not a video.
    ContentUnsupportedError
        It is a list of other files.
    """
    check_format(container_format)
    try:
        if opened is None or isinstance(opened, Path):
            file = path if opened is None else opened
            _check_readable(path, file)
            if container_format is None and webp.is_animated(file):
                with file.open("rb") as animation:
                    return _open_animation(path, animation, max_pixels)
            return open_file(file, container_format, None, max_pixels)
        if isinstance(opened, str):
            return open_address(opened, container_format, timeout=TIMEOUTS, max_pixels=max_pixels)
        opened = cast("IO[bytes]", _Exact(opened))
        opened.seek(0)
        if webp.begins_animated(opened.read(webp.HEADER)):
            opened.seek(0)
            return _open_animation(path, opened, max_pixels)
        opened.seek(0)
        # No protocol is called so: there is nothing to open but what is open.
        alone = {"format_whitelist": formats_without_references(), "protocol_whitelist": "none", **LITERAL}
        return open_limited(opened, container_format, alone, max_pixels)
    except ExitError:
        raise ContentMalformedError(f"{path}: no answer in {OPEN_TIMEOUT:.0f} s; try again") from None
    except (FFmpegError, OSError, ValueError) as error:
        kind = list_format(path) if opened is None and ImageSequence.of(path) is None else None
        if kind is not None and kind != container_format:
            raise ContentUnsupportedError(
                f"{path}: this is a list of other files; name the films themselves, or have it read all the same with "
                f"--input-format {kind}"
            ) from None
        raise ContentMalformedError(f"{path}: not a readable video ({reason(error)})") from error


class _Exact(io.RawIOBase):
    """A file-like object that gives no more than it is asked for: FFmpeg's memory would be overwritten."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if not isinstance(data, bytes | bytearray | memoryview) or 0 <= size < len(data):
            raise OSError(errno.EIO, f"read({size}) gave {type(data).__name__}, or too much")
        return bytes(data)


def _open_animation(name: Path, source: IO[bytes], max_pixels: int) -> InputContainer:
    with tempfile.TemporaryFile() as film:
        webp.write_film(source, film, name, max_pixels)
        return open_file(Path(f"/proc/self/fd/{film.fileno()}"))


def _check_readable(name: Path, path: Path) -> None:
    """Make sure that a file, or the first one of a sequence, can be read; `name` stands in errors.

    Raises
    ------
    ConfigurationUnsupportedError
        It cannot.
    """
    sequence = ImageSequence.of(path)
    file = path if sequence is None else sequence.file(sequence.first_number())
    try:
        kind = file.stat().st_mode
        if not stat.S_ISDIR(kind) and not stat.S_ISFIFO(kind):  # opening one of these would wait for who writes it
            with file.open("rb"):
                return
    except FileNotFoundError:
        raise ConfigurationUnsupportedError(f"{name}: no such file") from None
    except PermissionError:
        raise ConfigurationUnsupportedError(f"{name}: no permission to read this file") from None
    except (OSError, ValueError) as error:  # what cannot be a name is no file's
        raise ConfigurationUnsupportedError(f"{name}: cannot be read ({reason(error)})") from None
    what = "this is a directory; name a video file" if stat.S_ISDIR(kind) else "this is a pipe, and not a file"
    raise ConfigurationUnsupportedError(f"{name}: {what}")
