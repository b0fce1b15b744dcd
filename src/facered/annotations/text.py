"""JSON in a file, read value by value; no more of the file is in memory than a piece around the current place.

Keys that are there twice and numbers that are none are errors, and every error names its place.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

PIECE = 1 << 18
"""Bytes that are read at a time."""
MAX_CUT_TOKEN = 16
"""Characters of the longest thing that the end of a piece may cut unnoticed: an escape, a constant, an exponent."""
MAX_DIGITS = 100
MAX_LISTS = 10_000_000


class WrongError(ValueError):
    """Something in the text is wrong; the message says what and where."""


class Text:
    """A place in a JSON text, moved on from value to value.

    All methods raise `WrongError` where the text is not JSON, is of another kind than asked for, has a key twice, is
    nested too deeply or holds numbers that are none.

    Parameters
    ----------
    file : binary file
        UTF-8, with or without a byte order mark.
    most : int
        Bytes that it may have.

    Attributes
    ----------
    piece : str
        The part of the text that is in memory.
    at : int
        The current place in it.
    """

    VISIBLE = re.compile(r"[^ \t\n\r]")

    def __init__(self, file: BinaryIO, most: int = 1 << 62) -> None:
        self._most = most
        self.piece, self.at = "", 0
        self._file, self._decoder = file, codecs.getincrementaldecoder("utf-8-sig")()
        self._bytes = self._lists = 0  # that were read
        self._dropped, self._line, self._column = 0, 1, 1  # where the piece begins

    @property
    def position(self) -> int:
        """The number of characters before the current place."""
        return self._dropped + self.at

    def more(self) -> bool:
        """Read on, and drop what is before the current place; False at the end of the file."""
        # At least as much as there is, so that a long value is not begun again too often.
        content = self._file.read(max(PIECE, len(self.piece) - self.at))
        try:
            text = self._decoder.decode(content, final=not content)
        except UnicodeDecodeError as error:
            raise WrongError(f"is not UTF-8 text (shortly after byte {self._bytes + error.start})") from None
        if not content:
            return False
        self._bytes += len(content)
        if self._bytes > self._most:
            raise WrongError(f"is larger than {self._most / 1e9:.1f} GB, more than is read")
        self._lists += text.count("[")
        if self._lists > MAX_LISTS:
            raise WrongError(f"holds more than {MAX_LISTS} lists; it cannot be the annotations of one video")
        self._line, self._column = self._place(self.at)
        self._dropped += self.at
        self.piece, self.at = self.piece[self.at :] + text, 0
        return True

    def look_ahead(self) -> None:
        """Have half a piece or more in memory from the current place on, if there is as much."""
        if len(self.piece) - self.at < PIECE // 2:
            self.more()

    def peek(self) -> str:
        """Return the next character that is not a blank, the empty string at the end."""
        while True:
            if found := self.VISIBLE.search(self.piece, self.at):
                self.at = found.start()
                return found[0]
            self.at = len(self.piece)
            if not self.more():
                return ""

    def take(self, character: str) -> None:
        """Move behind a character."""
        found = self.peek()
        if found != character:
            raise self._malformed(f"Expecting {character!r}" if found else "The text ends too early", self.at)
        self.at += 1

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._malformed("Extra data", self.at)

    def value(self, where: str) -> Any:
        """Move behind a value and return it; `where` is its name in messages."""
        self.peek()
        value = None
        while True:
            wrong = None
            try:
                value, end = _DECODER.raw_decode(self.piece, self.at)
            except RecursionError:
                raise WrongError(f"{where} is nested too deeply") from None
            except json.JSONDecodeError as error:
                wrong = self._malformed(error.msg, error.pos)
                end = len(self.piece) if error.msg.startswith("Unterminated") else error.pos
            except ValueError as error:
                wrong = WrongError(f"{where} {error}")
                # Half a number may have too many digits before its point.
                end = len(self.piece) if self.piece[-1].isdigit() else self.at
            if end + MAX_CUT_TOKEN > len(self.piece) and self.more():  # what ends with the piece may be cut off
                continue
            if wrong:
                raise wrong
            self.at = end
            return value

    def open(self, where: str, bracket: str, kind: str) -> None:
        """Move behind an opening bracket."""
        if self.peek() not in (bracket, ""):
            shown = self.piece[self.at : self.at + 20].split("\n")[0]
            raise WrongError(f"{where} is {shown}; it must be {kind}")
        self.take(bracket)

    def members(self, where: str) -> Iterator[str]:
        """Yield the keys of an object; each time the current place is before the value, which the caller takes."""
        self.open(where, "{", "an object")
        seen: set[str] = set()
        while self.peek() != "}" or seen:
            if self.peek() != '"':
                raise self._malformed("Expecting a key in double quotes", self.at)
            key: str = self.value(where)
            if key in seen:
                raise WrongError(f"{where} has the key {json.dumps(key[:40])} twice")
            seen.add(key)
            self.take(":")
            yield key
            if self.peek() != ",":
                break
            self.at += 1
        self.take("}")

    def items(self, where: str) -> Iterator[None]:
        """Yield at each item of a list; the caller takes it, or several with the commas between them."""
        self.open(where, "[", "a list")
        more = self.peek() != "]"
        while more:
            yield
            more = self.peek() == ","
            self.at += more
        self.take("]")

    def _place(self, at: int) -> tuple[int, int]:
        """Return line and column, from 1, of a place in the piece."""
        lines = self.piece.count("\n", 0, at)
        return self._line + lines, at - self.piece.rfind("\n", 0, at) if lines else self._column + at

    def _malformed(self, reason: str, at: int) -> WrongError:
        line, column = self._place(at)
        return WrongError(f"is not valid JSON: {reason}: line {line} column {column} (char {self._dropped + at})")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"has the key {json.dumps(twice[:40])} twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"has a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"has the number {digits[:40]}, which is too large")
    return value


def _constant(name: str) -> float:
    raise ValueError(f"has {name}, which is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_finite, parse_constant=_constant
)
