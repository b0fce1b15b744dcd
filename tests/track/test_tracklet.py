"""Who was taken for whom."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track import tuning
from facered.track.tracklet import Tracklet
from tracklets import box, patch_of, straight, tracklet

ADA, BEN = 1, 8


def resumed(who: int, *, interrupted: bool = True, score: float = 0.9) -> Tracklet:
    """Return a track that was detected again after ten frames."""
    track = tracklet(straight(range(20)), who=ADA)
    for frame, place in straight(range(30, 50)).items():
        track.detect(frame, box(place), score, patch_of(who), 7 if interrupted and frame == 30 else None)
    return track


def test_somebody_else_who_was_seen_well_begins_a_part() -> None:
    first, second = resumed(BEN).split_identities()
    assert (first.frames[0], first.last_detected, second.first_detected, second.frames[-1]) == (0, 19, 30, 49)
    for part, who in ((first, ADA), (second, BEN)):
        assert part.detections == 20
        assert [run.key for run in part.runs] == [0 if who == ADA else 7]
        for patch in (part.first_patch, part.best_patch, part.anchor):
            np.testing.assert_array_equal(patch, patch_of(who))


@pytest.mark.parametrize(
    "track",
    [resumed(ADA), resumed(BEN, interrupted=False), resumed(BEN, score=tuning.REID_MIN_SCORE - 0.05)],
    ids=["the same face", "without interruption", "seen badly"],
)
def test_otherwise_it_is_one_person(track: Tracklet) -> None:
    assert track.split_identities() == [track]


def test_parts_of_a_shot_know_how_the_face_looked_in_it() -> None:
    track = resumed(BEN)
    part = track.clip(25, 60)
    assert part is not None
    assert [run.begin for run in part.runs] == [30]
