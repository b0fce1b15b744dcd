"""From detections and luma to tracks: who is followed, how far, and who is not."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lumas
from facered.annotations.table import REGION_IDS
from facered.detect.detector import Detection
from facered.jobs.columns import Columns
from facered.track import tuning
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.verification import KNOWN, Crop
from lumas import Person, blended, film, wall
from thinned import thinned
from windows import in_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from facered.track.cuts import Dissolve
    from facered.track.smoothing import Track
    from lumas import Luma, Place, Way

    Face = tuple[float, float, float, float, float]
    Row = Sequence[Face]
    Box = NDArray[np.float64]
    Look = Callable[[int, Box, Crop], Detection]

RATE = 25.0
THRESHOLD = 0.4
FIRST_CROPS = {KNOWN[0], *(Crop(*one) for one in tuning.CROPS)}
"""Those that looks begin with."""
EXTENSION = round(tuning.EXTENSION_SECONDS * RATE)
FOLLOWED = round(tuning.MAX_FOLLOWED_SECONDS * RATE)
GUESSED = round(tuning.MAX_FILLED_SECONDS * RATE)
BRIDGED = round(tuning.MAX_GAP_SECONDS * RATE)
FEW = 3
"""Frames in which what is followed may still look like the face that has gone."""
MARGIN = 1.4
"""How much larger what is hidden is than a track's box, unless asked otherwise."""
ADA, BEN, CAL = 1, 8, 4
"""People who do not look alike."""


def face(x: float, y: float = 100, size: float = 40, score: float = 0.9) -> Face:
    """Return x1, y1, x2, y2, score of a face whose middle is at (x, y)."""
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2, score


def detection(row: Row) -> Detection:
    table = np.array(row, np.float32).reshape(-1, 5)
    return Detection(table[:, :4], table[:, 4])


def follow(
    rows: Sequence[Row | None],
    pictures: Sequence[Luma] | None = None,
    *,
    cuts: Iterable[int] = (),
    rate: float = RATE,
    look: Look | None = None,
    dissolves: Iterable[Dissolve] = (),
    size: tuple[int, int] | None = None,
) -> list[Track]:
    """Return the tracks through the faces of each frame, None where the detector was not asked.

    Unless others are given, the pictures are of a gray wall.
    """
    if pictures is None:
        pictures = [np.full((30, 40), 128, np.uint8)] * len(rows)
        size = size or (400, 300)
    height, width = pictures[0].shape if pictures else (1, 1)
    tracker, begins = Follower(rate, THRESHOLD, size or (width, height)), set(cuts)
    for number, (luma, row) in enumerate(zip(pictures, rows, strict=True)):
        found = None if row is None else detection(row)
        tracker.update(luma, found, number in begins, look and partial(look, number))
    return finish(tracker, dissolves)


def seen_in(frames: Iterable[int], total: int, at: Callable[[int], Face] = lambda _: face(100)) -> list[list[Face]]:
    """Return `total` frames, those named with the face that `at` gives."""
    named = set(frames)
    return [[at(frame)] if frame in named else [] for frame in range(total)]


def shown(ways: Iterable[Way], total: int, seen: Callable[[int], bool] = lambda _: True) -> list[list[Face]]:
    """Return `total` frames with the faces of some people, where these are seen."""
    places = [[way(frame) for way in ways if seen(frame)] for frame in range(total)]
    return [[face(*place) for place in row if place is not None] for row in places]


def box_at(track: Track, frame: int) -> Box | None:
    (at,) = np.nonzero(track.frames == frame)
    return track.boxes[at[0]] if len(at) else None


def hides(track: Track, frame: int, place: Place, off: float = 0.2) -> bool:
    """Return whether a track's box lies on a face, but for a part of its size, and is not smaller."""
    box, (x, y, size) = box_at(track, frame), place
    return box is not None and np.hypot(box[0] - x, box[1] - y) <= off * size and box[2:].min() >= 0.9 * size


def bare(tracks: Iterable[Track], way: Way, frames: Iterable[int], off: float = 0.2) -> list[int]:
    """Return the frames in which nothing lies on a face."""
    places = {frame: way(frame) for frame in frames}
    known = list(tracks)
    return [
        frame
        for frame, place in places.items()
        if place is not None and not any(hides(track, frame, place, off) for track in known)
    ]


def one(tracks: list[Track]) -> Track:
    assert len(tracks) == 1
    return tracks[0]


def always(x: float, y: float, size: float) -> Way:
    return lambda _: (x, y, size)


def backwards(way: Way, total: int) -> Way:
    return lambda frame: way(total - 1 - frame)


def winding(frame: int) -> Place:
    """Return a way whose end cannot be told from its beginning."""
    return 60 + 2 * frame, 90 + 30 * np.sin(frame / 9), 44 + 0.1 * frame


class TestGaps:
    def test_are_filled_with_boxes_where_the_face_must_be(self) -> None:
        """Nothing of the face can be seen there."""

        def way(frame: int) -> Place:
            return 60 + 3 * frame, 70 + frame, 40

        seen = {*range(10, 25), *range(36, 50)}
        pictures = film([Person(ADA, lambda frame: way(frame) if frame in seen else None)], 70)
        track = one(follow(shown([way], 70, lambda frame: frame in seen), pictures))
        assert bare([track], way, range(10, 50), off=0.15) == []

    def test_have_larger_boxes_the_further_the_next_detection(self) -> None:
        assert tuning.MAX_GROWTH_FRAMES >= 7
        track = one(follow(seen_in({*range(10), *range(34, 44)}, 44)))
        widths = track.boxes[:, 2]
        assert widths[:10] == pytest.approx(40, rel=5e-3)
        assert (np.diff(widths[15:20]) > 0).all()
        assert (np.diff(widths[24:28]) < 0).all()

    def looking_away(self, missing: int, who: int = ADA, rate: float = RATE) -> list[Track]:
        """Follow a face that something large is held before, for some frames, and that is, or is not, the same then."""
        total = 60 + missing

        def behind(frame: int) -> bool:
            return 30 <= frame < 30 + missing

        def later(frame: int) -> Place | None:
            return (152, 90, 40) if frame >= 30 else None

        people = [
            Person(ADA, lambda frame: (150, 90, 40) if frame < 30 else None),
            Person(who, later),
            Person(CAL, lambda frame: (150, 90, 110) if behind(frame) else None),
        ]
        rows = shown([always(150, 90, 40)], total, lambda frame: not behind(frame))
        return follow(rows, film(people, total), rate=rate)

    @pytest.mark.parametrize("rate", [12.0, 25.0, 60.0])
    def test_in_which_a_face_is_hidden_are_filled_if_they_are_short(self, rate: float) -> None:
        missing = round(0.8 * tuning.MAX_FILLED_SECONDS * rate)
        track = one(self.looking_away(missing, rate=rate))
        assert track.frames.tolist() == list(range(60 + missing))

    @pytest.mark.parametrize("rate", [12.0, 25.0, 60.0])
    def test_that_are_long_are_of_one_face_but_not_filled(self, rate: float) -> None:
        missing = round(0.9 * tuning.MAX_GAP_SECONDS * rate)
        assert missing > 1.2 * tuning.MAX_FILLED_SECONDS * rate
        track = one(self.looking_away(missing, rate=rate))
        near = max(1, round(tuning.EXTENSION_SECONDS * rate)) + FEW
        absent = set(range(60 + missing)) - set(track.frames.tolist())
        assert set(range(30 + near, 30 + missing - near)) <= absent <= set(range(30, 30 + missing))

    @pytest.mark.parametrize("rate", [12.0, 25.0, 60.0])
    def test_that_are_too_long_are_not_bridged(self, rate: float) -> None:
        before, behind = self.looking_away(round(1.2 * tuning.MAX_GAP_SECONDS * rate), rate=rate)
        assert not set(before.keys) & set(behind.keys)

    @pytest.mark.parametrize(
        "seconds", [0.5 * (tuning.SHORT_GAP_SECONDS + tuning.MAX_GAP_SECONDS), 0.9 * tuning.MAX_GAP_SECONDS]
    )
    def test_after_which_somebody_else_is_there_are_not_bridged(self, seconds: float) -> None:
        assert len(self.looking_away(round(seconds * RATE), who=BEN)) == 2


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
        track = one(follow(seen_in(range(seen[0], seen[1] + 1), total), cuts=cuts))
        assert track.first_detected == seen[0]
        assert track.frames.tolist() == list(range(first, last + 1))

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
        assert 100 - track.frames[0] == track.frames[-1] - 109 == max(1, round(tuning.EXTENSION_SECONDS * rate))


