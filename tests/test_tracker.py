"""From detections to tracks: what is followed, how far, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered.track.tracker import CERTAIN, EXTENSION_SECONDS, REMEMBERED_SECONDS, Track, Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Face = tuple[float, float, float, float, float]

RATE = 25.0
THRESHOLD = 0.4
EXTENSION = round(EXTENSION_SECONDS * RATE)
REMEMBERED = round(REMEMBERED_SECONDS * RATE)


def face(x: float, y: float = 100, size: float = 40, score: float = 0.9) -> Face:
    """Return x1, y1, x2, y2, score of a face whose middle is at (x, y)."""
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2, score


def follow(faces: Iterable[Sequence[Face]], cuts: Iterable[int] = (), rate: float = RATE) -> list[Track]:
    """Return the tracks through the faces of each frame."""
    tracker, begins = Tracker(rate, THRESHOLD), set(cuts)
    for number, row in enumerate(faces):
        table = np.array(row, np.float32).reshape(-1, 5)
        tracker.update(table[:, :4], table[:, 4], number in begins)
    return tracker.finish()


def seen_in(frames: Iterable[int], total: int, at: Callable[[int], Face] = lambda _: face(100)) -> list[list[Face]]:
    """Return `total` frames, those named with the face that `at` gives."""
    named = set(frames)
    return [[at(frame)] if frame in named else [] for frame in range(total)]


def frames_of(track: Track) -> list[int]:
    return list(range(track.first, track.first + len(track.boxes)))


def one(tracks: list[Track]) -> Track:
    assert len(tracks) == 1
    return tracks[0]


class TestGaps:
    def test_are_filled_with_boxes_where_the_face_must_be(self) -> None:
        def at(frame: int) -> Face:
            return face(100 + 3 * frame, 80 + frame)

        track = one(follow(seen_in({*range(10, 25), *range(36, 50)}, 70, at)))
        for frame in range(10, 50):
            middle = track.boxes[frame - track.first]
            assert middle[:2] == pytest.approx((100 + 3 * frame, 80 + frame), abs=1.5), frame
            assert (middle[2:] >= 40 - 1e-3).all()

    def test_have_larger_boxes_the_further_the_next_detection(self) -> None:
        track = one(follow(seen_in({*range(10), *range(20, 30)}, 30)))
        widths = track.boxes[:, 2]
        assert widths[:10] == pytest.approx(40, rel=1e-3)
        assert (np.diff(widths[9:15]) > 0).all()
        assert (np.diff(widths[15:21]) < 0).all()

    @pytest.mark.parametrize(("missing", "tracks"), [(REMEMBERED - 1, 1), (REMEMBERED, 2)])
    def test_end_the_track_once_they_last_a_second(self, missing: int, tracks: int) -> None:
        frames = {*range(10), *range(10 + missing, 20 + missing)}
        assert len(follow(seen_in(frames, 60 + missing))) == tracks


class TestEnds:
    @pytest.mark.parametrize(
        ("seen", "cuts", "total", "first", "last"),
        [
            pytest.param((20, 30), (), 60, 20 - EXTENSION, 30 + EXTENSION, id="go on for a while"),
            pytest.param((2, 30), (), 32, 0, 31, id="stop at the ends of the clip"),
            pytest.param((0, 31), (), 32, 0, 31, id="need not be extended"),
            pytest.param((20, 30), (18, 33), 60, 18, 32, id="stop at cuts"),
            pytest.param((20, 30), (20, 31), 60, 20, 30, id="stop at cuts beside the face"),
            pytest.param((20, 30), (5, 50), 60, 20 - EXTENSION, 30 + EXTENSION, id="do not care for cuts far off"),
        ],
    )
    def test_of_a_track(self, seen: tuple[int, int], cuts: tuple[int, ...], total: int, first: int, last: int) -> None:
        track = one(follow(seen_in(range(seen[0], seen[1] + 1), total), cuts))
        assert track.detected == seen[0]
        assert frames_of(track) == list(range(first, last + 1))

    def test_move_on_and_slow_down(self) -> None:
        track = one(follow(seen_in(range(20, 40), 60, lambda frame: face(100 + 4 * frame))))
        steps = np.diff(track.boxes[:, 0])
        assert steps[EXTENSION:-EXTENSION] == pytest.approx(4, abs=0.5)
        behind, ahead = steps[:EXTENSION], steps[-EXTENSION:]
        assert (ahead > 0).all()
        assert (np.diff(ahead) < 0).all()
        assert (behind > 0).all()
        assert (np.diff(behind) > 0).all()

    @pytest.mark.parametrize("rate", [0.5, 1.0, 25.0, 240.0])
    def test_last_as_long_at_any_frame_rate(self, rate: float) -> None:
        track = one(follow(seen_in(range(100, 110), 200), rate=rate))
        assert 100 - track.first == max(1, round(EXTENSION_SECONDS * rate))


class TestCuts:
    def test_end_every_track_even_where_the_next_face_is_in_the_same_place(self) -> None:
        before, behind = follow(seen_in(range(40), 40), cuts=[17])
        assert frames_of(before) == list(range(17))
        assert frames_of(behind) == list(range(17, 40))


class TestScores:
    def test_doubtful_detections_continue_a_track(self) -> None:
        def at(frame: int) -> Face:
            return face(100 + 5 * frame, score=0.9 if frame < 10 else THRESHOLD / 2)

        track = one(follow(seen_in(range(30), 60, at)))
        assert frames_of(track)[-1] == 29 + EXTENSION
        assert track.boxes[29, 0] == pytest.approx(100 + 5 * 29, abs=1)
        assert track.score == pytest.approx(0.9)

    def test_doubtful_detections_begin_none(self) -> None:
        assert follow(seen_in(range(30), 30, lambda _: face(100, score=THRESHOLD - 0.01))) == []

    def test_a_track_begins_with_its_first_confident_detection(self) -> None:
        track = one(follow(seen_in(range(40), 40, lambda frame: face(100, score=0.1 if frame < 20 else 0.9))))
        assert track.detected == 20
        assert track.first == 20 - EXTENSION

    def test_the_confident_detection_is_taken_before_a_doubtful_one_that_lies_better(self) -> None:
        rows = [[face(100)]] * 10 + [[face(100, score=0.2), face(106, score=0.9)]]
        track = one(follow(rows))
        assert track.boxes[-1, 0] + track.boxes[-1, 2] / 2 >= 126 - 1e-3

    @pytest.mark.parametrize(("score", "kept"), [(CERTAIN + 0.01, 1), (CERTAIN - 0.01, 0)])
    def test_a_single_detection_is_kept_only_if_it_is_certain(self, score: float, kept: int) -> None:
        assert len(follow(seen_in([20], 40, lambda _: face(100, score=score)))) == kept

    def test_two_faint_detections_make_a_track(self) -> None:
        assert len(follow(seen_in([20, 22], 40, lambda _: face(100, score=CERTAIN - 0.05)))) == 1


class TestSeveralPeople:
    def test_crossing_far_apart_remain_two(self) -> None:
        rows = [[face(20 + 6 * frame, 60), face(380 - 6 * frame, 200)] for frame in range(60)]
        upper, lower = sorted(follow(rows), key=lambda track: track.boxes[0, 1])
        assert frames_of(upper) == frames_of(lower) == list(range(60))
        assert upper.boxes[:, 1] == pytest.approx(60, abs=1)
        assert lower.boxes[:, 1] == pytest.approx(200, abs=1)
        assert upper.boxes[-1, 0] == pytest.approx(20 + 6 * 59, abs=2)

    def test_side_by_side_each_keep_their_own_track(self) -> None:
        rows = [[face(100 + frame), face(145 + frame)] for frame in range(40)]
        left, right = follow(rows)
        assert left.boxes[:, 0] == pytest.approx(100 + np.arange(40), abs=2)
        assert right.boxes[:, 0] == pytest.approx(145 + np.arange(40), abs=2)

    def test_come_in_order_of_appearance_and_from_left_to_right(self) -> None:
        rows = [[face(300)] if frame < 20 else [face(300), face(200), face(100)] for frame in range(40)]
        assert [round(track.boxes[0, 0]) for track in follow(rows)] == [300, 100, 200]

    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_do_not_depend_on_the_order_of_boxes_within_a_frame(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        places = rng.uniform(0, 200, (6, 2)) + np.cumsum(rng.normal(0, 4, (40, 6, 2)), axis=0)
        rows = [
            [face(*place, rng.uniform(20, 50), rng.uniform(0.2, 1)) for place in row if rng.random() < 0.8]
            for row in places
        ]
        shuffled = [[row[i] for i in rng.permutation(len(row))] for row in rows]
        for a, b in zip(follow(rows, [15]), follow(shuffled, [15]), strict=True):
            assert (a.first, a.detected, a.score) == (b.first, b.detected, b.score)
            np.testing.assert_array_equal(a.boxes, b.boxes)


@pytest.mark.parametrize("frames", [0, 1, 30])
def test_no_faces_make_no_tracks(frames: int) -> None:
    assert follow([[]] * frames) == []


COORDINATES = st.one_of(st.floats(0, 60, width=32), st.floats(-(2.0**20), 2.0**20, width=32))
LENGTHS = st.one_of(st.floats(20, 40, width=32), st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 2.0**20, width=32))


@st.composite
def streams(draw: st.DrawFn) -> list[list[Face]]:
    """Frames of boxes: most are near each other, some without width or height, or far away and huge."""
    rows: list[list[Face]] = []
    for _ in range(draw(st.integers(1, 25))):
        row = []
        for _ in range(draw(st.integers(0, 3))):
            x, y, width, height = draw(st.tuples(COORDINATES, COORDINATES, LENGTHS, LENGTHS))
            row.append((x, y, x + width, y + height, draw(st.sampled_from([0.1, 0.3, 0.45, 0.6, 0.9]))))
        rows.append(row)
    return rows


def holds(boxes: NDArray[np.float64], x1: float, y1: float, x2: float, y2: float) -> bool:
    """Return whether one of the boxes holds the detected one, but for single precision."""
    tolerance = 1e-3 + 1e-6 * max(abs(x1), abs(y1), abs(x2), abs(y2))
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    inside = (low <= np.add((x1, y1), tolerance)) & (high >= np.subtract((x2, y2), tolerance))
    return bool(inside.all(axis=1).any())


@settings(deadline=None, max_examples=150)
@given(rows=streams(), cuts=st.sets(st.integers(0, 25)))
def test_any_stream_gives_sound_boxes_that_hold_what_was_detected(rows: list[list[Face]], cuts: set[int]) -> None:
    tracks = follow(rows, cuts)
    at: dict[int, list[NDArray[np.float64]]] = {frame: [] for frame in range(len(rows))}
    for track in tracks:
        assert np.isfinite(track.boxes).all()
        assert (track.boxes[:, 2:] > 0).all()
        assert track.first <= track.detected
        assert not cuts & set(frames_of(track)[1:])
        for frame, box in zip(frames_of(track), track.boxes, strict=True):
            at[frame].append(box)
    for frame, row in enumerate(rows):
        for *corners, score in row:
            if score >= CERTAIN:
                assert holds(np.reshape(at[frame], (-1, 4)), *corners)
