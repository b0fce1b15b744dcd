"""How long a face is waited for that is not detected, and how much is done for one that was seen once."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning

if TYPE_CHECKING:
    from facered.track.boxes import Boxes
    from facered.track.clock import Clock
    from facered.track.tracklet import Tracklet


def is_gone(tracklet: Tracklet, clock: Clock, frame: int) -> bool:
    """Tell whether a face that has not been measured for a while is given up."""
    if tracklet.confirmed and not tracklet.missed:
        return False  # there was no detection since
    tried = tracklet.detections > clock.count(tuning.TENTATIVE_SECONDS, frame)
    seconds = tuning.MAX_LOST_SECONDS if tracklet.confirmed or tried else tuning.TENTATIVE_SECONDS
    return clock.is_beyond(seconds, tracklet.frames[-1], frame)


def is_young(tracklet: Tracklet, clock: Clock, frame: int) -> bool:
    """Tell whether it is soon to be known whether a tentative track is a face."""
    return not tracklet.confirmed and not clock.is_beyond(tuning.TENTATIVE_SECONDS, tracklet.first_detected, frame)


def is_worth_a_detection(tracklet: Tracklet, clock: Clock, frame: int, threshold: float) -> bool | None:
    """Tell whether the detector may help with a face that is tentative or lost; None if it is neither."""
    if not tracklet.confirmed:
        return is_young(tracklet, clock, frame) and tracklet.detections < 2 and tracklet.score >= threshold
    if frame - tracklet.frames[-1] > 1:
        return not clock.is_beyond(tuning.TENTATIVE_SECONDS, tracklet.frames[-1], frame)
    return None


def is_unsteady(tracklet: Tracklet, place: Boxes) -> bool:
    """Tell whether a face looks otherwise or moves much where it is followed to, a (5,) box and its NCC."""
    moved = float(np.abs(place[:2] - tracklet.boxes[-1][:2]).max())
    return bool(place[4] < tuning.MIN_NCC_STEADY or moved > tuning.MAX_STEADY_MOTION * tracklet.size)


def is_stale(tracklet: Tracklet, place: Boxes, clock: Clock, frame: int, ends_shot: bool) -> bool:
    """Tell whether a face was not detected for a while, and moved or changed since: its box may lie beside it."""
    if ends_shot:
        return True
    if not clock.has_passed(tuning.REFRESH_SECONDS, tracklet.last_detected, frame):
        return False
    detected = tracklet.boxes[bisect_left(tracklet.frames, tracklet.last_detected)]
    moved = float(np.abs(place[:2] - detected[:2]).max())
    return bool(place[4] < tuning.MIN_NCC_FRESH or moved > tuning.MAX_STALE_MOTION * tracklet.size)


def is_followed(tracklet: Tracklet, clock: Clock, frame: int) -> bool:
    """Tell whether a face that is not detected is still followed by its patch."""
    if not tracklet.missed:
        return True
    if tracklet.confirmed:
        return not clock.is_beyond(tuning.MAX_FOLLOWED_SECONDS, tracklet.last_detected, frame)
    return frame - tracklet.last_detected <= tracklet.detections


def sees_once(clock: Clock, frame: int, alone: bool) -> bool:
    """Tell whether who is seen in a frame may not be seen again: the shot is `alone` this frame, or frames are few."""
    return alone or clock.rate(frame) <= tuning.MAX_SPARSE_RATE


def most_verifications(clock: Clock, frame: int, ends_shot: bool, count: int, least: int) -> int:
    """Return how many of `count` tracks may be looked at in a frame: all where a shot ends, now or never."""
    share = round(least * tuning.USUAL_RATE / clock.rate(frame))
    return count if ends_shot else max(least, share)
