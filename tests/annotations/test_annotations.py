"""The annotations document: written by us, edited by a hand, broken by accident or on purpose."""

from __future__ import annotations

import codecs
import json
import os
import re
import time
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered.annotations.model import Annotations
from facered.errors import ConfigurationUnsupportedError
from facered.jobs.idlist import read_id_list

Entries = dict[int, list[tuple[float, ...]]]

AZURE = {
    "version": 1,
    "timescale": 30000,
    "offset": 0,
    "framerate": 29.97,
    "width": 640,
    "height": 480,
    "fragments": [
        {
            "start": 0,
            "duration": 6006,
            "interval": 1001,
            "events": [
                [],
                [],
                [{"index": 2, "id": 801, "x": 0.31125, "y": -0.11042, "width": 0.25, "height": 0.61875}],
                [
                    {"index": 3, "id": 801, "x": 0.31562, "y": -0.10833, "width": 0.25, "height": 0.61875},
                    {"index": 3, "id": 1502, "x": 0.70156, "y": 0.2, "width": 0.1125, "height": 0.2},
                ],
                [],
                [{"index": 5, "id": 1502, "x": 0.7, "y": 0.2, "width": 0.1125, "height": 0.2}],
            ],
        },
        {"start": 6006, "duration": 60060},
        {
            "start": 66066,
            "duration": 1001,
            "interval": 1001,
            "events": [[{"index": 66, "id": 77, "x": 0.9, "y": 0.95, "width": 0.25, "height": 0.25}]],
        },
        {"start": 67067, "duration": 3003},
    ],
}


def face(
    number: int = 1, x: float = 0.25, y: float = 0.5, width: float = 0.125, height: float = 0.25
) -> dict[str, Any]:
    return {"id": number, "x": x, "y": y, "width": width, "height": height}


def fragment(start: int, *events: list[dict[str, Any]], interval: int = 2, **others: object) -> dict[str, Any]:
    found = {"start": start, "duration": len(events) * interval, "interval": interval, "events": list(events)}
    return found | others


def document(*fragments: dict[str, Any], **others: object) -> dict[str, Any]:
    head = {"version": 1, "timescale": 50, "offset": 0, "framerate": 25.0, "width": 1280, "height": 720, "margin": 1.4}
    return head | others | {"fragments": list(fragments)}


@pytest.fixture
def store(tmp_path: Path) -> Callable[[object], Path]:
    """Return a function that puts a document, text or bytes into ``foo_annotations.json``."""

    def put(content: object) -> Path:
        path = tmp_path / "foo_annotations.json"
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return put


Store = Callable[[object], Path]


def entries(annotations: Annotations) -> Entries:
    """Return time -> faces as id, x, y, width, height."""
    faces = [(number, *box) for number, box in zip(annotations.ids.tolist(), annotations.boxes.tolist(), strict=True)]
    bounds = annotations.starts.tolist()
    return {t: faces[bounds[i] : bounds[i + 1]] for i, t in enumerate(annotations.pts.tolist())}


def table(times: list[int], counts: list[int], time_base: Fraction = Fraction(1, 1000)) -> Annotations:
    rng = np.random.default_rng(len(times))
    faces = sum(counts)
    return Annotations(
        time_base=time_base,
        rate=Fraction(30000, 1001),
        width=1280,
        height=720,
        margin=1.4,
        pts=np.array(times, np.int64),
        last_duration=33,
        starts=np.array([0, *accumulate(counts)], np.int64),
        ids=np.concatenate([np.arange(1, count + 1) for count in counts]) if counts else np.empty(0, np.int64),
        boxes=np.round(rng.uniform([-0.5, -0.5, 0.001, 0.001], 1.5, (faces, 4)), 6),
    )


def schema() -> dict[str, Any]:
    text = resources.files("facered.annotations").joinpath("schema.json").read_text()
    found: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


# Our own document


