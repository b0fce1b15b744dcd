"""Tracking while the video goes on: who is said to be where, and what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import numpy as np
import pytest

from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.follower import Follower
from facered.track.online import OnlineTracker, Presence
from lumas import Luma, Person, Place, Way, film

RATE = 25.0
THRESHOLD = 0.4
ADA, BEN = 1, 8


def detection(*places: Place, score: float = 0.9) -> Detection:
    boxes = [[x - size / 2, y - size / 2, x + size / 2, y + size / 2] for x, y, size in places]
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(places), score, np.float32))


class Online(OnlineTracker):
    """A tracker of a follower of its own, which takes what comes."""

    def __init__(self, kept: int = 0, *, verifies: bool = False) -> None:
        self.follower = Follower(RATE, THRESHOLD, (320, 180), idle_seconds=tuning.ACTIVE_INTERVAL_SECONDS)
        super().__init__(self.follower, kept, verifies=verifies)
        self.update = self.follower.update


def walk(way: Way) -> Iterator[Luma]:
    """Yield pictures of somebody, without end."""
    frame = 0
    while True:
        yield film([Person(ADA, lambda _, frame=frame: way(frame))], 1)[0]
        frame += 1


def middles(found: Sequence[Presence]) -> list[tuple[int, int]]:
    return [(round(float(face.box[0])), round(float(face.box[1]))) for face in found]


def right(frame: int) -> Place:
    return 60 + 2.0 * frame, 90, 40


def test_a_face_is_told_of_in_the_frame_in_which_it_is_detected() -> None:
    followed = Online()
    followed.update(film([Person(ADA, right)], 1)[0], detection(right(0)), begins_shot=True)
    assert middles(followed.present()) == [(60, 90)]


@pytest.mark.parametrize(("score", "expected"), [(0.39, 0), (0.41, 1)])
def test_a_doubtful_detection_shows_no_new_face(score: float, expected: int) -> None:
    followed = Online()
    followed.update(film([Person(ADA, right)], 1)[0], detection(right(0), score=score), begins_shot=True)
    assert len(followed.present()) == expected


@pytest.mark.parametrize(("score", "doubtful", "growth"), [(0.9, True, 1.0), (THRESHOLD, True, 1.1875)])
def test_a_faint_face_is_told_of_as_doubtful_and_larger(score: float, doubtful: bool, growth: float) -> None:
    followed = Online()
    followed.update(film([Person(ADA, right)], 1)[0], detection(right(0), score=score + 1e-6), begins_shot=True)
    (face,) = followed.present()
    assert face.doubtful == doubtful
    assert face.box[2] == pytest.approx(growth * 40, rel=1e-3)


def test_a_late_detection_is_brought_to_where_the_face_is_by_now() -> None:
    pictures = film([Person(ADA, right)], 6)
    followed = Online()
    for frame, luma in enumerate(pictures[:5]):
        followed.update(luma, None, begins_shot=not frame)
    assert followed.present() == []
    followed.follower.wanted(pictures[5], False)
    late = detection(right(1))
    corners = followed.carried(late.boxes, 4)
    assert corners is not None
    followed.update(pictures[5], Detection(corners, late.scores), begins_shot=False)
    ((x, y),) = middles(followed.present())
    assert x == pytest.approx(right(5)[0], abs=2)
    assert y == pytest.approx(90, abs=2)


def test_a_late_detection_of_a_followed_face_moves_as_it_was_followed() -> None:
    pictures = film([Person(ADA, right)], 12)
    followed = Online()
    for frame, luma in enumerate(pictures[:11]):
        followed.update(luma, detection(right(0)) if not frame else None, begins_shot=not frame)
    followed.follower.wanted(pictures[11], False)
    corners = followed.carried(detection(right(6)).boxes, 5)
    assert corners is not None
    assert (corners[0, 0] + corners[0, 2]) / 2 == pytest.approx(right(11)[0], abs=2)


def test_a_detection_from_before_a_cut_is_of_no_use() -> None:
    pictures = film([Person(ADA, right)], 6)
    followed = Online()
    for frame, luma in enumerate(pictures):
        followed.update(luma, None, begins_shot=frame in (0, 4))
    followed.follower.wanted(pictures[-1], False)
    assert followed.carried(detection(right(1)).boxes, 4) is None
    assert followed.carried(detection(right(5)).boxes, 1) is not None


def test_a_lost_face_stays_hidden_for_a_while_in_a_growing_box() -> None:
    def leaves(frame: int) -> Place | None:
        return (160.0, 90.0, 40.0) if frame < 5 else None

    followed, sizes = Online(), []
    for frame, luma in enumerate(islice(walk(leaves), 45)):
        place = leaves(frame)
        followed.update(luma, detection(*([place] if place else [])), begins_shot=not frame)
        found = followed.present()
        sizes.append(float(found[0].box[2]) if found else 0.0)
    gone = sizes.index(0.0)
    assert gone == pytest.approx(5 + tuning.MAX_LOST_SECONDS * RATE, abs=2)
    assert all(b >= a for a, b in pairwise(sizes[5:gone]))
    assert 1.3 * sizes[4] < sizes[gone - 1] < 1.4 * tuning.MAX_LOST_GROWTH * sizes[4]


def vanishing(way: Way, last: int, frames: int) -> list[Presence]:
    """Follow somebody who cannot be seen after a frame, while nobody looks; return what is told of in each frame."""
    followed, told = Online(), []
    for frame, luma in enumerate(islice(walk(lambda n: way(n) if n <= last else None), frames)):
        place = way(frame)
        followed.update(luma, detection(place) if frame <= last and place else None, begins_shot=not frame)
        told += followed.present()
    return told


def test_the_box_of_a_lost_face_becomes_twice_as_large_and_no_larger() -> None:
    """Besides, it grows by a fifth with the time since it was detected."""
    widths = [face.box[2] for face in vanishing(lambda _: (160.0, 90.0, 40.0), 9, 120)]
    assert widths[9] == pytest.approx(40, abs=1)
    assert widths[25] < 0.95 * widths[-1]
    assert widths[60:] == pytest.approx([2 * 1.2 * 40] * 60, rel=0.02)


def test_a_lost_face_slows_down() -> None:
    """It keeps nine tenths of its velocity a frame, so that it goes on by less than ten frames' way."""
    told = vanishing(lambda frame: (60 + 5.0 * frame, 90, 40), 19, 60)
    last, ways = 60 + 5.0 * 19, [face.box[0] for face in told]
    for lost in (5, 10, 20, 40):
        assert ways[19 + lost] - last == pytest.approx(5 * sum(0.9**n for n in range(lost)), abs=3)


