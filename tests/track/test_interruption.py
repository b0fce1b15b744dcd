"""Who goes on after an interruption, and what begins no track beside a known face."""

from __future__ import annotations

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track.follower import Follower
from lumas import Person, Place, film

RATE, THRESHOLD = 25.0, 0.4
ADA, BEN = 1, 8
HERE = (160.0, 90.0, 40.0)


def detection(*places: Place, scores: tuple[float, ...] = ()) -> Detection:
    boxes = [[x - size / 2, y - size / 2, x + size / 2, y + size / 2] for x, y, size in places]
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores or [0.9] * len(places), np.float32))


def interrupted(who: int, missing: int) -> Follower:
    """Return what follows Ada, who is gone for some frames, and then somebody in her place."""
    people = [
        Person(ADA, lambda frame: HERE if frame < 10 else None),
        Person(who, lambda frame: HERE if frame >= 10 + missing else None),
    ]
    follower = Follower(RATE, THRESHOLD, (320, 180))
    for frame, luma in enumerate(film(people, 15 + missing)):
        there = frame < 10 or frame >= 10 + missing
        follower.update(luma, detection(HERE) if there else detection(), not frame)
    return follower


@pytest.mark.parametrize("missing", [5, 12])
def test_somebody_else_in_the_same_place_is_a_new_track(missing: int) -> None:
    follower = interrupted(BEN, missing)
    assert sorted(tracklet.detections for tracklet in follower.active) == [5, 10]


@pytest.mark.parametrize("missing", [5, 12])
def test_who_looks_the_same_goes_on_and_may_be_told_apart_later(missing: int) -> None:
    (track,) = interrupted(ADA, missing).active
    assert track.detections == 15
    assert [run.begin for run in track.runs] == [0, 10 + missing]


def test_a_short_miss_interrupts_nothing() -> None:
    (track,) = interrupted(ADA, 2).active
    assert len(track.runs) == 1


@pytest.mark.parametrize(
    ("part", "score", "tracks"),
    [
        pytest.param((165.0, 94.0, 20.0), 0.5, 1, id="a faint part is no face"),
        pytest.param((165.0, 94.0, 20.0), 0.8, 2, id="a sure one is"),
        pytest.param((220.0, 94.0, 20.0), 0.5, 2, id="and so is a faint one elsewhere"),
    ],
)
def test_what_begins_beside_a_known_face(part: Place, score: float, tracks: int) -> None:
    follower = Follower(RATE, THRESHOLD, (320, 180))
    for frame, luma in enumerate(film([Person(ADA, lambda _: HERE)], 6)):
        found = detection(HERE) if frame < 5 else detection(HERE, part, scores=(0.9, score))
        follower.update(luma, found, not frame)
    assert len(follower.active) == tracks
