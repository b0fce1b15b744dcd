"""What a value given by a caller may be, and the one-line error where it is something else."""

from __future__ import annotations

import math
import operator
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeGuard, cast

from facered.errors import ConfigurationUnsupportedError

MAX_ID = 2**31 - 1
"""The largest id of a person."""
MAX_SECONDS = 1e9
LISTED_IDS = 20
MIN_BITRATE, MAX_BITRATE = 1000, 2**40
MAX_SIZE = 2**60

Polygon = Sequence[tuple[float, float]]
"""Corners as fractions of the picture as it is shown."""

_BITRATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kKmM]?)", re.ASCII)
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([kmgt]?)(?:i?b)?", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
_TIME = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9}(?:\.\d{1,12})?)", re.ASCII)
_ID_LIST = re.compile(r"[\d\s,]+", re.ASCII)

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80

_UNFIT = object()
"""What a conversion returns for a value that will not do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes
    ----------
    range : str
        What it can be, in words.
    convert : callable
        Returns a value as it is stored, or `_UNFIT`.
    parse : callable
        Returns what a text on a command line stands for; raises `ValueError` if nothing.
    """

    range: str
    convert: Callable[[Any], object]
    parse: Callable[[str], object] = str

    def check(self, name: str, value: object) -> Any:
        """Return a value as it is stored.

        Raises
        ------
        ConfigurationUnsupportedError
            It will not do; the message names it and says what will.
        """
        converted = self.convert(value)
        if converted is _UNFIT:
            raise ConfigurationUnsupportedError(f"{name} is {shown(value)}; it can be {self.range}")
        return converted

    def or_none(self) -> Kind:
        """Return the kind whose values may also be None."""
        convert = self.convert
        return Kind(self.range, lambda value: None if value is None else convert(value), self.parse)

    def or_word(self, word: str) -> Kind:
        """Return the kind whose values may also be None, or a word that stands for it."""
        convert, parse = self.convert, self.parse

        def converted(value: object) -> object:
            none = value is None or (isinstance(value, str) and value.lower() == word)
            return None if none else convert(value)

        def parsed(text: str) -> object:
            return None if text.lower() == word else parse(text)

        return Kind(f"{self.range}, or {word}", converted, parsed)


def number(low: float, high: float) -> Kind:
    """Return the kind of numbers between two bounds, which are in it."""
    # Compared before it is converted: an integer may be too large for a float.
    return Kind(
        f"a number from {low:g} to {high:g}",
        lambda value: float(value) if _is_number(value) and low <= value <= high else _UNFIT,
        float,
    )


def whole(low: int, high: int) -> Kind:
    """Return the kind of whole numbers between two bounds, which are in it."""

    def convert(value: object) -> object:
        return int(value) if _is_number(value) and low <= value <= high and value == int(value) else _UNFIT

    return Kind(f"a whole number from {low} to {high}", convert, int)


def choice(choices: Sequence[str]) -> Kind:
    """Return the kind of several names, matched without regard to case and stored as they are spelt here."""
    spelt = {name.lower(): name for name in choices}
    return Kind(
        ", ".join(choices), lambda value: spelt.get(value.lower(), _UNFIT) if isinstance(value, str) else _UNFIT
    )


def choice_or_whole(choices: Sequence[str], low: int, high: int) -> Kind:
    """Return the kind of several names and of whole numbers between two bounds."""
    name, count = choice(choices), whole(low, high)
    return Kind(
        f"{name.range}, or {count.range}",
        lambda value: name.convert(value) if isinstance(value, str) else count.convert(value),
        lambda text: int(text) if text.isdecimal() else text,
    )


FLAG = Kind("true or false", lambda value: value if isinstance(value, bool) else _UNFIT)
FILE = Kind(
    "the name of a file", lambda value: value if isinstance(value, str | os.PathLike) and value != "" else _UNFIT
)
FUNCTION = Kind("a function, or None", lambda value: value if value is None or callable(value) else _UNFIT)
PIXEL_FORMAT = Kind(
    "the name of a pixel format, such as yuv420p",
    lambda value: value if isinstance(value, str) and _NAME.fullmatch(value) else _UNFIT,
)


FORMAT = Kind(
    "FFmpeg's name of a format, such as hls",
    lambda value: value if isinstance(value, str) and _NAME.fullmatch(value) else _UNFIT,
)


def _bitrate(value: object) -> object:
    if isinstance(value, str) and (match := _BITRATE.fullmatch(value.strip())):
        value = round(float(match[1]) * {"": 1, "k": 1000, "m": 1000000}[match[2].lower()])
    return int(value) if _is_number(value) and MIN_BITRATE <= value <= MAX_BITRATE else _UNFIT


