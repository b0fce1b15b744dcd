"""Reading the annotations document: JSON text -> flat arrays, every value checked.

The usual frame goes through msgspec at once. One that it does not take as it stands (keys that we do not know, a key
twice, a wrong value) is read again with care, so that nothing is lost and an error says what is wrong and where.
"""

from __future__ import annotations

import codecs
import json
import math
import os
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from facered.annotations.text import Cursor, WrongError
from facered.errors import ConfigurationUnsupportedError

MAX_BYTES = 1 << 30
LARGE = 1 << 26
"""Of files of more bytes the indentation is not held in memory."""
CHUNK = 1 << 20
INDENTATION = re.compile(r"\n[ \t]+")
MAX_FRAMES = 10_000_000
MAX_FRAGMENTS = 2_000_000
MAX_ID = (1 << 31) - 1
MAX_TICKS = 1 << 60
MAX_FRACTION = 10_000


class Rule(NamedTuple):
    """What a number may be, `text` in words."""

    integer: bool
    lowest: float
    highest: float
    text: str


def _whole(lowest: int, highest: int) -> Rule:
    return Rule(True, lowest, highest, f"a whole number from {lowest} to {highest}")


def _positive(highest: int) -> Rule:
    return Rule(False, math.ulp(0), highest, f"greater than 0 and at most {highest}")


_PLACE = Rule(False, -MAX_FRACTION, MAX_FRACTION, f"a number from {-MAX_FRACTION} to {MAX_FRACTION}")
_TIME, _SPAN = _whole(-MAX_TICKS, MAX_TICKS), _whole(0, MAX_TICKS)
HEADER = {
    "version": Rule(True, 1, 1, "1, the version that this facered reads"),
    "timescale": _whole(1, (1 << 31) - 1),
    "offset": _TIME,
    "framerate": _positive(1_000_000),
    "width": _whole(1, 1 << 16),
    "height": _whole(1, 1 << 16),
    "margin": _positive(100),
}
FRAGMENT = {"start": _TIME, "duration": _SPAN, "interval": _SPAN}
FACE = {
    "id": _whole(0, MAX_ID),
    "x": _PLACE,
    "y": _PLACE,
    "width": _positive(MAX_FRACTION),
    "height": _positive(MAX_FRACTION),
}


