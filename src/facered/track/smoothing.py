"""A trajectory's measured boxes -> a track: a box in every frame, smooth, without gaps, and never too small."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facered.track import kalman, tuning
from facered.track.boxes import union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.clock import Clock
    from facered.track.path import CameraPath
    from facered.track.shot import Shot
    from facered.track.tracklet import Tracklet


@dataclass(slots=True)
class Track:
    """A person in a shot.

    Attributes
    ----------
    first_detected : int
        Number of the first frame with a detection.
    frames : (n,) int64
        Numbers of the frames in which the face is, or may be, ascending.
    boxes : (n, 4) float64
        Centre x, centre y, width, height in pixels.
    detections : int
        How many there are.
    score : float
        The best of their scores, or of the looks at it.
    doubtful : bool
        Whether it may be no face, and is there to be safe.
    keys : tuple of int
        The keys of its detection runs, as `Follower.update` tells them.
    shot : Shot
    """

    first_detected: int
    frames: NDArray[np.int64]
    boxes: Boxes
    detections: int
    score: float
    keys: tuple[int, ...]
    shot: Shot
    doubtful: bool = False


def smooth_and_fill(
    trajectory: list[Tracklet],
    clock: Clock,
    pixel: float = 0.0,
    waited: int = 0,
    *,
    path: CameraPath | None = None,
    doubtful: bool = False,
) -> Track:
    """Fill the gaps of a trajectory, smooth it, and extend both ends within the shot.

    Parameters
    ----------
    trajectory : list of Tracklet
        All in one shot, in order of time; where two overlap, the later one counts unless only the earlier has a
        detection.
    clock : Clock
    pixel : float
        Side of a pixel of the pictures in which patches were followed, in pixels of the boxes.
    waited : int
        Frames beyond its end in which it is still waited for; it is extended at least as far.
    path : CameraPath, optional
        Of the camera; its jumps are taken out of the trajectory, and are put back into the track.
    """
    shot = trajectory[0].shot
    first, measured, deviations, scores = _measurements(trajectory, clock)
    last = first + len(measured) - 1
    seen = deviations > 0
    steady = path is not None and not path.shakes(first, measured, seen)
    if path is not None and not steady:
        measured = path.shaken(first, measured)
    extension, before = (clock.count(tuning.EXTENSION_SECONDS, frame) for frame in (last, first))
    new = np.ones(len(measured), np.bool_) if path is None else ~path.repeated(first, last)
    boxes = _smoothed(measured, deviations, new, clock.count(tuning.HULL_SECONDS, first))
    for way in (slice(None), slice(None, None, -1)):
        _hold_sudden_ends(boxes[way], measured[way], seen[way], extension)
    # Who is there when a shot fades into another is hidden until nothing of it can be seen.
    to_end, to_begin = max(shot.last - last, 0), max(first - shot.first, 0)
    further = max(extension, waited)
    ahead = _extrapolate(
        boxes, _last_step(measured, seen), to_end if last + further >= shot.end else min(further, to_end)
    )
    back = _extrapolate(
        boxes[::-1],
        _last_step(measured[::-1], seen[::-1]),
        to_begin if first - before <= shot.begin else min(before, to_begin),
    )
    whole = np.concatenate([back[::-1], boxes, ahead])
    detected = np.flatnonzero(deviations == kalman.DETECTION_DEVIATION)
    frames = np.arange(first - len(back), last + len(ahead) + 1)
    rates = clock.rates(frames)
    faint = np.interp(frames - first, detected, scores[detected])
    known = _known_sizes(measured, detected[scores[detected] >= tuning.KNOWN_SCORE], frames - first, rates)
    share = np.clip((tuning.KNOWN_SCORE - faint) / (tuning.KNOWN_SCORE - tuning.UNKNOWN_SCORE), 0, 1)
    known = np.minimum(share[:, None] * known, tuning.MAX_KNOWN_GROWTH * whole[:, 2:])
    whole[:, 2:] = np.maximum(whole[:, 2:] * growth_where_faint(faint)[:, None], known)
    away = _distance(detected, frames - first)
    away = np.maximum(away - np.round(tuning.STEADY_SECONDS * rates).astype(np.int64), 0)
    whole[:, 2:] *= 1 + tuning.GROWTH_PER_FRAME * np.minimum(away, tuning.MAX_GROWTH_FRAMES)[:, None]
    whole[:, 2:] += 2 * pixel * np.minimum(away / tuning.PATCH_ERROR_FRAMES, 1)[:, None]
    filled = np.flatnonzero(_filled(seen, rates[len(back) : len(back) + len(seen)]))
    reach = np.maximum(np.round(tuning.EXTENSION_SECONDS * rates), 1)
    near = (frames < first) | (frames > last) | (_distance(filled, frames - first) <= reach)
    if path is not None and steady:
        whole = path.shaken(int(frames[0]), whole)
    return Track(
        trajectory[0].first_detected,
        frames[near],
        whole[near],
        sum(tracklet.detections for tracklet in trajectory),
        min(max(max([tracklet.score, *tracklet.evidence]) for tracklet in trajectory), 1.0),
        tuple(run.key for tracklet in trajectory for run in tracklet.runs),
        shot,
        doubtful,
    )


def growth_where_faint(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much boxes are to grow whose detections have these scores: the fainter, the less they fit."""
    span = tuning.FITTING_SCORE - tuning.LOOSE_SCORE
    growth: NDArray[np.float64] = 1 + tuning.GROWTH_WHERE_FAINT * np.clip((tuning.FITTING_SCORE - scores) / span, 0, 1)
    return growth


