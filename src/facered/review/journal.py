"""Every gesture, a line each, written before it is told that it was done: what a crash leaves is what was done."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

import msgspec

from facered.errors import ConfigurationUnsupportedError
from facered.review.gestures import Gesture

MAX_BYTES = 1 << 28
"""Bytes of a journal, at most; by hand: a thousand drawn tracks of a minute have a third of it."""


class Begin(msgspec.Struct, tag="begin", tag_field="do"):
    """What was there at first: the digests of the document and of the list of ids, and who was shown."""

    document: str
    shown: list[int]
    ids: str


class Undo(msgspec.Struct, tag="undo", tag_field="do"):
    """The last gesture that stands is taken back."""


class Redo(msgspec.Struct, tag="redo", tag_field="do"):
    """What was taken back last is done again."""


class Saving(msgspec.Struct, tag="saving", tag_field="do"):
    """The document is about to be written, with this digest, and the list of ids with the other."""

    document: str
    ids: str


class Saved(msgspec.Struct, tag="saved", tag_field="do"):
    """Both were written."""

    document: str
    ids: str


Line = Gesture | Begin | Undo | Redo | Saving | Saved
_DECODER = msgspec.json.Decoder(Line)


class Journal:
    """A file of lines; nobody else appends to it while it is open.

    Parameters
    ----------
    path : Path
        Made if it is not there, for its owner alone.

    Attributes
    ----------
    lines : list
        What stood in it when it was opened; a last line that was not finished is taken out.

    Raises
    ------
    ConfigurationUnsupportedError
        It cannot be opened, somebody else has it open, or something else stands in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationUnsupportedError(f"{path}: cannot be written ({error.strerror})") from None
        try:
            self._claim()
            self.lines: list[Line] = self._read()
        except BaseException:
            os.close(self._file)
            raise

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationUnsupportedError(
                f"{self.path}: this film is being reviewed already; go on there, or end that first"
            ) from None

    def _read(self) -> list[Line]:
        size = os.fstat(self._file).st_size
        if size > MAX_BYTES:
            raise ConfigurationUnsupportedError(f"{self.path}: is {size / 1e6:.0f} MB large; move it away")
        content = os.pread(self._file, size, 0)
        whole = content.rfind(b"\n") + 1
        os.ftruncate(self._file, whole)
        os.lseek(self._file, whole, os.SEEK_SET)
        lines: list[Line] = []
        for number, text in enumerate(content[:whole].splitlines(), 1):
            try:
                lines.append(_DECODER.decode(text))
            except msgspec.MsgspecError as error:
                raise ConfigurationUnsupportedError(
                    f"{self.path}: line {number} is no gesture ({error}); move the file away to begin anew"
                ) from None
        return lines

    def append(self, *lines: Line) -> None:
        """Write lines, so that they are there whatever happens next.

        Raises
        ------
        ConfigurationUnsupportedError
            There is no room; nothing was written.
        """
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        at = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            done = os.write(self._file, content)
            if done < len(content):
                os.write(self._file, content[done:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, at)
            os.lseek(self._file, at, os.SEEK_SET)
            raise ConfigurationUnsupportedError(
                f"{self.path}: cannot be written ({error.strerror}); the last gesture was not done"
            ) from None

    def begin_anew(self, begin: Begin) -> None:
        """Keep the old lines in a file beside it, and begin with this one."""
        if self.lines:
            old = self.path.with_suffix(".old.jsonl")
            old.write_bytes(os.pread(self._file, os.fstat(self._file).st_size, 0))
            old.chmod(0o600)
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self.append(begin)
        self.lines = [begin]

    def close(self) -> None:
        """Close it; somebody else may open it."""
        os.close(self._file)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; nothing where there is none."""
    try:
        return digest_of(path.read_bytes())
    except FileNotFoundError:
        return ""


def digest_of(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal; nothing of nothing."""
    return hashlib.sha256(content).hexdigest() if content else ""
