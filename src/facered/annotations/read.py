"""Reading the annotations document: a JSON file -> a table, every value checked.

Almost all of a document are frames as facered writes them. Runs of them, and of whole fragments where those are short,
are decoded at once by msgspec into typed objects. Whatever is not plain there (keys that we do not know, a key twice, a
wrong value) is read again item by item, so that nothing is lost and an error says what is wrong and where.

msgspec takes the last of two values with the same key. All values of a plain run are numbers, so every pair of quotes
in its text is a key: where there are more than the decoded objects have, one is unknown or there twice.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from facered.annotations.document import (
    FACE,
    FRAGMENT,
    HEADER,
    MAX_FRAGMENTS,
    MAX_TICKS,
    REGION,
    SCORE,
    SEGMENTS,
    Face,
    Fragment,
    Simple,
    checked_segments,
)
from facered.annotations.table import REGION_IDS, Extras, Table
from facered.annotations.text import Text, WrongError
from facered.errors import ConfigurationUnsupportedError

T = TypeVar("T", bound=Table)

MAX_DOCUMENT_BYTES = 1 << 30
NO_SCORE = float("nan")

_FRAGMENTS = msgspec.json.Decoder(list[Fragment])
_FRAMES = msgspec.json.Decoder(list[list[Face]])
_MEMBERS = msgspec.json.Decoder(list[list[dict[str, Simple]]])
_FACE_KEYS = {*FACE, "index", "score", "doubtful"}

# The events end, and with them a fragment that is not the last; the faces of a list end, and with them the events.
_FRAGMENT_END = re.compile(r"\]\s*\}(?=\s*,)")
_LAST_FRAME_END = re.compile(r"\](?=\s*\])")


def read_table(path: Path, kind: type[T]) -> T:
    """Read a document.

    Parameters
    ----------
    path : Path
    kind : type
        `Table`, or a class derived from it.

    Returns
    -------
    kind
        The frames in the order in which they are in the document.

    Raises
    ------
    ConfigurationUnsupportedError
        The file is missing, or something in it is wrong; the message says what and where.
    """
    try:
        size = path.stat().st_size
        if not (path.is_file() or path.is_fifo()):
            raise WrongError("is not a file; name the annotations themselves")
        if size > MAX_DOCUMENT_BYTES:
            raise WrongError(f"is {size / 1e9:.1f} GB large; at most {MAX_DOCUMENT_BYTES / 1e9:.1f} GB are read")
        with path.open("rb") as file:
            reader = _Reader(Text(file, MAX_DOCUMENT_BYTES))
            reader.read_document()
        return reader.table(kind, str(path))
    except FileNotFoundError:
        reason = "no such annotations file; run facered analyze first or name another"
    except OSError as error:
        reason = f"cannot be read ({os.strerror(error.errno) if error.errno else error})"
    except ValueError as error:  # `WrongError`, or the name cannot be one
        reason = str(error)
    raise ConfigurationUnsupportedError(f"{path}: {reason}")


class _Reader:
    """One walk through a document, and what it found, in the order of the document.

    Attributes
    ----------
    header : dict
        Those of the keys of `HEADER` that there are.
    ticks, counts : array
        Time and number of faces of each frame.
    ids, boxes : array
        One and four numbers a face.
    scores, doubtful : array
        Another number each: not a number where there is no score, and 0 or 1.
    last_steps : dict
        Time of the last frame of each fragment -> how long that frame lasts.
    extras : Extras
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.header: dict[str, Any] = {}
        self.ticks, self.counts, self.ids, self.boxes = array("q"), array("q"), array("q"), array("d")
        self.scores, self.doubtful = array("f"), array("b")
        self.last_steps: dict[int, int] = {}
        self.extras = Extras()
        self.fragments = 0
        self.covered: tuple[int, int] | None = None

    def table(self, kind: type[T], source: str) -> T:
        """Return what was found."""
        header, offset = self.header, self.header.get("offset", 0)
        ticks = np.asarray(self.ticks)
        fragments = {start + offset: keys for start, keys in self.extras.fragments.items()}
        return kind(
            time_base=Fraction(1, header["timescale"]),
            rate=Fraction(header["framerate"]) if "framerate" in header else None,
            width=header["width"],
            height=header["height"],
            margin=header.get("margin"),
            pts=ticks + offset,
            last_duration=self.last_steps[int(ticks.max())] if len(ticks) else 1,
            starts=np.append(0, np.cumsum(np.asarray(self.counts))),
            ids=np.asarray(self.ids),
            boxes=np.asarray(self.boxes).reshape(-1, 4),
            scores=np.asarray(self.scores),
            doubtful=np.asarray(self.doubtful).astype(np.bool_),
            extras=Extras(self.extras.document, fragments, self.extras.faces),
            source=source,
            covered=self.covered and (self.covered[0] + offset, self.covered[1] + offset),
        )

    def read_document(self) -> None:
        text, found = self.text, set()
        for key in text.members("$"):
            found.add(key)
            if key == "fragments":
                self._items("$.fragments", _end_of_fragments, self._take_fragments, self._read_fragment)
            elif key in HEADER:
                self.header[key] = HEADER[key].check(text.value(f"$.{key}"), f"$.{key}")
            else:
                value = text.value(f"$.{key}")
                self.extras.document[key] = checked_segments(value, f"$.{key}") if key == SEGMENTS else value
        text.end()
        for key in ("timescale", "width", "height", "fragments"):
            if key not in found:
                raise WrongError(f"$ has no {key}")

    def _items(
        self, where: str, end: Callable[[str, int], int], take: Callable[[str], bool], read: Callable[[], None]
    ) -> None:
        """Read the items of a list: runs of them as long as they are plain, else one by one.

        Parameters
        ----------
        where : str
            The list's name in messages.
        end : callable
            Returns where the last whole item in a text ends that begins at a place, if all are plain; 0 for none.
        take : callable
            Takes over the items of a run; returns False, and takes none, where they are not plain.
        read : callable
            Reads one item.
        """
        text, odd = self.text, 0  # up to where we know that not all are plain
        for _ in text.items(where):
            if text.position >= odd:
                text.look_ahead()
                stop = end(text.piece, text.at)
                if not stop:
                    stop = len(text.piece)
                elif take(text.piece[text.at : stop]):
                    text.at = stop
                    continue
                odd = text.position + stop - text.at
            read()

    def _take_fragments(self, run: str) -> bool:
        try:
            fragments = _FRAGMENTS.decode(f"[{run}]")
        except (msgspec.MsgspecError, RecursionError):
            return False
        frames = [frame for fragment in fragments for frame in fragment.events or ()]
        faces = list(chain.from_iterable(frames))
        spans = [fragment.spans for fragment in fragments]
        keys = sum(map(len, spans)) + sum([1 + (fragment.events is not None) for fragment in fragments])
        if run.count('"') != 2 * (keys + _keys(faces)) or not _follow_from_ids(faces):
            return False
        self._add_frames(frames, faces)
        for fragment, known in zip(fragments, spans, strict=True):
            self._add_fragment(fragment.start, known, {}, len(fragment.events or ()))
        return True

    def _read_fragment(self) -> None:
        where, before = f"$.fragments[{self.fragments}]", len(self.counts)
        known: dict[str, int] = {}
        others: dict[str, Any] = {}

        def read_frame() -> None:
            self._read_frame(f"{where}.events[{len(self.counts) - before}]")

        for key in self.text.members(where):
            if key == "events":
                self._items(f"{where}.events", _end_of_frames, self._take_frames, read_frame)
            elif key in FRAGMENT:
                known[key] = int(FRAGMENT[key].check(self.text.value(f"{where}.{key}"), f"{where}.{key}"))
            else:
                others[key] = self.text.value(f"{where}.{key}")
        if "start" not in known:
            raise WrongError(f"{where} has no start")
        self._add_fragment(known.pop("start"), known, others, len(self.counts) - before)

    def _add_fragment(self, start: int, spans: dict[str, int], others: dict[str, Any], count: int) -> None:
        """Add a fragment whose frames, `count` of them, are added already."""
        where, interval = f"$.fragments[{self.fragments}]", spans.get("interval", 0)
        self.fragments += 1
        if self.fragments > MAX_FRAGMENTS:
            raise WrongError(f"$.fragments has more than {MAX_FRAGMENTS} items")
        if count > 1 and not interval:
            raise WrongError(f"{where} has {count} events but no interval between them; it must be greater than 0")
        last = start + max(count - 1, 0) * interval
        if last > MAX_TICKS:
            raise WrongError(f"{where} ends at {last} ticks, beyond {MAX_TICKS}")
        end = max(last, start + spans.get("duration", 0))
        begin, until = self.covered or (start, end)
        self.covered = min(begin, start), max(until, end)
        self.ticks.extend(range(start, last + 1, interval) if count > 1 else [start] * count)
        if count:
            self.last_steps[last] = interval or spans.get("duration", 0) or 1
        else:
            others = spans | others
        if others or not count:
            self.extras.fragments[start] = self.extras.fragments.get(start, {}) | others

    def _take_frames(self, run: str) -> bool:
        others: dict[int, dict[str, Any]] | None = {}
        try:
            frames = _FRAMES.decode(f"[{run}]")
            faces = list(chain.from_iterable(frames))
            if run.count('"') != 2 * _keys(faces) or not _follow_from_ids(faces):
                others = _other_keys(run)
        except (msgspec.MsgspecError, RecursionError):
            return False
        if others is None:
            return False
        self.extras.faces.update({len(self.ids) + row: keys for row, keys in others.items()})
        self._add_frames(frames, faces)
        return True

    def _add_frames(self, frames: Sequence[Sequence[Face]], faces: Sequence[Face]) -> None:
        self.counts.extend(map(len, frames))
        self.ids.extend([face.id for face in faces])
        self.boxes.extend([n for face in faces for n in (face.x, face.y, face.width, face.height)])
        self.scores.extend([NO_SCORE if face.score is None else face.score for face in faces])
        self.doubtful.extend([face.doubtful is True for face in faces])

    def _read_frame(self, where: str) -> None:
        before = len(self.ids)
        for _ in self.text.items(where):
            self._read_face(f"{where}[{len(self.ids) - before}]")
        self.counts.append(len(self.ids) - before)

    def _read_face(self, where: str) -> None:
        if self.text.peek() not in ("{", ""):
            self.text.open(where, "{", "a face")
        face: dict[str, Any] = self.text.value(where)
        numbers = []
        for key, rule in FACE.items():
            if key not in face:
                raise WrongError(f"{where} has no {key}")
            numbers.append(rule.check(face.pop(key), f"{where}.{key}"))
        face.pop("index", None)
        score, doubtful = face.pop("score", None), face.pop("doubtful", None)
        if score is not None:
            score = SCORE.check(score, f"{where}.score")
        if doubtful is not None and not isinstance(doubtful, bool):
            raise WrongError(f"{where}.doubtful is {json.dumps(doubtful)[:40]}; it must be true or false")
        if numbers[0] >= REGION_IDS and face.get("kind") == REGION:
            del face["kind"]
        if face:
            self.extras.faces[len(self.ids)] = face
        self.ids.append(int(numbers[0]))
        self.boxes.extend(numbers[1:])
        self.scores.append(NO_SCORE if score is None else score)
        self.doubtful.append(doubtful is True)