class TestFollowing:
    """A face that is seen, but not detected, is found by its looks."""

    @pytest.mark.parametrize("enlarged", [1, 3])
    def test_goes_on_after_the_last_detection(self, enlarged: int) -> None:
        total = 30 + FOLLOWED
        rows = shown([winding], total, lambda frame: 10 <= frame < 30)
        scaled = [[(*np.multiply(row[:4], enlarged).tolist(), row[4]) for row in frame] for frame in rows]
        pictures = film([Person(ADA, winding)], total)
        tracks = follow(scaled, pictures, size=(320 * enlarged, 180 * enlarged))

        def way(frame: int) -> Place:
            x, y, size = winding(frame)
            return x * enlarged, y * enlarged, size * enlarged

        assert one(tracks).detections == 20
        assert bare(tracks, way, range(total)) == []

    def test_goes_back_before_the_first_detection(self) -> None:
        rows = shown([winding], FOLLOWED + 30, lambda frame: frame >= FOLLOWED)
        tracks = follow(rows, film([Person(ADA, winding)], len(rows)))
        assert one(tracks).first_detected == FOLLOWED
        assert bare(tracks, winding, range(len(rows))) == []

    def test_fills_gaps_on_winding_ways(self) -> None:
        rows = shown([winding], 100, lambda frame: frame % 25 < 8)
        tracks = follow(rows, film([Person(ADA, winding)], 100))
        assert one(tracks).frames.tolist() == list(range(100))
        assert bare(tracks, winding, range(100)) == []

    def test_finds_a_face_that_shrinks_or_grows(self) -> None:
        def way(frame: int) -> Place:
            return 150 + frame, 90, 36 * 1.008**frame

        for order in (1, -1):
            pictures = film([Person(ADA, way)], 45)[::order]
            rows = shown([way], 45)[::order]
            tracks = follow(rows[:20] + [[]] * 25, pictures)
            assert bare(tracks, backwards(way, 45) if order == -1 else way, range(45)) == []

    def test_goes_on_while_it_gets_dark(self) -> None:
        rows = shown([winding], 45, lambda frame: frame < 20)
        pictures = film([Person(ADA, winding)], 45)
        for frame in range(20, 45):
            pictures[frame] = blended(pictures[frame], np.zeros_like(pictures[frame]), 0.8 * (frame - 19) / 25)
        assert bare(follow(rows, pictures), winding, range(45)) == []

    def test_is_bounded(self) -> None:
        rows = shown([winding], 60 + 3 * FOLLOWED, lambda frame: 20 + 2 * FOLLOWED <= frame < 40 + 2 * FOLLOWED)
        track = one(follow(rows, film([Person(ADA, winding)], len(rows))))
        assert 20 + FEW >= track.frames[0] >= 20 - EXTENSION - FEW
        assert track.frames[-1] <= 40 + 3 * FOLLOWED + EXTENSION + FEW

    @pytest.mark.parametrize("rate", [12.0, 25.0, 50.0])
    def test_lasts_as_long_at_any_frame_rate(self, rate: float) -> None:
        follows = round(tuning.MAX_FOLLOWED_SECONDS * rate)
        pictures = film([Person(ADA, always(150, 90, 40))], 20 + 2 * follows)
        rows = shown([always(150, 90, 40)], len(pictures), lambda frame: frame < 20)
        last = one(follow(rows, pictures, rate=rate)).frames[-1]
        extension = max(1, round(tuning.EXTENSION_SECONDS * rate))
        head = round(tuning.MAX_LOST_SECONDS * rate)
        assert 19 + follows + head - FEW <= last <= 19 + follows + head + extension + FEW

    def test_stays_behind_on_no_wall(self) -> None:
        def way(frame: int) -> Place | None:
            return (60 + 2 * frame, 90, 40) if 40 <= frame < 80 else None

        track = one(follow(shown([way], 140), film([Person(ADA, way)], 140)))
        assert 40 - EXTENSION - FEW <= track.frames[0] <= 40
        assert 79 <= track.frames[-1] <= 79 + EXTENSION + FEW

    def test_ends_behind_a_pillar(self) -> None:
        """The face goes behind it and does not come out."""

        def way(frame: int) -> Place | None:
            return (min(60 + 3 * frame, 200), 90, 40)

        people = [Person(ADA, way), Person(CAL, always(200, 90, 100))]
        track = one(follow(shown([way], 120, lambda frame: 60 + 3 * frame < 140), film(people, 120)))
        gone = (200 - 60) // 3
        assert track.frames[-1] <= gone + EXTENSION + FEW

    def test_ends_when_the_face_leaves_the_picture(self) -> None:
        def way(frame: int) -> Place:
            return 200 + 4 * frame, 90, 44

        for order in (1, -1):
            rows, pictures = shown([way], 90, lambda frame: frame < 26), film([Person(ADA, way)], 90)
            track = one(follow(rows[::order], pictures[::order]))
            frames = track.frames if order == 1 else 89 - track.frames[::-1]
            # Less than a third of it is inside from frame 32 on, and nothing from frame 36 on.
            assert frames[0] == 0
            assert 32 <= frames[-1] <= 36 + EXTENSION + FEW

    @pytest.mark.parametrize("growth", [1.0, 1.02])
    def test_goes_back_where_it_was_certain_only_much_later(self, growth: float) -> None:
        """It comes nearer, and what was doubtful at first is a face in the end."""

        def way(frame: int) -> Place:
            return 60 + 2 * frame, 90, 30 * growth**frame

        certain = 20 + FOLLOWED - 2
        rows = shown([way], certain + 10, lambda frame: frame >= 20)
        scored = [
            [(*box[:4], 0.9 if frame >= certain else THRESHOLD + 0.05) for box in row] for frame, row in enumerate(rows)
        ]
        tracks = follow(scored, film([Person(ADA, way)], len(rows)))
        assert one(tracks).first_detected == 20
        assert bare(tracks, way, range(len(rows))) == []

    def test_needs_a_face_that_is_sure(self) -> None:
        rows = shown([winding], 60, lambda frame: frame in (20, 21))
        doubtful = [[(*box[:4], 0.58) for box in row] for row in rows]
        track = one(follow(doubtful, film([Person(ADA, winding)], 60)))
        assert track.doubtful
        assert track.frames[0] == 20 - EXTENSION


class TestOcclusion:
    @pytest.mark.parametrize("who", [BEN, CAL, 20, 21])
    @pytest.mark.parametrize("speed", [4, 5, 8, 12])
    @pytest.mark.parametrize(
        "covered", [pytest.param(0.25, id="quarter"), pytest.param(0.375, id="third"), pytest.param(0.5, id="half")]
    )
    def test_by_something_that_passes_leaves_one_person(self, covered: float, speed: int, who: int) -> None:
        """The face is detected until so much of its width is covered."""

        def way(frame: int) -> Place:
            return 150 + 3 * np.sin(frame / 6), 90, 40

        def thing(frame: int) -> Place:
            return 40 + speed * frame, 90, 90

        total = 220 // speed + 20
        rows = shown([way], total, lambda frame: abs(thing(frame)[0] - way(frame)[0]) > 45 + 20 * (1 - 2 * covered))
        tracks = follow(rows, film([Person(ADA, way), Person(who, thing)], total))
        assert len(one(tracks).keys) <= 2
        hidden = sum(not row for row in rows)
        if hidden < 0.8 * GUESSED:
            assert bare(tracks, way, range(total), off=0.4) == []

    def test_ids_are_not_used_again(self) -> None:
        """People come and go, one after the other, in the same place."""
        people, rows = [], []
        away = round((tuning.SHORT_GAP_SECONDS + 0.3) * RATE)
        for n, who in enumerate((ADA, BEN, CAL)):
            stay = range(n * (40 + away), n * (40 + away) + 40)
            people.append(Person(who, lambda frame, stay=stay: (150, 90, 40) if frame in stay else None))  # type: ignore[misc]
            rows += [[face(150, 90)]] * 40 + [[]] * away
        tracks = follow(rows, film(people, len(rows)))
        assert len({track.keys for track in tracks}) == len(tracks) == 3


