"""How far a face is followed by its patch, and where that ends."""

from __future__ import annotations

import numpy as np
import pytest

import lumas
from facered.track import tuning
from facered.track.appearance import RecentPictures
from facered.track.propagation import NO_BOXES, carry_forward, follow_backwards, followed_box
from facered.track.tracklet import Tracklet
from lumas import Person, Place, film
from tracklets import box, straight

ADA, BEN = 1, 8
HERE = (150.0, 90.0, 40.0)


def shown(pictures: list[lumas.Luma]) -> RecentPictures:
    recent = RecentPictures(np.array([320.0, 180.0]), 60)
    for picture in pictures:
        recent.push(picture)
    return recent


def seen(place: Place = HERE, who: int = ADA) -> RecentPictures:
    """Return a picture of somebody."""
    return shown(film([Person(who, lambda _: place)], 1))


def found(place: Place, likeness: float = 0.95) -> np.ndarray:
    return np.array([*box(place), likeness])


def known(best: np.ndarray, anchor: np.ndarray, place: Place = HERE) -> Tracklet:
    """Return somebody who was detected well, and then worse."""
    tracklet = Tracklet(0, best, 0)
    tracklet.detect(0, box(place), 0.9, best)
    tracklet.detect(1, box(place), 0.5, anchor)
    return tracklet


class TestAFaceIsFollowed:
    def test_where_it_looks_as_it_did(self) -> None:
        pictures = seen()
        patch = pictures.patch(box(HERE))
        there = followed_box(pictures, found(HERE), known(patch, patch), 40, NO_BOXES)
        assert there == pytest.approx(box(HERE), abs=0.5)

    @pytest.mark.parametrize(("aside", "followed"), [(0, False), (24, False), (34, True)])
    def test_not_onto_another_face(self, aside: float, followed: bool) -> None:
        pictures = seen()
        patch, other = pictures.patch(box(HERE)), box((150 + aside, 90, 40))
        assert (followed_box(pictures, found(HERE), known(patch, patch), 40, other[None]) is not None) == followed

    @pytest.mark.parametrize(("x", "followed"), [(3, True), (-3, False)])
    def test_not_out_of_the_picture(self, x: float, followed: bool) -> None:
        pictures = seen((x, 90, 40))
        patch = pictures.patch(box((x, 90, 40)))
        there = followed_box(pictures, found((x, 90, 40)), known(patch, patch), 40, NO_BOXES)
        assert (there is not None) == followed

    @pytest.mark.parametrize("factor", [1 / 2.2, 1 / 1.6, 1 / 1.4, 1.4, 1.6, 2.2])
    def test_not_where_its_size_is_another(self, factor: float) -> None:
        """It is compared with the size that it was detected with."""
        pictures = seen()
        patch = pictures.patch(box(HERE))
        there = followed_box(pictures, found(HERE), known(patch, patch), 40 / factor, NO_BOXES)
        assert (there is not None) == (1 / 1.5 < factor < 1.5)

    def test_not_where_it_is_unlike_its_last_detection(self) -> None:
        pictures = seen()
        patch, other = pictures.patch(box(HERE)), seen(who=BEN).patch(box(HERE))
        assert pictures.compare([other], box(HERE)[None])[0, 4] < tuning.MIN_NCC_ANCHOR
        assert followed_box(pictures, found(HERE), known(patch, other), 40, NO_BOXES) is None

    def test_not_where_it_is_quite_unlike_its_best_detection(self) -> None:
        """Step by step it has become somebody else, who was detected, too."""
        pictures = seen()
        patch = pictures.patch(box(HERE))
        likeness = {}
        for who in range(2, 12):
            other = seen(who=who).patch(box(HERE))
            likeness[who] = pictures.compare([other], box(HERE)[None])[0, 4]
            there = followed_box(pictures, found(HERE), known(other, patch), 40, NO_BOXES)
            assert (there is not None) == (likeness[who] >= 0.25)
        assert min(likeness.values()) < 0.2
        assert max(likeness.values()) > 0.3

    def test_to_where_its_last_detection_is_found_as_that_does_not_drift(self) -> None:
        pictures, drifted = seen(), (154.0, 88.0, 40.0)
        patch = pictures.patch(box(HERE))
        there = followed_box(pictures, found(drifted), known(patch, patch), 40, NO_BOXES)
        assert there == pytest.approx(box(HERE), abs=1)


def walking(frame: int) -> Place:
    return 60 + 3.0 * frame, 90, 40


def detected_in(pictures: RecentPictures, frame: int, back: int) -> Tracklet:
    patch = pictures.patch(box(walking(frame)), back)
    tracklet = Tracklet(0, patch, frame)
    tracklet.detect(frame, box(walking(frame)), 0.9, patch)
    return tracklet


def test_a_face_is_followed_backwards_as_far_as_is_asked_for() -> None:
    pictures = shown(film([Person(ADA, walking)], 30))
    tracklet = detected_in(pictures, 29, 0)
    follow_backwards(pictures, tracklet, 29, 20, [])
    assert tracklet.first == 9
    for frame in range(9, 29):
        assert tracklet.box_at(frame) == pytest.approx(box(walking(frame)), abs=2)


def test_a_face_is_followed_backwards_not_onto_one_that_was_there() -> None:
    pictures = shown(film([Person(ADA, walking)], 30))
    tracklet, other = detected_in(pictures, 29, 0), Tracklet(1, pictures.patch(box(HERE)), 0)
    for frame, place in straight(range(20), 60, speed=3).items():
        other.detect(frame, box(place), 0.9, other.first_patch)
    follow_backwards(pictures, tracklet, 29, 25, [other])
    assert tracklet.first == 20


@pytest.mark.parametrize("age", [1, 6])
def test_a_late_detection_is_carried_to_where_its_face_is_now_and_others_stay(age: int) -> None:
    pictures = shown(film([Person(ADA, walking)], 20))
    boxes = np.array([box(walking(19 - age)), box((250.0, 40.0, 30.0))])
    carry_forward(pictures, boxes, [0], age)
    assert boxes[0] == pytest.approx(box(walking(19)), abs=1.5)
    assert boxes[1].tolist() == box((250.0, 40.0, 30.0)).tolist()
