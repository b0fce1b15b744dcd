"""Documents that are broken, by accident or on purpose: what the message says, and how soon."""

from __future__ import annotations

import codecs
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from documents import Store, face, fragment, of_fragments
from facered import Annotations, ConfigurationUnsupportedError

WRONG = {
    "": "is not valid JSON: The text ends too early: line 1 column 1",
    "[]": "$ is []; it must be an object",
    '{"fragments": [': "is not valid JSON: The text ends too early: line 1 column 16",
    "{'version': 1}": "Expecting a key in double quotes: line 1 column 2",
    '{"fragments": []}': "$ has no timescale",
    '{"timescale": 1, "width": 1, "height": 1}': "$ has no fragments",
    '{"timescale": 1, "width": 1, "height": 1, "fragments": 5}': "$.fragments is 5}; it must be a list",
    '{"version": 2}': "$.version is 2; it must be 1, the version that this facered reads",
    '{"timescale": "50"}': '$.timescale is "50"; it must be a whole number from 1 to 2147483647',
    '{"timescale": true}': "$.timescale is true; it must be",
    '{"width": 12.5}': "$.width is 12.5; it must be a whole number",
    '{"framerate": NaN}': "$.framerate has NaN, which is not a number",
    '{"framerate": 1e999}': "$.framerate has the number 1e999, which is too large",
    '{"height": ' + "9" * 5000 + "}": "$.height has a number of 5000 digits",
    '{"fragments": [], "fragments": []}': '$ has the key "fragments" twice',
    '{"note": {"a": 1, "a": 1}}': '$.note has the key "a" twice',
    '{"note": ' + "[" * 100000: "$.note is nested too deeply",
    '{"note": ' + '{"a":' * 100000: "$.note is nested too deeply",
    '{"fragments": [{"start": 0, "events": [' + "[" * 100000: "$.fragments[0].events[0][0] is [[[[",
    '{"fragments": [{"start": 0}, 7]}': "$.fragments[1] is 7]}; it must be an object",
    '{"fragments": [{"duration": 1}]}': "$.fragments[0] has no start",
    '{"fragments": [{"start": 0, "start": 1}]}': '$.fragments[0] has the key "start" twice',
    '{"fragments": [{"start": 1e30}]}': "$.fragments[0].start is 1e+30; it must be",
    '{"fragments": [{"start": 0, "interval": -1}]}': "$.fragments[0].interval is -1; it must be",
    '{"fragments": [{"start": 0, "events": [[],[]]}]}': "$.fragments[0] has 2 events but no interval between them",
    '{"fragments": [{"start": 0, "interval": 0, "events": [[],[]]}]}': "$.fragments[0] has 2 events but no interval",
    '{"fragments": [{"start": 0, "interval": 1152921504606846976, "events": [[],[],[]]}]}': "ticks, beyond",
    '{"fragments": [{"start": 0, "events": [0, 0]}]}': "$.fragments[0].events[0] is 0, 0]}]}; it must be a list",
    '{"fragments": [{"start": 0, "events": {}}]}': "$.fragments[0].events is {}}]}; it must be a list",
    '{"fragments": [{"start": 0, "events": [[5]]}]}': "$.fragments[0].events[0][0] is 5]]}]}; it must be a face",
    json.dumps(of_fragments()) + "{}": "is not valid JSON: Extra data",
    json.dumps(of_fragments())[:-1] + ",}": "Expecting a key in double quotes",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=[text[:60] for text in WRONG])
def test_a_broken_document_gets_a_clear_line_quickly(store: Store, text: str, message: str) -> None:
    path = store(text)
    begun = time.perf_counter()
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(message)) as caught:
        Annotations.read(path)
    assert time.perf_counter() - begun < 2
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200


WRONG_FACES = {
    '"width": -0.2': "width is -0.2; it must be greater than 0 and at most 10000",
    '"height": 0': "height is 0; it must be greater than 0",
    '"x": 10001': "x is 10001; it must be a number from -10000 to 10000",
    '"y": "0.5"': 'y is "0.5"; it must be a number',
    '"y": null': "y is null; it must be a number",
    '"x": false': "x is false; it must be a number",
    '"x": [1, 2]': "x is [1, 2]; it must be a number",
    '"x": Infinity': " has Infinity, which is not a number",
    '"x": 1e999': " has the number 1e999, which is too large",
    '"id": -1': "id is -1; it must be a whole number from 0 to 2147483647",
    '"id": 2147483648': "id is 2147483648; it must be",
    '"id": 1.5': "id is 1.5; it must be",
    '"id": "1"': 'id is "1"; it must be',
    '"id": 1, "id": 2': ' has the key "id" twice',
    '"id": 1, "index": 3, "index": 4': ' has the key "index" twice',
    '"id": 1, "\\u0069d": 2': ' has the key "id" twice',
    '"note": 1, "note": 1': ' has the key "note" twice',
}


