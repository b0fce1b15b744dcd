"""Tracks of one face that was detected twice."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track.duplicates import without_duplicates, without_duplicates_at
from facered.track.shot import Shot
from facered.track.smoothing import Track
from tracklets import WHOLE, box

FACE = (100.0, 90.0, 40.0)
PART = (112.0, 90.0, 30.0)
"""Most of it lies inside of the face."""


def track(
    place: tuple[float, float, float], frames: range, key: int, *, score: float = 0.9, shot: Shot = WHOLE
) -> Track:
    boxes = np.repeat(box(place)[None], len(frames), axis=0)
    return Track(frames[0], np.array(frames), boxes, len(frames), score, (key,), shot)


def edges(found: Track, frame: int) -> list[float]:
    """Return where its box begins and ends from left to right."""
    x, _, width, _ = found.boxes[found.frames.tolist().index(frame)]
    return [x - width / 2, x + width / 2]


def test_a_part_of_a_face_is_no_second_face() -> None:
    (kept,) = without_duplicates([track(PART, range(20), 0), track(FACE, range(30), 1)])
    assert kept.keys == (1,)


@pytest.mark.parametrize(("score", "end"), [(0.61, 127), (0.59, 120)])
def test_the_face_is_enlarged_to_hold_a_part_that_scored_like_a_face(score: float, end: float) -> None:
    (kept,) = without_duplicates([track(FACE, range(30), 0), track(PART, range(5, 20), 1, score=score)])
    assert edges(kept, 10) == [80, end]
    assert edges(kept, 25) == [80, 120]


def test_the_face_goes_on_for_as_long_as_its_duplicate() -> None:
    (kept,) = without_duplicates([track(FACE, range(30), 0, score=0.95), track(PART, range(8, 38), 1)])
    assert kept.frames.tolist() == list(range(38))
    assert edges(kept, 35) == [97, 127]


@pytest.mark.parametrize("frames", [range(25, 45), range(40, 60)])
def test_who_is_there_at_other_times_is_somebody_else(frames: range) -> None:
    assert len(without_duplicates([track(FACE, range(30), 0), track(PART, frames, 1)])) == 2


def test_neighbours_and_people_of_another_shot_stay() -> None:
    beside = (125.0, 90.0, 40.0)
    assert len(without_duplicates([track(FACE, range(30), 0), track(beside, range(30), 1)])) == 2
    later = Shot(1000, 1999, 1000, 1999)
    assert len(without_duplicates([track(FACE, range(30), 0), track(PART, range(20), 1, shot=later)])) == 2


def test_in_one_frame_only_boxes_within_one_another_are_compared() -> None:
    far = track((300.0, 90.0, 40.0), range(30), 2)
    kept = without_duplicates_at([track(FACE, range(30), 0), track(PART, range(20), 1), far], 10)
    assert sorted(found.keys for found in kept) == [(0,), (2,)]
