"""What the benchmarks measure with: clips begun later or mirrored, and truth without faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench import variants
from bench.truth import Truth
from bench.variants import Variant

import videos

WIDTH = 176
"""Of the clip's pictures."""


@pytest.fixture
def truth() -> Truth:
    boxes = np.array([[10.0, 20, 50, 70], [12, 20, 52, 70], [100, 30, 190, 80]])
    return Truth(np.array([0, 4, 9]), np.array([1, 1, 2]), boxes, np.array([True, True, False]), np.array([3, 60]))


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(variants, "FOLDER", tmp_path)


def test_a_clip_begun_later_is_the_rest_of_it(carphone: Path, truth: Truth) -> None:
    path, found = Variant(later=4).of(carphone, truth)
    for now, before in zip(videos.decode(path), videos.decode(carphone)[4:], strict=True):
        assert all(map(np.array_equal, videos.samples(now), videos.samples(before)))
    rest = videos.times(carphone)[4:]
    assert videos.times(path) == [time - rest[0] for time in rest]
    assert found.frames.tolist() == [0, 5]
    assert found.boxes.tolist() == truth.boxes[1:].tolist()
    assert found.people.tolist() == [1, 2]
    assert found.required.tolist() == [True, False]
    assert found.cuts.tolist() == [56]


def test_a_mirrored_clip_has_left_and_right_exchanged(carphone: Path, truth: Truth) -> None:
    path, found = Variant(mirrored=True).of(carphone, truth)
    for now, before in zip(videos.decode(path), videos.decode(carphone), strict=True):
        for flipped, plane in zip(videos.samples(now), videos.samples(before), strict=True):
            assert np.array_equal(flipped, plane[:, ::-1])
    assert videos.times(path) == videos.times(carphone)
    assert found.boxes[0].tolist() == [WIDTH - 50, 20, WIDTH - 10, 70]
    assert found.frames.tolist() == truth.frames.tolist()
    assert found.cuts.tolist() == truth.cuts.tolist()


def test_as_it_is_nothing_is_made(carphone: Path, truth: Truth, tmp_path: Path) -> None:
    assert Variant().of(carphone, truth) == (carphone, truth)
    assert not list(tmp_path.iterdir())


def test_a_film_without_faces_has_truth_too(tmp_path: Path) -> None:
    nobody = Truth(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.bool_))
    nobody.write(tmp_path / "nobody.csv")
    found = Truth.read(tmp_path / "nobody.csv")
    assert (len(found.frames), found.boxes.shape, found.required.dtype) == (0, (0, 4), np.bool_)