@pytest.mark.parametrize("times", [[], [7], [0, 33, 67, 100, 133, 170], [900, 940, 980, 1020], [-40, 0, 40, 1000]])
def test_what_is_written_is_read_and_written_again_byte_for_byte(tmp_path: Path, times: list[int]) -> None:
    own = table(times, [n % 3 for n in range(len(times))], Fraction(1001, 30000))
    own.write(tmp_path / "a.json")
    read = Annotations.read(tmp_path / "a.json")
    read.write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert entries(read.rescaled(own.time_base)) == entries(own)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.json", "b.json"]


@settings(deadline=None)
@given(
    steps=st.lists(st.integers(1, 4), max_size=12),
    counts=st.lists(st.integers(0, 3), min_size=13, max_size=13),
    start=st.integers(-(10**12), 10**12),
    time_base=st.fractions(Fraction(1, 10**6), 1, max_denominator=10**6),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], counts: list[int], start: int, time_base: Fraction
) -> None:
    directory = tmp_path_factory.mktemp("trip")
    times = list(accumulate(steps, initial=start))
    own = table(times, counts[: len(times)], time_base)
    own.write(directory / "a.json")
    jsonschema.validate(json.loads((directory / "a.json").read_bytes()), schema())
    read = Annotations.read(directory / "a.json")
    read.write(directory / "b.json")
    assert (directory / "a.json").read_bytes() == (directory / "b.json").read_bytes()
    assert entries(read.rescaled(time_base)) == entries(own)


def test_each_change_of_the_interval_begins_a_fragment(tmp_path: Path) -> None:
    times = [0, 33, 67, 100, 133, 167, 200]
    table(times, [1] * 7).write(tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_bytes())["fragments"]
    assert [(f["start"], f["interval"], len(f["events"])) for f in found] == [
        (0, 33, 1), (33, 34, 1), (67, 33, 2), (133, 34, 1), (167, 33, 2),
    ]  # fmt: skip
    assert [f["start"] + f["duration"] for f in found] == [33, 67, 133, 167, 233]
    assert Annotations.read(tmp_path / "a.json").pts.tolist() == times


def test_long_runs_are_one_fragment_however_they_are_written(tmp_path: Path) -> None:
    table(list(range(0, 82500, 33)), [1, 0] * 1250).write(tmp_path / "a.json")
    (found,) = json.loads((tmp_path / "a.json").read_bytes())["fragments"]
    assert [event[0]["index"] for event in found["events"] if event] == list(range(0, 2500, 2))


# Azure's document


def test_an_azure_document_validates_and_is_read(store: Store) -> None:
    jsonschema.validate(AZURE, schema())
    read = Annotations.read(store(AZURE))
    assert (read.time_base, read.width, read.height, read.margin) == (Fraction(1, 30000), 640, 480, None)
    assert read.people == 3
    assert read.pts.tolist() == [0, 1001, 2002, 3003, 4004, 5005, 66066]
    assert entries(read)[3003] == [(801, 0.31562, -0.10833, 0.25, 0.61875), (1502, 0.70156, 0.2, 0.1125, 0.2)]
    assert read.frame_at(2002) == 2
    assert read.frame_at(6006) is None  # a fragment without events has no entries
    assert read.pixel_boxes(2)[0] == pytest.approx([199.2, -53.0016, 359.2, 243.9984])


def test_an_azure_document_keeps_its_fragments_without_events(store: Store, tmp_path: Path) -> None:
    Annotations.read(store(AZURE)).write(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_bytes())
    jsonschema.validate(again, schema())
    assert "margin" not in again
    assert [f for f in again["fragments"] if "events" not in f] == AZURE["fragments"][1::2]  # type: ignore[index]
    assert entries(Annotations.read(tmp_path / "again.json")) == entries(Annotations.read(store(AZURE)))


# Edited by hand


