"""Documents are read in pieces: where these end changes nothing, and large ones take little memory and time."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents import DOCUMENT, FACE, Store, document, face, fragment, of_fragments, read
from facered import Annotations, ConfigurationUnsupportedError


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facered.annotations.text.PIECE", 5)


@pytest.fixture
def soon() -> Iterator[None]:
    """Fail where the test takes longer than work that grows with the square of the document would leave it."""
    begun = time.process_time()  # of this process: others may keep the machine busy
    yield
    assert time.process_time() - begun < 5


@pytest.mark.usefixtures("small_pieces")
def test_characters_may_stand_across_the_pieces_in_which_a_file_is_read(store: Store) -> None:
    made = of_fragments(fragment(0, [face() | {"name": "\u20ac\U0001f600 \n  x"}]), note="Zo\u00eb \u20ac" * 5)
    read = Annotations.read(store(json.dumps(made, ensure_ascii=False, indent=4)))
    assert read.extras.faces == {0: {"name": "\u20ac\U0001f600 \n  x"}}
    assert read.extras.document == {"note": made["note"]}
    with pytest.raises(ConfigurationUnsupportedError, match="is not UTF-8 text"):
        Annotations.read(store(b'{"a": "' + "\u20ac".encode()[:2]))


@pytest.mark.usefixtures("small_pieces")
def test_places_are_those_in_the_whole_file(tmp_path: Path) -> None:
    text = document().replace(", ", ",\n  ").encode()
    broken = text.replace(b'"index": 8', b'"index": 8 8')
    at = len(broken) - len(b"8}]]}]}")
    line = broken.count(b"\n") + 1
    with pytest.raises(ConfigurationUnsupportedError, match=rf": line {line} column 14 \(char {at}\)$"):
        read(tmp_path, broken)
    with pytest.raises(ConfigurationUnsupportedError, match=rf"shortly after byte {at}\)$"):
        read(tmp_path, broken.replace(b"8 8", b"8 \xff"))


@pytest.mark.parametrize("key", ["index", "note"])
def test_how_long_a_number_may_be_does_not_depend_on_its_neighbours(tmp_path: Path, key: str) -> None:
    for more in ("", '"points": [[]]'):
        assert len(read(tmp_path, document(FACE, more, **{key: "9" * 100})).ids) == 10
        with pytest.raises(ConfigurationUnsupportedError, match="has a number of 101 digits"):
            read(tmp_path, document(FACE, more, **{key: "9" * 101}))


@pytest.mark.usefixtures("small_pieces")
def test_a_number_is_not_judged_by_its_half(tmp_path: Path) -> None:
    assert read(tmp_path, document(FACE, x="1" + "0" * 150 + "e-151", note="{}")).boxes[-2, 0] == 0.1
    assert read(tmp_path, document(DOCUMENT, note="1" + "0" * 150 + ".5")).extras.document == {"note": 1e150}


@pytest.mark.parametrize("events", [[[face()]], [[face() | {"points": []}]]], ids=["plain", "odd"])
def test_there_may_not_be_too_many_fragments(
    store: Store, monkeypatch: pytest.MonkeyPatch, events: list[list[dict[str, object]]]
) -> None:
    monkeypatch.setattr("facered.annotations.read.MAX_FRAGMENTS", 5)
    fragments = [fragment(start, *events) for start in range(6)]
    assert len(Annotations.read(store(of_fragments(*fragments[:5]))).pts) == 5
    with pytest.raises(ConfigurationUnsupportedError, match=r"\$\.fragments has more than 5 items"):
        Annotations.read(store(of_fragments(*fragments)))


def test_memory_does_not_grow_with_the_document(store: Store) -> None:
    path = store(of_fragments(fragment(0, *[[face(n) for n in range(8)]] * 10_000)))
    tracemalloc.start()
    try:
        found = Annotations.read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    table = found.ids.nbytes + found.boxes.nbytes + 2 * found.pts.nbytes
    assert path.stat().st_size > 5_000_000
    assert peak < 1.2 * table + 3_000_000


@pytest.mark.usefixtures("soon")
def test_odd_faces_everywhere_cost_little(store: Store) -> None:
    odd = face() | {"points": [[1, 2], [3]]}
    path = store(of_fragments(*(fragment(n, [odd], [face()]) for n in range(0, 40_000, 4))))
    assert len(Annotations.read(path).ids) == 20_000


@pytest.mark.usefixtures("soon")
def test_fragments_that_do_not_end_with_their_events_cost_little(store: Store) -> None:
    path = store(json.dumps(of_fragments(*(fragment(n, [face()], []) for n in range(0, 40_000, 4))), sort_keys=True))
    assert len(Annotations.read(path).ids) == 10_000


@pytest.mark.usefixtures("small_pieces", "soon")
@pytest.mark.parametrize("value", ["x" * 1_000_000, [[0, "x"]] * 50_000], ids=["text", "list"])
def test_a_long_value_is_read_in_few_goes(store: Store, value: object) -> None:
    assert Annotations.read(store(of_fragments(note=value))).extras.document == {"note": value}


@pytest.mark.usefixtures("soon")
def test_a_great_many_keys_are_no_burden(store: Store) -> None:
    note = ", ".join(f'"{n}": 0' for n in range(200_000))
    with pytest.raises(ConfigurationUnsupportedError, match=r'note has the key "199999" twice'):
        Annotations.read(store(f'{{"note": {{{note}, "199999": 0}}}}'))
