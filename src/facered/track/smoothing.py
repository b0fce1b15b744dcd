"""A trajectory's measured boxes -> a track: a box in every frame, smooth, without gaps, and never too small."""

from __future__ import annotations

from dataclasses import dataclass
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

OUTWARDS = np.array([-1.0, -1.0, 1.0, 1.0])
"""Which way the corners x1, y1, x2, y2 of a box go where it grows."""


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
    first, measured, deviations, scores = measurements(trajectory, clock)
    last = first + len(measured) - 1
    seen = deviations > 0
    steady = path is not None and not path.shakes(first, measured, seen)
    if path is not None and not steady:
        measured = path.shaken(first, measured)
    extension = clock.count(tuning.EXTENSION_SECONDS, last)
    new = np.ones(len(measured), np.bool_) if path is None else ~path.repeated(first, last)
    boxes = _smoothed(measured, deviations, new, clock.count(tuning.HULL_SECONDS, first))
    for way in (slice(None), slice(None, None, -1)):
        _hold_sudden_ends(boxes[way], measured[way], seen[way], extension)
    begin, end = extent(shot, first, last, clock, waited)
    ahead = _extrapolate(boxes, _last_step(measured, seen), end - last)
    back = _extrapolate(boxes[::-1], _last_step(measured[::-1], seen[::-1]), first - begin)
    whole = np.concatenate([back[::-1], boxes, ahead])
    detected = np.flatnonzero(deviations == kalman.DETECTION_DEVIATION)
    frames = np.arange(first - len(back), last + len(ahead) + 1)
    rates = clock.rates(frames)
    faint = np.interp(frames - first, detected, scores[detected])
    sizes = known_sizes(measured, detected, scores, frames - first, rates)
    enlarge(whole, faint, sizes, distance_to(detected, frames - first), rates, pixel)
    filled = np.flatnonzero(_filled(seen, rates[len(back) : len(back) + len(seen)]))
    reach = np.maximum(np.round(tuning.EXTENSION_SECONDS * rates), 1)
    near = (frames < first) | (frames > last) | (distance_to(filled, frames - first) <= reach)
    if path is not None and steady:
        whole = path.shaken(int(frames[0]), whole)
    return Track(
        trajectory[0].first_detected,
        frames[near],
        whole[near],
        sum(tracklet.detections for tracklet in trajectory),
        best_score(trajectory),
        tuple(run.key for tracklet in trajectory for run in tracklet.runs),
        shot,
        doubtful,
    )


def extent(shot: Shot, first: int, last: int, clock: Clock, waited: int) -> tuple[int, int]:
    """Return the first and the last frame of the track of a face that is measured from one frame to another."""
    # Who is there when a shot fades into another is hidden until nothing of it can be seen.
    to_end, to_begin = max(shot.last - last, 0), max(first - shot.first, 0)
    further, before = (
        max(clock.count(tuning.EXTENSION_SECONDS, last), waited),
        clock.count(tuning.EXTENSION_SECONDS, first),
    )
    return (
        first - (to_begin if first - before <= shot.begin else min(before, to_begin)),
        last + (to_end if last + further >= shot.end else min(further, to_end)),
    )


def best_score(trajectory: list[Tracklet]) -> float:
    """Return the best score of a trajectory's detections, or of the looks at it."""
    return min(max(max([tracklet.score, *tracklet.evidence]) for tracklet in trajectory), 1.0)


def enlarge(
    boxes: Boxes,
    scores: NDArray[np.float64],
    sizes: NDArray[np.float64],
    away: NDArray[np.int64],
    rates: NDArray[np.float64],
    pixel: float,
) -> None:
    """Enlarge (n, 4) boxes, in place, that may lie beside the face.

    Parameters
    ----------
    boxes : (n, 4) float64
    scores : (n,) float64
        Of the detections about each.
    sizes : (n, 2) float64
        See `known_sizes`.
    away : (n,) int64
        How many frames away the nearest one is.
    rates : (n,) float64
        Frames a second about each.
    pixel : float
        See `smooth_and_fill`.
    """
    share = np.clip((tuning.KNOWN_SCORE - scores) / (tuning.KNOWN_SCORE - tuning.UNKNOWN_SCORE), 0, 1)
    known = np.minimum(share[:, None] * sizes, tuning.MAX_KNOWN_GROWTH * boxes[:, 2:])
    boxes[:, 2:] = np.maximum(boxes[:, 2:] * growth_where_faint(scores)[:, None], known)
    away = np.maximum(away - np.round(tuning.STEADY_SECONDS * rates).astype(np.int64), 0)
    boxes[:, 2:] *= 1 + tuning.GROWTH_PER_FRAME * np.minimum(away, tuning.MAX_GROWTH_FRAMES)[:, None]
    boxes[:, 2:] += 2 * pixel * np.minimum(away / tuning.PATCH_ERROR_FRAMES, 1)[:, None]


