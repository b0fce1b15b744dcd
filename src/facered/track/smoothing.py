"""A person's measured boxes -> a box for every frame of the way: smooth, without gaps, and never too small."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facered.track import kalman
from facered.track.boxes import union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.shot import Shot
    from facered.track.tracklet import Tracklet

EXTENSION_SECONDS = 0.2
"""Tracks go on for so long beyond their ends, unless a cut is nearer."""
GROWTH = 0.02
"""Boxes grow by this part a frame away from the nearest detection, to `GROWING_FRAMES`: their place is a guess."""
GROWING_FRAMES = 10
BLURRED_FRAMES = 3
"""So many frames away from that, they are larger by a pixel of the small pictures in which patches are found, too."""
CALM_SECONDS = 0.04
"""What makes a box larger in one frame makes it larger for twice as long before and after, ever less."""
STEADY_SECONDS = 0.25
"""So near to a detection boxes do not grow, or masks would pulsate where one follows another closely."""
GUESSED_SECONDS = 1.2
"""Gaps up to this long are filled; in longer ones the face is out of sight, but for the extensions."""
DAMPING = 0.8
"""Velocity kept from frame to frame beyond the ends of a track."""


@dataclass(slots=True)
class Track:
    """A person in a shot.

    Attributes
    ----------
    detected : int
        Number of the first frame with a detection.
    frames : (n,) int64
        Numbers of the frames in which the face is, or may be, ascending.
    boxes : (n, 4) float64
        Centre x, centre y, width, height in pixels.
    detections : int
        How many there are.
    score : float
        The best of their scores.
    keys : tuple of int
        By what `Tracker.update` knows it.
    shot : Shot
    """

    detected: int
    frames: NDArray[np.int64]
    boxes: Boxes
    detections: int
    score: float
    keys: tuple[int, ...]
    shot: Shot


def complete(way: list[Tracklet], rate: float, pixel: float = 0.0, waited: int = 0) -> Track:
    """Fill the gaps of a way, smooth it, and extend both ends within the shot.

    Parameters
    ----------
    way : list of Tracklet
        Pieces, all in one shot, in order of time; where two overlap, the later one counts unless only the earlier has
        a detection.
    rate : float
        Frames a second.
    pixel : float
        Side of a pixel of the pictures in which patches were followed, in pixels of the boxes.
    waited : int
        For how many frames beyond its end it is still waited for, if for more than it is extended anyway.
    """
    shot = way[0].shot
    extension = max(1, round(EXTENSION_SECONDS * rate))
    first, last = min(piece.first for piece in way), max(piece.frames[-1] for piece in way)
    measured, deviations = np.zeros((last - first + 1, 4)), np.zeros(last - first + 1)
    for piece in way:
        back = piece.frames[0] - np.arange(1, len(piece.behind) + 1)
        frames = np.concatenate([back, np.array(piece.frames, np.int64)]) - first
        boxes = np.array(piece.behind + piece.boxes)
        found = np.concatenate([np.full(len(back), kalman.FOLLOWED), piece.deviations])
        # Where something passes in front of a face, it may be detected at either side.
        twice = (deviations[frames] == kalman.DETECTED) & (found == kalman.DETECTED)
        boxes[twice] = union(boxes[twice], measured[frames[twice]])
        better = (deviations[frames] == 0) | (found <= deviations[frames])
        measured[frames[better]], deviations[frames[better]] = boxes[better], found[better]
    boxes = kalman.smooth(measured, deviations)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1.0)
    seen = deviations > 0
    hull = boxes.copy()
    hull[seen] = union(boxes[seen], measured[seen])
    boxes = _calmly_enlarged(boxes, hull, max(1, round(CALM_SECONDS * rate)))
    # Who is there when a shot fades into another is hidden until nothing of it can be seen.
    to_end, to_begin = max(shot.last - last, 0), max(first - shot.first, 0)
    further = max(extension, waited)
    ahead = _extrapolate(boxes, to_end if last + further >= shot.end else min(further, to_end))
    behind = _extrapolate(boxes[::-1], to_begin if first - extension <= shot.begin else min(extension, to_begin))
    away = _distance(np.flatnonzero(deviations == kalman.DETECTED), np.arange(-len(behind), len(boxes) + len(ahead)))
    whole = np.concatenate([behind[::-1], boxes, ahead])
    away = np.maximum(away - round(STEADY_SECONDS * rate), 0)
    whole[:, 2:] *= 1 + GROWTH * np.minimum(away, GROWING_FRAMES)[:, None]
    whole[:, 2:] += 2 * pixel * np.minimum(away / BLURRED_FRAMES, 1)[:, None]
    frames = np.arange(first - len(behind), last + len(ahead) + 1)
    filled = np.flatnonzero(_filled(seen, round(GUESSED_SECONDS * rate)))
    near = (frames < first) | (frames > last) | (_distance(filled, frames - first) <= extension)
    return Track(
        way[0].first_detected,
        frames[near],
        whole[near],
        sum(piece.detections for piece in way),
        max(piece.score for piece in way),
        tuple(spell.key for piece in way for spell in piece.spells),
        shot,
    )


def _calmly_enlarged(boxes: Boxes, hull: Boxes, radius: int) -> Boxes:
    """Return boxes that hold both smooth boxes and larger, trembling ones, and are nearly as smooth as the former."""
    outwards = np.array([-1.0, -1.0, 1.0, 1.0])
    corners, outer = _corners(boxes), _corners(hull)
    beyond = np.pad(np.maximum((outer - corners) * outwards, 0), ((2 * radius, 2 * radius), (0, 0)))
    # The mean of greatest values, each of which is at least the one in the middle, is at least that too.
    greatest = sliding_window_view(beyond, 2 * radius + 1, axis=0).max(axis=-1)
    corners += outwards * sliding_window_view(greatest, 2 * radius + 1, axis=0).mean(axis=-1)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)


def _corners(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def _extrapolate(boxes: Boxes, count: int) -> Boxes:
    """Return `count` boxes behind the last: the middle moves on, ever slower; the size stays."""
    velocity = boxes[-1, :2] - boxes[max(len(boxes) - 4, 0), :2]
    velocity /= max(min(len(boxes) - 1, 3), 1)
    ahead = np.repeat(boxes[-1:], count, axis=0)
    ahead[:, :2] += np.cumsum(DAMPING ** np.arange(count))[:, None] * velocity
    return ahead


def _filled(seen: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Return `seen` with the gaps filled that are not too long."""
    at = np.flatnonzero(seen)
    filled = seen.copy()
    for before, behind in pairwise(at.tolist()):
        filled[before:behind] |= behind - before - 1 <= longest
    return filled


def _distance(detected: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each frame how many frames away the nearest detection is."""
    at = np.searchsorted(detected, frames)
    before = frames - detected[np.maximum(at - 1, 0)]
    behind = detected[np.minimum(at, len(detected) - 1)] - frames
    nearest: NDArray[np.int64] = np.minimum(np.abs(before), np.abs(behind))
    return nearest