def test_a_box_that_was_too_large_shrinks_little_by_little() -> None:
    pictures, followed, widths = film([Person(ADA, lambda _: (160.0, 90.0, 40.0))], 1)[0], Online(), []
    for frame in range(30):
        followed.update(pictures, detection((160, 90, 56 if frame == 15 else 40)), begins_shot=not frame)
        widths += [face.box[2] for face in followed.present()]
    assert widths[15] >= 56
    excess = np.array(widths[15:22]) - 40
    assert (excess[1:] >= 0.65 * excess[:-1]).all()
    assert (np.diff(excess) < 0).all()
    assert widths[29] < 42


def test_nobody_is_given_up_while_nobody_looks() -> None:
    def leaves(frame: int) -> Place | None:
        return (160.0, 90.0, 40.0) if frame < 5 else None

    followed = Online()
    for frame, luma in enumerate(islice(walk(leaves), 90)):
        place = leaves(frame)
        followed.update(luma, detection(place) if place else None, begins_shot=not frame)
        assert len(followed.present()) == 1


def test_a_flash_is_taken_back() -> None:
    pictures = film([Person(ADA, right)], 12)
    followed = Online()
    for frame, luma in enumerate(pictures):
        if frame == 8:
            followed.follower.undo_cut()
        followed.update(luma, detection(right(frame)), begins_shot=frame in (0, 5))
        assert [face.key for face in followed.present()] == [int(5 <= frame < 8)]


