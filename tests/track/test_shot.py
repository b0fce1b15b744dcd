"""Shots, and the parts of tracklets that lie in them."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track.cuts import Dissolve
from facered.track.shot import Shot, Shots
from facered.track.tracklet import Tracklet
from tracklets import straight, tracklet


def parts(whole: Tracklet, cuts: list[int], dissolves: list[Dissolve], last: int = 199) -> list[tuple[int, int, Shot]]:
    """Return the first and the last frame of each part, and its shot."""
    return [(part.first, part.frames[-1], part.shot) for part in whole.split_at_cuts(Shots(cuts, dissolves, last))]


def test_one_shot_holds_everything() -> None:
    ((first, last, shot),) = parts(tracklet(straight(range(20, 40)), backward=[(100, 90, 40)] * 7), [0], [])
    assert (first, last) == (13, 39)
    assert shot == Shot(0, 199, 0, 199)


@pytest.mark.parametrize(
    ("frames", "shot"),
    [
        (range(20), Shot(0, 49, 0, 49)),
        (range(50, 70), Shot(50, 119, 50, 119)),
        (range(60, 120), Shot(50, 119, 50, 119)),
        (range(120, 200), Shot(120, 199, 120, 199)),
    ],
)
def test_a_cut_bounds_both_shots_sharply(frames: range, shot: Shot) -> None:
    assert parts(tracklet(straight(frames)), [0, 50, 120], []) == [(frames[0], frames[-1], shot)]


FADE = Dissolve(80, 90, 100)
BEFORE, BEHIND = Shot(0, 89, 0, 100), Shot(90, 199, 80, 199)


class TestDissolves:
    def test_split_who_seems_to_go_on(self) -> None:
        assert parts(tracklet(straight(range(60, 120))), [0], [FADE]) == [(60, 89, BEFORE), (90, 119, BEHIND)]

    def test_leave_who_is_still_detected_while_the_shot_fades_away(self) -> None:
        assert parts(tracklet(straight(range(60, 98))), [0], [FADE]) == [(60, 97, BEFORE)]

    def test_leave_who_is_detected_while_the_shot_is_only_just_appearing(self) -> None:
        assert parts(tracklet(straight(range(83, 120))), [0], [FADE]) == [(83, 119, BEHIND)]

    @pytest.mark.parametrize(("frames", "shot"), [(range(60, 70), BEFORE), (range(110, 120), BEHIND)])
    def test_leave_who_is_far_from_them(self, frames: range, shot: Shot) -> None:
        assert parts(tracklet(straight(frames)), [0], [FADE]) == [(frames[0], frames[-1], shot)]

    def test_end_what_was_followed_backwards_where_the_shot_begins_to_be_seen(self) -> None:
        behind = [(100.0, 90.0, 40.0)] * 30
        assert parts(tracklet(straight(range(95, 120)), backward=behind), [0], [FADE]) == [(80, 119, BEHIND)]

    def test_do_not_reach_into_the_shot_before_or_the_shot_after(self) -> None:
        """A dissolve is found to be longer than the shots beside it."""
        found = [tracklet(straight(range(*frames))) for frames in ((60, 80), (87, 89), (91, 94), (100, 120))]
        shots = [part.shot for one in found for part in one.split_at_cuts(Shots([0, 85, 95], [FADE], 199))]
        assert [(shot.begin, shot.end) for shot in shots] == [(0, 84), (85, 89), (90, 94), (95, 199)]
        assert [(shot.first, shot.last) for shot in shots] == [(0, 84), (85, 94), (85, 94), (95, 199)]

    @pytest.mark.parametrize("middle", [-3, 0, 200, 300])
    def test_beyond_the_video_do_not_count(self, middle: int) -> None:
        fade = Dissolve(max(middle - 10, 0), middle, middle + 10)
        assert parts(tracklet(straight(range(200))), [0], [fade]) == [(0, 199, Shot(0, 199, 0, 199))]

    def test_end_with_the_video(self) -> None:
        fade = Dissolve(180, 190, 210)
        for frames in (range(100, 120), range(170, 200), range(192, 200)):
            assert parts(tracklet(straight(frames)), [0], [fade])[-1][2].last == 199


@pytest.mark.parametrize("seed", range(40))
def test_no_detection_is_lost_and_nothing_crosses_a_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = [0, *sorted({int(cut) for cut in rng.integers(1, 200, rng.integers(0, 4))})]
    fades = []
    for middle in sorted({int(middle) for middle in rng.integers(5, 195, rng.integers(0, 4))}):
        half = int(rng.integers(1, 15))
        fades.append(Dissolve(max(middle - half, 0), middle, middle + half))
    shots = Shots(cuts, fades, 199)
    for begin, end in zip(cuts, [*cuts[1:], 200], strict=True):
        frames = [frame for frame in range(begin, end) if rng.random() < 0.5] or [begin]
        followed = [frame for frame in frames[1:] if rng.random() < 0.5]
        whole = tracklet(straight(frames), followed)
        found = whole.split_at_cuts(shots)
        detected = [frame for part in found for frame in part.frames if frame not in followed]
        assert detected == [frame for frame in frames if frame not in followed]
        for part in found:
            assert part.detections == sum(frame not in followed for frame in part.frames)
            assert part.first_detected == next(frame for frame in part.frames if frame not in followed)
            assert part.last_detected == [frame for frame in part.frames if frame not in followed][-1]
            assert part.shot.first <= part.first <= part.frames[-1] <= part.shot.last
            assert begin <= part.shot.first
            assert part.shot.last < end