class TestLeavingAndReturning:
    def come_back(self, who: int, seconds: float) -> list[Track]:
        away = round(seconds * RATE)

        def out(frame: int) -> Place | None:
            return (250 + 3 * frame, 90, 40) if frame < 35 else None

        def back(frame: int) -> Place | None:
            return (325 - 3 * (frame - 25 - away), 95, 40) if frame >= 15 + away else None

        def cut_off(way: Way) -> Way:
            return lambda frame: (lambda place: place if place and place[0] < 325 else None)(way(frame))

        total = 25 + away + 60
        pictures = film([Person(ADA, out), Person(who, back)], total)
        return follow(shown([cut_off(out), cut_off(back)], total), pictures)

    @pytest.mark.parametrize("part", [0.4, 0.6, 0.85])
    def test_is_known_by_the_looks(self, part: float) -> None:
        track = one(self.come_back(ADA, part * tuning.MAX_GAP_SECONDS))
        if part * BRIDGED > GUESSED + 2 * FEW:
            assert len(track.frames) < track.frames[-1] - track.frames[0] + 1

    @pytest.mark.parametrize("part", [0.5, 0.6, 0.85])
    def test_of_somebody_else_is_another_person(self, part: float) -> None:
        assert part * tuning.MAX_GAP_SECONDS > tuning.SHORT_GAP_SECONDS
        assert len(self.come_back(BEN, part * tuning.MAX_GAP_SECONDS)) == 2

    @pytest.mark.parametrize("who", [ADA, BEN])
    def test_after_long_is_another_person(self, who: int) -> None:
        assert len(self.come_back(who, 1.3 * tuning.MAX_GAP_SECONDS)) == 2


def cuts_in(pictures: Sequence[Luma]) -> tuple[list[int], list[Dissolve]]:
    """Return the frames that begin a shot, and the dissolves."""
    detector = CutDetector(RATE)
    answers = [detector.push(picture) for picture in pictures]
    answers += detector.flush()
    return [frame for frame, begins in enumerate(answers[tuning.CUT_LOOKAHEAD :]) if begins], detector.dissolves


class TestCamera:
    def test_who_is_found_while_it_swings_moves_along(self) -> None:
        """Faster than faces walk: without those who are followed already, each detection would begin a track."""

        def swung(x: float, y: float) -> Way:
            return lambda frame: (x + 26 * max(frame - 8, 0) ** 2 / (max(frame - 8, 0) + 7), y, 24)

        ways = [swung(100 + 60 * n, 40 + 33 * (n % 5)) for n in range(9)]
        newcomer = swung(160, 150)
        pictures = film([Person(seed, way) for seed, way in enumerate([*ways, newcomer], 30)], 50, wall(2200, 200))
        later = shown([newcomer], 50, lambda frame: frame >= 30)
        rows = [a + b for a, b in zip(shown(ways, 50), later, strict=True)]
        assert len(follow(rows, pictures)) == 10


class TestShots:
    places = (lumas.texture(500, 320, 180, 12), lumas.texture(501, 320, 180, 12))

    def test_a_cut_ends_every_track_even_where_the_next_face_is_in_the_same_place(self) -> None:
        for pictures in (None, film([Person(ADA, always(100, 100, 40))], 40)):
            before, behind = follow(seen_in(range(40), 40), pictures, cuts=[17])
            assert before.frames.tolist() == list(range(17))
            assert behind.frames.tolist() == list(range(17, 40))
            assert not set(before.keys) & set(behind.keys)

    def test_nobody_is_followed_across_a_cut(self) -> None:
        way = always(100, 100, 40)
        rows = shown([way], 60, lambda frame: frame < 15 or frame >= 45)
        before, behind = follow(rows, film([Person(ADA, way)], 60), cuts=[17, 43])
        assert before.frames.tolist() == list(range(17))
        assert behind.frames.tolist() == list(range(43, 60))

    def test_a_cut_that_is_seen_ends_every_track(self) -> None:
        films = [
            film([Person(who, always(100, 90, 50))], 40, place)
            for who, place in zip((ADA, BEN), self.places, strict=True)
        ]
        pictures = films[0][:20] + films[1][20:]
        cuts, dissolves = cuts_in(pictures)
        assert (cuts, dissolves) == ([20], [])
        before, behind = follow(shown([always(100, 90, 50)], 40), pictures, cuts=cuts)
        assert (before.frames[-1], behind.frames[0]) == (19, 20)

    def fade(self, length: int, beside: float) -> tuple[list[list[int]], list[Track]]:
        """Follow two people who stand still in two shots, of which one fades into the other.

        Detected is who is seen best, and nobody in the middle, where neither is. Returned are the frames in which
        each can be seen, and the tracks.
        """
        ways, total = (always(90, 90, 50), always(90 + beside, 90, 50)), 80 + length
        shares = np.clip((np.arange(total) - 39) / length, 0, 1)
        before, behind = (
            film([Person(who, way)], total, place)
            for who, way, place in zip((ADA, BEN), ways, self.places, strict=True)
        )
        pictures = [blended(a, b, share) for a, b, share in zip(before, behind, shares.tolist(), strict=True)]
        cuts, dissolves = cuts_in(pictures)
        assert (cuts, len(dissolves)) == ([], 1)
        parts = (1 - shares, shares)
        alone = [shown([way], total) for way in ways]
        rows = [
            [box for row, part in zip(alone, parts, strict=True) if part[frame] > 0.6 for box in row[frame]]
            for frame in range(total)
        ]
        return [np.flatnonzero(part > 0.1).tolist() for part in parts], follow(rows, pictures, dissolves=dissolves)

    @pytest.mark.parametrize("length", [8, 12, 25, 40])
    @pytest.mark.parametrize("beside", [pytest.param(140, id="elsewhere"), pytest.param(6, id="same place")])
    def test_who_is_in_either_of_two_shots_is_hidden_through_the_dissolve(self, length: int, beside: float) -> None:
        (first, second), tracks = self.fade(length, beside)
        before, behind = tracks
        assert bare([before], always(90, 90, 50), first, off=0.3) == []
        assert bare([behind], always(90 + beside, 90, 50), second, off=0.3) == []

    @pytest.mark.parametrize("length", [8, 12, 25, 40])
    def test_nobody_is_hidden_long_before_or_after_a_dissolve(self, length: int) -> None:
        (first, second), (before, behind) = self.fade(length, 140)
        slack = round(0.4 * RATE)
        assert before.frames[-1] <= first[-1] + slack
        assert behind.frames[0] >= second[0] - slack

    @pytest.mark.parametrize("length", range(1, tuning.CUT_LOOKAHEAD + 1))
    @pytest.mark.parametrize("detected", [False, True])
    def test_a_flash_loses_nobody(self, length: int, detected: bool) -> None:
        def way(frame: int) -> Place:
            return 60 + 3 * frame, 90, 40

        pictures = film([Person(ADA, way)], 50)
        for frame in range(20, 20 + length):
            pictures[frame] = np.full_like(pictures[frame], 250)
        assert cuts_in(pictures) == ([], [])
        rows = shown([way], 50, lambda frame: detected or not 20 <= frame < 20 + length)
        tracks = follow(rows, pictures)
        assert one(tracks).frames.tolist() == list(range(50))
        assert len(tracks[0].keys) <= 2
        assert bare(tracks, way, range(50)) == []