@pytest.mark.parametrize(("member", "message"), WRONG_FACES.items())
def test_a_wrong_face_is_named_with_its_place(store: Store, member: str, message: str) -> None:
    key = member.split('"')[1]
    others = json.dumps({name: value for name, value in face().items() if name != key})[1:-1]
    wrong = f"{{{others}, {member}}}"
    text = json.dumps(of_fragments(fragment(0), fragment(0, [], ["before", "here"])))  # type: ignore[list-item]
    text = text.replace('"before"', json.dumps(face() | {"index": 0})).replace('"here"', wrong)
    place = "$.fragments[1].events[1][1]"
    dot = "" if message.startswith(" ") else "."
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(f"{place}{dot}{message}")):
        Annotations.read(store(text))


def test_a_document_cut_anywhere_is_an_error(store: Store) -> None:
    text = json.dumps(of_fragments(fragment(0, [face() | {"index": 0}], [face() | {"name": "a"}]), note=[1, "x"]))
    for end in range(len(text)):
        with pytest.raises(ConfigurationUnsupportedError, match=r"foo_annotations\.json: "):
            Annotations.read(store(text[:end]))


def test_a_byte_order_mark_is_fine_and_other_encodings_are_not(store: Store) -> None:
    text = json.dumps(of_fragments(fragment(0, [face()]), note="Zo\u00eb"), ensure_ascii=False)
    assert Annotations.read(store(codecs.BOM_UTF8 + text.encode())).people == 1
    for encoding in ("latin-1", "utf-16"):
        with pytest.raises(ConfigurationUnsupportedError, match="is not UTF-8 text"):
            Annotations.read(store(text.encode(encoding)))


@pytest.mark.parametrize(
    "extra", [{"certainty": 0.5}, {"name": 'a " [b]'}, {"points": [1]}, {"n": 1, "s": "x", "t": None}]
)
def test_each_kind_of_unknown_key_is_kept_and_may_not_stand_twice(store: Store, extra: dict[str, Any]) -> None:
    text = json.dumps(of_fragments(fragment(0, [face(1), face(2) | extra])))
    assert Annotations.read(store(text)).extras.faces == {1: extra}
    member = json.dumps(extra)[1:-1]
    with pytest.raises(ConfigurationUnsupportedError, match=r"events\[0\]\[1\] has the key \"\w+\" twice"):
        Annotations.read(store(text.replace(member, f"{member}, {member}")))
    with pytest.raises(ConfigurationUnsupportedError, match=r"events\[0\]\[1\] has the key \"x\" twice"):
        Annotations.read(store(text.replace(member, f'{member}, "x": 0.5')))


def test_files_that_cannot_be_annotations(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigurationUnsupportedError, match=r"none\.json: no such annotations file; run facered analyze"
    ):
        Annotations.read(tmp_path / "none.json")
    with pytest.raises(ConfigurationUnsupportedError, match="is not a file"):
        Annotations.read(tmp_path)
    monkeypatch.setattr("facered.annotations.text.MAX_LISTS", 1000)
    Annotations.read(store(of_fragments(fragment(0, *[[]] * 998))))
    with pytest.raises(ConfigurationUnsupportedError, match="holds more than 1000 lists"):
        Annotations.read(store(of_fragments(fragment(0, *[[]] * 999))))
    os.truncate(store(""), 10 * 10**9)
    with pytest.raises(ConfigurationUnsupportedError, match=r"is 10\.0 GB large"):
        Annotations.read(tmp_path / "foo_annotations.json")


def test_a_claim_of_a_thousand_million_events_costs_nothing(store: Store) -> None:
    claim = {"start": 0, "duration": 10**9, "interval": 1, "events": [[]]}
    assert Annotations.read(store(of_fragments(claim))).pts.tolist() == [0]
