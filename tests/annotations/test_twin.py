"""The reader beside a slow and obvious twin, on odd and on broken documents.

The twin lets the standard library build the whole document as objects, and then looks at one after the other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered import Annotations, ConfigurationUnsupportedError

LIMIT = 1 << 60
HEADER = {
    "version": (int, 1, 1), "timescale": (int, 1, 2**31 - 1), "offset": (int, -LIMIT, LIMIT),
    "framerate": (float, 5e-324, 1e6), "width": (int, 1, 65536), "height": (int, 1, 65536),
    "margin": (float, 5e-324, 100),
}  # fmt: skip
FRAGMENT = {"start": (int, -LIMIT, LIMIT), "duration": (int, 0, LIMIT), "interval": (int, 0, LIMIT)}
FACE = {
    "id": (int, 0, 2**31 - 1), "x": (float, -10_000, 10_000), "y": (float, -10_000, 10_000),
    "width": (float, 5e-324, 10_000), "height": (float, 5e-324, 10_000),
}  # fmt: skip


class Content(NamedTuple):
    """What is in a document; faces are id, box and other keys."""

    header: dict[str, Any]
    frames: dict[int, list[tuple[int, list[float], dict[str, Any]]]]
    last_duration: int
    others: dict[str, Any]
    fragments: dict[int, dict[str, Any]]


class RefusedError(Exception):
    pass


def require(right: bool) -> None:
    if not right:
        raise RefusedError


def twin(content: bytes) -> Content:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs))
        return dict(pairs)

    def integer(digits: str) -> int:
        require(len(digits) <= 100)
        return int(digits)

    def finite(digits: str) -> float:
        require(math.isfinite(float(digits)))
        return float(digits)

    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=unique, parse_int=integer, parse_float=finite,
            parse_constant=lambda _: require(False),
        )  # fmt: skip
    except ValueError as error:
        raise RefusedError from error
    require(isinstance(document, dict))
    require({"timescale", "width", "height", "fragments"} <= document.keys())
    require(isinstance(document["fragments"], list))
    header, others = split(document, HEADER)
    others.pop("fragments")
    offset = header.get("offset", 0)
    entries: dict[int, list[list[Any]]] = {}
    fragments: dict[int, dict[str, Any]] = {}
    last_durations = {}
    for fragment in document["fragments"]:
        require(isinstance(fragment, dict))
        known, more = split(fragment, FRAGMENT)
        events = more.pop("events", [])
        require("start" in known)
        require(isinstance(events, list))
        start, interval = known.pop("start"), known.get("interval", 0)
        require(len(events) < 2 or interval > 0)
        if events:
            last = start + (len(events) - 1) * interval
            require(last <= LIMIT)
            last_durations[last] = interval or known.get("duration", 0) or 1
        else:
            more = known | more
        for number, faces in enumerate(events):
            require(isinstance(faces, list))
            entries.setdefault(start + number * interval + offset, []).append([read_face(face) for face in faces])
        if more or not events:
            fragments[start + offset] = fragments.get(start + offset, {}) | more
    frames = {time: joined(entries[time]) for time in sorted(entries)}
    return Content(header, frames, last_durations[max(last_durations)] if frames else 1, others, fragments)


def split(found: dict[str, Any], rules: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the numbers that have rules, and the other keys."""
    known = {key: number(found[key], *rules[key]) for key in rules if key in found}
    return known, {key: value for key, value in found.items() if key not in rules}


def number(value: object, kind: type, low: float, high: float) -> float:
    require(type(value) in (int, float))
    assert isinstance(value, int | float)
    require(low <= value <= high)
    require(kind is float or value == int(value))
    result: float = kind(value)
    return result


def read_face(face: object) -> tuple[int, list[float], dict[str, Any]]:
    require(isinstance(face, dict))
    assert isinstance(face, dict)
    known, more = split(face, FACE)
    require(len(known) == len(FACE))
    more.pop("index", None)
    return int(known.pop("id")), list(known.values()), more


def joined(entries: list[list[Any]]) -> list[Any]:
    """Join the frames of one time; of two equal faces in them the first stays."""
    if len(entries) == 1:
        return entries[0]
    first: dict[object, Any] = {}
    for face in (face for faces in entries for face in faces):
        first.setdefault((face[0], *face[1]), face)
    return list(first.values())


def read(path: Path) -> Content:
    found = Annotations.read(path)
    header = {"timescale": found.time_base.denominator, "width": found.width, "height": found.height}
    header |= {"framerate": found.rate and float(found.rate), "margin": found.margin}
    bounds, faces = found.starts.tolist(), found.extras.faces
    frames = {
        time: [
            (int(found.ids[row]), found.boxes[row].tolist(), faces.get(row, {})) for row in range(*bounds[i : i + 2])
        ]
        for i, time in enumerate(found.pts.tolist())
    }
    assert found.time_base.numerator == 1
    assert (found.pts.dtype, found.ids.dtype, found.boxes.dtype) == (np.int64, np.int64, np.float64)
    return Content(header, frames, found.last_duration, found.extras.document, found.extras.fragments)


