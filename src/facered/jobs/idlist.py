"""The list of the people to hide: ``foo_IDList.txt``, an id a line."""

from __future__ import annotations

import os
import re
from pathlib import Path

from facered.checks import MAX_ID
from facered.errors import ConfigurationUnsupportedError

MAX_LIST_BYTES = 1 << 24


class IdList(tuple[int, ...]):
    """The ids of a list that was read; none means everyone."""


def read_id_list(path: Path) -> list[int] | None:
    """Read the ids in a file; blanks around them, blank lines, CRLF and a byte order mark are fine.

    Returns
    -------
    list of int or None
        In the file's order; None where the file names nobody, which means everyone.

    Raises
    ------
    ConfigurationUnsupportedError
        The file cannot be read, or a line is something else.
    """
    try:
        text = _text(path)
    except FileNotFoundError:
        raise ConfigurationUnsupportedError(f"{path}: no such list of ids; name another") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationUnsupportedError(f"{path}: cannot be read ({reason})") from None
    except UnicodeDecodeError as error:
        raise ConfigurationUnsupportedError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    ids = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        word = line.strip(" \t")
        if not word:
            continue
        if not re.fullmatch(r"[0-9]{1,20}", word) or int(word) > MAX_ID:
            shown = word if len(word) <= 40 else f"{word[:40]}..."
            raise ConfigurationUnsupportedError(
                f"{path}: line {number} is {shown!r}; it must be one id, a whole number from 0 to {MAX_ID}"
            )
        ids.append(int(word))
    return ids or None


def _text(path: Path) -> str:
    size = path.stat().st_size
    if not (path.is_file() or path.is_fifo()):
        raise ConfigurationUnsupportedError(f"{path}: is not a file; name the list itself")
    if size > MAX_LIST_BYTES:
        raise ConfigurationUnsupportedError(f"{path}: is {size / 1e6:.0f} MB large; that cannot be a list of ids")
    with path.open("rb") as file:
        content = file.read(MAX_LIST_BYTES + 1)
    if len(content) > MAX_LIST_BYTES:
        raise ConfigurationUnsupportedError(f"{path}: is larger than {MAX_LIST_BYTES / 1e6:.0f} MB")
    return content.decode("utf-8-sig")
