"""Where a person should look, and who may be the same."""

from __future__ import annotations

import numpy as np
import pytest

from facered.review.gestures import State
from facered.review.people import MAX_GAP_SECONDS, Person, places, suggestions
from facered.review.tracks import Track

RATE = 10.0
GAP = round(MAX_GAP_SECONDS * RATE)


def track(first: int, last: int, x: float = 0.2, side: float = 0.1, without: tuple[int, int] = (1, 0)) -> Track:
    frames = np.array([number for number in range(first, last + 1) if not without[0] <= number <= without[1]])
    count = len(frames)
    boxes = np.tile([x, 0.3, side, side], (count, 1))
    return Track(frames, boxes, np.full(count, 0.9, np.float32), np.zeros(count, np.bool_))


@pytest.mark.parametrize(
    ("later", "cuts", "found"),
    [
        (track(21, 40), [], True),
        (track(20 + GAP, 80), [], True),
        (track(21 + GAP, 80), [], False),
        (track(15, 40), [], False),  # both are there at once
        (track(25, 40, x=0.29), [], True),
        (track(25, 40, x=0.31), [], False),
        (track(25, 40, side=0.14), [], True),
        (track(25, 40, side=0.17), [], False),
        (track(25, 40), [0, 25], False),
        (track(25, 40), [0, 20, 26], True),
    ],
)
def test_who_is_where_somebody_was_may_be_the_same(later: Track, cuts: list[int], found: bool) -> None:
    assert suggestions({5: track(0, 20), 9: later}, cuts, RATE) == ([(5, 9)] if found else [])


def test_gaps_and_faint_faces_are_to_be_looked_at() -> None:
    tracks = {1: track(0, 90, without=(20, 30)), 2: track(0, 90, without=(20, 20 + GAP + 5)), 3: track(7, 9)}
    tracks[3].scores[:] = 0.4
    state = State(100, tracks)
    people = [Person.of(number, one, state) for number, one in tracks.items()]
    assert places(people, RATE) == [(7, 3, "seen faintly"), (20, 1, "gap")]