EDITS: dict[str, tuple[dict[str, Any], Entries]] = {
    "moved": (fragment(4, [face(x=0.875)]), {4: [(1, 0.875, 0.5, 0.125, 0.25)]}),
    "added": (fragment(0, [face(), face(99)]), {0: [(1, 0.25, 0.5, 0.125, 0.25), (99, 0.25, 0.5, 0.125, 0.25)]}),
    "renumbered": (fragment(0, [face(7)], [face(7)]), {t: [(7, 0.25, 0.5, 0.125, 0.25)] for t in (0, 2)}),
    "deleted": (fragment(0, [], [face()]), {0: [], 2: [(1, 0.25, 0.5, 0.125, 0.25)]}),
    "partly outside": (fragment(0, [face(1, -3, 1.5, 9, 2)]), {0: [(1, -3.0, 1.5, 9.0, 2.0)]}),
    "whole numbers": (fragment(0, [face(1, 0, 0, 1, 1)]), {0: [(1, 0.0, 0.0, 1.0, 1.0)]}),
    "events left out": ({"start": 6, "duration": 100, "interval": 2, "events": [[]]}, {6: []}),
    "no events": ({"start": 6, "duration": 100, "interval": 2}, {}),
    "no interval": ({"start": 6, "events": [[face()]]}, {6: [(1, 0.25, 0.5, 0.125, 0.25)]}),
    "wrong index": (fragment(0, [face() | {"index": 12345}]), {0: [(1, 0.25, 0.5, 0.125, 0.25)]}),
    "nonsense index": (fragment(0, [face() | {"index": "first"}]), {0: [(1, 0.25, 0.5, 0.125, 0.25)]}),
    "more than the duration": (fragment(0, [], [], duration=2), {0: [], 2: []}),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("indent", [None, 4])
def test_an_edit_is_taken_to_the_letter(store: Store, name: str, indent: int | None) -> None:
    edited, expected = EDITS[name]
    assert entries(Annotations.read(store(json.dumps(document(edited), indent=indent)))) == expected


def test_fragments_split_shuffled_or_overlapping_mean_the_same(store: Store) -> None:
    frames = [[face(1, n / 64), face(2, n / 32)] for n in range(6)]
    whole = entries(Annotations.read(store(document(fragment(10, *frames)))))
    parts = [fragment(14, *frames[2:]), fragment(10, *frames[:3])]
    by_face = [fragment(10, *([frame[n]] for frame in frames)) for n in (0, 1)]
    assert entries(Annotations.read(store(document(*parts)))) == whole
    assert entries(Annotations.read(store(document(*by_face)))) == whole
    moved = document(*(fragment(f["start"] - 100, *f["events"]) for f in parts), offset=100)
    assert entries(Annotations.read(store(moved))) == whole


def test_unknown_keys_survive_a_round_trip(store: Store, tmp_path: Path) -> None:
    made = document(
        fragment(0, [face() | {"name": "J\u00fcrgen", "points": [[1, 2.5], []]}, face(2)], [face(2) | {"x:y": None}]),
        fragment(4, [], [face(3)], shot={"n": 2}),
        {"start": 8, "duration": 6, "why": "night"},
        fragment(14, [face(4) | {"half \ud800": 10**30}]),
        editor="Eve",
        seen={"id": [1, {"id": 2}]},
    )
    Annotations.read(store(made)).write(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_bytes())
    made["fragments"][1]["interval"] = 2
    for index, event in enumerate(e for f in again["fragments"] for e in f.get("events", [])):
        assert [found.pop("index") for found in event] == [index] * len(event)
    # The frame before the gap lasts until its end.
    first, *others = again["fragments"]
    assert (first, others[-2:]) == (made["fragments"][0], made["fragments"][2:])
    assert others[0] == {"start": 4, "duration": 2, "interval": 2, "events": [[]], "shot": {"n": 2}}
    assert {key: again[key] for key in ("editor", "seen")} == {"editor": "Eve", "seen": {"id": [1, {"id": 2}]}}


def test_unknown_keys_follow_their_faces_when_fragments_are_joined_and_people_chosen(store: Store) -> None:
    made = document(
        fragment(4, [face(1) | {"n": 1}, face(2) | {"n": 2}]), fragment(0, [face(3) | {"n": 3}], [], [face(4)])
    )
    read = Annotations.read(store(made))
    assert read.ids.tolist() == [3, 1, 2, 4]
    assert read.extras.faces == {0: {"n": 3}, 1: {"n": 1}, 2: {"n": 2}}
    assert read.select(ids=[2, 3]).extras.faces == {0: {"n": 3}, 1: {"n": 2}}


# Broken


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
    json.dumps(document()) + "{}": "is not valid JSON: Extra data",
    json.dumps(document())[:-1] + ",}": "Expecting a key in double quotes",
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
    text = json.dumps(document(fragment(0), fragment(0, [], ["before", "here"])))  # type: ignore[list-item]
    text = text.replace('"before"', json.dumps(face() | {"index": 0})).replace('"here"', wrong)
    place = "$.fragments[1].events[1][1]"
    dot = "" if message.startswith(" ") else "."
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(f"{place}{dot}{message}")):
        Annotations.read(store(text))