class TestWhenToDetect:
    """The detector need not be asked while everything is clear."""

    def asked(
        self,
        people: Sequence[Person],
        total: int,
        cuts: Iterable[int] = (),
        seen: Callable[[int], bool] = lambda _: True,
        score: float = 0.9,
        rate: float = RATE,
        look: Look | None = None,
    ) -> tuple[list[int], list[Track]]:
        """Return the frames in which the detector was asked, and the tracks, if it was asked only then."""
        tracker, begins = Follower(rate, THRESHOLD, (320, 180)), set(cuts)
        rows = shown([person.way for person in people], total, seen)
        asked = []
        for frame, (luma, row) in enumerate(zip(film(people, total), rows, strict=True)):
            window = tracker.wanted(luma, frame in begins, verifies=look is not None)
            asked += [frame] if window else []
            found = in_window(window, detection([(*box[:4], score) for box in row]))
            tracker.update(luma, found, frame in begins, look and partial(look, frame))
        return asked, finish(tracker)

    @pytest.mark.parametrize("rate", [12.0, 25.0, 60.0])
    def test_a_steady_face_is_detected_now_and_then(self, rate: float) -> None:
        asked, tracks = self.asked([Person(ADA, always(150, 90, 44))], 120, rate=rate)
        interval = max(1, round(tuning.IDLE_INTERVAL_SECONDS * rate))
        assert asked[0] == 0
        assert np.diff(asked).max() == interval
        assert len(asked) <= 120 / interval + 5
        assert one(tracks).frames.tolist() == list(range(120))

    def test_an_empty_picture_is_looked_at_now_and_then(self) -> None:
        asked, tracks = self.asked([], 60)
        assert tracks == []
        assert asked == list(range(0, 60, max(1, round(tuning.IDLE_INTERVAL_SECONDS * RATE))))

    def test_where_somebody_moves_whom_nobody_knows_is_looked_at_more_often(self) -> None:
        def passes(frame: int) -> Place:
            return 20 + frame, 140, 20

        people = [Person(ADA, always(250, 50, 40)), Person(BEN, passes)]
        tracker, asked = Follower(RATE, THRESHOLD, (320, 180)), []
        for frame, luma in enumerate(film(people, 60)):
            window = tracker.wanted(luma, False)
            asked += [frame] if window else []
            tracker.update(luma, in_window(window, detection([face(250, 50, 40)])), False)
        assert np.median(np.diff(asked)) == max(1, round(tuning.ACTIVE_INTERVAL_SECONDS * RATE))

    def test_what_a_known_person_moves_is_no_news(self) -> None:
        def nods(frame: int) -> Place:
            return 150 + 5 * np.sin(frame / 8), 90, 40

        asked, tracks = self.asked([Person(ADA, nods)], 120)
        assert np.median(np.diff(asked)) == max(1, round(tuning.IDLE_INTERVAL_SECONDS * RATE))
        assert bare(tracks, nods, range(120)) == []

    def test_every_shot_is_looked_at_from_its_first_frame_on(self) -> None:
        asked, _ = self.asked([Person(ADA, always(150, 90, 44))], 60, cuts=[17, 43])
        assert {0, 17, 43} <= set(asked)

    def test_nobody_is_bare_on_a_winding_way(self) -> None:
        asked, tracks = self.asked([Person(ADA, winding)], 100)
        assert len(asked) < 100
        assert one(tracks).frames.tolist() == list(range(100))
        assert bare(tracks, winding, range(100)) == []

    def test_a_fast_face_is_detected_in_every_frame(self) -> None:
        def way(frame: int) -> Place:
            return 60 + 1.2 * tuning.MAX_STEADY_MOTION * 40 * frame, 90, 40

        asked, tracks = self.asked([Person(ADA, way)], 50)
        assert set(range(3, 50)) <= set(asked)
        assert bare(tracks, way, range(50)) == []

    def test_a_fast_face_may_be_looked_at_closely_instead(self) -> None:
        def way(frame: int) -> Place:
            return 60 + 1.2 * tuning.MAX_STEADY_MOTION * 40 * frame, 90, 40

        looks: list[int] = []
        asked, tracks = self.asked([Person(ADA, way)], 50, look=acknowledging([way], 0.9, looks))
        assert len(asked) < 20
        assert set(range(5, 50)) <= {*asked, *looks}
        assert bare(tracks, way, range(50)) == []

    def test_many_fast_faces_are_detected_together(self) -> None:
        ways = [
            lambda frame, y=y: (30 + 1.2 * tuning.MAX_STEADY_MOTION * 30 * frame, y, 30) for y in range(20, 180, 34)
        ]
        looks: list[int] = []
        asked, _ = self.asked([Person(ADA, way) for way in ways], 50, look=acknowledging(ways, 0.9, looks))
        assert set(range(3, 50)) <= set(asked)

    def test_after_looking_closely_in_vain_the_whole_picture_is_looked_at(self) -> None:
        people = [
            Person(ADA, lambda frame: (150, 90, 44) if frame < 31 else None),
            Person(BEN, lambda frame: (150, 90, 44) if frame >= 31 else None),
        ]
        asked, _ = self.asked(people, 60, seen=lambda frame: frame < 31, look=acknowledging([], 0.9))
        assert {31, 32, 33, 34} & set(asked)

    def test_a_face_that_is_lost_is_looked_for_at_once(self) -> None:
        people = [
            Person(ADA, lambda frame: (150, 90, 44) if frame < 31 else None),
            Person(BEN, lambda frame: (150, 90, 44) if frame >= 31 else None),
        ]
        asked, _ = self.asked(people, 60, seen=lambda frame: frame < 31)
        assert {31, 32, 33} <= set(asked)

    def test_what_may_be_a_face_is_detected_until_that_is_known(self) -> None:
        asked, tracks = self.asked([Person(ADA, always(150, 90, 44))], 60, score=THRESHOLD + 0.01)
        interval = round(tuning.DOUBTFUL_INTERVAL_SECONDS * RATE)
        assert set(range(interval + 1, round(tuning.TENTATIVE_SECONDS * RATE), interval)) <= set(asked)
        assert len(asked) < 60 / interval
        assert tracks == []

    def test_to_ask_changes_nothing(self) -> None:
        pictures, rows = film([Person(ADA, winding)], 50), shown([winding], 50, lambda frame: frame % 4 < 2)
        tracker = Follower(RATE, THRESHOLD, (320, 180))
        for frame, (luma, row) in enumerate(zip(pictures, rows, strict=True)):
            for _ in range(frame % 3):
                tracker.wanted(luma, frame == 30)
            tracker.update(luma, detection(row), frame == 30)
        for a, b in zip(finish(tracker), follow(rows, pictures, cuts=[30]), strict=True):
            np.testing.assert_array_equal(a.frames, b.frames)
            np.testing.assert_array_equal(a.boxes, b.boxes)

    def test_frames_without_detection_are_not_frames_without_a_face(self) -> None:
        """Nothing is looked for again, and nobody lost, because the detector was not asked."""
        asked: list[int] = []
        rows: list[Row | None] = [[face(*winding(frame))] if frame % 4 == 0 else None for frame in range(80)]
        tracks = follow(rows, film([Person(ADA, winding)], 80), look=acknowledging([winding], 0.9, asked))
        assert one(tracks).frames.tolist() == list(range(80))
        assert bare(tracks, winding, range(80)) == []
        assert all(rows[frame] is not None for frame in asked)

    def test_the_smallest_face_is_that_of_somebody_who_is_there(self) -> None:
        tracker, luma = Follower(RATE, THRESHOLD, (320, 180)), wall()
        assert tracker.smallest == float("inf")
        for _ in range(3):
            tracker.update(luma, detection([face(100, 90, 40), face(200, 90, 24), face(280, 90, 10, 0.45)]), False)
        assert tracker.smallest == pytest.approx(24)
        tracker.update(luma, detection([]), True)
        assert tracker.smallest == float("inf")


def acknowledging(ways: Iterable[Way], score: float, asked: list[int] | None = None) -> Look:
    """Return what, looking again, sees every one of these faces that is near, with this score."""
    known = list(ways)

    def look(frame: int, box: Box, crop: Crop) -> Detection:
        if asked is not None and crop in FIRST_CROPS:
            asked.append(frame)
        places = [place for way in known if (place := way(frame)) is not None]
        near = [place for place in places if np.hypot(*(box[:2] - place[:2])) < 2 * max(box[2:])]
        return detection([face(*place, score) for place in near])

    return look


