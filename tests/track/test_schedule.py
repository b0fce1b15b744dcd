"""When and where smaller faces are looked for."""

from __future__ import annotations

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.follower import Follower
from facered.track.schedule import DetectionSchedule, TileRequest
from lumas import Luma, Person, film, wall

RATE = 25.0
SIZE = (1280, 720)


def detection(*faces: tuple[float, float, float]) -> Detection:
    boxes = [(x - size / 2, y - size / 2, x + size / 2, y + size / 2) for x, y, size in faces]
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.9, np.float32))


def requests(
    pictures: list[Luma],
    *faces: tuple[float, float, float],
    size: tuple[int, int] = SIZE,
    begins: frozenset[int] = frozenset({0}),
    native: bool = True,
) -> dict[int, TileRequest]:
    """Return the looks by frame; faces, given in pixels of the picture, are detected in every frame."""
    tracker, schedule = Follower(RATE, 0.3, size), DetectionSchedule(size, native=native)
    found = {}
    for frame, luma in enumerate(pictures):
        window = tracker.wanted(luma, frame in begins)
        if schedule.due(tracker, frame in begins, window is not None):
            request = schedule.take(tracker, luma)
            if request is not None:
                found[frame] = request
        tracker.update(luma, detection(*faces), frame in begins)
    return found


def moving(frames: int) -> list[Luma]:
    return film([Person(3, lambda frame: (30 + 2 * frame, 90, 20))], frames)


def test_every_shot_is_looked_at_everywhere_from_its_first_frame_on() -> None:
    found = requests([wall()] * 60, begins=frozenset({0, 37}))
    assert {0, 37} <= set(found)
    for begin in (0, 37):
        first = [request for frame, request in sorted(found.items()) if frame >= begin][
            : tuning.FULL_DETECTIONS_PER_SHOT
        ]
        assert [request.within for request in first] == [None] * len(first)


def test_where_nothing_changes_nothing_is_looked_for() -> None:
    assert len(requests([wall()] * 200)) == tuning.FULL_DETECTIONS_PER_SHOT


def test_where_something_changes_it_is_looked_at_once_in_a_while() -> None:
    found = requests(moving(140))
    first, later = tuning.FIRST_FINE_INTERVAL_SECONDS[0] * RATE, tuning.FINE_INTERVAL_SECONDS[0] * RATE
    assert len(found) >= 3
    assert all(0.9 * min(first, later) <= step <= max(first, later) for step in np.diff(sorted(found)))
    for frame, request in list(found.items())[tuning.FULL_DETECTIONS_PER_SHOT :]:
        assert request.within is not None
        x, y, width, height = request.within
        assert abs(4 * (30 + 2 * frame) - x) <= width / 2
        assert abs(4 * 90 - y) <= height / 2
        assert width * height < 0.5 * SIZE[0] * SIZE[1]


def test_small_faces_are_looked_at_more_often_though_nothing_changes() -> None:
    size = 0.9 * tuning.SMALL_FACE * SIZE[0]
    found = requests(film([Person(3, lambda _: (100, 90, size / 4))], 60), (400, 360, size))
    assert np.diff(sorted(found)[1:]).max() <= tuning.FINE_INTERVAL_SECONDS[1] * RATE
    within = found[max(found)].within
    assert within is not None
    assert abs(within[0] - 400) < within[2] / 2 < 200


@pytest.mark.parametrize(("size", "native", "expected"), [
    ((tuning.NATIVE_MIN_SIDE + 640, 1440), True, [0, 75]),
    ((tuning.NATIVE_MIN_SIDE, 1080), True, []),
    ((tuning.NATIVE_MIN_SIDE + 640, 1440), False, []),
])  # fmt: skip
def test_very_large_pictures_are_looked_at_whole(size: tuple[int, int], native: bool, expected: list[int]) -> None:
    found = requests(moving(100), size=size, native=native)
    times = [frame for frame, request in found.items() if request.native]
    assert len(times) == len(expected)
    assert all(
        0 <= time - least < tuning.FINE_INTERVAL_SECONDS[0] * RATE for time, least in zip(times, expected, strict=True)
    )
    assert all(found[time].within is None for time in times)
    assert tuning.NATIVE_INTERVAL_SECONDS[0] * RATE == 75


def test_what_is_due_waits_until_it_is_taken() -> None:
    tracker, schedule = Follower(RATE, 0.3, SIZE), DetectionSchedule(SIZE)
    tracker.wanted(wall(), True)
    assert [schedule.due(tracker, frame == 0, False) for frame in range(5)] == [True] * 5
    assert schedule.take(tracker, wall()) == TileRequest()
    assert not schedule.due(tracker, False, False)


def test_very_large_pictures_are_looked_at_in_their_own_size_as_often_as_that_says() -> None:
    found = requests(moving(160), size=(3840, 2160))
    assert [frame for frame, request in found.items() if request.native] == [
        round(number * tuning.NATIVE_INTERVAL_SECONDS[0] * RATE) for number in range(3)
    ]
