"""Linking the tracklets of a person to a trajectory, across gaps that motion and appearance can bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facered.track import tuning
from facered.track.appearance import ncc
from facered.track.boxes import iou
from facered.track.clock import TOLERANCE, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from facered.track.boxes import Boxes
    from facered.track.tracklet import Tracklet

    LinkCost = Callable[[Tracklet, Tracklet, Clock], float | None]


class _Link(NamedTuple):
    """A possible link of two tracklets, given by their places in a list; the least is made first."""

    tentative: bool
    order: float
    cost: float
    before: int
    after: int


def link_cost(before: Tracklet, after: Tracklet, clock: Clock) -> float | None:
    """Return what it costs to take one tracklet for the continuation of another, or None if it cannot be.

    Less than 1 where the tracklets overlap in time and place; from 1 on, less than `tuning.DRIFT_PENALTY`, where the
    boxes followed by patches lead from one towards the other; from that penalty on where only the detections do,
    because the patches drifted onto something else.

    Parameters
    ----------
    before, after : Tracklet
        `after` was first detected later.
    clock : Clock
    """
    if before.last_detected >= after.last_detected:
        return None
    gap = after.first - before.frames[-1]
    if gap <= 0:
        shared = [(before.box_at(frame), after.box_at(frame)) for frame in range(after.first, before.frames[-1] + 1)]
        both = [iou(a, b[None])[0] for a, b in shared if a is not None and b is not None]
        if both and np.mean(both) >= tuning.MIN_OVERLAPPING_IOU:
            return 1 - float(np.mean(both))
    followed, seconds = None, 0.0
    if gap > 0:
        seconds = clock.between(before.frames[-1], after.first)
        followed = _distance(_end(before.boxes, before.frames), _end(after.backwards(), None), gap, seconds)
    seen_before, seen_after = before.frames.index(before.last_detected) + 1, after.frames.index(after.first_detected)
    elapsed = max(after.first_detected - before.last_detected, 1)
    elapsed_seconds = clock.between(after.first_detected - elapsed, after.first_detected)
    detected = _distance(
        _end(before.boxes[:seen_before], before.frames[:seen_before]),
        _end(after.boxes[seen_after:][::-1], [-frame for frame in after.frames[seen_after:]][::-1]),
        elapsed,
        elapsed_seconds,
    )
    if followed is None and detected is None:
        return None
    likeness = max(ncc(before.anchor, after.first_patch), ncc(before.best_patch, after.best_patch))
    seen_well = min(before.score, after.score) >= tuning.REID_MIN_SCORE
    apart = elapsed_seconds > tuning.OCCLUSION_SECONDS + TOLERANCE
    strangers = seen_well and likeness < tuning.MIN_NCC_STRANGERS and apart
    for base, distance, missing in ((1.0, followed, seconds), (tuning.DRIFT_PENALTY, detected, elapsed_seconds)):
        is_long = missing > tuning.SHORT_GAP_SECONDS + TOLERANCE
        unlike = (is_long and likeness < tuning.MIN_LINK_NCC) or strangers
        if distance is not None and distance + 1 - likeness <= tuning.MAX_LINK_COST and not unlike:
            return base + distance + 1 - likeness
    return None


def join(tracklets: Iterable[Tracklet], clock: Clock, cost: LinkCost = link_cost) -> list[list[Tracklet]]:
    """Return the trajectories: the tracklets of each person in order of time; the person who came first first.

    Links are made greedily, the cheapest first, each tracklet having one successor and one predecessor at most. Where
    the patches had drifted, what was followed by them is dropped.

    Parameters
    ----------
    tracklets : iterable of Tracklet
        In any order.
    clock : Clock
    cost : callable
        Cost of a link, or None where there is none; see `link_cost`.
    """
    ordered = sorted(tracklets, key=lambda tracklet: (tracklet.first_detected, *tracklet.boxes[0]))
    following: dict[int, int] = {}
    followers = set()
    for link in sorted(_links(ordered, clock, cost)):
        if link.before not in following and link.after not in followers:
            following[link.before] = link.after
            followers.add(link.after)
            if link.cost >= tuning.DRIFT_PENALTY:
                ordered[link.before].drop_tail()
                ordered[link.after].drop_backward()
    trajectories = []
    for first in range(len(ordered)):
        if first not in followers:
            trajectory = [first]
            while trajectory[-1] in following:
                trajectory.append(following[trajectory[-1]])
            trajectories.append([ordered[index] for index in trajectory])
    return trajectories


def _links(tracklets: Sequence[Tracklet], clock: Clock, cost_of: LinkCost) -> list[_Link]:
    """Return all possible links of tracklets that are in order of their first detections."""
    starts = np.array([tracklet.first_detected for tracklet in tracklets])
    links = []
    for a, before in enumerate(tracklets):
        # A gap, and what was followed by its patch on either side.
        reach = clock.count(3 * tuning.MAX_GAP_SECONDS, before.last_detected)
        brief = clock.count(tuning.OCCLUSION_SECONDS, before.last_detected)
        first, last = np.searchsorted(starts, [before.last_detected + 1 - brief, before.last_detected + reach])
        for b in range(max(int(first), a + 1), int(last)):
            after = tracklets[b]
            if before.shot is not after.shot or not (before.confirmed or after.confirmed):
                continue
            cost = cost_of(before, after, clock)
            if cost is not None:
                waited = max(clock.between(before.last_detected, after.first_detected), 0.0)
                # A tentative tracklet must not come between two confirmed ones.
                tentative = not (before.confirmed and after.confirmed)
                order = cost - tuning.DRIFT_PENALTY + tuning.DRIFT_ORDER if cost >= tuning.DRIFT_PENALTY else cost
                links.append(_Link(tentative, order + tuning.GAP_COST_PER_SECOND * waited, cost, a, b))
    return links


def _distance(
    end: tuple[Boxes, Boxes, float], start: tuple[Boxes, Boxes, float], gap: int, seconds: float
) -> float | None:
    """Return how far apart two ends of a gap are, from 0 to 1 times what is allowed; None if farther.

    The gap is given in frames and in seconds. Each end is a box, its velocity a frame into the gap, and the longest
    side of the face thereabouts.
    """
    (before, velocity, extent), (after, velocity_back, extent_after) = end, start
    # A face that comes out from behind something is seen in part at first.
    ratios = [float(before[2:].max() / after[2:].max()), extent / extent_after]
    too_long = seconds > tuning.MAX_GAP_SECONDS + TOLERANCE
    if too_long or min(max(ratio, 1 / ratio) for ratio in ratios) > tuning.MAX_GAP_SCALE:
        return None
    travelled = float(np.sum(tuning.GAP_DAMPING ** np.arange(gap // 2 + 1)))
    apart = (before[:2] + travelled * velocity) - (after[:2] + travelled * velocity_back)
    distance = min(float(np.hypot(*apart)), float(np.hypot(*(before[:2] - after[:2]))))
    allowed = tuning.GAP_DISTANCE + tuning.GAP_DISTANCE_PER_SECOND * seconds
    distance /= allowed * float(max(before[2:].max(), after[2:].max()))
    return distance if distance <= 1 else None


def _end(boxes: list[Boxes], frames: list[int] | None) -> tuple[Boxes, Boxes, float]:
    """Return the last of some boxes, the velocity there in pixels a frame, and the longest side of the last ones."""
    recent = boxes[-tuning.VELOCITY_FRAMES :]
    extent = max(float(box[2:].max()) for box in boxes[-tuning.EMERGING_FRAMES :])
    elapsed = frames[-1] - frames[-len(recent)] if frames is not None else len(recent) - 1
    return boxes[-1], (recent[-1][:2] - recent[0][:2]) / max(elapsed, 1), extent