class TestScores:
    def test_doubtful_detections_continue_a_track(self) -> None:
        def at(frame: int) -> Face:
            return face(100 + 5 * frame, score=0.9 if frame < 10 else THRESHOLD / 2)

        track = one(follow(seen_in(range(30), 60, at)))
        assert track.frames[-1] == 29 + EXTENSION
        assert hides(track, 29, (100 + 5 * 29, 100, 40), off=0.05)
        assert track.score == pytest.approx(0.9)
        assert track.detections == 30

    def test_the_confident_detection_is_taken_before_a_doubtful_one_that_lies_better(self) -> None:
        rows = [[face(100)]] * 10 + [[face(100, score=0.2), face(106, score=0.9)]]
        track = follow(rows)[0]
        assert track.boxes[-1, 0] + track.boxes[-1, 2] / 2 >= 126 - 1e-3

    def test_faint_detections_begin_one_that_is_looked_at(self) -> None:
        look = acknowledging([always(100, 100, 40)], 0.9)
        faint = seen_in(range(20, 40), 80, lambda _: face(100, score=tuning.FAINT_FRACTION * THRESHOLD + 0.01))
        assert len(follow(faint, look=look)) == 1
        fainter = seen_in(range(20, 40), 80, lambda _: face(100, score=tuning.FAINT_FRACTION * THRESHOLD - 0.01))
        assert follow(fainter, look=look) == []

    def test_faint_detections_within_a_face_begin_none(self) -> None:
        """Beside small faces detectors see ghosts; a second look would see the face that the ghost is of."""
        look = acknowledging([always(100, 100, 40)], 0.9)
        rows = [[face(100), face(112, score=THRESHOLD - 0.05)] for _ in range(40)]
        assert len(follow(rows, look=look)) == 1

    def test_two_detections_of_which_one_is_certain_make_a_track(self) -> None:
        scores = {20: tuning.CONFIRMING_SCORE + 0.01, 22: tuning.CONFIRMING_SCORE - 0.05}
        assert len(follow(seen_in(scores, 40, lambda frame: face(100, score=scores[frame])))) == 1

    def test_what_is_not_certain_and_seen_once_makes_none(self) -> None:
        assert follow(seen_in([20], 80, lambda _: face(100, score=tuning.CONFIRMING_SCORE - 0.1))) == []

    @pytest.mark.parametrize(("score", "doubtful"), [(0.58, False), (0.48, True)])
    def test_what_is_seen_faintly_again_and_again_makes_one(self, score: float, doubtful: bool) -> None:
        track = one(follow(seen_in(range(20, 40), 80, lambda _: face(100, score=score))))
        assert track.doubtful == doubtful
        assert set(range(20, 40)) <= set(track.frames.tolist())

    def test_a_single_detection_makes_a_doubtful_one(self) -> None:
        track = one(follow(seen_in([20], 40)))
        assert track.doubtful
        assert track.frames.tolist() == list(range(20 - EXTENSION, 20 + EXTENSION + 1))

    def test_a_track_that_is_certain_late_begins_with_its_first_detection(self) -> None:
        def at(frame: int) -> Face:
            return face(100, score=THRESHOLD + 0.05 if frame < 30 else 0.9)

        assert one(follow(seen_in(range(20, 40), 40, at))).frames[0] == 20 - EXTENSION


class TestSecondLooks:
    def doubtful(self, look: Look | None, frames: range = range(20, 22)) -> list[Track]:
        rows = seen_in(frames, 80, lambda _: face(100, score=THRESHOLD + 0.01))
        return follow(rows, look=look)

    @pytest.mark.parametrize(
        ("score", "doubtful"),
        [
            (tuning.CERTAIN_MEANS[0] + 0.01, [False]),
            (tuning.LIKELY_MEANS[0] + 0.01, [True]),
            (tuning.LIKELY_MEANS[0] - 0.15, []),
        ],
    )
    def test_tell_whether_something_faint_is_a_face(self, score: float, doubtful: list[bool]) -> None:
        look = acknowledging([lambda frame: (100, 100, 40) if frame == 20 else None], score)
        assert [track.doubtful for track in self.doubtful(look, range(20, 21))] == doubtful

    def test_a_threshold_that_nothing_reaches_shows_nobody(self) -> None:
        tracker = Follower(RATE, 1.0, (320, 180))
        look = acknowledging([always(100, 100, 40)], 0.99)
        for frame, row in enumerate([[face(100, score=0.99)]] * 40):
            tracker.update(wall(), detection(row), not frame, partial(look, frame))
        assert finish(tracker) == []

    @pytest.mark.parametrize("threshold", [0.1, 0.2])
    def test_a_lower_threshold_reaches_every_rule(self, threshold: float) -> None:
        scale = threshold / tuning.STANDARD_THRESHOLD
        for score, expected in ((0.69, [False]), (0.56, [True]), (0.3, [])):
            tracker = Follower(RATE, threshold, (320, 180))
            for frame, row in enumerate(seen_in([20], 60, lambda _: face(100, score=1.02 * threshold))):
                look = acknowledging([lambda frame: (100, 100, 40) if frame == 20 else None], scale * score)
                tracker.update(wall(), detection(row), not frame, partial(look, frame))
            assert [track.doubtful for track in finish(tracker)] == expected

    def test_of_what_is_beside_it_say_nothing_about_it(self) -> None:
        assert self.doubtful(acknowledging([always(145, 100, 40)], 0.9)) == []

    def test_may_acknowledge_a_single_detection(self) -> None:
        track = one(self.doubtful(acknowledging([always(100, 100, 40)], 0.9), range(20, 21)))
        assert set(range(20 - EXTENSION, 20 + EXTENSION + 1)) <= set(track.frames.tolist())

    def test_are_taken_ever_less_often_as_long_as_it_lives(self) -> None:
        frames: list[int] = []

        def look(frame: int, *_: object) -> Detection:
            frames.append(frame)
            return detection([])

        faint = 0.8 * tuning.HOPELESS_SCORE
        follow(seen_in(range(20, 80), 80, lambda _: face(100, score=faint)), look=look)
        asked = sorted(set(frames))
        assert asked[:2] == [20, 21]
        assert (np.diff(np.diff(asked)) >= 0).all()
        assert asked[-1] >= 80 - tuning.HOPELESS_WAIT * round(tuning.LOOK_SECONDS * RATE)
        assert len(asked) <= 60 / (tuning.HOPELESS_WAIT * round(tuning.LOOK_SECONDS * RATE)) + 4

    def test_that_show_it_once_are_enough_however_late(self) -> None:
        """One woman passes one look of six."""

        def look(frame: int, *_: object) -> Detection:
            return detection([face(100, score=0.7)] if frame > 70 else [])

        track = one(self.doubtful(look, range(20, 80)))
        assert not track.doubtful
        assert set(range(20, 80)) <= set(track.frames.tolist())

    def test_of_what_is_tentative_for_long_no_more_is_kept_than_the_best(self) -> None:
        tracker = Follower(RATE, THRESHOLD, (320, 180))
        for frame in range(300):
            look = acknowledging([always(100, 100, 40)], 0.1 + frame % 7 / 100)
            row = [face(100, score=tuning.FAINT_FRACTION * THRESHOLD + 0.01)]
            tracker.update(wall(), detection(row), not frame, partial(look, frame))
        (lamp,) = tracker.active
        assert lamp.looks > 10
        assert lamp.evidence == sorted(lamp.evidence, reverse=True)
        assert len(lamp.evidence) == len(tuning.LIKELY_MEANS)

    def test_are_each_at_other_crops_than_the_one_before(self) -> None:
        seen: list[Crop] = []

        def look(_: int, __: Box, crop: Crop) -> Detection:
            seen.append(crop)
            return detection([])

        self.doubtful(look, range(20, 60))
        small = [Crop(*one) for one in tuning.CROPS]
        assert set(seen) >= set(small)
        assert seen[: len(small)] == small

    def test_come_to_an_end_for_a_face_that_is_sure_and_seen(self) -> None:
        asked: list[int] = []
        follow(seen_in(range(60), 60), look=acknowledging([always(100, 100, 40)], 0.9, asked))
        assert len(asked) <= 1

    @pytest.mark.parametrize("people", [1, 5, 20])
    def test_are_so_many_a_frame_at_most(self, people: int) -> None:
        asked: list[int] = []
        ways = [always(30 + 18 * n, 100, 14) for n in range(people)]
        score = THRESHOLD + 0.01
        doubtful = [[(*box[:4], score) for box in row] for row in shown(ways, 120)]
        rows = doubtful + [row if frame % 7 == 0 else [] for frame, row in enumerate(doubtful)]
        pictures = film([Person(n, way) for n, way in enumerate(ways)], 1, wall(400, 180)) * len(rows)
        tracks = follow(rows, pictures, look=acknowledging(ways, tuning.CERTAIN_MEANS[0] + 0.05, asked))
        assert len(tracks) == people
        assert max(Counter(asked).values()) <= tuning.MAX_VERIFICATIONS_PER_FRAME

    def test_find_a_face_that_has_turned_away(self) -> None:
        """It looks otherwise from frame 20 on, and is not detected any more."""

        def way(frame: int) -> Place:
            return 60 + 2 * frame, 90, 44

        turned = [
            Person(ADA, lambda frame: way(frame) if frame < 20 else None),
            Person(BEN, lambda frame: way(frame) if frame >= 20 else None),
        ]
        pictures, rows = film(turned, 80), shown([way], 80, lambda frame: frame < 20)
        lost = one(follow(rows, pictures))
        assert lost.frames[-1] <= 19 + EXTENSION + FEW
        asked: list[int] = []
        tracks = follow(rows, pictures, look=acknowledging([way], tuning.REDETECTED_SCORE + 0.01, asked))
        assert len(one(tracks).keys) == 1
        assert bare(tracks, way, range(80)) == []
        assert tracks[0].score == pytest.approx(0.9)
        assert (np.diff(asked[1:]) >= min(tuning.MISSES_PER_VERIFICATION, 2)).all() or max(
            Counter(asked).values()
        ) <= tuning.MAX_VERIFICATIONS_PER_FRAME

    def test_that_are_too_doubtful_find_no_face(self) -> None:
        way = always(150, 90, 44)
        pictures = film([Person(ADA, lambda frame: way(frame) if frame < 20 else None)], 60)
        rows = shown([way], 60, lambda frame: frame < 20)
        track = one(follow(rows, pictures, look=acknowledging([way], tuning.REDETECTED_SCORE - 0.01)))
        assert track.frames[-1] <= 19 + EXTENSION + FEW


