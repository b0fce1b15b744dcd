"""What is odd in a document and yet right; and the keys that we do not know, which are kept."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from documents import DOCUMENT, FACE, FRAGMENT, PLACES, document, read, special

Expected = dict[str, Any]

DEEP: object = 7
for _ in range(200):
    DEEP = [DEEP]
VALUES = (
    *(0, -1.5, 10**30, 10**99, 1e300, True, None, "", 'a "b" ]}, [{ c', "\\", "\ud800", "Zo\u00eb \U0001f600"),
    *([], {}, [[], [{}]], {"events": [[{"id": 1}]]}, {"fragments": [{"start": 0}], "": ""}, DEEP, "x" * 100_000),
)
INDEXES = ("8", "-1", "0.5", "true", "null", '"first"', "[]", '{"a": [1]}', "9" * 30, "9" * 100)


def accepted() -> Iterator[tuple[str | bytes, Expected]]:
    """Yield documents, each with what is not as usual in them."""
    yield document(), {}
    yield codecs.BOM_UTF8 + document().encode(), {}
    yield f" \t\r\n{document()}\r\n\t ", {}
    yield from ((document().replace(" ", blank), {}) for blank in ("", "\r\n\t ", "\n" * 1000))
    # Numbers
    yield from ((document(FACE, id=seven), {}) for seven in ("7.0", "70e-1", "0.7E+1"))
    yield document(FACE, id="-0"), {"id": 0}
    yield document(FACE, id="2147483647"), {"id": 2**31 - 1}
    yield document(FACE, x="1e-999", y="-0", width="5e-324", height="1E4"), {"box": [0, 0, 5e-324, 10_000]}
    yield document(FACE, x="-10000", y="10000", width="1", height="10000"), {"box": [-10_000, 10_000, 1, 10_000]}
    yield document(FACE, x="0.1" + "0" * 5000, y="1" + "0" * 50 + "e-50"), {"box": [0.1, 1, 0.125, 0.25]}
    yield document(FACE, x="0.30000000000000004"), {"box": [0.30000000000000004, 0.5, 0.125, 0.25]}
    yield document(DOCUMENT, width="1280.0", timescale="5e1", version="1.0", offset="-0"), {}
    yield document(DOCUMENT, version=None, offset=None, framerate=None, margin=None), {}
    yield document(DOCUMENT, offset="-70.0"), {"start": -10}
    yield document(FRAGMENT, start="60.0", interval="2e0", duration="0"), {}
    yield document(FRAGMENT, duration=None), {}
    yield from ((document(FACE, index=value), {}) for value in INDEXES)
    # Keys in another order, or spelt with escapes
    yield document(FRAGMENT, start=None, interval=None, more='"\\u0073tart": 60, "interval": 2'), {}
    yield document(DOCUMENT, width=None, more='"\\u0077idth": 1280'), {}
    yield from ((document(FACE, id=None, more=f'"{key}": 7'), {}) for key in ("id", "\\u0069d"))
    # Keys that we do not know
    for place in PLACES:
        yield from ((document(place, note=json.dumps(value)), {place: {"note": value}}) for value in VALUES)
        yield document(place, '"": "\u20ac\u2028", "\\ud800": 2'), {place: {"": "\u20ac\u2028", "\ud800": 2}}
        yield document(place, '"ID": 3, "Width": "4"'), {place: {"ID": 3, "Width": "4"}}
        yield document(place, '"a": 0.5, "b": "c", "\\"": "\\""'), {place: {"a": 0.5, "b": "c", '"': '"'}}
    yield document(DOCUMENT, '"start": 1, "events": [[1]]'), {DOCUMENT: {"start": 1, "events": [[1]]}}
    yield document(FRAGMENT, '"id": 1, "width": "x"'), {FRAGMENT: {"id": 1, "width": "x"}}
    yield document(FACE, '"start": 4, "events": []'), {FACE: {"start": 4, "events": []}}


@pytest.mark.parametrize(("content", "expected"), list(accepted()), ids=special)
def test_what_is_odd_but_right_is_read(tmp_path: Path, content: str | bytes, expected: Expected) -> None:
    found, start = read(tmp_path, content), expected.get("start", 60)
    assert found.pts[-3:].tolist() == [start, start + 2, start + 4]
    assert np.diff(found.starts).tolist() == [1, 0, 1] * 3 + [0, 2, 2]
    assert found.ids.tolist() == [7] * 8 + [expected.get("id", 7), 7]
    usual = [0.25, 0.5, 0.125, 0.25]
    assert found.boxes.tolist() == [usual] * 8 + [expected.get("box", usual), usual]
    assert found.extras.document == expected.get(DOCUMENT, {})
    assert found.extras.fragments == ({start: expected[FRAGMENT]} if FRAGMENT in expected else {})
    assert found.extras.faces == ({8: expected[FACE]} if FACE in expected else {})


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("place", PLACES)
def test_keys_that_we_do_not_know_are_written_again(tmp_path: Path, place: str, value: object) -> None:
    first = read(tmp_path, document(place, note=json.dumps(value)))
    first.write(tmp_path / "again.json")
    assert read(tmp_path, (tmp_path / "again.json").read_bytes()).extras == first.extras


@pytest.mark.parametrize("events", ["[]", " [ ] ", None])
def test_a_fragment_may_have_no_events(tmp_path: Path, events: str | None) -> None:
    found = read(tmp_path, document(FRAGMENT, events=events, note="[0]"))
    assert found.pts.tolist() == [0, 2, 4, 20, 22, 24, 40, 42, 44]
    assert found.extras.fragments == {60: {"duration": 6, "interval": 2, "note": [0]}}


def test_what_fragments_of_the_same_time_say_is_joined(tmp_path: Path) -> None:
    fragments = '[{"start": 4, "a": 1, "b": 1, "events": [[]]}, {"start": 4, "b": 2, "events": [[]]}]'
    found = read(tmp_path, document(DOCUMENT, fragments=fragments))
    assert found.pts.tolist() == [4]
    assert found.extras.fragments == {4: {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("spans", "lasts"),
    [
        ('"duration": 9, "interval": 2', 2),
        ('"duration": 9, "interval": 0', 9),
        ('"duration": 9', 9),
        ('"duration": 0', 1),
    ],
)
def test_a_frame_lasts_for_the_interval_or_the_duration(tmp_path: Path, spans: str, lasts: int) -> None:
    found = read(tmp_path, document(DOCUMENT, fragments=f'[{{"start": 0, {spans}, "events": [[]]}}]'))
    assert found.last_duration == lasts


@pytest.mark.parametrize("fragments", ["[]", " [\n] "])
def test_a_document_may_have_no_fragments(tmp_path: Path, fragments: str) -> None:
    found = read(tmp_path, document(DOCUMENT, fragments=fragments))
    assert (len(found.pts), len(found.ids), found.boxes.shape) == (0, 0, (0, 4))


def test_numbers_of_the_last_frame_do_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    plain, odd = document(FACE, x="0.1"), document(FACE, x="0.1", note='["["]')
    assert read(tmp_path, plain).boxes.tolist() == read(tmp_path, odd).boxes.tolist()
