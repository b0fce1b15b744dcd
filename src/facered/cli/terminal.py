"""Text for people: whatever is in the names that it tells of, a terminal shows it and does nothing else."""

from __future__ import annotations

import logging
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MAX_SHORT_NAME = 40
"""Most letters of a name beside a progress bar; by hand. More leaves no room for the bar."""
_SPACES = "Zs"
STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


def printable(text: str) -> str:
    """Return a text in one line, in which what is no letter, sign or blank stands as Python would write it.

    Control characters are no signs, nor are those that turn the direction of writing, nor bytes that are not UTF-8.
    """
    return "".join(letter if is_plain(letter) else escaped(letter) for letter in text)


def short(name: str) -> str:
    """Return a name as it stands beside a progress bar: of a long one, its ends."""
    shown = printable(name)
    half = MAX_SHORT_NAME // 2 - 1
    return shown if len(shown) <= MAX_SHORT_NAME else f"{shown[:half]}…{shown[-half:]}"


def say(*lines: str) -> None:
    """Print lines to standard output."""
    if is_closed():
        return
    known = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(printable(line).encode(known, "backslashreplace").decode(known), flush=True)


def is_closed() -> bool:
    """Tell whether there was no standard output when the program began; other files may have its number by now."""
    return getattr(sys, "stdout", None) is None


def give_up() -> None:
    """Have nothing more written to standard output, which nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STANDARD_OUTPUT)
    os.close(nowhere)


def complain(*lines: str) -> None:
    """Print lines to standard error, with the program's name, where somebody reads them: the exit code tells too."""
    with suppress(OSError):
        for line in lines:
            print(f"facered: {printable(line)}", file=sys.stderr, flush=True)


def internal(error: Exception) -> str:
    """Return the line that tells of an error that should not have been."""
    return f"internal error, {type(error).__name__}: {' '.join(str(error).split())}; please report it"


class Formatter(logging.Formatter):
    """Makes lines of log records, as `complain` would print them."""

    def __init__(self) -> None:
        super().__init__("facered: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line of a record without its traceback."""
        return printable(super().formatMessage(record))


@contextmanager
def bare_output() -> Iterator[int]:
    """Yield a descriptor of the standard output, which whatever else is printed goes past, to standard error."""
    sys.stdout.flush()
    number = os.dup(STANDARD_OUTPUT)
    try:
        os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
        yield number
    finally:
        sys.stdout.flush()
        os.dup2(number, STANDARD_OUTPUT)
        os.close(number)


def is_plain(letter: str) -> bool:
    """Tell whether a letter is shown, and does nothing else to a terminal."""
    return letter.isprintable() or unicodedata.category(letter) == _SPACES


def escaped(letter: str) -> str:
    """Return a letter as Python would write it, and a byte that is not UTF-8 as that."""
    if "\udc80" <= letter <= "\udcff":  # how Python tells of a byte that is not UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