@pytest.mark.parametrize("key", ["id", "x", "y", "width", "height"])
def test_a_face_needs_all_its_numbers(store: Store, key: str) -> None:
    broken = {name: value for name, value in face().items() if name != key}
    with pytest.raises(ConfigurationUnsupportedError, match=rf"events\[0\]\[0\] has no {key}$"):
        Annotations.read(store(document(fragment(0, [broken]))))


def test_a_document_cut_anywhere_is_an_error(store: Store) -> None:
    text = json.dumps(document(fragment(0, [face() | {"index": 0}], [face() | {"name": "a"}]), note=[1, "x"]))
    for end in range(len(text)):
        with pytest.raises(ConfigurationUnsupportedError, match=r"foo_annotations\.json: "):
            Annotations.read(store(text[:end]))


def test_a_byte_order_mark_is_fine_and_other_encodings_are_not(store: Store) -> None:
    text = json.dumps(document(fragment(0, [face()]), note="Zo\u00eb"), ensure_ascii=False)
    assert Annotations.read(store(codecs.BOM_UTF8 + text.encode())).people == 1
    for encoding in ("latin-1", "utf-16"):
        with pytest.raises(ConfigurationUnsupportedError, match="is not UTF-8 text"):
            Annotations.read(store(text.encode(encoding)))


def test_characters_may_stand_across_the_pieces_in_which_a_file_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facered.annotations.text.PIECE", 5)
    made = document(fragment(0, [face() | {"name": "\u20ac\U0001f600 \n  x"}]), note="Zo\u00eb \u20ac" * 5)
    read = Annotations.read(store(json.dumps(made, ensure_ascii=False, indent=4)))
    assert read.extras.faces == {0: {"name": "\u20ac\U0001f600 \n  x"}}
    assert read.extras.document == {"note": made["note"]}
    with pytest.raises(ConfigurationUnsupportedError, match="is not UTF-8 text"):
        Annotations.read(store(b'{"a": "' + "\u20ac".encode()[:2]))


@pytest.mark.parametrize("extra", [{"score": 0.5}, {"name": 'a " [b]'}, {"points": [1]}, {"n": 1, "s": "x", "t": None}])
def test_each_kind_of_unknown_key_is_kept_and_may_not_stand_twice(store: Store, extra: dict[str, Any]) -> None:
    text = json.dumps(document(fragment(0, [face(1), face(2) | extra])))
    assert Annotations.read(store(text)).extras.faces == {1: extra}
    member = json.dumps(extra)[1:-1]
    with pytest.raises(ConfigurationUnsupportedError, match=r"events\[0\]\[1\] has the key \"\w+\" twice"):
        Annotations.read(store(text.replace(member, f"{member}, {member}")))
    with pytest.raises(ConfigurationUnsupportedError, match=r"events\[0\]\[1\] has the key \"x\" twice"):
        Annotations.read(store(text.replace(member, f'{member}, "x": 0.5')))