BITRATE = Kind(f"bits a second from {MIN_BITRATE}, or a text such as 4M or 800k", _bitrate)


def _size(value: object) -> object:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        value = round(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))
    return int(value) if _is_number(value) and 0 <= value <= MAX_SIZE else _UNFIT


SIZE = Kind("bytes, or a text such as 4G, 1.5GB or 800M", _size)


def _texts(value: object) -> object:
    if isinstance(value, Mapping) and all(isinstance(key, str) and key for key in value):
        texts = {key: str(entry) for key, entry in value.items() if isinstance(entry, str | int | float)}
        if len(texts) == len(value):
            return texts
    return _UNFIT


TEXTS = Kind("names with values, such as {'tune': 'film'}", _texts)


def _time(value: object) -> object:
    seconds = _seconds(value) if isinstance(value, str) else value
    return float(seconds) if _is_number(seconds) and 0 <= seconds <= MAX_SECONDS else _UNFIT


def _seconds(text: str) -> float | None:
    """Return the seconds in a text such as 90, 1:30 or 0:01:30.5, or None."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    if (minutes is not None and float(seconds) >= 60) or (hours is not None and int(minutes) >= 60):
        return None
    return (int(hours or 0) * 60 + int(minutes or 0)) * 60 + float(seconds)


TIME = Kind("seconds from 0, or a time such as 1:30 or 0:01:30.5", _time)


def parse_ids(text: str) -> tuple[int, ...] | None:
    """Return the ids that a text lists, or None if it is no list and so the name of a file.

    Parameters
    ----------
    text : str
        A list holds digits, commas and blanks only, and at least one id.

    Returns
    -------
    tuple of int or None

    Raises
    ------
    ConfigurationUnsupportedError
        It is a list, but an id in it is too large.
    """
    listed = _numbers(text)
    if not listed:
        return None
    if None in listed:
        raise ConfigurationUnsupportedError(f"{shown(text)} has an id that is too large; they go up to {MAX_ID}")
    return cast("tuple[int, ...]", listed)


def _numbers(text: str) -> tuple[int | None, ...]:
    """Return the ids that a text lists, None for one that is too large; nothing if it is no list."""
    digits = re.findall("[0-9]+", text) if _ID_LIST.fullmatch(text) else []
    # Compared by length first: a text may have more digits than Python converts.
    short = (
        number if len(number) <= len(str(MAX_ID)) else "" for number in (word.lstrip("0") or "0" for word in digits)
    )
    return tuple(int(number) if number and int(number) <= MAX_ID else None for number in short)


def _ids(value: object) -> object:
    """Return the ids in a text or an iterable."""
    if isinstance(value, str):
        listed = _numbers(value)
        return _UNFIT if not listed or None in listed else listed
    # Bytes are iterables of integers too, but not of those that they spell.
    if isinstance(value, (bytes, bytearray, memoryview, Mapping)):
        return _UNFIT
    try:
        items = list(cast("Iterable[object]", value))
        ids = tuple(operator.index(item) for item in items)  # type: ignore[arg-type]
    except TypeError:
        return _UNFIT
    fit = all(0 <= number <= MAX_ID for number in ids) and not any(isinstance(item, bool) for item in items)
    return ids if fit else _UNFIT


IDS = Kind(f"whole numbers from 0 to {MAX_ID}, such as 1,3", _ids)


def _polygons(value: object) -> object:
    try:
        polygons = tuple(
            tuple((float(x), float(y)) for x, y in polygon)
            for polygon in cast("Iterable[Iterable[tuple[float, float]]]", value)
        )
    except (TypeError, ValueError):
        return _UNFIT
    finite = all(math.isfinite(at) for polygon in polygons for corner in polygon for at in corner)
    return polygons if finite and all(len(polygon) >= 3 for polygon in polygons) else _UNFIT


POLYGONS = Kind(
    "polygons of at least three finite corners (x, y) each, such as [[(0, 0), (1, 0), (0, 1)]]",
    _polygons,
)


def listing(ids: Sequence[int]) -> str:
    """Return ids as they stand in a message, not too many of them."""
    return ", ".join(map(str, ids[:LISTED_IDS])) + (", ..." if len(ids) > LISTED_IDS else "")


def shown(value: object) -> str:
    """Return a value as it stands in a message: on one line and cut short."""
    try:
        return _REPR.repr(value).replace("\n", " ")
    except ValueError:  # an integer of more digits than Python prints
        return f"<{type(value).__name__}>"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)
