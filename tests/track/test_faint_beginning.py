"""Whose first detections lie beside the face is hidden from there on, once the face is clearly seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track.follower import Follower
from facered.track.offline import finish
from lumas import Person, film

if TYPE_CHECKING:
    from facered.track.smoothing import Track
    from lumas import Place

RATE, SIZE, CLEAR, TOTAL = 25.0, 40.0, 6, 20
FAINT, GOOD = 0.35, 0.9


def way(frame: int) -> Place:
    return 120 + 1.5 * frame, 90, SIZE


def track_of(beside: float, clear: float = GOOD, cut: int | None = None) -> Track:
    """Return the last track of somebody whose first detections are faint, and lie `beside` in parts of the size."""
    follower = Follower(RATE, 0.3, (320, 180))
    for frame, luma in enumerate(film([Person(1, way)], TOTAL)):
        x, y, size = way(frame)
        y += beside * size * (frame < CLEAR)
        corners = np.array([[x - size / 2, y - size / 2, x + size / 2, y + size / 2]], np.float32)
        score = np.array([FAINT if frame < CLEAR else clear], np.float32)
        follower.update(luma, Detection(corners, score), frame in (0, cut))
    return finish(follower)[-1]


def covered(track: Track, frame: int) -> float:
    """Return which part of the face, top to bottom, the box of a frame holds."""
    _, y, size = way(frame)
    box = track.boxes[int(np.flatnonzero(track.frames == frame)[0])]
    low, high = max(y - size / 2, box[1] - box[3] / 2), min(y + size / 2, box[1] + box[3] / 2)
    return float(max(high - low, 0) / size)


def test_it_is_followed_back_from_where_it_is_clearly_seen() -> None:
    track = track_of(0.45)
    assert min(covered(track, frame) for frame in range(TOTAL)) > 0.9


@pytest.mark.parametrize("frame", [0, 3, CLEAR, TOTAL - 1])
def test_boxes_that_lie_well_are_no_larger_for_it(frame: int) -> None:
    track = track_of(0.0)
    assert track.boxes[frame, 2:] == pytest.approx([SIZE, SIZE], rel=0.3)


def test_nobody_is_followed_back_across_a_cut() -> None:
    track = track_of(0.45, cut=CLEAR)
    assert track.frames[0] == CLEAR