def test_files_that_cannot_be_annotations(store: Store, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationUnsupportedError, match=r"none\.json: no such annotations file; run facered analyze"
    ):
        Annotations.read(tmp_path / "none.json")
    with pytest.raises(ConfigurationUnsupportedError, match="is not a file"):
        Annotations.read(tmp_path)
    with pytest.raises(ConfigurationUnsupportedError, match="holds more than 10000000 lists"):
        Annotations.read(store('{"fragments":[{"start":0,"interval":1,"events":[' + "[]," * 10**7))
    os.truncate(store(""), 10 * 10**9)
    with pytest.raises(ConfigurationUnsupportedError, match=r"is 10\.0 GB large"):
        Annotations.read(tmp_path / "foo_annotations.json")


def test_a_great_many_keys_are_no_burden(store: Store) -> None:
    note = ", ".join(f'"{n}": 0' for n in range(200_000))
    begun = time.perf_counter()
    with pytest.raises(ConfigurationUnsupportedError, match=r'note has the key "199999" twice'):
        Annotations.read(store(f'{{"note": {{{note}, "199999": 0}}}}'))
    assert time.perf_counter() - begun < 5


def test_a_claim_of_a_thousand_million_events_costs_nothing(store: Store) -> None:
    claim = {"start": 0, "duration": 10**9, "interval": 1, "events": [[]]}
    assert Annotations.read(store(document(claim))).pts.tolist() == [0]


# Choosing, and fitting to a video


@pytest.mark.parametrize(
    ("choice", "left"),
    [({}, [1, 2, 3]), ({"ids": [3, 1]}, [1, 3]), ({"except_ids": [3, 3]}, [1, 2]), ({"except_ids": []}, [1, 2, 3])],
)
def test_people_are_chosen(store: Store, choice: dict[str, list[int]], left: list[int]) -> None:
    read = Annotations.read(store(document(fragment(0, [face(1), face(2)], [], [face(2), face(3)]))))
    chosen = read.select(**choice)
    assert sorted(set(chosen.ids.tolist())) == left
    assert entries(chosen) == {t: [f for f in faces if f[0] in left] for t, faces in entries(read).items()}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"ids": [1, 4, 5]}, "no face has the id 4, 5; there are 1, 2, 3"),
        ({"except_ids": [-4]}, "no face has the id -4; there are 1, 2, 3"),
        ({"ids": [1], "except_ids": [2]}, "ids and except_ids exclude each other"),
        ({"ids": []}, "nobody is left to hide"),
        ({"except_ids": [1, 2, 3]}, "nobody is left to hide"),
    ],
)
def test_a_choice_that_would_leave_a_face_bare_is_an_error(
    store: Store, choice: dict[str, list[int]], message: str
) -> None:
    read = Annotations.read(store(document(fragment(0, [face(1), face(2), face(3)]))))
    with pytest.raises(ConfigurationUnsupportedError, match=message):
        read.select(**choice)


def test_at_most_twenty_ids_are_listed(store: Store) -> None:
    read = Annotations.read(store(document(fragment(0, [face(n) for n in range(21)]))))
    with pytest.raises(ConfigurationUnsupportedError, match=r"there are 0, 1, .*, 19, \.\.\.$"):
        read.select(ids=[21])


def test_a_document_without_faces_is_fine_unless_someone_is_named(store: Store) -> None:
    read = Annotations.read(store(document(fragment(0, [], []))))
    assert read.select().people == 0
    with pytest.raises(ConfigurationUnsupportedError, match="no face has the id 1; there are no faces at all"):
        read.select(ids=[1])


