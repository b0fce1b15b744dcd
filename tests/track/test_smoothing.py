"""From the pieces of a way to a box for every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import kalman, tuning
from facered.track.cadence import Step
from facered.track.clock import Clock
from facered.track.path import CameraPath
from facered.track.shot import Shot
from facered.track.smoothing import Track, smooth_and_fill
from tracklets import straight, tracklet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.tracklet import Tracklet

RATE = 25.0
EXTENSION = round(tuning.EXTENSION_SECONDS * RATE)
GUESSED = round(tuning.MAX_FILLED_SECONDS * RATE)


def assert_held(track: Track, way: list[Tracklet]) -> None:
    """Whatever was measured lies inside the box of its frame."""
    at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    for part in way:
        backwards = [(part.frames[0] - 1 - n, box) for n, box in enumerate(part.backward_boxes)]
        for frame, box in [*zip(part.frames, part.boxes, strict=True), *backwards]:
            low, high = at[frame][:2] - at[frame][2:] / 2, at[frame][:2] + at[frame][2:] / 2
            assert (low <= box[:2] - box[2:] / 2 + 1e-6).all()
            assert (high >= box[:2] + box[2:] / 2 - 1e-6).all()


def frames_of(track: Track) -> list[int]:
    return [int(frame) for frame in track.frames]


def test_a_still_face_stays_as_it_is() -> None:
    track = smooth_and_fill([tracklet(straight(range(20, 50)))], Clock(RATE))
    assert frames_of(track) == list(range(20 - EXTENSION, 50 + EXTENSION))
    np.testing.assert_allclose(track.boxes[:, :2], [[100, 90]] * len(track.boxes), atol=1e-6)
    np.testing.assert_allclose(track.boxes[EXTENSION:-EXTENSION, 2:], 40, atol=1e-6)
    assert (track.first_detected, track.detections, track.keys) == (20, 30, (0,))
    assert track.score == pytest.approx(0.9)


def test_pieces_make_one_track() -> None:
    way = [
        tracklet(straight(range(20, 30), speed=2), key=3, score=0.5),
        tracklet(straight(range(36, 50), speed=2), backward=[(100 + 2 * 35, 90, 40)], key=7, score=0.8),
    ]
    track = smooth_and_fill(way, Clock(RATE))
    assert frames_of(track) == list(range(20 - EXTENSION, 50 + EXTENSION))
    assert (track.first_detected, track.detections, track.keys) == (20, 24, (3, 7))
    assert track.score == pytest.approx(0.8)
    inner = track.boxes[EXTENSION:-EXTENSION]
    np.testing.assert_allclose(inner[:, 0], 100 + 2 * np.arange(20, 50), atol=1)
    assert_held(track, way)


class TestGaps:
    @pytest.mark.parametrize("missing", [1, GUESSED])
    def test_are_filled(self, missing: int) -> None:
        frames = [*range(20, 40), *range(40 + missing, 60 + missing)]
        track = smooth_and_fill([tracklet(straight(frames, speed=2))], Clock(RATE))
        assert frames_of(track) == list(range(20 - EXTENSION, 60 + missing + EXTENSION))
        inner = track.boxes[EXTENSION:-EXTENSION]
        np.testing.assert_allclose(inner[:, 0], 100 + 2 * np.arange(20, 60 + missing), atol=2)

    @pytest.mark.parametrize("rate", [10.0, 25.0, 50.0])
    def test_that_are_too_long_are_not_but_for_the_extensions(self, rate: float) -> None:
        missing, near = round(tuning.MAX_FILLED_SECONDS * rate) + 1, max(1, round(tuning.EXTENSION_SECONDS * rate))
        track = smooth_and_fill([tracklet(straight([*range(20, 40), *range(40 + missing, 60 + missing)]))], Clock(rate))
        absent = set(range(20, 60 + missing)) - set(frames_of(track))
        assert absent == set(range(40 + near, 40 + missing - near))

    def test_that_are_too_long_remain_though_the_shot_fades_away(self) -> None:
        missing = 3 * GUESSED
        way = [tracklet(straight([*range(20, 40), *range(40 + missing, 60 + missing)]))]
        way[0].shot = Shot(0, 60 + missing, 0, 60 + missing + GUESSED)
        absent = set(range(20, 60 + missing)) - set(frames_of(smooth_and_fill(way, Clock(RATE))))
        assert absent == set(range(40 + EXTENSION, 40 + missing - EXTENSION))

    @pytest.mark.parametrize("pixel", [1.0, 6.0])
    def test_are_a_pixel_of_the_small_pictures_larger_where_the_face_is_only_followed(self, pixel: float) -> None:
        frames = range(20, 60)
        way = [tracklet(straight(frames), followed=range(25, 55))]
        sharp, blurred = (smooth_and_fill(way, Clock(RATE), side).boxes for side in (0.0, pixel))
        more = (blurred - sharp)[EXTENSION : EXTENSION + len(frames)]
        np.testing.assert_allclose(more[:5, 2:], 0, atol=1e-9)
        np.testing.assert_allclose(more[15:25, 2:], 2 * pixel)
        np.testing.assert_allclose(more[:, :2], 0, atol=1e-9)

    def test_have_boxes_that_grow_away_from_detections(self) -> None:
        widths = smooth_and_fill(
            [tracklet(straight([*range(10), *range(9 + 2 * tuning.MAX_GROWTH_FRAMES, 40)]))], Clock(RATE)
        ).boxes[:, 2]
        away = np.maximum(np.arange(tuning.MAX_GROWTH_FRAMES) - round(tuning.STEADY_SECONDS * RATE), 0)
        np.testing.assert_allclose(
            widths[9 : 9 + tuning.MAX_GROWTH_FRAMES], 40 * (1 + tuning.GROWTH_PER_FRAME * away), rtol=0.02
        )
        assert widths.max() <= 40 * (1 + tuning.GROWTH_PER_FRAME * tuning.MAX_GROWTH_FRAMES) * 1.02

    @pytest.mark.parametrize("every", [2, 5])
    def test_between_detections_that_follow_closely_nothing_pulsates(self, every: int) -> None:
        way = [tracklet(straight(range(61)), followed=[frame for frame in range(61) if frame % every])]
        np.testing.assert_allclose(smooth_and_fill(way, Clock(RATE)).boxes[:61, 2], 40, rtol=1e-3)

    def test_filled_by_patches_grow_too(self) -> None:
        way = [tracklet(straight(range(60)), followed=range(20, 40))]
        widths = smooth_and_fill(way, Clock(RATE)).boxes[:, 2]
        assert widths[30] > widths[27] > widths[19] == pytest.approx(40, rel=1e-3)


class TestEnds:
    @pytest.mark.parametrize(
        ("shot", "first", "last"),
        [
            (Shot(0, 999, 0, 999), 20 - EXTENSION, 49 + EXTENSION),
            (Shot(18, 51, 18, 51), 18, 51),
            (Shot(20, 49, 20, 49), 20, 49),
            pytest.param(Shot(18, 51, 3, 70), 3, 70, id="until nothing of the shot is seen"),
            pytest.param(Shot(0, 99, 0, 130), 20 - EXTENSION, 49 + EXTENSION, id="the shot fades away much later"),
        ],
    )
    def test_stay_in_the_shot(self, shot: Shot, first: int, last: int) -> None:
        track = smooth_and_fill([tracklet(straight(range(20, 50)), shot=shot)], Clock(RATE))
        assert frames_of(track) == list(range(first, last + 1))

    def test_move_on_and_slow_down(self) -> None:
        track = smooth_and_fill([tracklet(straight(range(20, 50), speed=3), shot=Shot(0, 50, 0, 80))], Clock(RATE))
        steps = np.diff(track.boxes[:, 0])
        assert (steps >= 0).all()
        assert (np.diff(steps[EXTENSION + 30 :]) <= 1e-9).all()
        assert steps[-1] < 0.2 * 3

    @pytest.mark.parametrize("length", [1, 2, 3])
    def test_of_short_pieces_are_sound(self, length: int) -> None:
        track = smooth_and_fill([tracklet(straight(range(20, 20 + length), speed=5))], Clock(RATE))
        assert frames_of(track) == list(range(20 - EXTENSION, 20 + length + EXTENSION))
        assert np.isfinite(track.boxes).all()


class TestNothingMeasuredIsBare:
    @pytest.mark.parametrize("seed", range(5))
    def test_where_detections_jitter(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        places = {
            frame: (100 + 2 * frame + rng.normal(0, 3), 90 + rng.normal(0, 3), 40 * np.exp(rng.normal(0, 0.1)))
            for frame in range(40)
            if rng.random() < 0.7
        }
        followed = [frame for frame in list(places)[1:] if rng.random() < 0.3]
        way = [tracklet(places, followed, backward=[(100 - 2 * n, 92, 44) for n in range(1, 1 + min(places))])]
        assert_held(smooth_and_fill(way, Clock(RATE)), way)

    def test_where_two_pieces_overlap(self) -> None:
        """Something passes, and the face is detected at both sides of it."""
        way = [
            tracklet(straight(range(10, 33)), key=0),
            tracklet(straight(range(30, 60), x=112, y=94), key=1),
        ]
        assert_held(smooth_and_fill(way, Clock(RATE)), way)

    def test_where_one_piece_is_followed_while_the_other_is_detected(self) -> None:
        way = [
            tracklet(straight(range(10, 40)), followed=range(30, 40), key=0),
            tracklet(straight(range(32, 60), x=104), key=1),
        ]
        track = smooth_and_fill(way, Clock(RATE))
        at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
        for frame, place in straight(range(32, 60), x=104).items():
            assert at[frame][0] - at[frame][2] / 2 <= place[0] - 20 + 1e-6
            assert at[frame][0] + at[frame][2] / 2 >= place[0] + 20 - 1e-6


def test_smoothing_takes_the_jitter_but_no_real_movement() -> None:
    rng = np.random.default_rng(1)
    truth: NDArray[np.float64] = 100 + 60 * np.sin(np.arange(80) / 12)
    jitter = rng.normal(0, kalman.DETECTION_DEVIATION * 40, 80)
    places = {frame: (float(x), 90.0, 40.0) for frame, x in enumerate(truth + jitter)}
    smooth = smooth_and_fill([tracklet(places)], Clock(RATE)).boxes[:80, 0]
    assert np.abs(smooth - truth).mean() < 0.75 * np.abs(jitter).mean()
    assert np.abs(np.diff(smooth, 2)).mean() < 0.6 * np.abs(np.diff(truth + jitter, 2)).mean()


@pytest.mark.parametrize(
    ("score", "growth"),
    [(0.9, 1.0), (tuning.FITTING_SCORE, 1.0), (tuning.LOOSE_SCORE, 1 + tuning.GROWTH_WHERE_FAINT), (0.1, 1.25)],
)
def test_the_fainter_a_face_was_detected_the_larger_its_box(score: float, growth: float) -> None:
    track = smooth_and_fill([tracklet(straight(range(20, 50)), score=score)], Clock(RATE))
    np.testing.assert_allclose(track.boxes[EXTENSION:-EXTENSION, 2:], 40 * growth, rtol=1e-6)


def test_who_is_faint_at_times_has_a_larger_box_then() -> None:
    part = tracklet(straight(range(20, 60)))
    part.scores[20:] = [tuning.LOOSE_SCORE] * 20
    widths = smooth_and_fill([part], Clock(RATE)).boxes[EXTENSION:-EXTENSION, 2]
    np.testing.assert_allclose(widths[[0, 15, 25, 39]], [40, 40, 50, 50], rtol=1e-6)


def test_who_begins_to_leave_suddenly_is_hidden_where_that_leads() -> None:
    places = straight(range(20, 40)) | {40: (125.0, 90.0, 40.0)}
    track = smooth_and_fill([tracklet(places)], Clock(RATE))
    at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    assert at[41][0] + at[41][2] / 2 > 125 + 25 + 10
    assert at[41][0] - at[41][2] / 2 < 125 - 10  # or stays


def test_who_leaves_suddenly_before_a_gap_is_hidden_where_that_leads() -> None:
    places = straight(range(20, 40)) | {40: (125.0, 90.0, 40.0)} | straight(range(48, 60), x=60)
    track = smooth_and_fill([tracklet(places)], Clock(RATE))
    at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    assert at[41][0] + at[41][2] / 2 > 125 + 25 + 10
    assert at[43][0] - at[43][2] / 2 < 110


def test_within_a_repeated_picture_nobody_moves() -> None:
    path = CameraPath(np.array([640.0, 360.0]))
    for frame in range(60):
        path.add(frame, Step(repeats=frame % 6 > 0))
    places = {frame: (100.0 + 24 * (frame // 6), 90.0, 40.0) for frame in range(60)}
    track = smooth_and_fill([tracklet(places)], Clock(RATE), path=path)
    at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    for frame in range(15, 50, 6):  # in the middle of the repeats
        assert at[frame][0] == pytest.approx(places[frame][0], abs=1)
        assert at[frame][2] == pytest.approx(40, abs=2)


@pytest.mark.parametrize(
    ("score", "size", "seconds", "least", "most"),
    [(0.4, 30, 2, 40, 44), (0.58, 30, 2, 30, 36), (0.4, 30, 5, 30, 37), (0.4, 10, 2, 10, 17)],
    ids=["faint", "well enough", "long after", "another size"],
)
def test_a_face_that_was_seen_well_is_no_smaller_when_it_is_seen_faintly(
    score: float, size: float, seconds: float, least: float, most: float
) -> None:
    """Detectors see a part of it then; but who was seen long ago may have become smaller, and must not swell."""
    bowing = tracklet(straight(range(20), size=40), score=0.9)
    for frame, place in straight(range(20, 20 + 6 * int(RATE)), size=size).items():
        bowing.detect(frame, np.array([*place, size], np.float64), score, bowing.anchor)
    track = smooth_and_fill([bowing], Clock(RATE))
    (width,) = track.boxes[track.frames == 19 + seconds * RATE, 2]
    assert least <= width <= most