def growth_where_faint(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much boxes are to grow whose detections have these scores: the fainter, the less they fit."""
    span = tuning.FITTING_SCORE - tuning.LOOSE_SCORE
    growth: NDArray[np.float64] = 1 + tuning.GROWTH_WHERE_FAINT * np.clip((tuning.FITTING_SCORE - scores) / span, 0, 1)
    return growth


def known_sizes(
    measured: Boxes,
    detected: NDArray[np.int64],
    scores: NDArray[np.float64],
    frames: NDArray[np.int64],
    rates: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the width and height that a face has in frames by the detections near them that show it well.

    Parameters
    ----------
    measured : (m, 4) float64
    detected : (k,) int64
        Those of them that were detected.
    scores : (m,) float64
    frames : (n,) int64
        Counted from the first measured one.
    rates : (n,) float64
        Frames a second about each.

    Returns
    -------
    (n, 2) float64
        0 far from all.
    """
    good = detected[scores[detected] >= tuning.KNOWN_SCORE]
    if not len(good):
        return np.zeros((len(frames), 2))
    sizes = np.stack([np.interp(frames, good, measured[good, side]) for side in (2, 3)], axis=1)
    near = distance_to(good, frames) <= np.round(tuning.KNOWN_SECONDS * rates)
    return np.where(near[:, None], sizes, 0.0)


def measurements(
    trajectory: list[Tracklet], clock: Clock
) -> tuple[int, Boxes, NDArray[np.float64], NDArray[np.float64]]:
    """Return the first frame, and each frame's measured box, its deviation and score, 0 where there is none.

    Where a face was not measured for too long for the gap to be filled, or not any more, its head is where it is.
    """
    only = trajectory[0]
    gapless = only.frames[-1] - only.frames[0] == len(only.frames) - 1
    if len(trajectory) == 1 and gapless and not only.backward_boxes and not only.head_boxes:
        # As it mostly is; the rest of this does the same, slower.
        boxes = np.concatenate(only.boxes).reshape(-1, 4)
        return only.frames[0], boxes, np.array(only.deviations), np.array(only.scores)
    # What is left of a tracklet may begin where only its head was found.
    first = min(min([tracklet.first, *tracklet.head_boxes]) for tracklet in trajectory)
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
    corners, outer = corners_of(boxes), corners_of(hull)
    beyond = np.zeros((len(boxes) + 4 * radius, 4))
    beyond[2 * radius : 2 * radius + len(boxes)] = np.maximum((outer - corners) * OUTWARDS, 0)
    corners += OUTWARDS * mean_of_greatest(beyond, radius)
    return boxes_of(corners)


def mean_of_greatest(beyond: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return the mean, over frames to either side, of the greatest of as many frames again; 2 `radius` fewer each way.

    Each of them is at least the value in the middle, and so is their mean.
    """
    greatest = sliding_window_view(beyond, 2 * radius + 1, axis=0).max(axis=-1)
    mean: NDArray[np.float64] = sliding_window_view(greatest, 2 * radius + 1, axis=0).mean(axis=-1)
    return mean


def boxes_of(corners: Boxes) -> Boxes:
    """Return the (n, 4) boxes, centre and size, of x1, y1, x2, y2."""
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)


def corners_of(boxes: Boxes) -> Boxes:
    """Return x1, y1, x2, y2 of (n, 4) boxes."""
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
    for gap in np.flatnonzero(np.diff(at) > 1).tolist():
        before, behind = int(at[gap]), int(at[gap + 1])
        filled[before:behind] |= behind - before - 1 <= round(tuning.MAX_FILLED_SECONDS * rates[before])
    return filled


def distance_to(detected: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each frame how many frames away the nearest detection is."""
    at = np.searchsorted(detected, frames)
    before = frames - detected[np.maximum(at - 1, 0)]
    behind = detected[np.minimum(at, len(detected) - 1)] - frames
    nearest: NDArray[np.int64] = np.minimum(np.abs(before), np.abs(behind))
    return nearest
