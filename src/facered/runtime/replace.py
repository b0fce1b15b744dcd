"""Files that appear under their names when they are complete."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MAX_NAME_BYTES = 255
"""How long a file's name can be on the file systems there are."""


class Replacement:
    """A file that is written beside its final name and renamed when it is complete.

    As a context, it is committed when the block ends without an error, and otherwise discarded.

    Parameters
    ----------
    path : Path
        The final name. A file that exists there stays as it is until `commit`.

    Attributes
    ----------
    path : Path
    partial : Path
        The file to write to; it is in the same directory. Making it is left to the caller.
    """

    __slots__ = ("partial", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(_partial_name(path.name))

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()

    def commit(self) -> None:
        """Give the partial file its final name.

        Raises
        ------
        OSError
            It cannot be renamed, and was discarded.
        """
        try:
            self.partial.replace(self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Delete the partial file, if there is one; after `commit` this does nothing.

        A file that cannot be deleted stays: the error that led here is the one to tell.
        """
        with suppress(OSError):
            self.partial.unlink()


def _partial_name(name: str) -> str:
    """Return what a file is called until it is complete; of a long name only the beginning stands there, and a sum."""
    encoded, end = os.fsencode(name), f".{os.getpid()}.part"
    room = MAX_NAME_BYTES - len(f".{end}")
    if len(encoded) > room:
        end = f".{zlib.crc32(encoded):08x}{end}"
        # A character that is cut in half is left out.
        name = encoded[: MAX_NAME_BYTES - len(f".{end}")].decode("utf-8", "ignore")
    return f".{name}{end}"


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, given at once or piece by piece, that appears under its name when it is complete.

    Raises
    ------
    OSError
        It cannot be written; what was there before is still there.
    """
    with Replacement(path) as replacement, replacement.partial.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