class TestSeveralPeople:
    def test_crossing_far_apart_remain_two(self) -> None:
        rows = [[face(20 + 6 * frame, 60), face(380 - 6 * frame, 200)] for frame in range(60)]
        upper, lower = sorted(follow(rows), key=lambda track: track.boxes[0, 1])
        assert upper.frames.tolist() == lower.frames.tolist() == list(range(60))
        assert bare([upper], lambda frame: (20 + 6 * frame, 60, 40), range(60), off=0.05) == []
        assert bare([lower], lambda frame: (380 - 6 * frame, 200, 40), range(60), off=0.05) == []

    @pytest.mark.parametrize("speed", [2, 4, 7])
    @pytest.mark.parametrize("higher", [0, 6, 14])
    def test_who_cross_keep_their_ids(self, speed: int, higher: int) -> None:
        """The one behind is not detected while the other is in front."""
        half = 120 // speed

        def behind(frame: int) -> Place:
            return 160 + speed * (frame - half), 90 - higher, 40

        def before(frame: int) -> Place:
            return 160 - speed * (frame - half), 90 + higher, 44

        rows = [
            [face(*before(frame))] + [face(*behind(frame))] * (abs(speed * (frame - half)) > 13)
            for frame in range(2 * half)
        ]
        tracks = follow(rows, film([Person(ADA, behind), Person(BEN, before)], 2 * half))
        assert len(tracks) == 2
        for way in (behind, before):
            (mine,) = [track for track in tracks if hides(track, 0, way(0))]
            assert bare([mine], way, range(2 * half), off=0.5) == []

    @pytest.mark.parametrize("apart", [32, 45])
    def test_side_by_side_each_keep_their_own_track(self, apart: int) -> None:
        rows = [[face(100 + frame), face(100 + apart + frame)] for frame in range(40)]
        left, right = follow(rows)
        assert left.boxes[:, 0] == pytest.approx(100 + np.arange(40), abs=2)
        assert right.boxes[:, 0] == pytest.approx(100 + apart + np.arange(40), abs=2)

    def test_come_in_order_of_appearance_and_from_left_to_right(self) -> None:
        rows = [[face(300)] if frame < 20 else [face(300), face(200), face(100)] for frame in range(40)]
        assert [round(track.boxes[0, 0]) for track in follow(rows)] == [300, 100, 200]

    @pytest.mark.parametrize("score", [0.45, 0.6, 0.7, 0.9])
    @pytest.mark.parametrize("double", [(6, 2, 38), (12, 2, 36), (10, 8, 20), (0, 12, 14)])
    def test_are_not_seen_where_a_face_is_detected_twice(self, score: float, double: Place) -> None:
        def way(frame: int) -> Place:
            return 100 + 2 * frame, 90, 40

        dx, dy, size = double
        rows = [[face(*way(frame)), face(100 + 2 * frame + dx, 90 + dy, size, score)] for frame in range(50)]
        tracks = follow(rows, film([Person(ADA, way)], 50))
        assert one(tracks).frames.tolist() == list(range(50))
        assert bare(tracks, way, range(50)) == []


class TestWhoMayContinueOrBegin:
    """What the tracker holds while it goes on, before anything is linked or left out."""

    def after(self, steps: Iterable[tuple[Row, Luma]]) -> Follower:
        tracker: Follower | None = None
        for frame, (row, luma) in enumerate(steps):
            tracker = tracker or Follower(RATE, THRESHOLD, (luma.shape[1], luma.shape[0]))
            tracker.update(luma, detection(row), not frame)
        assert tracker is not None
        return tracker

    @pytest.mark.parametrize(
        ("x", "score", "begun"), [(106, 0.5, 0), (106, 0.64, 0), (106, 0.7, 1), (132, 0.5, 1), (135, 0.7, 1)]
    )
    def test_a_faint_part_of_a_known_face_begins_no_track(self, x: float, score: float, begun: int) -> None:
        """Where it lies beside the face, or is sure, it does."""
        (luma,) = film([Person(ADA, always(100, 90, 40))], 1)
        known = [(face(100, 90),)] * 10
        tracker = self.after([(row, luma) for row in [*known, (face(100, 90), face(x, 90, 24, score))]])
        assert len(tracker.active) == 1 + begun

    @pytest.mark.parametrize(("x", "begun"), [(106, 0), (135, 1)])
    def test_nor_does_it_while_the_whole_face_is_not_detected(self, x: float, begun: int) -> None:
        """It is too small to be the face itself."""
        (luma,) = film([Person(ADA, always(100, 90, 40))], 1)
        tracker = self.after([((face(100, 90),), luma)] * 10 + [((face(x, 90, 12, 0.5),), luma)])
        assert len(tracker.active) == 1 + begun

    @pytest.mark.parametrize(
        ("missed", "who", "tracks", "runs"),
        [(2, BEN, 1, 1), (3, ADA, 1, 2), (3, BEN, 2, 1), (8, ADA, 1, 2), (8, BEN, 2, 1)],
    )
    def test_who_was_missed_three_times_must_look_alike(self, missed: int, who: int, tracks: int, runs: int) -> None:
        """And then it is another run of detections, so that likeness is asked again in the end."""
        place = always(100, 90, 40)
        (before,), (after,) = (film([Person(seen, place)], 1) for seen in (ADA, who))
        gone = film([Person(CAL, always(100, 90, 90))], 1)[0]
        steps = [((face(100, 90),), before)] * 10 + [((), gone)] * missed + [((face(100, 90),), after)] * 3
        tracker = self.after(steps)
        assert len(tracker.active) == tracks
        assert len(tracker.active[0].runs) == runs

    @pytest.mark.parametrize(("aside", "score", "continued"), [(14, 0.3, True), (25, 0.3, False), (25, 0.5, True)])
    def test_a_doubtful_detection_must_lie_better_than_a_confident_one(
        self, aside: float, score: float, continued: bool
    ) -> None:
        (luma,) = film([Person(ADA, always(100, 90, 40))], 1)
        tracker = self.after([((face(100, 90),), luma)] * 10)
        assert (0 in tracker.update(luma, detection([face(100 + aside, 90, score=score)]), False)) == continued

    def test_who_is_missing_for_a_second_is_given_up(self) -> None:
        (luma,) = film([Person(ADA, always(100, 90, 40))], 1)
        steps = [((face(100, 90),), luma)] * 10 + [((), wall())] * round(tuning.MAX_LOST_SECONDS * RATE)
        assert len(self.after(steps).active) == 1
        assert self.after([*steps, ((), wall()), ((), wall())]).active == []


