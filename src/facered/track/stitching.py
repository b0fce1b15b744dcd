"""Pieces of a person's way -> the whole way: across gaps that motion and looks can bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track.appearance import likeness
from facered.track.boxes import overlaps, union
from facered.track.tracklet import SEEN_WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from facered.track.boxes import Boxes
    from facered.track.smoothing import Track
    from facered.track.tracklet import Tracklet

    CostOf = Callable[[Tracklet, Tracklet, float], float | None]

BRIDGED_SECONDS = 3.0
"""Longest gap."""
AT_ONCE = 0.3
"""Pieces that overlap in time are of one face if their boxes overlap so much."""
BRIEFLY_SECONDS = 0.2
"""For so long a face that something passes in front of may be detected at either side of it."""
NEAR, FARTHER = 1.0, 1.0
"""How far apart, in parts of the face's size, the two ends of a gap may be expected: at first, and more a second."""
STRETCH = 1.7
"""How much larger one end may be than the other."""
DEAREST = 1.1
"""How much may be missing of nearness and likeness together, each from 0 to 1."""
WAITING = 1.0
"""Cost of a second's gap: of several pieces that would fit, the next one does."""
MISLED, LED = 10.0, 1.5
"""What is added to the cost of pieces that only fit without what was followed by patches, and what of it counts beside
others."""
LIKE, SHORT_SECONDS = 0.5, 1.2
"""Least likeness of what reappears after more than a short time."""
STRANGE = 0.4
"""Two who were both seen well, and are less alike, are two."""
PART, DOUBLE = 0.5, 0.7
"""A track of which this part lies, in most frames, on another is of the same face."""
FACE = 0.6
"""A track of which one detection had this score would be a face by itself."""
RECENT = 5
"""Frames over which the velocity at an end is taken."""
EMERGING = 15
"""Boxes in which a face comes out from behind something, or goes there."""
DAMPING = 0.9
"""Velocity kept from frame to frame in the gap."""


def join(tracklets: Iterable[Tracklet], rate: float, cost_of: CostOf | None = None) -> list[list[Tracklet]]:
    """Return each person's pieces in order of time, in order of the first ones.

    Parameters
    ----------
    tracklets : iterable of Tracklet
        In any order.
    rate : float
        Frames a second.
    cost_of : callable, optional
        Used instead of `cost`.
    """
    cost_of = cost_of or cost
    pieces = sorted(tracklets, key=lambda piece: (piece.first_detected, *piece.boxes[0]))
    starts = np.array([piece.first_detected for piece in pieces])
    reach = round(3 * BRIDGED_SECONDS * rate)  # a gap, and what was followed by its patch on either side
    brief = round(BRIEFLY_SECONDS * rate)
    pairs = []
    for a, before in enumerate(pieces):
        first, last = np.searchsorted(starts, [before.last_detected + 1 - brief, before.last_detected + reach])
        for b in range(max(int(first), a + 1), int(last)):
            if before.shot is not pieces[b].shot or not (before.sure or pieces[b].sure):
                continue
            unlikely = cost_of(before, pieces[b], rate)
            if unlikely is not None:
                waited = max(pieces[b].first_detected - before.last_detected, 0) / rate
                # What is only perhaps a face must not come between two pieces that surely are.
                doubtful = not (before.sure and pieces[b].sure)
                order = unlikely - MISLED + LED if unlikely >= MISLED else unlikely
                pairs.append((doubtful, order + WAITING * waited, unlikely, a, b))
    following: dict[int, int] = {}
    followers = set()
    for _, _, unlikely, a, b in sorted(pairs):
        if a not in following and b not in followers:
            following[a] = b
            followers.add(b)
            if unlikely >= MISLED:
                pieces[a].forget_tail()
                pieces[b].forget_behind()
    ways = []
    for a in range(len(pieces)):
        if a not in followers:
            way = [a]
            while way[-1] in following:
                way.append(following[way[-1]])
            ways.append([pieces[index] for index in way])
    return ways


