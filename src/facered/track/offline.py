"""Tracks of a whole video, when it has been seen to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facered.runtime.cancellation import check
from facered.track.duplicates import without_duplicates
from facered.track.shot import Shots
from facered.track.smoothing import Track, smooth_and_fill
from facered.track.stitching import join
from facered.track.verification import counts, is_likely

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facered.track.cuts import Dissolve
    from facered.track.follower import Follower


def finish(follower: Follower, dissolves: Iterable[Dissolve] = ()) -> list[Track]:
    """Return all tracks, in order of appearance; those that appear in the same frame from left to right.

    Tracklets are split at cuts and where they may have passed to another person, joined to trajectories, and smoothed;
    what was never confirmed is dropped, and so are duplicates.

    Parameters
    ----------
    follower : Follower
        Has taken the last frame.
    dissolves : iterable of Dissolve
        Where one shot fades into another, so that nobody goes on beyond the middle.
    """
    if not follower.cuts:
        return []
    shots = Shots(follower.cuts, dissolves, follower.frame)
    tracklets = [
        follower.path.steady(part)
        for tracklet in [*follower.finished, *follower.active]
        for clipped in tracklet.split_at_cuts(shots)
        for part in clipped.split_identities()
        if counts(part, follower.threshold)
    ]
    trajectories = join(tracklets, follower.clock)
    tracks = []
    for trajectory in trajectories:
        check()
        certain = any(tracklet.confirmed for tracklet in trajectory)
        if not certain:
            evidence = [score for tracklet in trajectory for score in tracklet.evidence]
            if not is_likely(evidence, follower.threshold):
                continue
            trajectory[-1].drop_tail()  # what is followed, and is no face, drifts
        pixel, path = follower.pictures.pixel, follower.path
        tracks.append(smooth_and_fill(trajectory, follower.clock, pixel, path=path, doubtful=not certain))
    return sorted(
        without_duplicates(tracks), key=lambda track: (track.frames[0], track.first_detected, *track.boxes[0])
    )
