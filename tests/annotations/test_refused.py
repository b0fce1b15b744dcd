"""What the reader refuses, and the place that it names."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents import BOX, DOCUMENT, FACE, FRAGMENT, HEADER, PLACES, SPAN, document, read, special
from facered import ConfigurationUnsupportedError

LIMIT = 1 << 60
KINDS = ["7", "1.5", "null", "true", '"text"']

# fmt: off
NUMBERS: dict[str, dict[str, list[str]]] = {
    DOCUMENT: {
        "version": ["2", "0", "1.5", '"1"', "true", "null", "[1]"],
        "timescale": ["0", "-1", "2147483648", "2.5", '"50"', "true", "null", "{}"],
        "offset": [str(LIMIT + 1), str(-LIMIT - 1), "0.5", '"0"', "false", "null"],
        "framerate": ["0", "-25", "1000001", "1e-999", '"25"', "true", "null", "[25]"],
        "width": ["0", "-1280", "65537", "12.5", '"1280"', "true", "null"],
        "height": ["0", "-720", "65537", "12.5", '"720"', "true", "null"],
        "margin": ["0", "-1.4", "100.5", '"1.4"', "true", "null"],
    },
    FRAGMENT: {
        "start": [str(LIMIT + 1), str(-LIMIT - 1), "1e30", "0.5", '"60"', "true", "null", "[]"],
        "duration": ["-1", str(LIMIT + 1), "0.5", '"6"', "false", "null"],
        "interval": ["-1", str(LIMIT + 1), "0.5", '"2"', "true", "null"],
    },
    FACE: {
        "id": ["-1", "2147483648", "1e300", "9" * 30, "1.5", '"7"', "true", "null", "[7]", "{}"],
        "x": ["10001", "-10001", "1e300", '"0.25"', "false", "null", "[0.25]"],
        "y": ["10001", "-10001", "1e300", '"0.5"', "true", "null", "{}"],
        "width": ["0", "-0.125", "10001", "1e-999", '"0.125"', "true", "null"],
        "height": ["0", "-0.0", "-0.25", "10001", '"0.25"', "true", "null"],
    },
}
NO_NUMBERS = {
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "Infinity", "1e999": "1e999", "-1e999": "1e999",
    "9" * 5000: "5000 digits", '{"a": [0, NaN]}': "NaN", '[{"a": 1e999}]': "1e999",
}
REQUIRED = {DOCUMENT: ["timescale", "width", "height", "fragments"], FRAGMENT: ["start"], FACE: list(BOX)}
TWICE = {
    DOCUMENT: {**HEADER, "fragments": "[]"}, FRAGMENT: {**SPAN, "events": "[]"}, FACE: {**BOX},
}
HIDDEN_TWICE = [
    (DOCUMENT, '"": 1, "": 1', ""),
    (DOCUMENT, '"note": [[{"a": 1}, {"a": 1, "a": 2}]]', "a"),
    (FRAGMENT, '"\\u0073tart": 60', "start"),
    (FRAGMENT, '"note": [{"a": 1, "a": 2}]', "a"),
    (FACE, '"\\u0069d": 8', "id"),
    (FACE, '"index": 1, "index": 1', "index"),
    (FACE, '"note": "a", "note": "a"', "note"),
    (FACE, '"n\\u006fte": [], "note": []', "note"),
    (FACE, '"note": "\\"", "id": 8', "id"),
    (FACE, '"note": "]", "id": 8', "id"),
    (FACE, '"note": {"a": 1, "b": {"a": 1, "a": 2}}', "a"),
]
NO_JSON = [
    *("", " ", "{", '{"', '{"width"', '{"width":', '{"width": 1', '{"width": 1,', "{,}", document()[:-1]),
    *(document() + more for more in ("{}", "]", "}", ",", "0", "\0", "x")),
    document()[: len(document()) // 2],
    *(document(place, more) for place in PLACES for more in (
        "'note': 1", "note: 1", '"note"', '"note": ', '"note" 1', '"note": 1 2', '"note": 1, ', ", ", "// note",
        '"note": \'a\'', '"note": tru', '"note": "\t"', '"note": "\\q"', '"note": "\\u12"', '"note": "a\n"',
        '"note": 01', '"note": .5', '"note": 1.', '"note": +1', '"note": 0x1', '"note": 1_0', '"note": -',
        '"note": [1,]', '"note": [1', '"note": {"a"}', '"note": {1: 2}', '"note": nan', '"note": "', "\ufeff",
    )),
    *(document(FACE, x=value) for value in ("01", ".5", "1.", "+1", "0x1", "-", "1e")),
    *(document(FRAGMENT, events=value) for value in ("[[] []]", "[[]}", "[[]")),
]
BROKEN_EVENTS = {
    "[[],]": "[1]", "[,[]]": "[0]", "[": "[0]", "[[{}],": "[0][0]", "[[{}]]]}": "[0][0]", "[[,]]": "[0][0]",
    "[[": "[0][0]", "[[}]": "[0][0]", "[[[]]]": "[0][0]",
}
NO_TEXT = [
    document().encode("utf-16"), document().encode() + b"\xff", document().encode() + "\u20ac".encode()[:2],
    *(document(place, note='"here"').encode().replace(b"here", wrong) for place in PLACES for wrong in (
        b"\xff", b"\xe9", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80",
    )),
]
# fmt: on


def refused() -> Iterator[tuple[str | bytes, str, str]]:
    """Yield documents, each with the place and the word that the message must have."""
    for place, keys in NUMBERS.items():
        yield from ((document(place, **{key: v}), f"{place}.{key}", "must be") for key, vs in keys.items() for v in vs)
    for place, key in [(DOCUMENT, "width"), (FRAGMENT, "start"), (FACE, "x"), (FACE, "id"), (FACE, "index")]:
        yield from ((document(place, **{key: value}), place, word) for value, word in NO_NUMBERS.items())
    for place in PLACES:
        yield from ((document(place, note=value), place, word) for value, word in NO_NUMBERS.items())
        yield from ((document(place, **{key: None}), place, f"no {key}") for key in REQUIRED[place])
        for key, same in TWICE[place].items():
            yield from ((document(place, f'"{key}": {value}'), place, f'"{key}" twice') for value in (same, "1", '"a"'))
        yield document(place, note="[" * 100_000 + "]" * 100_000), place, "deep"
        yield document(place, note="[" * 100_000), place, "deep"
        yield document(place, note='{"a":' * 100_000 + "1" + "}" * 100_000), place, "deep"
        yield document(place, '"note": 1, "note": 1'), place, '"note" twice'
    yield from ((document(place, more), place, f'"{key}" twice') for place, more, key in HIDDEN_TWICE)
    yield from ((value, "$", "must be an object") for value in [*KINDS, "[]"])
    yield from ((document(DOCUMENT, fragments=value), "$.fragments", "must be a list") for value in [*KINDS, "{}"])
    for value in [*KINDS, "[]"]:
        yield document(DOCUMENT, fragments=f"[{value}]"), "$.fragments[0]", "must be an object"
        yield document(face=value), FACE, "must be a face"
    for value in [*KINDS, "{}"]:
        yield document(FRAGMENT, events=value), f"{FRAGMENT}.events", "must be a list"
        yield document(FRAGMENT, events=f"[[], {value}]"), f"{FRAGMENT}.events[1]", "must be a list"
    yield from ((document(FRAGMENT, interval=value), FRAGMENT, "interval") for value in (None, "0"))
    yield document(FRAGMENT, start="1", interval=str(LIMIT // 2)), FRAGMENT, "beyond"
    yield from ((text, "line 1 column", "JSON") for text in NO_JSON)
    yield document() + "\n\n {}", "line 3 column 2", "JSON"
    yield document(DOCUMENT, note='"\u20ac\u2028",\n\n  1'), "line 3 column 3", "JSON"
    for events, place in BROKEN_EVENTS.items():
        yield document(FRAGMENT, events=events), f"{FRAGMENT}.events{place}", ""
    yield from ((content, "byte", "UTF-8") for content in NO_TEXT)
    yield codecs.BOM_UTF8 * 2 + document().encode(), "$", "must be an object"


@pytest.mark.parametrize(("content", "place", "word"), list(refused()), ids=special)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, content: str | bytes, place: str, word: str) -> None:
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        read(tmp_path, content)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'foo.json'}: ")
    assert re.search(rf"{re.escape(place)}(?!\[|\d\d)", message), message
    assert word in message
    assert "\n" not in message
    assert len(message) < len(str(tmp_path)) + 250


@pytest.mark.parametrize("key", [*BOX, "index"])
@pytest.mark.parametrize("indent", [1, "\t"])
def test_a_doubled_key_is_found_in_an_indented_document_too(tmp_path: Path, key: str, indent: int | str) -> None:
    text = json.dumps(json.loads(document()), indent=indent).replace(": 8\n", f': 8, "{key}": 1\n')
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(f'.events[2][1] has the key "{key}" twice')):
        read(tmp_path, text)


@pytest.mark.parametrize("key", ["start", "events"])
def test_a_fragment_that_says_twice_what_it_holds_is_found_among_others(tmp_path: Path, key: str) -> None:
    text = document().replace('"start": 20', f'"{key}": [], "start": 20')
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape("$.fragments[1]")):
        read(tmp_path, text)
