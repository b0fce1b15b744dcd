"""Cameras that repeat pictures and jump."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track.appearance import RecentPictures
from facered.track.boxes import iou
from facered.track.cadence import Cadence, Step, shift
from facered.track.changes import Changes
from facered.track.cuts import CutDetector, cell_means
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.propagation import carry_forward
from facered.track.smoothing import Track
from lumas import Luma, Person, film, texture
from tracklets import box

RATE = 25.0
WIDE, HIGH = 320, 180
WORLD = texture(77, 900, 500, 60, 70, 170)
WAY = (0, 34, -28, 41, 5, -39, 22, -30, 37, 0)
"""Where the camera is, in pixels, picture by picture."""


def view(x: float, y: float = 0, world: Luma = WORLD) -> Luma:
    return world[150 + int(y) : 150 + int(y) + HIGH, 250 + int(x) : 250 + int(x) + WIDE]


def compressed(picture: Luma, seed: int, deviation: float = 1.0) -> Luma:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def jerky(times: int, way: tuple[int, ...] = WAY) -> list[Luma]:
    """Return what the camera shows, each picture a few times, and never twice the same to the bit."""
    return [compressed(view(x), times * n + again) for n, x in enumerate(way) for again in range(times)]


def repeats(pictures: list[Luma]) -> list[bool]:
    cadence = Cadence()
    return [cadence.push(cell_means(picture)) for picture in pictures]


@pytest.mark.parametrize("times", [2, 3, 4, 6])
def test_repeats_are_known_from_the_first_jump_on(times: int) -> None:
    assert repeats(jerky(times)) == [False] * times + [n > 0 for n in range(times)] * (len(WAY) - 1)


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param([view(3 * n) for n in range(30)], id="a pan"),
        pytest.param([compressed(view(0), n) for n in range(30)], id="a still"),
        pytest.param([view(0)] * 10 + [compressed(view(200, 90), n) for n in range(20)], id="a cut to a still"),
        pytest.param([(view(2 * n) // 64).astype(np.uint8) for n in range(30)], id="a pan in the dark"),
    ],
)
def test_where_pictures_do_not_jump_none_is_a_repeat(pictures: list[Luma]) -> None:
    assert not any(repeats(pictures))


def test_a_camera_that_stops_repeats_nothing_for_long() -> None:
    found = repeats([*jerky(3), *(compressed(view(60), n) for n in range(40))])
    assert sum(found[3 * len(WAY) :]) == 5


@pytest.mark.parametrize(("dx", "dy"), [(20, 0), (-33, 18), (64, -40), (0, 3)])
def test_how_far_it_jumps_is_told(dx: int, dy: int) -> None:
    moved = shift(cell_means(view(0)), cell_means(view(dx, dy)))
    assert moved is not None
    assert moved * [WIDE, HIGH] == pytest.approx([-dx, -dy], abs=1.5)


@pytest.mark.parametrize("seed", range(8))
def test_pictures_of_other_things_have_not_moved(seed: int) -> None:
    assert shift(cell_means(view(0)), cell_means(view(0, 0, texture(seed, 900, 500, 60, 70, 170)))) is None


def cuts(pictures: list[Luma]) -> list[int]:
    detector = CutDetector(RATE)
    answers = [detector.push(picture) for picture in pictures]
    found = [answer for answer in answers if answer is not None] + detector.flush()
    return [frame for frame, cut in enumerate(found) if cut]


FAR = (-240, -140, -40, 60, 160, 260)
"""Jumps too far for a camera that does not repeat."""


def test_its_jumps_are_no_cuts() -> None:
    assert cuts(jerky(3, FAR)) == []


def test_without_repeats_such_jumps_are_cuts() -> None:
    assert cuts([picture for x in (0, 95) for picture in [view(x)] * 30]) == [30]


def test_its_cuts_are_cuts() -> None:
    other = texture(3, 900, 500, 60, 70, 170)
    after = [compressed(view(x, 0, other), n) for x in WAY for n in range(3)]
    assert cuts([*jerky(3), *after]) == [3 * len(WAY)]


def place(frame: int, times: int = 3) -> tuple[float, float, float]:
    """Return where somebody is who stands before a camera that shows each picture so many times."""
    return 160.0 - WAY[frame // times], 90.0, 30.0


def filmed(
    way: Callable[[int], tuple[float, float, float]], frames: int, seen: set[int]
) -> tuple[Follower, list[Track]]:
    """Follow somebody who is detected in some frames."""
    follower = Follower(RATE, 0.3, (WIDE, HIGH))
    none = Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32))
    backgrounds = jerky(3)
    for frame in range(frames):
        luma = film([Person(1, lambda _, frame=frame: way(frame))], 1, backgrounds[frame])[0]  # type: ignore[misc]
        x, y, size = way(frame)
        corners = np.array([[x - size / 2, y - size / 2, x + size / 2, y + size / 2]], np.float32)
        found = Detection(corners, np.array([0.9], np.float32)) if frame in seen else none
        follower.update(luma, found, not frame)
    return follower, finish(follower)


def assert_held(track: Track, way: Callable[[int], tuple[float, float, float]], frames: range) -> None:
    at = dict(zip(track.frames.tolist(), track.boxes, strict=True))
    assert [n for n in frames if n not in at or iou(box(way(n)), at[n][None])[0] < 0.45] == []


@pytest.mark.parametrize("seen", [{0, 1}, {28, 29}, {12, 13}, {0, 1, 28, 29}])
def test_a_face_is_followed_through_the_jumps(seen: set[int]) -> None:
    _, tracks = filmed(place, 30, seen)
    assert len(tracks) == 1
    assert_held(tracks[0], place, range(30))


def test_who_moves_with_the_camera_is_found_too() -> None:
    def along(frame: int) -> tuple[float, float, float]:
        return 120.0 + 4 * (frame // 3), 90.0, 30.0

    _, tracks = filmed(along, 30, {0, 1, 15, 29})
    assert len(tracks) == 1
    assert_held(tracks[0], along, range(30))


def test_a_repeated_picture_leaves_boxes_where_they_are() -> None:
    follower, _ = filmed(place, 30, set(range(0, 30, 3)))
    (tracklet,) = follower.active
    at = dict(zip(tracklet.frames, tracklet.boxes, strict=True))
    for frame in range(4, 30):
        assert (at[frame] == at[frame - frame % 3]).all()


def test_nobody_is_seen_in_the_place_of_the_next_picture_before_it_comes() -> None:
    """A filter that takes every frame for a step would move the face during the repeats."""
    _, tracks = filmed(place, 30, set(range(0, 30, 3)))
    at = dict(zip(tracks[0].frames.tolist(), tracks[0].boxes, strict=True))
    for frame in range(4, 27, 3):  # in the middle of the repeats
        assert at[frame][:2] == pytest.approx(place(frame)[:2], abs=3)
        assert at[frame][2] < 1.5 * 30


def test_late_detections_are_brought_forward_across_a_jump() -> None:
    pictures, changes = (
        RecentPictures(np.array([WIDE, HIGH], np.float64), 20),
        Changes(np.array([WIDE, HIGH], np.float64)),
    )
    for frame, background in enumerate(jerky(3)[:14]):
        luma = film([Person(1, lambda _, frame=frame: place(frame))], 1, background)[0]  # type: ignore[misc]
        changes.push(luma)
        pictures.push(luma, changes.step)
    boxes = box(place(3))[None].copy()
    carry_forward(pictures, boxes, [0], 10)
    assert boxes[0, :2] == pytest.approx(place(13)[:2], abs=2)


def test_a_step_of_no_jump_is_an_ordinary_one() -> None:
    assert Step() == (False, 1, None)
