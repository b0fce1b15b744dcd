"""Where faces are expected: by their patches, their filters and the camera."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track.appearance import RecentPictures
from facered.track.camera import STILL
from facered.track.prediction import Predictor
from facered.track.tracklet import Tracklet
from lumas import Luma, Person, Place, Way, film, wall
from tracklets import box


def detected(pictures: RecentPictures, way: Way, key: int) -> Tracklet:
    """Return somebody who was detected in the first picture."""
    at = box(placed(way, 0))
    tracklet = Tracklet(key, pictures.patch(at), 0)
    tracklet.detect(0, at, 0.9, tracklet.first_patch)
    return tracklet


def placed(way: Way, frame: int) -> Place:
    place = way(frame)
    assert place is not None
    return place


def begun(pictures: list[Luma], ways: list[Way]) -> tuple[Predictor, RecentPictures, list[Tracklet]]:
    recent = RecentPictures(np.array(pictures[0].shape[::-1], np.float64), 9)
    recent.push(pictures[0])
    return Predictor(), recent, [detected(recent, way, key) for key, way in enumerate(ways)]


def swung(x: float, y: float) -> Way:
    """Stand somewhere while the camera swings by 6 and 2 pixels a frame."""
    return lambda frame: (x + 6 * frame, y + 2 * frame, 30)


CROWD = [swung(40 + 45 * n, 40 + 30 * (n % 3)) for n in range(6)]


def test_a_face_is_expected_where_its_patch_is_found() -> None:
    """Its filter knows of no motion yet."""
    pictures = film([Person(1, swung(100, 80))], 2)
    predictor, recent, tracklets = begun(pictures, [swung(100, 80)])
    recent.push(pictures[1])
    predictor.advance(tracklets, 1, recent)
    assert tracklets[0].predicted[:2] == pytest.approx([100, 80])
    assert predictor.place(tracklets[0])[4] > 0.9
    assert predictor.expected(tracklets[0])[:2] == pytest.approx([106, 82], abs=1)


def test_a_face_that_is_not_found_is_expected_where_its_filter_says() -> None:
    pictures = [film([Person(1, swung(100, 80))], 1)[0], film([], 1)[0]]
    predictor, recent, tracklets = begun(pictures, [swung(100, 80)])
    tracklets[0].mean[:2, 1] = 9, -4
    recent.push(pictures[1])
    predictor.advance(tracklets, 1, recent)
    assert predictor.expected(tracklets[0])[:2] == pytest.approx([109, 76])


AWAY = swung(180, 130)


def swinging(shown: int, frames: int) -> tuple[Predictor, list[Tracklet]]:
    """Follow six faces while the camera swings, and a seventh, the last one, that can be seen in a few frames only."""
    gone = Person(9, lambda frame: AWAY(frame) if frame < shown else None)
    pictures = film([*[Person(key, way) for key, way in enumerate(CROWD)], gone], frames, wall(480, 240))
    predictor, recent, tracklets = begun(pictures, [*CROWD, AWAY])
    for frame in range(1, frames):
        recent.push(pictures[frame])
        predictor.advance(tracklets, frame, recent)
        if frame == frames - 1:
            break
        for tracklet, way in zip(tracklets, [*CROWD, AWAY], strict=True):
            if tracklet.key < len(CROWD) or frame < shown:
                at = box(placed(way, frame))
                tracklet.detect(frame, at, 0.9, recent.patch(at))
    return predictor, tracklets


def test_a_face_that_is_not_found_moves_with_the_camera_as_soon_as_that_moves() -> None:
    predictor, tracklets = swinging(1, 2)
    assert predictor.expected(tracklets[-1])[:2] == pytest.approx([186, 132], abs=1)


@pytest.mark.parametrize("frames", [12, 20])
def test_a_face_that_is_lost_moves_with_the_camera(frames: int) -> None:
    predictor, tracklets = swinging(8, frames)
    assert predictor.expected(tracklets[-1])[:2] == pytest.approx(placed(AWAY, frames - 1)[:2], abs=4)


def test_a_new_shot_knows_nothing_of_the_cameras_motion() -> None:
    predictor, _ = swinging(2, 3)
    assert predictor.motion.shift == pytest.approx(6 + 2j, abs=2)
    predictor.reset()
    assert predictor.motion is STILL
