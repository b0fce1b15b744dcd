"""What the results of segments are joined to: who is one person at a seam, and who is hidden there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from facered.jobs.assembly import Assembly
from facered.jobs.finder import Film, SegmentResult
from facered.options import Options
from facered.track.segmentation import Segment
from facered.track.shot import Shot
from facered.track.smoothing import Track
from facered.video.info import VideoInfo

FILM = Film(Path("foo.mp4"), VideoInfo(320, 240, Fraction(25), Fraction(1, 25), 0, "yuv420p"), Options(), True)
BEFORE, BEHIND = Segment(0, 100, 0, 110, ends_shot=False), Segment(100, 140, 90, 140, ends_shot=True)


def track(frames: range, x: float, score: float = 0.9, *, doubtful: bool = False) -> Track:
    boxes = np.tile([x, 100.0, 40.0, 40.0], (len(frames), 1))
    return Track(frames[0], np.array(frames), boxes, len(frames), score, (0,), Shot(0, 9, 0, 9), doubtful)


def both(one: Track, other: Track) -> Track:
    """Return a track with a gap."""
    one.frames, one.boxes = np.append(one.frames, other.frames), np.append(one.boxes, other.boxes, axis=0)
    return one


def result(segment: Segment, *tracks: Track, pictures: tuple[float, ...] = ()) -> SegmentResult:
    count = segment.end - segment.first
    thumbnails = [(each, b"%d" % (1000 * each)) for each in pictures] or [None] * len(tracks)
    pts, wanted = np.arange(segment.first, segment.end), np.ones(count, np.bool_)
    return SegmentResult(segment, pts, wanted, 1, list(tracks), list(thumbnails), {})


def where(before: SegmentResult, behind: SegmentResult) -> dict[int, list[int]]:
    """Return the frames of each id."""
    assembly = Assembly(FILM)
    for each in (before, behind):
        assembly.add(each)
    found, _ = assembly.finish(())
    frames = np.repeat(np.arange(140), np.diff(found.starts))
    return {number: frames[found.ids == number].tolist() for number in np.unique(found.ids).tolist()}


def test_who_overlaps_at_a_seam_keeps_the_id() -> None:
    found = where(result(BEFORE, track(range(110), 50)), result(BEHIND, track(range(90, 140), 55)))
    assert found == {1: list(range(140))}


def test_who_is_shown_by_the_segment_before_alone_is_hidden_as_far_as_that_goes() -> None:
    assert where(result(BEFORE, track(range(107), 50)), result(BEHIND)) == {1: list(range(107))}


def test_gaps_behind_a_seam_are_those_that_both_segments_have() -> None:
    broken = both(track(range(92, 97), 52), track(range(104, 140), 52))
    assert where(result(BEFORE, track(range(102), 50)), result(BEHIND, broken)) == {
        1: [*range(102), *range(104, 140)],
    }


def test_who_comes_behind_a_seam_is_the_business_of_the_segment_there() -> None:
    newcomer, passing = track(range(103, 110), 50), track(range(90, 97), 200)
    assert where(result(BEFORE, newcomer), result(BEHIND, passing)) == {}
    assert where(result(BEFORE, newcomer), result(BEHIND, track(range(102, 140), 50))) == {1: list(range(102, 140))}


def test_at_a_cut_everybody_is_somebody_new() -> None:
    before, behind = Segment(0, 100, 0, 100, ends_shot=True), Segment(100, 140, 100, 140, ends_shot=True)
    found = where(result(before, track(range(100), 50)), result(behind, track(range(100, 140), 50)))
    assert found == {1: list(range(100)), 2: list(range(100, 140))}


def test_ids_count_by_first_appearance_in_the_segments_own_frames() -> None:
    early, late = track(range(95, 140), 150), track(range(101, 140), 50)
    assert where(result(BEFORE), result(BEHIND, late, early)) == {
        1: list(range(100, 140)),
        2: list(range(101, 140)),
    }


@pytest.mark.parametrize(("one", "other"), [(True, False), (False, True)])
def test_each_segment_says_by_itself_whether_somebody_is_doubtful(one: bool, other: bool) -> None:
    assembly = Assembly(FILM)
    assembly.add(result(BEFORE, track(range(110), 50, 0.5, doubtful=one)))
    part = assembly.add(result(BEHIND, track(range(90, 140), 50, 0.8, doubtful=other)))
    found, _ = assembly.finish(())
    assert part.doubtful.tolist() == [other] * 40
    assert found.doubtful.tolist() == [one] * 100 + [other] * 40
    assert found.scores == pytest.approx(0.8)


@pytest.mark.parametrize("pictures", [(0.2, 0.7), (0.7, 0.2)])
def test_the_best_picture_of_a_person_counts_whichever_segment_has_it(pictures: tuple[float, float]) -> None:
    assembly = Assembly(FILM)
    assembly.add(result(BEFORE, track(range(110), 50), pictures=pictures[:1]))
    assembly.add(result(BEHIND, track(range(90, 140), 50), pictures=pictures[1:]))
    assert assembly.thumbnails == {1: b"700"}
