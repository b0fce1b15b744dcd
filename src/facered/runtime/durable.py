"""What is on the disk when the power fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

MAX_SYNCED = 64
"""Files that are brought to the disk one by one; by hand. More: long sequences take long. Fewer: what other programs
have written is waited for, too."""
_UNABLE = frozenset((errno.EINVAL, errno.ENOTSUP, errno.ENOSYS))
"""What file systems say that cannot."""


def sync_files(folder: Path, names: Sequence[str]) -> None:
    """Have files be on the disk before they get names that others trust: they would be empty after a loss of power.

    Raises
    ------
    OSError
        They cannot be written.
    """
    if len(names) > MAX_SYNCED:
        os.sync()
        return
    for name in names:
        sync(folder / name)
    sync(folder)


def sync(path: Path) -> None:
    """Have a file, or the names in a directory, be on the disk.

    Raises
    ------
    OSError
        It cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # names may be made there, but not listed
        os.sync()
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    finally:
        os.close(descriptor)
