"""Whose tracks at both sides of a seam are one person's."""

from __future__ import annotations

import numpy as np

from facered.track.seams import matched
from facered.track.shot import Shot
from facered.track.smoothing import Track


def track(first: int, last: int, x: float, size: float = 40.0, step: float = 0.0) -> Track:
    frames = np.arange(first, last + 1)
    boxes = np.column_stack([x + step * frames, np.full(len(frames), 100.0), *np.full((2, len(frames)), size)])
    return Track(first, frames, boxes, len(frames), 0.9, (0,), Shot(0, 99, 0, 99))


def test_who_is_in_the_same_place_is_the_same() -> None:
    before = [track(0, 60, 100), track(10, 60, 200), track(0, 20, 300)]
    after = [track(40, 90, 203), track(40, 90, 102), track(55, 90, 300)]
    assert matched(before, after) == {0: 1, 1: 0}


def test_two_who_cross_are_told_apart_by_all_common_frames() -> None:
    before = [track(0, 60, 0, step=3), track(0, 60, 300, step=-3)]
    after = [track(45, 90, 300, step=-3), track(45, 90, 0, step=3)]
    assert matched(before, after) == {0: 1, 1: 0}


def test_who_is_beside_somebody_is_another() -> None:
    assert matched([track(0, 60, 100)], [track(40, 90, 130)]) == {}
    assert matched([track(0, 60, 100)], [track(40, 90, 115)]) == {0: 0}


def test_who_has_no_frame_in_common_is_another() -> None:
    assert matched([track(0, 40, 100)], [track(41, 90, 100)]) == {}
    assert matched([], [track(41, 90, 100)]) == matched([track(0, 40, 100)], []) == {}


def test_one_goes_on_as_one_only_the_one_who_was_there_for_longest() -> None:
    assert matched([track(0, 60, 100)], [track(58, 90, 100), track(40, 57, 104)]) == {1: 0}
    assert matched([track(0, 44, 104), track(45, 60, 100)], [track(40, 90, 103)]) == {0: 1}
