"""Files that are written once the work is done: whether they can be is known before it begins.

What is no file, such as a pipe or a device, is written into; it is never replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from facered.runtime.replace import BusyError, FileSet, write_whole


def check_writable(path: Path) -> None:
    """Make sure that a file can be written, as far as that can be told before; nothing is left there.

    Raises
    ------
    OSError
        It cannot.
    """
    if os.path.isdir(path):  # noqa: PTH112  (no name makes it fail)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    with suppress(FileNotFoundError):
        path.lstat()  # the name may be too long
    if _is_special(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return
    with suppress(BusyError), FileSet([path]):  # or somebody else is about to write the same
        pass


def write_target(path: Path, content: Iterable[bytes]) -> None:
    """Write a file, piece by piece, that appears under its name when it is complete, or into what is no file.

    Raises
    ------
    OSError
        It cannot be written; a file that was there before is still there.
    """
    if not _is_special(path):
        write_whole(path, content)
        return
    with path.open("wb") as file:
        file.writelines(content)


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
