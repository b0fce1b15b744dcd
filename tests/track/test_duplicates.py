"""Tracks of one face that was detected twice."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
import pytest

from facered.track import tuning
from facered.track.duplicates import meeting, without_duplicates
from facered.track.smoothing import Track
from tracklets import WHOLE, box


def track(x: float, size: float, frames: Iterable[int], *, key: int, score: float = 0.9) -> Track:
    """Return a track that stands still."""
    numbers = np.array(list(frames))
    boxes = np.repeat(box((x, 90, size))[None], len(numbers), axis=0)
    return Track(int(numbers[0]), numbers, boxes, len(numbers), score, (key,), WHOLE)


def face() -> Track:
    return track(100, 40, range(40), key=0)


def test_one_that_lies_inside_another_is_dropped() -> None:
    (kept,) = without_duplicates([track(106, 30, range(10, 30), key=1), face()])
    assert kept.keys == (0,)


@pytest.mark.parametrize(("x", "frames"), [(135, range(10, 30)), (106, range(34, 60))])
def test_one_that_lies_beside_it_or_goes_elsewhere_stays(x: float, frames: range) -> None:
    assert len(without_duplicates([face(), track(x, 30, frames, key=1)])) == 2


def test_the_one_that_stays_holds_one_that_scored_like_a_face() -> None:
    double = track(112, 36, range(10, 30), key=1, score=tuning.STANDALONE_SCORE)
    (kept,) = without_duplicates([face(), double])
    right = kept.boxes[:, 0] + kept.boxes[:, 2] / 2
    assert right[10:30] == pytest.approx(130)
    assert right[:10] == pytest.approx(120)


def test_a_faint_one_makes_nothing_larger() -> None:
    double = track(112, 36, range(10, 30), key=1, score=tuning.STANDALONE_SCORE - 0.01)
    (kept,) = without_duplicates([face(), double])
    assert kept.boxes == pytest.approx(face().boxes)


def test_the_one_that_stays_goes_on_for_as_long_as_the_other() -> None:
    (kept,) = without_duplicates([face(), track(106, 30, range(15, 45), key=1)])
    assert kept.frames.tolist() == list(range(45))
    assert kept.boxes[-1] == pytest.approx(box((106, 90, 30)))


def test_boxes_meet_where_one_mostly_lies_inside_another() -> None:
    faces = np.array([box(place) for place in [(100, 90, 40), (220, 90, 40), (106, 90, 20), (140, 90, 40)]])
    assert meeting(faces) == [0, 2]
    assert meeting(faces[::-1]) == [1, 3]
    assert meeting(faces[:0]) == meeting(faces[:1]) == []


def test_an_hour_of_a_street_takes_no_longer_than_its_parts() -> None:
    """Whoever was never there together is not compared: four times as many tracks take about four times as long."""

    def seconds(count: int) -> float:
        tracks = [track(100, 40, range(10 * key, 10 * key + 12), key=key) for key in range(count)]
        begun = time.process_time()
        without_duplicates(tracks)
        return time.process_time() - begun

    assert min(seconds(4000) for _ in range(3)) < 8 * min(seconds(1000) for _ in range(3))