@pytest.mark.parametrize(
    ("timescale", "time_base", "ticks", "pts"),
    [
        (30000, Fraction(1001, 30000), [0, 1001, 2002], [0, 1, 2]),
        (24000, Fraction(1, 12288), [0, 1001, 2002], [0, 513, 1025]),
        (1000, Fraction(1, 90000), [-33, 0, 33], [-2970, 0, 2970]),
        (25, Fraction(1, 50), [3, 4, 9], [6, 8, 18]),
        (50, Fraction(1, 50), [3, 4, 9], [3, 4, 9]),
        (1, Fraction(1, 10**9), [10**9], [10**18]),
    ],
)
def test_times_come_in_the_units_of_the_video(
    store: Store, timescale: int, time_base: Fraction, ticks: list[int], pts: list[int]
) -> None:
    made = document(*(fragment(tick, [face()]) for tick in ticks), timescale=timescale)
    assert Annotations.read(store(made)).rescaled(time_base).pts.tolist() == pts


def test_times_beyond_all_clocks_are_an_error(store: Store) -> None:
    read = Annotations.read(store(document(fragment(1 << 60, [face()], interval=0), timescale=1)))
    with pytest.raises(ConfigurationUnsupportedError, match="has times that no video reaches"):
        read.rescaled(Fraction(1, 90000))


def test_frames_that_fall_together_on_a_coarser_clock_are_joined(store: Store) -> None:
    made = document(fragment(0, [face(1)], [face(2)], interval=1), timescale=1000)
    assert entries(Annotations.read(store(made)).rescaled(Fraction(1, 25))) == {
        0: [(1, 0.25, 0.5, 0.125, 0.25), (2, 0.25, 0.5, 0.125, 0.25)]
    }


@pytest.mark.parametrize(
    ("video", "message"),
    [
        ((640, 480, Fraction(25), None), "made for 1280x720, but the video is 640x480"),
        ((1280, 720, Fraction(24), None), "made for 25 frames/s, but the video has 24;"),
        ((1280, 720, Fraction(25), 1), "the last face is at 0.040 s, but the video's last frame at 0.020 s"),
    ],
)
def test_annotations_of_another_video_are_an_error(
    store: Store, video: tuple[int, int, Fraction, int | None], message: str
) -> None:
    path = store(document(fragment(0, [face()], [face()], [], [])))
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        Annotations.read(path).check_fits(*video)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; use the annotations of this video")


def test_annotations_that_fit_pass(store: Store) -> None:
    made = document(fragment(0, [face()], [face()], [], []))
    read = Annotations.read(store(made))
    read.check_fits(1280, 720, Fraction(25), 2)
    read.check_fits(1280, 720, Fraction(249, 10))
    read.check_fits(1280, 720)
    del made["framerate"], made["margin"]
    bare = Annotations.read(store(made))
    bare.check_fits(1280, 720, Fraction(99), 2)
    assert (bare.rate, bare.margin) == (None, None)


# Lists of ids


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"1\n2\n", [1, 2]),
        (b"\xef\xbb\xbf 3\r\n\r\n\t12 \r\n1", [3, 12, 1]),
        (b"007\r8", [7, 8]),
        (b"", None),
        (b"\xef\xbb\xbf\r\n \n", None),
    ],
)
def test_a_list_of_ids(tmp_path: Path, content: bytes, ids: list[int] | None) -> None:
    (tmp_path / "foo_IDList.txt").write_bytes(content)
    assert read_id_list(tmp_path / "foo_IDList.txt") == ids


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\n\n2,3\n", "line 3 is '2,3'"),
        (b"-1", "line 1 is '-1'"),
        (b"1\r\nAnna", "line 2 is 'Anna'"),
        ("\u0663".encode(), "line 1 is '\u0663'"),
        (b"9" * 5000, "line 1 is '999"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_anything_else_in_a_list_of_ids_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "foo_IDList.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(f"{path}: {message}")) as caught:
        read_id_list(path)
    assert len(str(caught.value)) < len(str(path)) + 150


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationUnsupportedError, match="no such list of ids"):
        read_id_list(tmp_path / "none.txt")
    with pytest.raises(ConfigurationUnsupportedError, match="is not a file"):
        read_id_list(tmp_path)
