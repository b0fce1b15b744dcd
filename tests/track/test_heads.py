"""Who bows or turns away goes on being hidden, by head and shoulders, for as long as these are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.appearance import RecentPictures
from facered.track.cadence import Step
from facered.track.clock import Clock
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.path import CameraPath
from facered.track.propagation import follow_heads
from facered.track.smoothing import measurements, smooth_and_fill
from lumas import Person, film
from tracklets import box, patch_of, straight, tracklet

if TYPE_CHECKING:
    from facered.track.smoothing import Track
    from facered.track.tracklet import Tracklet
    from lumas import Luma, Place, Way

RATE = 25.0
SIZE = 30.0
LAST, TURNED, TOTAL = 30, 33, 75
"""The last detection, the frame from which no features are seen, and how many frames there are."""
LOST = round(tuning.MAX_LOST_SECONDS * RATE)
EXTENSION = round(tuning.EXTENSION_SECONDS * RATE)
FACE, AWAY, BODY = 1, 8, 4


def walking(frame: int) -> Place:
    """Return where the face is: it goes on to the right, ever the same."""
    return 80 + 2.0 * frame, 70, SIZE


def standing(_: int) -> Place:
    return 160, 70, SIZE


def leaving(frame: int) -> Place:
    """Return where a face is that has half left the picture when it turns away, and stays there."""
    return min(250 + 2.0 * frame, 307), 70, SIZE


def person(way: Way, until: int = TOTAL, features_until: int = TURNED) -> list[Person]:
    """Return somebody who turns away: shoulders and head, which stay, and features on it, which go."""

    def here(frame: int) -> Place | None:
        return way(frame) if frame < until else None

    def body(frame: int) -> Place | None:
        place = here(frame)
        return place and (place[0], place[1] + 0.3 * SIZE, 2.6 * SIZE)

    def features(frame: int) -> Place | None:
        place = here(frame) if frame < features_until else None
        return place and (place[0], place[1], 0.85 * SIZE)

    def behind(frame: int) -> Place | None:
        place = here(frame) if frame >= features_until else None
        return place and (place[0], place[1], 0.85 * SIZE)

    return [Person(BODY, body), Person(FACE, features), Person(AWAY, behind)]


def track_of(pictures: list[Luma], way: Way) -> Track:
    """Return what is known of somebody who is detected until `LAST`."""
    follower = Follower(RATE, 0.4, (320, 180))
    for frame, luma in enumerate(pictures):
        x, y, size = way(frame) or (0, 0, 0)
        corners = np.array([[x - size / 2, y - size / 2, x + size / 2, y + size / 2]], np.float32)[: frame <= LAST]
        follower.update(luma, Detection(corners, np.full(len(corners), 0.9, np.float32)), not frame)
    (track,) = finish(follower)
    return track


def hidden(track: Track, way: Way) -> set[int]:
    """Return the frames in which what is hidden lies where the face is."""
    places = [np.array(way(int(frame)))[:2] for frame in track.frames]
    off = np.hypot(*(track.boxes[:, :2] - places).T)
    return set(track.frames[off < 0.25 * SIZE].tolist())


@pytest.mark.parametrize("way", [standing, walking])
def test_who_turns_away_is_hidden_as_long_as_they_are_looked_for(way: Way) -> None:
    track = track_of(film(person(way), TOTAL), way)
    assert set(range(TURNED + LOST)) <= hidden(track, way)


def test_who_has_gone_is_not() -> None:
    assert track_of(film(person(standing, until=TURNED + 2), TOTAL), standing).frames[-1] <= TURNED + 2 + EXTENSION


def test_who_is_seen_in_part_at_the_border_is_leaving() -> None:
    assert track_of(film(person(leaving), TOTAL), leaving).frames[-1] <= TURNED + EXTENSION


def lost(**known: bool) -> tuple[RecentPictures, Tracklet]:
    """Return ten equal pictures of somebody, and a track that was detected in the first eight; the ninth is asked."""
    pictures = RecentPictures(np.array([320.0, 180.0]), 20)
    for luma in film(person(standing), 10):
        pictures.push(luma)
    return pictures, tracklet(straight(range(8), 160, 70, SIZE), **known)


def test_the_head_is_found_in_the_frame_after() -> None:
    pictures, track = lost()
    follow_heads(pictures, [track], 8)
    assert track.head_boxes[8] == pytest.approx(box(standing(8)), abs=0.5)
    assert (track.last, track.frames[-1]) == (8, 7)


def test_what_may_be_no_face_is_not_followed_by_its_head() -> None:
    pictures, track = lost(confirmed=False)
    follow_heads(pictures, [track], 8)
    assert not track.head_boxes


def test_a_head_ends_at_another_face() -> None:
    pictures, track = lost()
    other = tracklet(straight(range(9), 165, 70, SIZE), key=1)
    follow_heads(pictures, [track, other], 8)
    assert not track.head_boxes


def test_a_head_that_was_lost_stays_lost() -> None:
    pictures, track = lost()
    follow_heads(pictures, [track], 9)
    assert not track.head_boxes


def test_a_head_must_look_as_it_did_when_the_face_was_detected() -> None:
    """It changes little from frame to frame, and altogether becomes another."""
    pictures = RecentPictures(np.array([320.0, 180.0]), 40)
    first, last = (
        film([Person(BODY, lambda _: (160, 79, 78))], 1)[0],
        film([Person(FACE, lambda _: (160, 79, 78))], 1)[0],
    )
    track = tracklet(straight(range(2), 160, 70, SIZE))
    for frame, share in enumerate([0, 0, 0, *np.linspace(0, 1, 25)]):
        pictures.push(np.round(first * (1 - share) + last * share).astype(np.uint8))
        if frame > 2:
            follow_heads(pictures, [track], frame - 1)
    assert 5 < track.last < 24


def test_in_a_repeated_picture_a_head_is_where_it_was() -> None:
    pictures, track = lost()
    pictures.push(film([], 1)[0], Step(repeats=True))
    pictures.push(film([], 1)[0])
    track.head_boxes[8] = box(standing(8))
    follow_heads(pictures, [track], 9)
    assert track.head_boxes[9].tolist() == track.head_boxes[8].tolist()


def test_a_head_jumps_with_the_camera() -> None:
    def jumping(frame: int) -> Place:
        return (160 if frame < 8 else 240), 70, SIZE

    pictures = RecentPictures(np.array([320.0, 180.0]), 20)
    for frame, luma in enumerate(film(person(jumping), 10)):
        pictures.push(luma, Step(shift=np.array([0.25, 0])) if frame == 8 else None)
    track = tracklet(straight(range(8), 160, 70, SIZE))
    follow_heads(pictures, [track], 8)
    assert track.head_boxes[8] == pytest.approx(box(jumping(8)), abs=1)


def with_heads(frames: range, x: float, **rest: int) -> Tracklet:
    """Return a track whose head was found elsewhere in some frames."""
    track = tracklet(straight(range(10), 100), **rest)
    track.head_boxes = {frame: box((x, 90, 40)) for frame in frames}
    return track


def test_a_head_goes_on_with_a_track() -> None:
    track = smooth_and_fill([with_heads(range(10, 20), 100)], Clock(RATE))
    assert track.frames[-1] == 19 + EXTENSION


def test_a_head_counts_only_in_gaps_that_nothing_else_fills() -> None:
    filled = round(tuning.MAX_FILLED_SECONDS * RATE)
    for gap, reached in ((filled, False), (filled + 1, True)):
        way = [with_heads(range(10, 20), 130), tracklet(straight(range(10 + gap, 60)), key=1)]
        track = smooth_and_fill(way, Clock(RATE))
        assert (track.boxes[track.frames == 15, 0] > 120).all() == reached


def test_heads_are_forgotten_with_what_they_followed() -> None:
    for change, kept in (
        (lambda track: track.drop_tail(), []),
        (lambda track: track.drop_before(9), [12, 13]),
        (lambda track: track.clip(5, 12), [12]),
        (lambda track: track.clip(5, 99), [12, 13]),
    ):
        track = with_heads(range(12, 14), 100)
        assert list((change(track) or track).head_boxes) == kept
    early = with_heads(range(3, 5), 100)
    early.drop_before(8)
    assert not early.head_boxes


def test_a_person_keeps_the_head_when_the_track_is_split() -> None:
    track = with_heads(range(42, 44), 100, who=FACE)
    for frame, place in straight(range(30, 40)).items():
        track.detect(frame, box(place), 0.9, patch_of(AWAY), 7 if frame == 30 else None)
    assert [list(part.head_boxes) for part in track.split_identities()] == [[], [42, 43]]


def test_the_jumps_of_a_camera_are_taken_out_of_heads_as_well() -> None:
    path = CameraPath(np.array([320.0, 180.0]))
    path.add(11, Step(shift=np.array([0.25, 0])))
    track = with_heads(range(10, 13), 100)
    assert [box[0] for box in path.steady(track).head_boxes.values()] == [100, 20, 20]


def test_what_is_left_of_a_tracklet_may_begin_with_a_head() -> None:
    """As live, where what is long past is left out."""
    track = tracklet(straight([*range(5), *range(60, 70)]))
    track.head_boxes = {frame: box((100, 90, 44)) for frame in range(5, 40)}
    left = track.clip(30, 69)
    assert left is not None
    left.shot = track.shot
    first, boxes, deviations, _ = measurements([left], Clock(RATE))
    assert first == 30
    assert len(boxes) == 40
    assert (deviations[:10] > 0).all()
    assert boxes[5, 2] == 44
    assert not deviations[11:30].any()
