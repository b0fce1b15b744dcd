"""Who was taken for whom."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track.tracklet import SEEN_WELL, Tracklet
from pieces import box, looks, piece, straight

ADA, BEN = 1, 8


def resumed(who: int, *, interrupted: bool = True, score: float = 0.9) -> Tracklet:
    """Return a track that was detected again after ten frames."""
    track = piece(straight(range(20)), who=ADA)
    for frame, place in straight(range(30, 50)).items():
        track.detect(frame, box(place), score, looks(who), 7 if interrupted and frame == 30 else None)
    return track


def test_somebody_else_who_was_seen_well_begins_a_part() -> None:
    first, second = resumed(BEN).by_person()
    assert (first.frames[0], first.last_detected, second.first_detected, second.frames[-1]) == (0, 19, 30, 49)
    for part, who in ((first, ADA), (second, BEN)):
        assert part.detections == 20
        assert [spell.key for spell in part.spells] == [0 if who == ADA else 7]
        for patch in (part.first_patch, part.best_patch, part.anchor):
            np.testing.assert_array_equal(patch, looks(who))


@pytest.mark.parametrize(
    "track",
    [resumed(ADA), resumed(BEN, interrupted=False), resumed(BEN, score=SEEN_WELL - 0.05)],
    ids=["the same face", "without interruption", "seen badly"],
)
def test_otherwise_it_is_one_person(track: Tracklet) -> None:
    assert track.by_person() == [track]


def test_parts_of_a_shot_know_how_the_face_looked_in_it() -> None:
    track = resumed(BEN)
    part = track.part(25, 60)
    assert part is not None
    assert [spell.begin for spell in part.spells] == [30]
