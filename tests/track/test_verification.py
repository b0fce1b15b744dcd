"""Second looks: who is looked at again, and whose face it was that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.clock import Clock
from facered.track.verification import KNOWN, Crop, best_match, due, is_certain, is_likely
from facered.track.verification import look as look_at
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


def tentative(key: int, evidence: tuple[float, ...] = (), frames: int = 1) -> Tracklet:
    made = tracklet(straight(range(frames), x=60 * key), key=key, confirmed=False, score=0.5)
    made.looks, made.evidence = len(evidence), list(evidence)
    made.last_look = 0 if evidence else -1
    return made


def waits(evidence: tuple[float, ...]) -> int:
    """Return how many frames after the last look the next one is due."""
    waiting = tentative(0, evidence, frames=100)
    return next(frame for frame in range(100) if due([waiting], frame, Clock(25.0), 4))


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
    assert len(due(waiting, 0, Clock(25.0), 4)) == 4


def test_each_look_waits_longer_than_the_one_before_up_to_a_limit() -> None:
    regular = round(tuning.LOOK_SECONDS * 25)
    assert [waits((0.5,) * looks) for looks in range(7)] == [0, *(min(wait, regular) for wait in (1, 2, 4, 8, 16, 32))]


def test_what_has_shown_nothing_waits_longer() -> None:
    regular = round(tuning.LOOK_SECONDS * 25)
    assert waits((0.1, 0.2, 0.1)) == tuning.HOPELESS_WAIT * regular
    assert waits((0.1, 0.4, 0.1)) == min(4, regular)


def test_who_is_not_measured_now_is_not_looked_at() -> None:
    assert due([tentative(0, frames=3)], 3, Clock(25.0), 4) != []
    assert due([tentative(0, frames=3)], 4, Clock(25.0), 4) == []


@pytest.mark.parametrize(
    ("evidence", "certain", "likely"),
    [
        ((), False, False),
        ((0.69,), True, True),
        ((0.67,), False, True),
        ((0.54, 0.1, 0.1), False, False),
        ((0.56, 0.55, 0.0), True, True),
        ((0.51, 0.5), False, True),
        ((0.47, 0.0, 0.46, 0.46), False, True),
        ((0.51, 0.5, 0.0, 0.5), True, True),
        ((0.43,) * 4, False, False),
        ((0.43,) * 5, False, True),
    ],
)
def test_evidence_adds_up(evidence: tuple[float, ...], certain: bool, likely: bool) -> None:
    assert (is_certain(evidence, 0.3), is_likely(evidence, 0.3)) == (certain, likely)
    halved = tuple(0.5 * score for score in evidence)
    assert (is_certain(halved, 0.15), is_likely(halved, 0.15)) == (certain, likely)
    assert not is_likely(evidence, 0.7)


@pytest.mark.parametrize(
    ("missed", "failed", "crops"), [(0, False, KNOWN[:1]), (1, False, KNOWN), (0, True, KNOWN)], ids=str
)
def test_a_known_face_is_looked_at_longer_where_it_is_lost(missed: int, failed: bool, crops: list[Crop]) -> None:
    known, seen = tracklet(straight(range(3))), []
    known.missed, known.verification_failed = missed, failed

    def verify(_: NDArray[np.float64], crop: Crop) -> Detection:
        seen.append(crop)
        return look()

    assert look_at(known, known.boxes[-1], verify, NOBODY, 0.3, once=False) is None
    assert seen == crops
