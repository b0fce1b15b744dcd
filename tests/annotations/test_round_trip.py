"""The annotations document: written by us, by Azure, edited by a hand."""

from __future__ import annotations

import json
from dataclasses import replace
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

from documents import Entries, Store, entries, face, fragment, of_fragments
from facered import Annotations

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


@settings(deadline=None, max_examples=40)
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
    assert entries(Annotations.read(store(json.dumps(of_fragments(edited), indent=indent)))) == expected


def test_fragments_split_shuffled_or_overlapping_mean_the_same(store: Store) -> None:
    frames = [[face(1, n / 64), face(2, n / 32)] for n in range(6)]
    whole = entries(Annotations.read(store(of_fragments(fragment(10, *frames)))))
    parts = [fragment(14, *frames[2:]), fragment(10, *frames[:3])]
    by_face = [fragment(10, *([frame[n]] for frame in frames)) for n in (0, 1)]
    assert entries(Annotations.read(store(of_fragments(*parts)))) == whole
    assert entries(Annotations.read(store(of_fragments(*by_face)))) == whole
    moved = of_fragments(*(fragment(f["start"] - 100, *f["events"]) for f in parts), offset=100)
    assert entries(Annotations.read(store(moved))) == whole


def test_unknown_keys_survive_a_round_trip(store: Store, tmp_path: Path) -> None:
    made = of_fragments(
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
    made = of_fragments(
        fragment(4, [face(1) | {"n": 1}, face(2) | {"n": 2}]), fragment(0, [face(3) | {"n": 3}], [], [face(4)])
    )
    read = Annotations.read(store(made))
    assert read.ids.tolist() == [3, 1, 2, 4]
    assert read.extras.faces == {0: {"n": 3}, 1: {"n": 1}, 2: {"n": 2}}
    assert read.select(ids=[2, 3]).extras.faces == {0: {"n": 3}, 1: {"n": 2}}


@pytest.mark.parametrize(
    ("rate", "again"),
    [
        (Fraction(1, 2_500_000), 4e-7),
        (Fraction(1, 86_400), 1 / 86_400),
        (Fraction(1, 3), 0.333333),
        (Fraction(30000, 1001), 29.97003),
        (Fraction(1_000_000), 1e6),
        (Fraction(4_200_000), None),
    ],
)
def test_every_rate_is_readable_again(store: Store, tmp_path: Path, rate: Fraction, again: float | None) -> None:
    path = tmp_path / "rate.json"
    replace(Annotations.read(store(AZURE)), rate=rate).write(path)
    document = Annotations.read(path)
    if again is None:
        assert document.rate is None
    else:
        assert document.rate is not None
        assert float(document.rate) == pytest.approx(again, rel=1e-4)
        document.check_fits(640, 480, rate)
