"""A JSON text, read value by value; keys that stand twice and numbers that are none are errors, with their place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_DIGITS = 100


class WrongError(ValueError):
    """Something in the text is wrong; the message says where."""


class Cursor:
    """A place in a JSON text, moved on from value to value.

    Parameters
    ----------
    text : str

    Raises
    ------
    json.JSONDecodeError
        From all methods: the text is not JSON.
    WrongError
        It is, but of another kind than asked for, has a key twice, is nested too deeply or holds senseless numbers.
    """

    SPACE = re.compile(r"[ \t\n\r]*")

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        """Return the next character that is not a blank, the empty string at the end."""
        blanks = self.SPACE.match(self.text, self.at)
        assert blanks is not None
        self.at = blanks.end()
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        """Move behind a character."""
        found = self.peek()
        if found != character:
            reason = f"Expecting {character!r}" if found else "The text ends too early"
            raise json.JSONDecodeError(reason, self.text, self.at)
        self.at += 1

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise json.JSONDecodeError("Extra data", self.text, self.at)

    def value(self, where: str) -> Any:
        """Move behind a value and return it; `where` is its name in messages."""
        self.peek()
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except RecursionError:
            raise WrongError(f"{where} is nested too deeply") from None
        except json.JSONDecodeError:
            raise
        except ValueError as error:
            raise WrongError(f"{where} {error}") from None
        return value

    def open(self, where: str, bracket: str, kind: str) -> None:
        """Move behind an opening bracket."""
        if self.peek() not in (bracket, ""):
            shown = self.text[self.at : self.at + 20].split("\n")[0]
            raise WrongError(f"{where} is {shown}; it must be {kind}")
        self.take(bracket)

    def members(self, where: str) -> Iterator[str]:
        """Yield the keys of an object, each with the cursor before its value, which the caller takes."""
        self.open(where, "{", "an object")
        seen: set[str] = set()
        while self.peek() != "}" or seen:
            if self.peek() != '"':
                raise json.JSONDecodeError("Expecting a key in double quotes", self.text, self.at)
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

    def items(self, where: str) -> Iterator[int]:
        """Yield the numbers of the items of a list, each with the cursor before the item, which the caller takes."""
        self.open(where, "[", "a list")
        number = 0
        while self.peek() != "]" or number:
            yield number
            number += 1
            if self.peek() != ",":
                break
            self.at += 1
        self.take("]")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"has the key {json.dumps(key[:40])} twice")
        found[key] = value
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
