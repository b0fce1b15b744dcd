"""Where faces are expected that are not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from facered.detect.detector import Detection
from facered.track.follower import Follower
from facered.track.online import OnlineTracker
from lumas import Person, Place, film, wall

RATE, THRESHOLD = 25.0, 0.4
GRAY = np.full((90, 160), 128, np.uint8)


def detection(*places: Place, score: float = 0.9) -> Detection:
    boxes = [[x - size / 2, y - size / 2, x + size / 2, y + size / 2] for x, y, size in places]
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(places), score, np.float32))


def walker() -> tuple[Follower, float]:
    """Return what follows somebody who is seen walking for 15 frames, and where that was last."""
    follower = Follower(RATE, THRESHOLD, (320, 180))
    for frame in range(15):
        follower.update(GRAY, detection((60.0 + 4 * frame, 90.0, 40.0)), not frame)
    return follower, 60.0 + 4 * 14


def test_a_lost_face_goes_on_and_slows_down() -> None:
    follower, last = walker()
    ways = []
    for _ in range(20):
        follower.update(GRAY, detection(), False)
        ways.append(follower.boxes()[0, 0] - last)
    steps = np.diff(ways)
    assert ways[0] == pytest.approx(4, abs=0.5)
    assert (np.diff(steps) < 0).all()
    assert steps[-1] < 1


def lost(dx: float, dy: float, *, swings_from: int, frames: int) -> Follower:
    """Return what follows eight people before a camera that swings; one of them cannot be seen from frame 10 on."""

    def place(n: int, frame: int) -> Place:
        moved = max(frame - swings_from + 1, 0)
        return 60.0 + 50 * (n % 4) + dx * moved, 60.0 + 70 * (n // 4) + dy * moved, 30.0

    def is_there(n: int, frame: int) -> bool:
        return n != 3 or frame < 10

    people = [Person(n, lambda frame, n=n: place(n, frame) if is_there(n, frame) else None) for n in range(8)]  # type: ignore[misc]
    follower = Follower(RATE, THRESHOLD, (400, 200))
    for frame, luma in enumerate(film(people, frames, wall(400, 200))):
        seen = [place(n, frame) for n in range(8) if is_there(n, frame)]
        follower.update(luma, detection(*seen), not frame)
    return follower


def expected(follower: Follower) -> NDArray[np.float64]:
    """Return where the lost one is expected."""
    (missing,) = [tracklet for tracklet in follower.active if tracklet.missed]
    return follower.expected(missing)[:2]


def test_who_cannot_be_seen_moves_with_the_camera() -> None:
    there = expected(lost(4, 1, swings_from=3, frames=20))
    assert there == pytest.approx([210 + 4 * 17, 60 + 17], abs=5)


def test_who_is_lost_as_the_camera_begins_to_swing_moves_at_once() -> None:
    assert expected(lost(8, 3, swings_from=10, frames=11)) == pytest.approx([218, 63], abs=1.5)


def test_while_it_stands_nobody_moves() -> None:
    assert expected(lost(0, 0, swings_from=10, frames=18)) == pytest.approx([210, 60], abs=2)


def presences(rows: Sequence[Detection | None]) -> list[float]:
    """Return how wide the one face's box is in each frame, live, before a gray wall."""
    follower = Follower(RATE, THRESHOLD, (320, 180))
    tracker, widths = OnlineTracker(follower, 0, verifies=False), []
    for frame, row in enumerate(rows):
        follower.update(GRAY, row, not frame)
        (found,) = tracker.present()
        widths.append(float(found.box[2]))
    return widths


def test_the_box_of_a_lost_face_grows_to_about_twice_its_size() -> None:
    widths = presences([detection((160, 90, 40))] * 5 + [None] * 100)
    assert widths[4] == pytest.approx(40, rel=0.05)
    assert 80 <= widths[-1] <= 2.5 * 40


def test_a_box_that_a_bad_detection_enlarged_shrinks_slowly() -> None:
    rows = [detection((160, 90, 40))] * 12
    rows[6] = detection((166, 90, 52))
    excess = np.array(presences(rows)) - 40
    assert excess[5] < 1
    assert excess[6] > 8
    assert (excess[7:10] > [0.5 * excess[6], 0.35 * excess[6], 0.25 * excess[6]]).all()


def test_who_can_be_seen_is_expected_where_the_patch_is_found() -> None:
    pictures = film([Person(1, lambda frame: (160.0 + 8 * (frame == 10), 90.0, 40.0))], 11)
    follower = Follower(RATE, THRESHOLD, (320, 180))
    for frame, luma in enumerate(pictures[:10]):
        follower.update(luma, detection((160, 90, 40)), not frame)
    follower.wanted(pictures[10], False)
    assert follower.boxes()[0, :2] == pytest.approx([168, 90], abs=1.5)


@pytest.mark.parametrize(("size", "wanted"), [(80.0, True), (40.0, False)])
def test_a_large_face_that_is_suddenly_away_is_looked_for_about_its_place(size: float, wanted: bool) -> None:
    pictures = film([Person(1, lambda frame: (100.0 + 60 * (frame == 8), 90.0, size))], 9)
    follower = Follower(RATE, THRESHOLD, (320, 180))
    for frame, luma in enumerate(pictures[:8]):
        follower.update(luma, detection((100.0, 90.0, size)), not frame)
    assert (follower.wanted(pictures[8], False, verifies=True) is not None) is wanted