class Face(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A face in a frame: upper left corner and size as fractions of the picture; `index` is the frame's number."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
    x: Annotated[float, msgspec.Meta(ge=-MAX_FRACTION, le=MAX_FRACTION)]
    y: Annotated[float, msgspec.Meta(ge=-MAX_FRACTION, le=MAX_FRACTION)]
    width: Annotated[float, msgspec.Meta(gt=0, le=MAX_FRACTION)]
    height: Annotated[float, msgspec.Meta(gt=0, le=MAX_FRACTION)]
    index: int | None = None


class ExtendedFace(Face, gc=False, forbid_unknown_fields=False):
    """A face that may have other keys too."""


Scalar = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Extras:
    """What we carry along without using it.

    Attributes
    ----------
    document : dict
        Keys of the document.
    fragments : dict
        Keys of the fragment that starts at a time; the duration too, where there are no events.
    faces : dict
        Keys of the face in a row of the table.
    """

    document: dict[str, Any] = field(default_factory=dict)
    fragments: dict[int, dict[str, Any]] = field(default_factory=dict)
    faces: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a document, in the order in which it stands there.

    Attributes
    ----------
    header : dict
        Those of the keys of `HEADER` that there are.
    ticks, counts : array
        Time and number of faces of each entry of `events`.
    last_steps : dict
        Time of the last entry of each fragment -> how long that entry lasts.
    ids, boxes : array
        One and four numbers a face.
    extras : Extras
    """

    header: dict[str, Any] = field(default_factory=dict)
    ticks: array[int] = field(default_factory=lambda: array("q"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    last_steps: dict[int, int] = field(default_factory=dict)
    ids: array[int] = field(default_factory=lambda: array("q"))
    boxes: array[float] = field(default_factory=lambda: array("d"))
    extras: Extras = field(default_factory=Extras)


def read_document(path: Path) -> Content:
    """Read a document.

    Raises
    ------
    ConfigurationUnsupportedError
        The file is missing, or something in it is wrong; the message says what and where.
    """
    try:
        return _Reader(_text(path)).read()
    except FileNotFoundError:
        reason = "no such annotations file; run facered analyze first or name another"
    except OSError as error:
        reason = f"cannot be read ({os.strerror(error.errno) if error.errno else error})"
    except json.JSONDecodeError as error:
        reason = f"is not valid JSON: {error}"
    except WrongError as error:
        reason = str(error)
    raise ConfigurationUnsupportedError(f"{path}: {reason}")


def _text(path: Path) -> str:
    size = path.stat().st_size
    if not path.is_file():
        raise WrongError("is not a file; name the annotations themselves")
    if size > MAX_BYTES:
        raise WrongError(f"is {size / 1e9:.1f} GB large; at most {MAX_BYTES / 1e9:.1f} GB are read")
    pieces, done = [], 0
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                piece = decoder.decode(chunk, final=done + len(chunk) == size)
            except UnicodeDecodeError as error:
                raise WrongError(f"is not UTF-8 text (shortly after byte {done + error.start})") from None
            # Indentation makes two thirds of a document that somebody's editor wrote.
            pieces.append(INDENTATION.sub("\n", piece) if size > LARGE else piece)
            done += len(chunk)
    text = "".join(pieces)
    if text.count("[") > MAX_FRAMES:
        raise WrongError(f"holds more than {MAX_FRAMES} lists; it cannot be the annotations of one video")
    return text


class _Reader:
    """One walk through a document."""

    FRAME = re.compile(r"\[[^\[\]]*\]")

    def __init__(self, text: str) -> None:
        self.cursor = Cursor(text)
        self.content = Content()
        self.faces = msgspec.json.Decoder(list[Face])
        self.extended = msgspec.json.Decoder(list[ExtendedFace])
        self.members = msgspec.json.Decoder(list[dict[str, Scalar]])

    def read(self) -> Content:
        content, cursor = self.content, self.cursor
        fragments = False
        for key in cursor.members("$"):
            if key == "fragments":
                fragments = True
                for number in cursor.items("$.fragments"):
                    if number == MAX_FRAGMENTS:
                        raise WrongError(f"$.fragments has more than {MAX_FRAGMENTS} items")
                    self._fragment(f"$.fragments[{number}]")
            elif key in HEADER:
                content.header[key] = _number(cursor.value(f"$.{key}"), HEADER[key], f"$.{key}")
            else:
                content.extras.document[key] = cursor.value(f"$.{key}")
        cursor.end()
        for key in ("timescale", "width", "height"):
            if key not in content.header:
                raise WrongError(f"$ has no {key}")
        if not fragments:
            raise WrongError("$ has no fragments")
        return content

    def _fragment(self, where: str) -> None:
        content, cursor = self.content, self.cursor
        known: dict[str, int] = {}
        extra: dict[str, Any] = {}
        before = len(content.counts)
        for key in cursor.members(where):
            if key == "events":
                inside = f"{where}.events"
                for number in cursor.items(inside):
                    self._frame(inside, number)
            elif key in FRAGMENT:
                known[key] = int(_number(cursor.value(f"{where}.{key}"), FRAGMENT[key], f"{where}.{key}"))
            else:
                extra[key] = cursor.value(f"{where}.{key}")
        if "start" not in known:
            raise WrongError(f"{where} has no start")
        start, interval, count = known.pop("start"), known.get("interval", 0), len(content.counts) - before
        if count > 1 and not interval:
            raise WrongError(f"{where} has {count} events but no interval between them; it must be greater than 0")
        last = start + max(count - 1, 0) * interval
        if last > MAX_TICKS:
            raise WrongError(f"{where} ends at {last} ticks, beyond {MAX_TICKS}")
        content.ticks.extend(range(start, last + 1, interval or 1) if count > 1 else [start] * count)
        if count:
            content.last_steps[last] = interval or known.get("duration", 0) or 1
        else:
            extra = {**known, **extra}
        if extra or not count:
            content.extras.fragments[start] = content.extras.fragments.get(start, {}) | extra

    def _frame(self, where: str, number: int) -> None:
        """Read an entry of `events`."""
        content, cursor = self.content, self.cursor
        cursor.peek()
        if match := self.FRAME.match(cursor.text, cursor.at):
            faces = self._plain(match[0])
            faces = self._extended(match[0]) if faces is None else faces
            if faces is not None:
                content.counts.append(len(faces))
                content.ids.extend([face.id for face in faces])
                for face in faces:
                    content.boxes.extend((face.x, face.y, face.width, face.height))
                cursor.at = match.end()
                return
        count = 0
        for place in cursor.items(f"{where}[{number}]"):
            self._face(f"{where}[{number}][{place}]")
            count += 1
        content.counts.append(count)

    def _plain(self, text: str) -> Sequence[Face] | None:
        """Decode the faces of a frame; None unless they have the keys that we know, each once."""
        try:
            faces = self.faces.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return None
        # All values are numbers, so every pair of quotes is a key; more keys than fields mean that some stand twice.
        keys = 5 * len(faces) + sum([face.index is not None for face in faces])
        return faces if text.count('"') == 2 * keys else None

    def _extended(self, text: str) -> Sequence[Face] | None:
        """Decode the faces of a frame, keep what we do not know; None unless it is simple, and each key stands once."""
        try:
            faces, members = self.extended.decode(text), self.members.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return None
        words = sum([len(face) + sum([type(value) is str for value in face.values()]) for face in members])
        if "\\" in text or text.count('"') != 2 * words:
            return None
        for row, face in enumerate(members, len(self.content.ids)):
            if extra := {key: value for key, value in face.items() if key not in FACE and key != "index"}:
                self.content.extras.faces[row] = extra
        return faces

    def _face(self, where: str) -> None:
        if self.cursor.peek() not in ("{", ""):
            self.cursor.open(where, "{", "a face")
        face: dict[str, Any] = self.cursor.value(where)
        numbers = []
        for key, rule in FACE.items():
            if key not in face:
                raise WrongError(f"{where} has no {key}")
            numbers.append(_number(face.pop(key), rule, f"{where}.{key}"))
        face.pop("index", None)
        if face:
            self.content.extras.faces[len(self.content.ids)] = face
        self.content.ids.append(int(numbers[0]))
        self.content.boxes.extend(numbers[1:])


def _number(value: object, rule: Rule, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and rule.lowest <= value <= rule.highest:
        if not rule.integer:
            return value
        if value == int(value):
            return int(value)
    shown = json.dumps(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
    raise WrongError(f"{where} is {shown}; it must be {rule.text}")
