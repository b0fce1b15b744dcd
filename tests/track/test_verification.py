"""Second looks: who is looked at again, and whose face it was that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.verification import best_match, due
from tracklets import box, straight, tracklet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.tracklet import Tracklet
    from lumas import Place

NOBODY = np.empty((0, 4))
HERE = (100.0, 90.0, 40.0)


def look(*places: Place, scores: tuple[float, ...] = ()) -> Detection:
    boxes = [[x - size / 2, y - size / 2, x + size / 2, y + size / 2] for x, y, size in places]
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores or [0.9] * len(places), np.float32))


def tentative(key: int, verifications: int = 0) -> Tracklet:
    made = tracklet(straight([0], x=60 * key), key=key, confirmed=False, score=0.5)
    made.verifications = verifications
    return made


def middle(match: tuple[NDArray[np.float64], float] | None) -> float | None:
    return None if match is None else float(match[0][0])


def test_the_face_in_the_place_is_the_one() -> None:
    assert middle(best_match(box(HERE), look((103, 90, 40)), NOBODY)) == 103
    assert best_match(box(HERE), look(), NOBODY) is None


def test_a_face_beside_it_is_not() -> None:
    assert best_match(box(HERE), look((135, 90, 40)), NOBODY) is None


def test_the_best_of_several_is_taken() -> None:
    seen = look((104, 90, 40), (98, 90, 40), (160, 90, 40), scores=(0.5, 0.8, 0.95))
    assert middle(best_match(box(HERE), seen, NOBODY)) == 98


def test_what_another_face_explains_better_says_nothing() -> None:
    assert middle(best_match(box(HERE), look((112, 90, 40)), NOBODY)) == 112
    assert best_match(box(HERE), look((112, 90, 40)), box((114, 90, 40))[None]) is None
    assert middle(best_match(box(HERE), look((104, 90, 40)), box((130, 90, 40))[None])) == 104


def test_a_few_are_looked_at_in_a_frame() -> None:
    waiting = [tentative(key) for key in range(6)]
    assert len(due(waiting, 0)) == tuning.MAX_VERIFICATIONS_PER_FRAME < 6


@pytest.mark.parametrize("verifications", [0, 1, 2, 3, 4])
def test_each_look_waits_longer_than_the_one_before(verifications: int) -> None:
    frames = [frame for frame in range(40) if due([tentative(0, verifications)], frame)]
    assert frames[0] == 2**verifications - 1


def test_nobody_is_looked_at_for_ever() -> None:
    assert due([tentative(0, tuning.MAX_VERIFICATIONS)], 1000) == []
