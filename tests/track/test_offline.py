"""What is made of the tracklets when the video is over."""

from __future__ import annotations

import pytest

from facered.track import tuning
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.tracklet import Tracklet
from lumas import wall
from tracklets import box, patch_of, straight, tracklet

ADA, BEN = 1, 8


def over(*tracklets: Tracklet, finished: bool = False) -> Follower:
    """Return a follower that has seen sixty frames, and these."""
    follower = Follower(25.0, 0.4, (320, 180))
    for frame in range(60):
        follower.update(wall(), None, not frame)
    (follower.finished if finished else follower.active).extend(tracklets)
    return follower


@pytest.mark.parametrize("finished", [False, True])
def test_those_who_are_there_in_the_end_are_told_of_like_those_who_have_gone(finished: bool) -> None:
    assert len(finish(over(tracklet(straight(range(10, 30))), finished=finished))) == 1


@pytest.mark.parametrize(("confirmed", "tracks"), [(True, 1), (False, 0)])
def test_what_was_never_confirmed_is_dropped(confirmed: bool, tracks: int) -> None:
    assert len(finish(over(tracklet(straight(range(10, 30)), confirmed=confirmed)))) == tracks


@pytest.mark.parametrize(("score", "size"), [(0.9, 30), (0.5, 30)])
def test_a_face_within_another_is_dropped(score: float, size: float) -> None:
    inside = tracklet(straight(range(12, 30), size=size), key=1, score=score)
    assert [track.keys for track in finish(over(tracklet(straight(range(10, 30))), inside))] == [(0,)]


@pytest.mark.parametrize(("later", "tracks"), [(ADA, 1), (BEN, 2)])
def test_a_track_that_somebody_else_took_over_is_two(later: int, tracks: int) -> None:
    """Both were seen well, and do not look alike."""
    taken = tracklet(straight(range(10, 25)), who=ADA)
    for frame in range(35, 50):
        taken.detect(frame, box((100, 90, 40)), 0.9, patch_of(later), 1 if frame == 35 else None)
    assert len(finish(over(taken))) == tracks


def test_tracks_come_in_order_of_appearance_and_from_left_to_right() -> None:
    ways = [straight(range(20, 40), 50), straight(range(10, 30), 250), straight(range(10, 30), 150)]
    tracks = finish(over(*[tracklet(way, key=key, who=key) for key, way in enumerate(ways)]))
    assert [track.keys for track in tracks] == [(2,), (1,), (0,)]


def test_no_frames_make_no_tracks() -> None:
    assert finish(Follower(25.0, 0.4, (320, 180))) == []


def test_who_is_doubtful_is_there_where_detected_and_not_where_only_followed() -> None:
    faint = tracklet(straight(range(10, 30)), followed=range(20, 30), confirmed=False, score=0.45)
    faint.evidence = [0.56]
    (track,) = finish(over(faint))
    assert track.doubtful
    extension = round(tuning.EXTENSION_SECONDS * 25)
    assert track.frames.tolist() == list(range(10 - extension, 20 + extension))


@pytest.mark.parametrize(("score", "last"), [(0.45, 39), (0.3, 20)])
def test_the_faintest_pieces_do_not_go_on_with_a_track(score: float, last: int) -> None:
    piece = tracklet(straight(range(24, 40)), key=1, confirmed=False, score=score)
    (track,) = finish(over(tracklet(straight(range(10, 21))), piece))
    assert track.frames[-1] == last + round(tuning.EXTENSION_SECONDS * 25)
