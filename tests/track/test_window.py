"""Which part of a picture is detected, and what a detection of a part says of the rest: nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.changes import Changes
from facered.track.follower import Follower
from facered.track.window import WHOLE, Window, about, holds
from lumas import Luma, Person, Place, film, wall
from windows import in_window

SIZE = np.array([640.0, 360.0])
ADA, BEN = 1, 8
LEFT, RIGHT = (60.0, 90.0, 40.0), (250.0, 90.0, 40.0)
BOX = st.builds(
    lambda x, y, width, height: np.array([x, y, width, height]),
    st.floats(-20, 660), st.floats(-20, 380), st.floats(1, 120), st.floats(1, 120),
)  # fmt: skip


def detection(*places: Place, score: float = 0.9, within: Place | None = None) -> Detection:
    boxes = [[x - size / 2, y - size / 2, x + size / 2, y + size / 2] for x, y, size in places]
    part = None if within is None else np.array([*within, within[2]])
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), score, np.float32), within=part)


def corners(box: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return box[:2] - box[2:] / 2, box[:2] + box[2:] / 2


def two(frames: int = 12) -> tuple[Follower, Luma]:
    """Return what has followed two people who stand there, and the picture."""
    (picture,) = film([Person(ADA, lambda _: LEFT), Person(BEN, lambda _: RIGHT)], 1)
    follower = Follower(25.0, 0.4, (320, 180))
    for frame in range(frames):
        follower.update(picture, detection(LEFT, RIGHT), not frame)
    return follower, picture


@given(st.lists(BOX, min_size=1, max_size=4), st.lists(BOX, max_size=8))
def test_a_window_holds_its_parts_and_cuts_no_known_face(
    parts: list[NDArray[np.float64]], faces: list[NDArray[np.float64]]
) -> None:
    window = about(np.array(parts), np.array(faces).reshape(-1, 4), SIZE)
    if window.within is None:
        return
    low, high = corners(window.within)
    assert (low >= -1e-6).all()
    assert (high <= SIZE + 1e-6).all()
    for part in parts:
        inside = (np.abs(part[:2] - SIZE / 2) <= SIZE / 2).all()
        assert not inside or holds(window.within, part, SIZE)
    for face in faces:
        first, last = (np.clip(corner, 0, SIZE) for corner in corners(face))
        apart = ((last <= low) | (first >= high)).any()
        assert apart or ((first >= low - 1e-6) & (last <= high + 1e-6)).all()


def test_a_window_of_nearly_everything_is_all_of_it() -> None:
    assert about(np.array([[320.0, 180, 600, 340]]), np.empty((0, 4)), SIZE).within is None
    assert about(np.array([[320.0, 180, 60, 34]]), np.empty((0, 4)), SIZE).within is not None


def missed(follower: Follower) -> list[int]:
    """Return how often each was missed, from left to right."""
    return [track.missed for track in sorted(follower.active, key=lambda track: float(track.boxes[-1][0]))]


def test_only_those_within_the_part_that_was_looked_at_were_missed() -> None:
    follower, picture = two()
    for _ in range(3):
        follower.update(picture, detection(within=(60, 90, 120)), False)
    assert missed(follower) == [3, 0]
    follower.update(picture, detection(), False)
    assert missed(follower) == [4, 1]


def test_who_is_cut_by_the_part_was_not_missed() -> None:
    follower, picture = two()
    follower.update(picture, detection(within=(60, 90, 36)), False)
    assert missed(follower) == [0, 0]


def test_who_leaves_the_picture_was_missed_where_its_rim_was_looked_at() -> None:
    """What is beyond the rim is in no part of the picture."""
    rim = (310.0, 90.0, 40.0)
    (picture,) = film([Person(ADA, lambda _: rim)], 1)
    follower = Follower(25.0, 0.4, (320, 180))
    for frame in range(12):
        follower.update(picture, detection(rim), not frame)
    follower.update(picture, detection(within=(270, 90, 100)), False)
    assert missed(follower) == [1]


def test_a_detection_of_a_part_confuses_nobody() -> None:
    follower, picture = two()
    keys = [track.key for track in follower.active]
    for _ in range(30):
        follower.update(picture, detection(LEFT, within=(60, 90, 120)), False)
    assert [track.key for track in follower.active] == keys
    boxes = np.sort(follower.boxes()[:, 0])
    assert boxes == pytest.approx([LEFT[0], RIGHT[0]], abs=1)


def test_what_changed_outside_the_part_is_still_looked_for() -> None:
    """A newcomer to the right, while the left is looked at."""
    (before,), (after,) = film([], 1), film([Person(BEN, lambda _: RIGHT)], 1)
    follower = Follower(25.0, 0.4, (320, 180))
    follower.wanted(before, True)
    follower.update(before, detection(), True)
    follower.wanted(after, False)
    follower.update(after, detection(within=(80, 90, 160)), False)
    window = None
    while window is None:
        window = follower.wanted(after, False)
        follower.update(after, None, False)
    assert follower.frame < round(tuning.IDLE_INTERVAL_SECONDS * 25)
    assert window.within is not None
    assert holds(window.within, np.array([*RIGHT, RIGHT[2]]), np.array([320.0, 180]))


@pytest.mark.parametrize(("left", "right"), [(0, 163), (163, 320)])
def test_a_cell_that_the_part_cuts_stays_new(left: float, right: float) -> None:
    """The picture has cells of five pixels."""
    changes = Changes(np.array([320.0, 180]))
    changes.push(wall())
    changes.set_reference()
    luma = wall()
    luma[:, 160:165] += 60
    changes.push(luma)
    changes.set_reference(np.array([(left + right) / 2, 90, right - left, 180]))
    assert changes.elsewhere(np.empty((0, 4))) is not None


def test_all_parts_of_a_picture_are_all_of_it() -> None:
    changes = Changes(np.array([319.0, 179]))
    changes.push(wall())
    changes.set_reference()
    changes.push(np.clip(wall().astype(int) + 60, 0, 255).astype(np.uint8))
    for left, right in ((0, 150), (100, 319)):
        for top, bottom in ((0, 90), (80, 179)):
            part = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            changes.set_reference(np.array(part, np.float64))
    assert changes.elsewhere(np.empty((0, 4))) is None


def asked(pictures: list[Luma], *people: Person) -> dict[int, Window]:
    """Return what of which frames was asked for, if the people were detected only then."""
    follower, found = Follower(25.0, 0.4, (320, 180)), {}
    for frame, picture in enumerate(pictures):
        window = follower.wanted(picture, not frame)
        if window is not None:
            found[frame] = window
        places = [place for person in people if (place := person.way(frame)) is not None]
        follower.update(picture, in_window(window, detection(*places)), not frame)
    return found


def shaken(pictures: list[Luma]) -> list[Luma]:
    """Return pictures that a hand shakes by a pixel, a fifth of a cell."""
    shifts = np.random.default_rng(1).integers(0, 3, (len(pictures), 2)).tolist()
    moved = [
        np.pad(picture, 1, mode="edge")[down : down + picture.shape[0], across : across + picture.shape[1]]
        for picture, (across, down) in zip(pictures, shifts, strict=True)
    ]
    return [np.ascontiguousarray(picture) for picture in moved]


def test_a_hand_that_shakes_a_little_is_no_newcomer() -> None:
    still, shaking = asked(film([], 100)), asked(shaken(film([], 100)))
    assert all(window.within is None for window in still.values())
    assert len(shaking) < 2 * len(still)


def test_whoever_enters_before_a_shaking_camera_is_looked_for_there() -> None:
    newcomer = Person(BEN, lambda frame: (250.0, 60.0, 28.0) if frame >= 51 else None)
    found = asked(shaken(film([newcomer], 60)), newcomer)
    first = min(frame for frame in found if frame >= 51)
    assert first <= 51 + round(tuning.ACTIVE_INTERVAL_SECONDS * 25)
    assert holds(found[first].within, np.array([250.0, 60, 28, 28]), np.array([320.0, 180]))


def test_in_the_last_frame_of_a_shot_all_are_looked_at() -> None:
    """Whose box may lie beside the face by now; nothing comes that could show it."""
    follower, picture = two(2)
    looked_at = []

    def verify(box: NDArray[np.float64], _: object) -> Detection:
        looked_at.append(round(float(box[0])))
        return detection((float(box[0]), float(box[1]), 40.0))

    for last in (False, True):
        follower.wanted(picture, False, verifies=True, ends_shot=last)
        assert looked_at == []
        follower.update(picture, None, False, verify, ends_shot=last)
    assert sorted(looked_at) == [60, 250]
    assert {track.last_detected for track in follower.active} == {follower.frame}


def test_what_is_nowhere_asks_for_the_whole_picture() -> None:
    nowhere = np.full((1, 4), np.nan)
    somewhere = np.array([[50.0, 50.0, 10.0, 10.0]])
    assert about(nowhere, somewhere, np.array([320.0, 180.0])) is WHOLE
    assert about(np.concatenate([nowhere, somewhere]), nowhere, np.array([320.0, 180.0])) is WHOLE


def test_who_comes_while_another_is_looked_for_is_found_as_soon() -> None:
    """What is detected again and again about one person says nothing of the rest of the picture."""
    follower = Follower(25.0, 0.4, (320, 180))
    follower.wanted(wall(), True)
    follower.update(wall(), detection(), True)
    (picture,) = film([Person(BEN, lambda _: RIGHT)], 1)
    came = np.array([*RIGHT, RIGHT[2]])
    for _ in range(5):
        window = follower.wanted(picture, False)
        follower.update(picture, detection(within=LEFT), False)
    assert window is not None
    assert holds(window.within, came, np.array([320.0, 180.0]))