def cost(before: Tracklet, behind: Tracklet, rate: float) -> float | None:
    """Return how unlikely it is that one piece continues the other, or None if it does not.

    It is below 1 if both were followed by their patches until they met; below `MISLED` if what was followed leads from
    one towards the other; and above if that led astray, after something else perhaps, but the detections fit.
    """
    if before.last_detected >= behind.last_detected:
        return None
    gap = behind.first - before.frames[-1]
    if gap <= 0:
        shared = [(before.box_at(frame), behind.box_at(frame)) for frame in range(behind.first, before.frames[-1] + 1)]
        both = [overlaps(a, b[None])[0] for a, b in shared if a is not None and b is not None]
        if both and np.mean(both) >= AT_ONCE:
            return 1 - float(np.mean(both))
    followed = None
    if gap > 0:
        followed = _distance(_end(before.boxes, before.frames), _end(behind.backwards(), None), gap, rate)
    seen_before, seen_behind = before.frames.index(before.last_detected) + 1, behind.frames.index(behind.first_detected)
    elapsed = max(behind.first_detected - before.last_detected, 1)
    detected = _distance(
        _end(before.boxes[:seen_before], before.frames[:seen_before]),
        _end(behind.boxes[seen_behind:][::-1], [-frame for frame in behind.frames[seen_behind:]][::-1]),
        elapsed,
        rate,
    )
    if followed is None and detected is None:
        return None
    alike = max(likeness(before.anchor, behind.first_patch), likeness(before.best_patch, behind.best_patch))
    seen_well = min(before.score, behind.score) >= SEEN_WELL
    strangers = seen_well and alike < STRANGE and elapsed > BRIEFLY_SECONDS * rate
    for base, distance, missing in ((1.0, followed, gap), (MISLED, detected, elapsed)):
        unlike = (missing > SHORT_SECONDS * rate and alike < LIKE) or strangers
        if distance is not None and distance + 1 - alike <= DEAREST and not unlike:
            return base + distance + 1 - alike
    return None


def _distance(
    end: tuple[Boxes, Boxes, float], start: tuple[Boxes, Boxes, float], gap: int, rate: float
) -> float | None:
    """Return how far one box with its velocity misses another, of 1 at most, or None if no face went that way."""
    (before, velocity, whole), (behind, velocity_back, whole_behind) = end, start
    # What comes out from behind something is seen in part at first.
    ratios = [float(before[2:].max() / behind[2:].max()), whole / whole_behind]
    if gap > BRIDGED_SECONDS * rate or min(max(ratio, 1 / ratio) for ratio in ratios) > STRETCH:
        return None
    travelled = float(np.sum(DAMPING ** np.arange(gap // 2 + 1)))
    apart = (before[:2] + travelled * velocity) - (behind[:2] + travelled * velocity_back)
    distance = min(float(np.hypot(*apart)), float(np.hypot(*(before[:2] - behind[:2]))))
    distance /= (NEAR + FARTHER * gap / rate) * float(max(before[2:].max(), behind[2:].max()))
    return distance if distance <= 1 else None


def _end(boxes: list[Boxes], frames: list[int] | None) -> tuple[Boxes, Boxes, float]:
    """Return the last of some boxes, the velocity there, a frame, and the longest side thereabouts."""
    recent = boxes[-RECENT:]
    whole = max(float(box[2:].max()) for box in boxes[-EMERGING:])
    elapsed = frames[-1] - frames[-len(recent)] if frames is not None else len(recent) - 1
    return boxes[-1], (recent[-1][:2] - recent[0][:2]) / max(elapsed, 1), whole


def without_doubles(tracks: list[Track]) -> list[Track]:
    """Return the tracks without those that mostly lie on a better one: the same face, detected twice.

    What is left out stays hidden by the other one, which goes on for as long, and is enlarged to hold it where it was
    surely a face by itself.
    """
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda track: (-track.detections, -track.score, track.keys)):
        other = next((other for other in kept if _doubles(track, other)), None)
        if other is None:
            kept.append(track)
        else:
            _take_over(other, track)
    return kept


def _take_over(track: Track, double: Track) -> None:
    _, here, there = np.intersect1d(track.frames, double.frames, assume_unique=True, return_indices=True)
    if double.score >= FACE:
        track.boxes[here] = union(track.boxes[here], double.boxes[there])
    beyond = ~np.isin(double.frames, track.frames)
    frames = np.concatenate([track.frames, double.frames[beyond]])
    order = np.argsort(frames)
    track.frames = frames[order]
    track.boxes = np.concatenate([track.boxes, double.boxes[beyond]])[order]


def _doubles(track: Track, other: Track) -> bool:
    if (
        track.shot.begin > other.shot.end
        or other.shot.begin > track.shot.end
        or track.frames[-1] < other.frames[0]
        or other.frames[-1] < track.frames[0]
    ):
        return False
    _, here, there = np.intersect1d(track.frames, other.frames, assume_unique=True, return_indices=True)
    a, b = track.boxes[here], other.boxes[there]
    low = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    inside = np.prod(np.maximum(high - low, 0), axis=1) > PART * a[:, 2] * a[:, 3]
    return int(inside.sum()) > DOUBLE * len(track.frames)
