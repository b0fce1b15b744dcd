"""Which tracks are looked at again, and what the enlarged crop says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.propagation import NO_BOXES
from facered.track.verification import best_match, due
from tracklets import box, tracklet

if TYPE_CHECKING:
    from facered.track.tracklet import Tracklet
    from lumas import Place

HERE = (100.0, 90.0, 40.0)


def crop(*faces: tuple[Place, float]) -> Detection:
    corners = [(x - size / 2, y - size / 2, x + size / 2, y + size / 2) for (x, y, size), _ in faces]
    return Detection(np.array(corners, np.float32).reshape(-1, 4), np.array([s for _, s in faces], np.float32))


class TestOfTheFacesOnACrop:
    def test_the_surest_that_is_in_its_place_is_taken(self) -> None:
        match = best_match(box(HERE), crop(((98, 90, 40), 0.5), ((104, 90, 40), 0.8), ((140, 90, 40), 0.9)), NO_BOXES)
        assert match is not None
        assert match[0].tolist() == [104, 90, 40, 40]
        assert match[1] == pytest.approx(0.8)

    def test_one_beside_it_says_nothing(self) -> None:
        assert best_match(box(HERE), crop(((125, 90, 40), 0.9)), NO_BOXES) is None

    def test_none_says_nothing(self) -> None:
        assert best_match(box(HERE), crop(), NO_BOXES) is None

    @pytest.mark.parametrize(("neighbour", "taken"), [(110, False), (118, False), (130, True)])
    def test_one_that_another_face_explains_better_says_nothing(self, neighbour: float, taken: bool) -> None:
        """It lies 10 pixels beside the face, nearer to a neighbour or farther from it."""
        match = best_match(box(HERE), crop(((110, 90, 40), 0.9)), box((neighbour, 90, 40))[None])
        assert (match is not None) == taken


def doubtful(key: int, verifications: int = 0, score: float = 0.5, first: int = 0) -> Tracklet:
    made = tracklet({first: HERE}, key=key, score=score, confirmed=False)
    made.verifications = verifications
    return made


def missing(key: int, missed: int, last: int = 0) -> Tracklet:
    made = tracklet({last: HERE}, key=key)
    made.missed = missed
    return made


def keys(tracklets: list[Tracklet]) -> list[int]:
    return [made.key for made in tracklets]


def test_a_tentative_track_is_verified_after_ever_longer_whiles_and_a_few_times_only() -> None:
    track, verified = doubtful(0), []
    for frame in range(200):
        if due([track], frame):
            verified.append(frame)
            track.verifications += 1
    assert verified == [0, 1, 3, 7, 15, 31]


def test_a_confirmed_track_is_verified_when_it_is_missing_and_every_few_misses_again() -> None:
    verified = [missed for missed in range(10) if due([missing(0, missed)], 0)]
    assert verified == [1, 1 + tuning.MISSES_PER_VERIFICATION, 1 + 2 * tuning.MISSES_PER_VERIFICATION]


def test_at_most_two_are_verified_in_a_frame_those_first_that_seldom_were_and_are_sure() -> None:
    tracks = [doubtful(0, 1), doubtful(1, 0, 0.45), doubtful(2, 0, 0.55), doubtful(3, 0, 0.4)]
    assert keys(due(tracks, 40)) == [2, 1]


@pytest.mark.parametrize(("frame", "expected"), [(40, [0, 2]), (41, [2, 0])])
def test_missing_and_tentative_tracks_take_turns(frame: int, expected: list[int]) -> None:
    tracks = [doubtful(0), doubtful(1), missing(2, 1, last=3), missing(3, 1, last=9)]
    assert keys(due(tracks, frame)) == expected
