"""Inputs made of others: of bytes, and of texts by their tokens. All chance comes from the generator that is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

INTERESTING = (
    0, 1, 2, 3, 4, 8, 16, 24, 32, 64, 100, 127, 128, 255, 256, 512, 1000, 1024, 4096, 32767, 32768, 65535, 65536,
    2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip
"""Where counts, sizes and signs turn over."""
HEAD = 4096
"""Bytes at either end of a file in which most of what is told about the rest stands."""
_TOKEN = re.compile(r"[-+]?[0-9][0-9.eE+-]*|\w+|\s+|.", re.DOTALL)


def mutated_bytes(rng: Random, pool: Sequence[bytes]) -> bytes:
    """Return one of the inputs with a few changes of bytes, or of blocks."""
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 2, 3, 5, 12))):
        _change(rng, data, pool)
    return bytes(data)


def _change(rng: Random, data: bytearray, pool: Sequence[bytes]) -> None:
    at, kind = _place(rng, len(data)), rng.randrange(9)
    length = min(rng.choice((1, 2, 4, 8, 16, 64, 188, 1000)), len(data) - at)
    if kind == 0:
        data[at : at + 1] = bytes([data[at] ^ 1 << rng.randrange(8)]) if data else b"\0"
    elif kind in (1, 2):
        size = rng.choice((1, 2, 3, 4, 8))
        number = (rng.choice(INTERESTING) + rng.randrange(-1, 2)) % 256**size
        data[at : at + size] = number.to_bytes(size, rng.choice(("big", "little")))
    elif kind == 3:
        data[at : at + length] = rng.randbytes(length)
    elif kind == 4:
        del data[at : at + length]
    elif kind == 5:
        data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 50))
    elif kind == 6:
        other = rng.choice(pool)
        start = _place(rng, len(other))
        data[at : at + length] = other[start : start + length]
    elif kind == 7:
        target = _place(rng, len(data))
        data[target : target + length] = data[at : at + length]
    elif rng.random() < 0.3:
        del data[at:]


def _place(rng: Random, length: int) -> int:
    if length and rng.random() < 0.6:
        near = rng.randrange(min(HEAD, length))
        return near if rng.random() < 0.6 else length - 1 - near
    return rng.randrange(length) if length else 0


def mutated_text(rng: Random, pool: Sequence[bytes], words: Sequence[str]) -> bytes:
    """Return one of the texts with other tokens in places, words of a vocabulary among them, or other bytes."""
    if rng.random() < 0.1:
        return mutated_bytes(rng, pool)
    tokens = tokens_of(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(tokens) + 1)
        length = rng.choice((1, 1, 1, 2, 5, 20))
        kind = rng.randrange(6)
        if kind in (0, 1):
            tokens[at : at + 1] = [rng.choice(words)]
        elif kind == 2:
            tokens[at:at] = [rng.choice(words)]
        elif kind == 3:
            del tokens[at : at + length]
        elif kind == 4:
            tokens[at:at] = tokens[at : at + length] * rng.choice((1, 1, 3, 40))
        else:
            other = tokens_of(rng.choice(pool))
            start = rng.randrange(len(other) + 1)
            tokens[at : at + length] = other[start : start + length]
    return "".join(tokens).encode("utf-8", "surrogateescape")


def tokens_of(text: bytes) -> list[str]:
    """Return the numbers, words, blanks and other characters of a text."""
    return _TOKEN.findall(text.decode("utf-8", "surrogateescape"))


class Drawn:
    """Numbers and choices read from bytes, so that an input of bytes stands for a call; zeros where they end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, low: int, high: int) -> int:
        """Return a whole number between two bounds, which are in it."""
        piece = self._data[self._at : self._at + 4]
        self._at += 4
        return low + int.from_bytes(piece, "little") % (high - low + 1)

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of several things."""
        return choices[self.number(0, len(choices) - 1)]

    def real(self, low: float, high: float) -> float:
        """Return a number between two bounds."""
        return low + (high - low) * self.number(0, 2**24) / 2**24

    def wild(self, low: float, high: float) -> float:
        """Return a number between two bounds or, one time in eight, one that nobody expects."""
        return self.one_of(WILD) if self.number(0, 7) == 0 else self.real(low, high)


WILD = (
    float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 1e38, 1e18, 2.0**31, -(2.0**31), 2.0**63, 1e-300,
    -1e-300, 5e-324, 0.0, -0.0, 0.5, -1.0, 1.0,
)  # fmt: skip
