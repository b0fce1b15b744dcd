"""Which pieces are of one person, and which tracks are one face seen twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import tuning
from facered.track.clock import Clock
from facered.track.duplicates import without_duplicates
from facered.track.shot import Shot
from facered.track.smoothing import Track, smooth_and_fill
from facered.track.stitching import join
from tracklets import WHOLE, straight, tracklet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facered.track.tracklet import Tracklet

RATE = 25.0
BRIDGED = round(tuning.MAX_GAP_SECONDS * RATE)
SHORT = round(tuning.SHORT_GAP_SECONDS * RATE)
ADA, BEN, CAL = 1, 8, 4


def joined(pieces: Iterable[Tracklet], rate: float = RATE) -> list[tuple[int, ...]]:
    """Return the keys of each person's pieces."""
    return [tuple(part.key for part in way) for way in join(pieces, Clock(rate))]


def pair(gap: int, who: int = ADA, **moved: float) -> list[Tracklet]:
    """Return two pieces with a gap between; the second may be somebody else, or elsewhere."""
    return [
        tracklet(straight(range(20)), key=0, who=ADA),
        tracklet(straight(range(19 + gap, 40 + gap), **moved), key=1, who=who),
    ]


class TestJoin:
    @pytest.mark.parametrize("gap", [1, 5, SHORT + 2, BRIDGED - 1])
    def test_a_face_that_reappears_where_it_was_is_the_same(self, gap: int) -> None:
        assert joined(pair(gap)) == [(0, 1)]

    @pytest.mark.parametrize("gap", [BRIDGED + 1, 3 * BRIDGED])
    def test_but_not_after_long(self, gap: int) -> None:
        assert joined(pair(gap)) == [(0,), (1,)]

    @pytest.mark.parametrize("rate", [10.0, 50.0])
    def test_long_is_measured_in_seconds(self, rate: float) -> None:
        longest = round(tuning.MAX_GAP_SECONDS * rate)
        assert joined(pair(longest - 1), rate) == [(0, 1)]
        assert joined(pair(longest + 1), rate) == [(0,), (1,)]

    def test_nor_after_more_than_a_short_time_if_it_looks_otherwise(self) -> None:
        assert joined(pair(SHORT + 2, who=BEN)) == [(0,), (1,)]

    def test_nor_far_away(self) -> None:
        assert joined(pair(5, x=300.0)) == [(0,), (1,)]

    @pytest.mark.parametrize("size", [10.0, 120.0])
    def test_nor_of_quite_another_size(self, size: float) -> None:
        assert joined(pair(5, size=size)) == [(0,), (1,)]

    def test_nor_in_another_shot(self) -> None:
        before, behind = pair(5)
        behind.shot = Shot(24, 999, 24, 999)
        before.shot = Shot(0, 23, 0, 23)
        assert joined([before, behind]) == [(0,), (1,)]

    def test_it_may_have_moved_on(self) -> None:
        way = straight(range(60), speed=4)
        before = tracklet({frame: way[frame] for frame in range(20)}, key=0)
        behind = tracklet({frame: way[frame] for frame in range(32, 60)}, key=1)
        assert joined([before, behind]) == [(0, 1)]

    def test_what_was_followed_leads_from_one_to_the_other(self) -> None:
        """Forwards and backwards the patch was followed until both met."""
        way = {frame: (100 + 3 * frame, 90 + 60 * np.sin(frame / 8), 40) for frame in range(80)}
        before = tracklet({frame: way[frame] for frame in range(45)}, followed=range(20, 45), key=0)
        behind = tracklet(
            {frame: way[frame] for frame in range(60, 80)}, backward=[way[frame] for frame in range(59, 39, -1)], key=1
        )
        assert joined([before, behind]) == [(0, 1)]

    def test_what_was_led_astray_is_forgotten(self) -> None:
        """The patch went along with something that passed; detections are where they were."""
        astray = {frame: (100 + 8.0 * (frame - 19), 90.0, 40.0) for frame in range(20, 40)}
        before = tracklet(straight(range(20)) | astray, followed=range(20, 40), key=0)
        behind = tracklet(straight(range(32, 60)), key=1)
        (way,) = join([before, behind], Clock(RATE))
        assert [part.key for part in way] == [0, 1]
        assert smooth_and_fill(way, Clock(RATE)).boxes[:, 0].max() < 130

    def test_the_likeliest_of_several_goes_on(self) -> None:
        """Two people cross while neither is detected."""
        ways = {ADA: straight(range(80), x=60, speed=3), BEN: straight(range(80), x=300, speed=-3)}
        pieces = []
        for n, (who, way) in enumerate(ways.items()):
            pieces.append(tracklet({frame: way[frame] for frame in range(35)}, key=n, who=who))
            pieces.append(tracklet({frame: way[frame] for frame in range(46, 80)}, key=n + 2, who=who))
        assert sorted(joined(pieces)) == [(0, 2), (1, 3)]

    def test_what_continues_one_does_not_continue_another(self) -> None:
        pieces = [
            tracklet(straight(range(20)), key=0),
            tracklet(straight(range(20), x=130), key=1),
            tracklet(straight(range(25, 50), x=104), key=2),
        ]
        assert joined(pieces) == [(0, 2), (1,)]

    def test_many_pieces_make_one_way(self) -> None:
        assert joined(tracklet(straight(range(n * 20, n * 20 + 12)), key=n) for n in range(9)) == [tuple(range(9))]

    def test_nobody_else_who_was_seen_well_goes_on_where_a_face_vanished(self) -> None:
        assert joined(pair(15, who=CAL)) == [(0,), (1,)]

    def test_but_a_face_seen_badly_may_look_otherwise(self) -> None:
        before, behind = pair(15, who=CAL)
        behind.score = 0.4
        assert joined([before, behind]) == [(0, 1)]

    def test_what_may_be_no_face_does_not_come_between(self) -> None:
        """What passed in front of it was taken for a face in one frame."""
        before, behind = pair(12)
        passing = tracklet(straight(range(22, 23)), key=2, score=0.2, confirmed=False)
        assert (0, 1) in joined([before, passing, behind])

    def test_it_may_come_out_from_behind_something_little_by_little(self) -> None:
        """At first only a third of it is seen."""
        growing = {26 + n: (100.0, 90.0, min(15.0 + 5 * n, 40.0)) for n in range(20)}
        assert joined([tracklet(straight(range(20)), key=0), tracklet(growing, key=1)]) == [(0, 1)]

    @pytest.mark.parametrize("seed", range(5))
    def test_no_piece_is_passed_over(self, seed: int) -> None:
        """The face sways a little, so that later pieces may lie better than the next one."""
        rng = np.random.default_rng(seed)
        pieces = [tracklet(straight(range(n * 20, n * 20 + 12), x=100 + rng.normal(0, 3)), key=n) for n in range(9)]
        assert joined(pieces) == [tuple(range(9))]

    def test_pieces_that_may_be_none_are_not_put_together(self) -> None:
        pieces = [tracklet(straight(range(n * 20, n * 20 + 12)), key=n, confirmed=False) for n in range(3)]
        assert joined(pieces) == [(0,), (1,), (2,)]
        pieces[1].confirmed = True
        assert joined(pieces) == [(0, 1, 2)]

    def test_order_does_not_matter(self) -> None:
        rng = np.random.default_rng(2)
        places = [(n, int(rng.integers(3)), rng.uniform(-8, 8)) for n in range(12)]
        pieces = [
            tracklet(straight(range(n * 9, n * 9 + 14), x=100 + 90 * lane + dx), key=n, who=(ADA, BEN, CAL)[lane])
            for n, lane, dx in places
        ]
        expected = joined(pieces)
        for _ in range(5):
            assert joined([pieces[n] for n in rng.permutation(12)]) == expected

    def test_nothing_makes_nothing(self) -> None:
        assert join([], Clock(RATE)) == []