def _end_of_fragments(text: str, begin: int) -> int:
    return max((found.end() for found in _FRAGMENT_END.finditer(text, begin)), default=0)


def _end_of_frames(text: str, begin: int) -> int:
    last = _LAST_FRAME_END.search(text, begin)
    return last.end() if last else text.rfind("]", begin) + 1


def _keys(faces: Sequence[Face]) -> int:
    """Return how many keys some faces have, a kind counted twice: its value stands in quotes too."""
    further = [
        (face.index is not None) + 2 * (face.kind is not None) + (face.score is not None) + (face.doubtful is not None)
        for face in faces
    ]
    return 5 * len(faces) + sum(further)


def _follow_from_ids(faces: Sequence[Face]) -> bool:
    """Tell whether the kinds of some faces follow from their ids, so that they need not be kept."""
    return all(face.kind is None or face.id >= REGION_IDS for face in faces)


def _other_keys(run: str) -> dict[int, dict[str, Any]] | None:
    """Return the keys that we do not know of the faces in a run of frames, by the number of the face.

    None where there may be a key twice: where more quotes are in the text than keys and text values need.
    """
    faces = list(chain.from_iterable(_MEMBERS.decode(f"[{run}]")))
    keys = sum(map(len, faces))
    texts = sum([type(value) is str for face in faces for value in face.values()])
    for face in faces:
        if face["id"] >= REGION_IDS and face.get("kind") == REGION:  # type: ignore[operator]
            del face["kind"]
    others = [{key: value for key, value in face.items() if key not in _FACE_KEYS} for face in faces]
    if run.count('"') != 2 * (keys + texts):
        return None
    return {row: keys for row, keys in enumerate(others) if keys}
