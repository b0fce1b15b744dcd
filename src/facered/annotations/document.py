"""What the JSON document may hold: keys, ranges of numbers, limits. ``schema.json`` says the same."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import msgspec

from facered.annotations.text import WrongError
from facered.checks import MAX_ID

VERSION = 1
REGION: Literal["region"] = "region"
"""The kind that is written of faces whose ids are from `table.REGION_IDS` on."""
MAX_FRAGMENTS = 2_000_000
MAX_TICKS = 1 << 60
MAX_FRACTION = 10_000


class Rule(NamedTuple):
    """What a number may be, `text` in words."""

    integer: bool
    lowest: float
    highest: float
    text: str

    def check(self, value: object, where: str) -> float:
        """Return the number that a value is; `where` is its name in the message of the `WrongError` if it is none."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self.lowest <= value <= self.highest:
            if not self.integer:
                return value
            if value == int(value):
                return int(value)
        shown = json.dumps(value)
        shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
        raise WrongError(f"{where} is {shown}; it must be {self.text}")


def _whole(lowest: int, highest: int) -> Rule:
    return Rule(True, lowest, highest, f"a whole number from {lowest} to {highest}")


def _positive(highest: int) -> Rule:
    return Rule(False, math.ulp(0), highest, f"greater than 0 and at most {highest}")


_PLACE = Rule(False, -MAX_FRACTION, MAX_FRACTION, f"a number from {-MAX_FRACTION} to {MAX_FRACTION}")
_TIME, _SPAN = _whole(-MAX_TICKS, MAX_TICKS), _whole(0, MAX_TICKS)
HEADER = {
    "version": Rule(True, VERSION, VERSION, f"{VERSION}, the version that this facered reads"),
    "timescale": _whole(1, (1 << 31) - 1),
    "offset": _TIME,
    "framerate": _positive(1_000_000),
    "width": _whole(1, 1 << 16),
    "height": _whole(1, 1 << 16),
    "margin": _positive(100),
}
SEGMENTS = "segments"
"""The key of the list of the frames, by their numbers, at which something begins that is worked on by itself."""
MAX_SEGMENTS = 1_000_000
FRAGMENT = {"start": _TIME, "duration": _SPAN, "interval": _SPAN}
SCORE = Rule(False, 0, 1, "a number from 0 to 1")
FACE = {
    "id": _whole(0, MAX_ID),
    "x": _PLACE,
    "y": _PLACE,
    "width": _positive(MAX_FRACTION),
    "height": _positive(MAX_FRACTION),
}

_Fraction = Annotated[float, msgspec.Meta(ge=-MAX_FRACTION, le=MAX_FRACTION)]
_Size = Annotated[float, msgspec.Meta(gt=0, le=MAX_FRACTION)]
_Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Integer = Annotated[int, msgspec.Meta(ge=-(1 << 62), le=1 << 62)]  # others are read with care
_Ticks = Annotated[int, msgspec.Meta(ge=0, le=MAX_TICKS)]


def checked_segments(value: object, where: str) -> list[int]:
    """Return a list of numbers of frames that grow; `where` is its name in the message of the `WrongError`."""
    rule = _whole(0, MAX_ID)
    numbers = value if isinstance(value, list) and len(value) <= MAX_SEGMENTS else None
    checked = [int(rule.check(number, f"{where}[{place}]")) for place, number in enumerate(numbers or ())]
    if numbers is None or any(after <= before for before, after in pairwise(checked)):
        raise WrongError(f"{where} must be a list of at most {MAX_SEGMENTS} whole numbers that grow")
    return checked


class Face(msgspec.Struct, gc=False, omit_defaults=True):
    """A face in a frame: upper left corner and size as fractions of the picture.

    `index` is the frame's number; `kind` is `REGION` or left out; `score` is how certain it is that there is a face,
    and `doubtful` whether it is hidden to be safe.
    """

    id: Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
    x: _Fraction
    y: _Fraction
    width: _Size
    height: _Size
    index: _Integer | None = None
    kind: Literal["region"] | None = None
    score: _Score | None = None
    doubtful: bool | None = None


class Fragment(msgspec.Struct):
    """A run of frames at regular times."""

    start: Annotated[int, msgspec.Meta(ge=-MAX_TICKS, le=MAX_TICKS)]
    duration: _Ticks | None = None
    interval: _Ticks | None = None
    events: list[list[Face]] | None = None

    @property
    def spans(self) -> dict[str, int]:
        """Those of duration and interval that there are."""
        known = {"duration": self.duration, "interval": self.interval}
        return {key: value for key, value in known.items() if value is not None}


Simple = _Integer | float | str | bool | None
"""What most of the keys that we do not know hold."""