def assert_alike(path: Path, content: bytes, piece: int) -> bool:
    """Compare the two; return whether the document is right."""
    path.write_bytes(content)
    try:
        expected = twin(content)
    except RefusedError:
        with mock.patch("facered.annotations.text.PIECE", piece), pytest.raises(ConfigurationUnsupportedError):
            Annotations.read(path)
        return False
    shown = {"framerate": None, "margin": None} | expected.header
    shown.pop("version", None), shown.pop("offset", None)
    with mock.patch("facered.annotations.text.PIECE", piece):
        assert read(path) == expected._replace(header=shown)
    return True


# fmt: off
BLANKS = st.sampled_from(["", "", "", " ", "\n", "\r\n\t  "])
PIECES = st.sampled_from([1, 2, 7, 30, 64, 200, 1 << 18])
ODD = st.sampled_from([
    "0", "-0", "1", "7", "-1", "1.5", "2e0", "-0.0", "1e-999", "1e999", "2147483648", "9" * 30, "9" * 100, "9" * 101,
    "1e30", "NaN", "-Infinity", "true", "null", '""', '"a"', '"\\""', '"]}, [{"', '"\\\\"', '"\\ud800"',
    '"\\ud83d\\ude00"', '"\u20ac\U0001f600"', '"\\q"', '"\t"', "[]", "{}", "[[]]", "[1, [2]]", '[[{"id": 1}]]',
    '{"a": 1, "b": ["]"]}', '{"a": 1, "a": 1}', '[{"\\u0061": 1, "a": 2}]', "01", "1.", "tru", "",
])
KEYS = {
    "": [*HEADER, "fragments", "note"], "fragment": [*FRAGMENT, "events", "note"], "face": [*FACE, "index", "note"],
}
# fmt: on


def usual(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


def rarely(strategy: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 30).flatmap(lambda n: odd if n == 30 else strategy)


@st.composite
def objects(draw: st.DrawFn, members: dict[str, st.SearchStrategy[str]], optional: Iterable[str]) -> str:
    """Draw the text of an object, mostly right: its keys in any order, perhaps with others, few missing or twice."""
    keys = [key for key in members if draw(st.integers(0, 60 if key not in optional else 1))]
    keys += draw(rarely(st.just([]), st.lists(st.sampled_from([*members, "note", "", "Id", "\u20ac"]), max_size=2)))
    if draw(st.booleans()):
        keys = draw(st.permutations(keys))
    texts = []
    for key in keys:
        spelt = draw(rarely(st.just(key), st.just("".join(f"\\u{ord(letter):04x}" for letter in key))))
        value = draw(rarely(members.get(key, ODD), ODD))
        texts.append(f'{draw(BLANKS)}"{spelt}"{draw(BLANKS)}:{draw(BLANKS)}{value}{draw(BLANKS)}')
    return "{" + ",".join(texts) + "}"


def lists(items: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    spaced = st.tuples(BLANKS, items, BLANKS).map("".join)
    return st.lists(rarely(spaced, ODD), max_size=most).map(lambda texts: f"[{','.join(texts)}]")


NUMBER = usual("0.25", "0.5", "1", "-3", "0.1e1")
FACES = objects(
    {"id": usual("1", "2", "801"), "x": NUMBER, "y": NUMBER, "width": usual("0.125", "1"), "height": usual("0.25", "2"),
     "index": usual("0", "12")},
    optional=["index"],
)  # fmt: skip
FRAGMENTS = objects(
    {"start": usual("0", "4", "100", "-8"), "duration": usual("6", "0"), "interval": usual("1", "2", "4"),
     "events": lists(lists(FACES, 3), 4)},
    optional=["duration"],
)  # fmt: skip
DOCUMENTS = objects(
    {"version": usual("1"), "timescale": usual("50", "1000"), "offset": usual("0", "-5"),
     "framerate": usual("25", "0.5"), "width": usual("640"), "height": usual("480"), "margin": usual("1.4"),
     "fragments": lists(FRAGMENTS, 4)},
    optional=["version", "offset", "framerate", "margin", "note"],
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a document of which some bytes are left out, put in, or there twice."""
    content = draw(DOCUMENTS).encode()
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(content)))
        end = begin + draw(st.sampled_from([0, 0, 1, 1, 2, 10, 60]))
        put = draw(
            st.sampled_from([b"", content[begin:end] * 2, *(bytes([c]) for c in b'",:[]{} \\0129.-e\nN\xff\x00')])
        )
        content = content[:begin] + put + content[end:]
    return content


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twin") / "foo.json"


@settings(max_examples=40, deadline=None)
@given(content=DOCUMENTS.map(str.encode), piece=PIECES)
def test_the_reader_and_its_twin_agree(path: Path, content: bytes, piece: int) -> None:
    assert_alike(path, content, piece)


@settings(max_examples=40, deadline=None)
@given(content=mutated(), piece=PIECES)
def test_they_agree_on_damaged_documents(path: Path, content: bytes, piece: int) -> None:
    assert_alike(path, content, piece)