def test_who_comes_back_after_a_while_is_known_and_who_is_not_alike_is_not() -> None:
    def away(frame: int) -> Place | None:
        return None if 20 <= frame < 60 else (160.0, 90.0, 40.0)

    for who, expected in ((ADA, {0}), (BEN, {0, 1})):
        pictures = film([Person(ADA, away)], 60) + film([Person(who, lambda _: (160.0, 90.0, 40.0))], 10)
        followed, keys = Online(), set()
        for frame, luma in enumerate(pictures):
            place = away(frame)
            followed.update(luma, detection(*([place] if place else [])), begins_shot=not frame)
            keys |= {face.key for face in followed.present()}
        assert keys == expected


def test_looking_back_shows_a_face_before_it_was_detected_and_through_a_gap() -> None:
    pictures = film([Person(ADA, right)], 40)
    followed, told = Online(kept=15), []
    for frame, luma in enumerate(pictures):
        seen = 6 <= frame < 14 or frame >= 20
        followed.update(luma, detection(*([right(frame)] if seen else [])), begins_shot=not frame)
        if frame >= 15:
            told.append(middles(followed.past(frame - 15)))
    assert all(len(found) == 1 for found in told)
    assert all(found[0][0] == pytest.approx(right(frame)[0], abs=3) for frame, found in enumerate(told))


def test_looking_back_a_lost_face_has_a_larger_box_the_longer_it_is_lost() -> None:
    followed = Online(kept=5)
    widths: dict[int, float] = {}
    for frame, luma in enumerate(islice(walk(lambda n: (160.0, 90.0, 40.0) if n < 20 else None), 40)):
        followed.update(luma, detection((160, 90, 40)) if frame < 20 else None, begins_shot=not frame)
        if frame >= 5:
            (face,) = followed.past(frame - 5)
            widths[frame - 5] = face.box[2]
    growth = tuning.LOST_GROWTH_PER_SECOND / RATE
    assert widths[15] == pytest.approx(40, rel=0.02)
    for lost in (5, 10, 15):
        assert widths[19 + lost] >= 40 * (1 + growth * lost)


@pytest.mark.parametrize(("cut", "expected"), [(3, 1), (2, 1), (59, 0)])
def test_who_is_doubtful_stays_hidden_if_the_shot_ends_before_more_is_known(cut: int, expected: int) -> None:
    followed = Online(kept=60, verifies=True)
    for frame, luma in enumerate(islice(walk(lambda _: (160.0, 90.0, 40.0)), 60)):
        found = detection((160, 90, 40), score=0.5) if frame == 1 else detection()
        followed.update(luma, found, begins_shot=frame in (0, cut))
    assert len(followed.past(1)) == expected


def test_who_left_long_ago_is_forgotten() -> None:
    followed, left = Online(kept=5), round((tuning.MAX_LOST_SECONDS + tuning.MAX_GAP_SECONDS) * RATE) + 40
    for frame, luma in enumerate(islice(walk(lambda n: (160.0, 90.0, 40.0) if n < 10 else None), left)):
        followed.update(luma, detection(*[(160, 90, 40)] * (frame < 10)), begins_shot=not frame)
        if frame == 60:
            followed.forget()
            assert len(followed.follower.finished) == 1
    followed.forget()
    assert followed.follower.finished == []


def test_the_past_is_forgotten_and_nobody_notices() -> None:
    def back_and_forth(frame: int) -> Place:
        return 160 + 80 * float(np.sin(frame / 40)), 90, 40

    followed, kept = Online(kept=10), Online(kept=10)
    for frame, luma in enumerate(islice(walk(back_and_forth), 600)):
        for one in (followed, kept):
            one.update(luma, detection(back_and_forth(frame)), begins_shot=frame % 150 == 0)
        if frame % 20 == 0:
            followed.forget()
        if frame >= 10 and frame % 7 == 0:
            a, b = followed.past(frame - 10), kept.past(frame - 10)
            assert [face.key for face in a] == [face.key for face in b]
            np.testing.assert_allclose([face.box for face in a], [face.box for face in b])
    followers = (followed.follower, kept.follower)
    sizes = [len(one.active[0].frames) + len(one.finished) + len(one.cuts) for one in followers]
    assert sizes[0] < 120 < sizes[1]