def track(frames: range, x: float = 100, size: float = 40, key: int = 0, shot: Shot | None = None) -> Track:
    """Return a track of a face that stays where it is."""
    made = tracklet(straight(frames, x=x, size=size), key=key)
    made.shot = shot or Shot(frames[0], frames[-1], frames[0], frames[-1])
    return smooth_and_fill([made], Clock(RATE))


class TestDoubles:
    def kept(self, *tracks: Track) -> list[int]:
        return sorted(key for made in without_duplicates(list(tracks)) for key in made.keys)

    @pytest.mark.parametrize(("x", "size"), [(100, 36), (108, 40), (105, 20)])
    def test_a_track_upon_a_better_one_is_dropped(self, x: float, size: float) -> None:
        assert self.kept(track(range(60)), track(range(10, 50), x, size, key=1)) == [0]

    def test_the_one_with_more_detections_is_the_better(self) -> None:
        assert self.kept(track(range(20)), track(range(60), key=1)) == [1]

    @pytest.mark.parametrize("x", [122, 140, 300])
    def test_beside_another_it_is_kept(self, x: float) -> None:
        assert self.kept(track(range(60)), track(range(60), x, key=1)) == [0, 1]

    @pytest.mark.parametrize("frames", [range(100, 140), range(30, 130), range(60, 100)])
    def test_at_another_time_it_is_kept(self, frames: range) -> None:
        assert self.kept(track(range(60)), track(frames, key=1)) == [0, 1]

    def test_in_another_shot_it_is_kept_though_both_are_seen_in_the_dissolve(self) -> None:
        """Of a short shot most may lie in the dissolve; whose it is must be hidden before that too."""
        before = track(range(60, 80), key=0, shot=Shot(60, 79, 60, 100))
        behind = track(range(80, 160), key=1, shot=Shot(80, 159, 65, 159))
        assert self.kept(before, behind) == [0, 1]

    @pytest.mark.parametrize("frames", [range(20, 74), range(26, 80)])
    def test_what_a_double_shows_beyond_the_better_track_stays_hidden(self, frames: range) -> None:
        """Somebody is joined by a second person's track, which goes on for longer."""
        kept = without_duplicates([track(range(20, 80), key=0, shot=WHOLE), track(frames, key=1, shot=WHOLE)])
        longer = without_duplicates([track(range(70), key=0, shot=WHOLE), track(range(30, 84), key=1, shot=WHOLE)])
        for tracks, last in ((kept, 80), (longer, 84)):
            hidden = {int(frame) for made in tracks for frame in made.frames}
            assert set(range(20, last)) <= hidden

    def test_a_large_face_before_a_small_one_does_not_make_it_vanish_for_long(self) -> None:
        """Somebody passes in front; that is no double."""
        small = track(range(100), 100, 20, key=0)
        passing = tracklet({frame: (20 + 4 * frame, 90, 80) for frame in range(60)}, key=1)
        passing.shot = Shot(0, 99, 0, 99)
        assert self.kept(small, smooth_and_fill([passing], Clock(RATE))) == [0, 1]