class TestSmoothness:
    @pytest.mark.parametrize("seed", range(4))
    def test_boxes_move_and_grow_more_smoothly_than_detections_and_hold_them(self, seed: int) -> None:
        rng = np.random.default_rng(seed)

        def way(frame: int) -> Place:
            return 60 + 2 * frame, 90 + 20 * np.sin(frame / 15), 40 + 8 * np.sin(frame / 20)

        truth = np.array([way(frame) for frame in range(90)])
        jittered = truth + rng.normal(0, 0.04, (90, 3)) * truth[:, 2:]
        rows = [[face(*place)] if rng.random() < 0.85 else [] for place in jittered]
        rows[0], rows[-1] = [face(*jittered[0])], [face(*jittered[-1])]
        track = one(follow(rows, film([Person(ADA, way)], 90)))
        assert track.frames.tolist() == list(range(90))
        for frame, row in enumerate(rows):
            for *corners, _ in row:
                assert holds(track.boxes[frame : frame + 1], *corners)
        jumps = np.abs(np.diff(track.boxes, axis=0) - np.diff(truth[:, [0, 1, 2, 2]], axis=0)) / 40
        jerks = np.abs(np.diff(jittered[:, [0, 1, 2, 2]], axis=0) - np.diff(truth[:, [0, 1, 2, 2]], axis=0)) / 40
        assert jumps.max() < 0.1 + 3 * tuning.GROWTH_PER_FRAME
        assert np.sqrt((jumps[:, :2] ** 2).mean()) < 0.8 * np.sqrt((jerks[:, :2] ** 2).mean())

    def test_there_is_no_lag(self) -> None:
        """The face sets off, and stops, all at once."""
        truth = np.concatenate([np.full(20, 60.0), 60 + 4 * np.arange(40), np.full(20, 220.0)])
        rows = [[face(x, 90)] for x in truth]
        tracks = follow(rows, film([Person(ADA, lambda frame: (truth[frame], 90, 40))], 80))
        assert bare(tracks, lambda frame: (truth[frame], 90, 40), range(80), off=0.08) == []