def _known_sizes(
    measured: Boxes, good: NDArray[np.int64], frames: NDArray[np.int64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the width and height, (n, 2), that a face has in frames by those `good` ones near them; 0 far from all."""
    if not len(good):
        return np.zeros((len(frames), 2))
    sizes = np.stack([np.interp(frames, good, measured[good, side]) for side in (2, 3)], axis=1)
    near = _distance(good, frames) <= np.round(tuning.KNOWN_SECONDS * rates)
    return np.where(near[:, None], sizes, 0.0)


def _measurements(
    trajectory: list[Tracklet], clock: Clock
) -> tuple[int, Boxes, NDArray[np.float64], NDArray[np.float64]]:
    """Return the first frame, and each frame's measured box, its deviation and score, 0 where there is none.

    Where a face was not measured for too long for the gap to be filled, or not any more, its head is where it is.
    """
    first = min(tracklet.first for tracklet in trajectory)
    last = max(tracklet.last for tracklet in trajectory)
    measured, deviations, scores = np.zeros((last - first + 1, 4)), *np.zeros((2, last - first + 1))
    for tracklet in trajectory:
        back = tracklet.frames[0] - np.arange(1, len(tracklet.backward_boxes) + 1)
        frames = np.concatenate([back, np.array(tracklet.frames, np.int64)]) - first
        boxes = np.array(tracklet.backward_boxes + tracklet.boxes)
        found = np.concatenate([np.full(len(back), kalman.PATCH_DEVIATION), tracklet.deviations])
        # Where something passes in front of a face, it may be detected at either side.
        twice = (deviations[frames] == kalman.DETECTION_DEVIATION) & (found == kalman.DETECTION_DEVIATION)
        boxes[twice] = union(boxes[twice], measured[frames[twice]])
        better = (deviations[frames] == 0) | (found <= deviations[frames])
        measured[frames[better]], deviations[frames[better]] = boxes[better], found[better]
        scores[frames] = np.maximum(scores[frames], np.concatenate([np.zeros(len(back)), tracklet.scores]))
    filled = _filled(deviations > 0, clock.rates(np.arange(first, last + 1)))
    for tracklet in trajectory:
        for frame, box in tracklet.head_boxes.items():
            if not filled[frame - first] and not deviations[frame - first]:
                measured[frame - first], deviations[frame - first] = box, kalman.PATCH_DEVIATION
    return first, measured, deviations, scores


def _smoothed(measured: Boxes, deviations: NDArray[np.float64], new: NDArray[np.bool_], radius: int) -> Boxes:
    """Return smooth boxes that hold the measured ones; where a picture is not `new`, it repeats the one before."""
    boxes = _smooth(measured, deviations, new)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1.0)
    seen = deviations > 0
    hull = boxes.copy()
    hull[seen] = union(boxes[seen], measured[seen])
    # Where a picture follows repeats, parts of a face may be seen a frame longer.
    after = np.flatnonzero(new[1:] & ~new[:-1]) + 1
    hull[after] = union(hull[after], boxes[after - 1])
    return _enlarged_to_hull(boxes, hull, radius)


def _smooth(measured: Boxes, deviations: NDArray[np.float64], new: NDArray[np.bool_]) -> Boxes:
    """Return `kalman.smooth` of the pictures that differ: a face does not move within one, whatever a filter says."""
    if new.all():
        return kalman.smooth(measured, deviations)
    number = np.cumsum(new) - new[0]
    # The best measurement of each picture counts; the last of those that are alike.
    order = np.lexsort((np.where(deviations > 0, -deviations, -np.inf), number))
    best = order[np.flatnonzero(np.diff(number[order], append=number[-1] + 1))]
    boxes: Boxes = kalman.smooth(measured[best], deviations[best])[number]
    return boxes


def _enlarged_to_hull(boxes: Boxes, hull: Boxes, radius: int) -> Boxes:
    """Return boxes that hold both smooth boxes and larger, jittering ones, and are nearly as smooth as the former."""
    outwards = np.array([-1.0, -1.0, 1.0, 1.0])
    corners, outer = _corners(boxes), _corners(hull)
    beyond = np.pad(np.maximum((outer - corners) * outwards, 0), ((2 * radius, 2 * radius), (0, 0)))
    # The mean of greatest values, each of which is at least the one in the middle, is at least that too.
    greatest = sliding_window_view(beyond, 2 * radius + 1, axis=0).max(axis=-1)
    corners += outwards * sliding_window_view(greatest, 2 * radius + 1, axis=0).mean(axis=-1)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)


def _corners(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def _hold_sudden_ends(boxes: Boxes, measured: Boxes, seen: NDArray[np.bool_], most: int) -> None:
    """Enlarge boxes, in place, after measurements that are followed by a gap: who leaves does not move to the next."""
    for last in np.flatnonzero(seen[:-1] & ~seen[1:]).tolist():
        gap = min(int(np.argmax(seen[last + 1 :])), most)
        ahead = _extrapolate(boxes[: last + 1], _last_step(measured[: last + 1], seen[: last + 1]), gap)
        if (ahead[:, 2:] > boxes[last, 2:]).any():
            boxes[last + 1 : last + 1 + gap] = union(boxes[last + 1 : last + 1 + gap], ahead)


def _last_step(measured: Boxes, seen: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return by how much a face was last measured to move in a frame, (2,); None where it was not."""
    return measured[-1, :2] - measured[-2, :2] if seen[-2:].sum() == 2 else None


def _extrapolate(boxes: Boxes, step: NDArray[np.float64] | None, count: int) -> Boxes:
    """Return `count` boxes after the last one: the centre moves on, ever slower; the size stays.

    Where the last measured step is another than the smooth boxes make, the boxes hold where that leads, too.
    """
    velocity = boxes[-1, :2] - boxes[max(len(boxes) - 4, 0), :2]
    velocity /= max(min(len(boxes) - 1, 3), 1)
    ahead = np.repeat(boxes[-1:], count, axis=0)
    travelled = np.cumsum(tuning.EXTENSION_DAMPING ** np.arange(count))[:, None]
    faster = ahead.copy()
    ahead[:, :2] += travelled * velocity
    if step is None or np.hypot(*(step - velocity)) <= tuning.MIN_SUDDEN_MOTION * float(boxes[-1, 2:].max()):
        return ahead
    # Who has only just begun to move goes on like that, or not.
    faster[:, :2] += travelled * step
    return union(ahead, faster)


def _filled(seen: NDArray[np.bool_], rates: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return `seen` with the gaps filled that are not too long; the rate about each frame tells how many that are."""
    at = np.flatnonzero(seen)
    filled = seen.copy()
    for before, behind in pairwise(at.tolist()):
        filled[before:behind] |= behind - before - 1 <= round(tuning.MAX_FILLED_SECONDS * rates[before])
    return filled


def _distance(detected: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each frame how many frames away the nearest detection is."""
    at = np.searchsorted(detected, frames)
    before = frames - detected[np.maximum(at - 1, 0)]
    behind = detected[np.minimum(at, len(detected) - 1)] - frames
    nearest: NDArray[np.int64] = np.minimum(np.abs(before), np.abs(behind))
    return nearest
