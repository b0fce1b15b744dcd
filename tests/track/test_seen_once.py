"""What a follower believes of faces that it sees in one frame only."""

from __future__ import annotations

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.verification import SEEN_ONCE, Crop
from lumas import wall

SIZE = 320, 180
FACES = 6


def detection(score: float) -> Detection:
    left = 10 + 50 * np.arange(FACES, dtype=np.float32)
    boxes = np.stack([left, np.full_like(left, 60), left + 30, np.full_like(left, 100)], axis=1)
    return Detection(boxes, np.full(FACES, score, np.float32))


class Crops:
    """Verifies a face: the crops show it again, each with its score."""

    def __init__(self, *scores: float) -> None:
        self._scores, self.asked = scores, 0

    def __call__(self, box: np.ndarray[tuple[int, ...], np.dtype[np.float64]], crop: Crop) -> Detection:
        self.asked += 1
        score = self._scores[SEEN_ONCE.index(crop) % len(self._scores)]
        half = np.array([15, 20])
        corners = np.concatenate([box[:2] - half, box[:2] + half])[None].astype(np.float32)
        return Detection(corners, np.array([score], np.float32))


def found(rate: float, score: float, crops: Crops | None, *, ends: bool = False, at: int = 0, frames: int = 1) -> int:
    """Return how many people there are for certain who are detected in frame `at` alone."""
    follower = Follower(rate, 0.3, SIZE)
    for frame in range(frames):
        seen = detection(score) if frame == at else Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32))
        luma = wall() if frame != at else 255 - wall()
        follower.update(luma, seen, frame == 0, crops if frame == at else None, ends_shot=ends and frame == at)
    return sum(not track.doubtful for track in finish(follower))


def test_one_good_detection_is_enough_in_the_only_frame_of_a_shot() -> None:
    assert found(25, tuning.CONFIRMING_SCORE + 0.05, None, ends=True) == FACES
    assert found(25, tuning.CONFIRMING_SCORE + 0.05, None) == 0
    assert found(25, tuning.CONFIRMING_SCORE - 0.05, None, ends=True) == 0


@pytest.mark.parametrize(("rate", "expected"), [(1, FACES), (6, FACES), (12, 0)])
def test_and_where_there_are_few_frames_a_second(rate: float, expected: int) -> None:
    assert found(rate, tuning.CONFIRMING_SCORE + 0.05, None, at=2, frames=5) == expected


def test_all_that_is_doubtful_is_verified_where_a_shot_ends() -> None:
    crops = Crops(0.9)
    assert found(25, 0.4, crops, at=3, frames=4, ends=True) == FACES
    assert crops.asked == FACES
    crops = Crops(0.9)
    assert found(25, 0.4, crops, at=3, frames=4) == crops.asked == tuning.MAX_VERIFICATIONS_PER_FRAME


def test_the_more_is_verified_the_fewer_frames_a_second_there_are() -> None:
    crops = Crops(0.9)
    assert found(20, 0.4, crops, at=1, frames=8) == crops.asked == tuning.MAX_VERIFICATIONS_PER_FRAME * 25 // 20


@pytest.mark.parametrize(
    ("scores", "expected", "asked"),
    [((0.9,), FACES, 1), ((0.1,), 0, len(SEEN_ONCE)), ((0.1, 0.1, 0.1, 0.1, 0.69, 0.1), FACES, 5)],
)
def test_what_is_seen_once_is_verified_in_more_than_one_view(
    scores: tuple[float, ...], expected: int, asked: int
) -> None:
    crops = Crops(*scores)
    assert found(25, 0.4, crops, ends=True) == expected
    assert crops.asked == asked * FACES