def flock(seed: int, people: int, frames: int, missing: float) -> tuple[list[Way], list[list[Face]]]:
    """Return the ways of people who keep apart, each swaying in a place of its own, and where they are detected."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 6, (people, 2))

    def way(n: int, frame: int) -> Place:
        dx, dy = 14 * np.sin(frame / 7 + phases[n])
        return float(50 + 75 * (n % 4) + dx), float(45 + 85 * (n // 4) + dy), 30.0

    rows = []
    for frame in range(frames):
        present = [n for n in range(people) if rng.random() >= missing]
        row = []
        for n in present:
            x, y, size = np.add(way(n, frame), rng.normal(0, 0.5, 3)).tolist()
            row.append(face(x, y, size, rng.uniform(0.5, 1)))
        rows.append(row)
    return [partial(way, n) for n in range(people)], rows


def boxes_by_frame(tracks: Iterable[Track], frames: int) -> list[list[Box]]:
    at: list[list[Box]] = [[] for _ in range(frames)]
    for track in tracks:
        for frame, box in zip(track.frames.tolist(), track.boxes, strict=True):
            at[frame].append(box)
    return at


def differing(one: list[list[Box]], other: list[list[Box]], tolerance: float) -> int:
    """Return how many boxes of either have none in the other that is the same but for a part of its size."""

    def count(a: list[list[Box]], b: list[list[Box]]) -> int:
        return sum(
            not any(np.abs(box - there).max() <= tolerance * box[2:].max() for there in b[frame])
            for frame, row in enumerate(a)
            for box in row
        )

    return count(one, other) + count(other, one)


class TestSymmetry:
    @pytest.mark.parametrize(("seed", "gray"), thinned(product(range(4), [False, True]), 3))
    def test_mirrored_people_are_covered_by_mirrored_boxes(self, seed: int, gray: bool) -> None:
        ways, rows = flock(seed, 7, 60, missing=0.3)
        pictures = (
            [np.full((176, 320), 99, np.uint8)] * 60 if gray else film(map(Person, range(7), ways), 60, wall(320, 176))
        )
        mirrored = [[(320 - x2, y1, 320 - x1, y2, score) for x1, y1, x2, y2, score in row] for row in rows]
        here = boxes_by_frame(follow(rows, pictures), 60)
        there = boxes_by_frame(follow(mirrored, [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]), 60)
        back = [[np.array([320 - box[0], *box[1:]]) for box in row] for row in there]
        assert sum(map(len, here)) > 300
        assert differing(here, back, 1e-4 if gray else 0.1) <= (0 if gray else 0.01 * sum(map(len, here)))

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("gray", [False, True])
    def test_backwards_the_same_is_hidden(self, seed: int, gray: bool) -> None:
        ways, rows = flock(seed, 7, 60, missing=0.15 if gray else 0.4)
        pictures = (
            [np.full((176, 320), 99, np.uint8)] * 60 if gray else film(map(Person, range(7), ways), 60, wall(320, 176))
        )
        here = boxes_by_frame(follow(rows, pictures, look=acknowledging(ways, 0.9)), 60)
        reverse = [backwards(way, 60) for way in ways]
        there = boxes_by_frame(follow(rows[::-1], pictures[::-1], look=acknowledging(reverse, 0.9)), 60)[::-1]
        for hidden in (here, there):
            for row, boxes in zip(rows, hidden, strict=True):
                for *corners, _ in row:
                    assert holds(np.reshape(boxes, (-1, 4)) * [1, 1, MARGIN, MARGIN], *corners)
        count = sum(map(len, here))
        assert count > 300
        assert differing(here, there, 0.25) <= 0.02 * count

    @settings(deadline=None, max_examples=4)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_nothing_depends_on_the_order_of_boxes_within_a_frame(self, seed: int) -> None:
        self.shuffle(seed)

    @pytest.mark.soak
    @settings(deadline=None, max_examples=200)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_nothing_depends_on_the_order_of_boxes_within_any_frame(self, seed: int) -> None:
        self.shuffle(seed)

    def shuffle(self, seed: int) -> None:
        """Follow boxes in two orders; the same comes of it."""
        rng = np.random.default_rng(seed)
        places = rng.uniform(0, 200, (6, 2)) + np.cumsum(rng.normal(0, 4, (40, 6, 2)), axis=0)
        rows = [
            [face(x, y, rng.uniform(20, 50), rng.uniform(0.2, 1)) for x, y in row.tolist() if rng.random() < 0.8]
            for row in places
        ]
        rows[20] += rows[20]  # the same twice
        rows[21] += [(*box[:4], 0.5) for box in rows[21]]
        pictures = [wall(200, 200, int(seed % 97) + frame // 20) for frame in range(40)]
        ways = [always(x, y, 40) for x, y in places[0].tolist()]
        shuffled = [[row[i] for i in rng.permutation(len(row))] for row in rows]
        look = acknowledging(ways, 0.6)
        for a, b in zip(
            follow(rows, pictures, cuts=[15], look=look), follow(shuffled, pictures, cuts=[15], look=look), strict=True
        ):
            assert (a.first_detected, a.score, a.detections, a.keys) == (
                b.first_detected,
                b.score,
                b.detections,
                b.keys,
            )
            np.testing.assert_array_equal(a.frames, b.frames)
            np.testing.assert_array_equal(a.boxes, b.boxes)


@pytest.mark.parametrize("frames", [0, 1, 30])
def test_no_faces_make_no_tracks(frames: int) -> None:
    assert follow([[]] * frames) == []


def test_detections_are_told_by_the_key_of_their_track() -> None:
    tracker, luma = Follower(RATE, THRESHOLD, (400, 300)), np.full((30, 40), 128, np.uint8)
    first = tracker.update(luma, detection([face(300), face(100, score=0.8), face(200, score=0.5)]), False)
    second = tracker.update(luma, detection([face(100), face(301, score=0.2), face(20, score=0.7)]), False)
    assert sorted(first.values()) == [0, 1, 2]
    keys = {index: key for key, index in first.items()}
    assert second[keys[1]] == 0
    assert second[keys[0]] == 1
    (new,) = set(second) - set(first)
    assert second[new] == 2
    tracks = finish(tracker)
    assert {key for track in tracks for key in track.keys} <= {*first, *second}


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


def holds(boxes: Box, x1: float, y1: float, x2: float, y2: float) -> bool:
    """Return whether one of the boxes holds the detected one, but for single precision."""
    tolerance = 1e-3 + 1e-6 * max(abs(x1), abs(y1), abs(x2), abs(y2))
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    inside = (low <= np.add((x1, y1), tolerance)) & (high >= np.subtract((x2, y2), tolerance))
    return bool(inside.all(axis=1).any())


def assert_sound(tracks: Sequence[Track], cuts: Iterable[int], total: int) -> None:
    begins = set(cuts)
    for track in tracks:
        assert len(track.frames) == len(track.boxes) > 0
        assert np.isfinite(track.boxes).all()
        assert (track.boxes[:, 2:] > 0).all()
        assert (np.diff(track.frames) > 0).all()
        assert 0 <= track.frames[0] <= track.first_detected <= track.frames[-1] < total
        assert not begins & set(range(track.frames[0] + 1, track.frames[-1] + 1))
    keys = [key for track in tracks for key in track.keys]
    assert len(keys) == len(set(keys))


@settings(deadline=None, max_examples=10)
@given(rows=streams(), cuts=st.sets(st.integers(0, 25)), textured=st.booleans())
def test_any_stream_gives_sound_boxes_that_hold_what_was_detected(
    rows: list[list[Face]], cuts: set[int], textured: bool
) -> None:
    follow_anything(rows, cuts, textured)


@pytest.mark.soak
@settings(deadline=None, max_examples=750)
@given(rows=streams(), cuts=st.sets(st.integers(0, 25)), textured=st.booleans())
def test_many_streams_give_sound_boxes_that_hold_what_was_detected(
    rows: list[list[Face]], cuts: set[int], textured: bool
) -> None:
    follow_anything(rows, cuts, textured)


def follow_anything(rows: list[list[Face]], cuts: set[int], textured: bool) -> None:
    pictures = [
        wall(40, 30, frame // 9) if textured else np.full((30, 40), 128, np.uint8) for frame in range(len(rows))
    ]
    tracks = follow(rows, pictures, cuts=cuts, size=(60, 60))
    assert_sound(tracks, cuts, len(rows))
    at = boxes_by_frame(tracks, len(rows))
    kept = {key for track in tracks for key in track.keys}
    tracker = Follower(RATE, THRESHOLD, (60, 60))
    for number, (luma, row) in enumerate(zip(pictures, rows, strict=True)):
        for key, index in tracker.update(luma, detection(row), number in cuts).items():
            if key in kept:
                assert holds(np.reshape(at[number], (-1, 4)), *row[index][:4])


WILD = ("near", "same", "huge", "tiny", "negative", "crowd", "far", "line")


def wild(rng: np.random.Generator, kind: str, faces: int) -> NDArray[np.float32]:
    """Return some boxes as no detector should give them."""
    middle, size = rng.uniform(0, 64, (faces, 2)), rng.uniform(4, 30, (faces, 2))
    match kind:
        case "same":
            middle[:], size[:] = 30, 12
        case "huge":
            size *= 10.0 ** rng.integers(1, 5, (faces, 1))
        case "tiny":
            size *= 1e-6
        case "negative":
            size *= -1
        case "far":
            middle *= -1e4
        case "crowd":
            size[:] = 5
        case "line":
            size[:, rng.integers(2)] = 0
    return np.hstack([middle - size / 2, middle + size / 2]).astype(np.float32)


@pytest.mark.parametrize("streams", [100, pytest.param(5000, marks=pytest.mark.soak)])
def test_streams_of_anything_are_survived(streams: int) -> None:
    rng = np.random.default_rng(11)
    pictures = [lumas.texture(seed, 24, 18, 5) for seed in range(6)] + [np.full((18, 24), 200, np.uint8)]
    seen = 0
    for number in range(streams):
        kinds = [WILD[int(n)] for n in rng.integers(len(WILD), size=2)]
        frames = int(rng.integers(1, 4)) if number % 200 else 30
        faces = int(rng.integers(1, 3)) if number % 500 != 99 else 90
        cuts = {int(rng.integers(1, 9))} if number % 3 == 0 else set()
        tracker = Follower(float(rng.choice([1, 12, 25, 60])), THRESHOLD, (64, 48))
        for frame in range(frames):
            boxes = wild(rng, kinds[frame % 2], faces)
            scores = rng.choice(np.array([0.1, 0.45, 0.7, 0.9], np.float32), faces)
            found = Detection(boxes, scores)
            picture = pictures[int(rng.integers(7)) if number % 2 else 0]
            tracker.update(picture, found, frame in cuts, lambda *_, found=found: found)  # type: ignore[misc]
        tracks = finish(tracker)
        assert_sound(tracks, cuts, frames)
        columns = Columns.of(tracks, np.ones(frames, np.bool_), 64)
        starts, ids, hidden = columns.starts(frames), columns.ids, columns.corners(1.3)
        assert np.bincount(columns.at[ids < REGION_IDS], minlength=1).max() <= 64
        assert np.isfinite(hidden).all()
        assert (hidden[:, 2:] > 0).all()
        assert len(ids) == len(hidden) == starts[-1]
        seen += len(hidden)
    assert seen > streams


@pytest.mark.parametrize("frames", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_frames_of_jumping_boxes_are_survived(frames: int) -> None:
    rng = np.random.default_rng(12)
    rows = [
        [face(rng.uniform(0, 2000), rng.uniform(0, 2000), rng.uniform(5, 90), rng.uniform(0.1, 1))]
        for _ in range(frames)
    ]
    tracks = follow(rows, [lumas.texture(1, 40, 30, 5)] * frames, size=(2000, 2000))
    assert_sound(tracks, (), frames)


class TestCrowds:
    crowd = tuple((8.0 + 14 * (n % 20), 8.0 + 14 * (n // 20), 10.0) for n in range(100))

    def test_at_most_64_faces_are_followed_in_a_frame_those_first_that_are_followed_already(self) -> None:
        """Forty come first, and sixty more later; all are hidden."""
        rows = [[face(*place, 0.7) for place in self.crowd[50:90]]] * 12
        rows += [[face(*place) for place in self.crowd]] * 20
        columns = Columns.of(follow(rows, size=(300, 90)), np.ones(len(rows), np.bool_), 64)
        starts = columns.starts(len(rows))
        counts = np.diff(starts)
        assert (counts[0], counts.max()) == (40, 100)
        assert columns.crowded == (counts > 64).sum() > 15
        for first, last in pairwise(starts.tolist()):
            people = columns.ids[first:last] < REGION_IDS
            assert people.sum() == min(last - first, 64)
            for place in self.crowd[50:90]:
                assert np.abs(columns.boxes[first:last, :2][people] - place[:2]).max(axis=1).min() < 2
        assert len(set(columns.ids[columns.ids < REGION_IDS].tolist())) == 64

    def test_of_those_who_come_at_once_the_surest_are_followed(self) -> None:
        scores = np.random.default_rng(5).permutation([0.95] * 64 + [0.7] * 36).tolist()
        rows = [[face(*place, score) for place, score in zip(self.crowd, scores, strict=True)]] * 12
        columns = Columns.of(follow(rows, size=(300, 90)), np.ones(12, np.bool_), 64)
        assert (np.diff(columns.starts(12)) == 100).all()
        middles = columns.boxes[:100, :2][columns.ids[:100] < REGION_IDS]
        for place, score in zip(self.crowd, scores, strict=True):
            assert (np.abs(middles - place[:2]).max(axis=1).min() < 2) == (score > 0.9)

    def test_all_are_followed_if_that_is_asked_for(self) -> None:
        tracks = follow([[face(*place) for place in self.crowd]] * 10, size=(300, 90))
        columns = Columns.of(tracks, np.ones(10, np.bool_), None)
        assert (np.diff(columns.starts(10)) == 100).all()
        assert columns.crowded == 0
