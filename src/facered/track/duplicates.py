"""Tracks of the same face, detected twice: the better one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.runtime.cancellation import check
from facered.track import tuning
from facered.track.boxes import union

if TYPE_CHECKING:
    from facered.track.boxes import Boxes
    from facered.track.smoothing import Track


def without_duplicates(tracks: list[Track]) -> list[Track]:
    """Return the tracks without those that mostly lie inside a better one: the same face, detected twice.

    The one that is kept goes on for as long as its duplicate, and is enlarged to hold it where the duplicate scored
    like a face of its own, so that nothing is hidden less.
    """
    kept: list[Track] = []
    spans = np.empty((len(tracks), 2), np.int64)  # of those that are kept
    for track in sorted(tracks, key=lambda track: (-track.detections, -track.score, track.keys)):
        check()
        first, last = track.frames[0], track.frames[-1]
        there = spans[: len(kept)]
        meeting = np.flatnonzero((there[:, 0] <= last) & (there[:, 1] >= first)).tolist()
        other = next((number for number in meeting if _is_duplicate(track, kept[number])), None)
        if other is None:
            other = len(kept)
            kept.append(track)
        else:
            _take_over(kept[other], track)
        spans[other] = kept[other].frames[0], kept[other].frames[-1]
    return kept


def _take_over(track: Track, duplicate: Track) -> None:
    _, here, there = np.intersect1d(track.frames, duplicate.frames, assume_unique=True, return_indices=True)
    if duplicate.score >= tuning.STANDALONE_SCORE:
        track.boxes[here] = union(track.boxes[here], duplicate.boxes[there])
    beyond = ~np.isin(duplicate.frames, track.frames)
    frames = np.concatenate([track.frames, duplicate.frames[beyond]])
    order = np.argsort(frames)
    track.frames = frames[order]
    track.boxes = np.concatenate([track.boxes, duplicate.boxes[beyond]])[order]


def _is_duplicate(track: Track, other: Track) -> bool:
    if track.shot.begin > other.shot.end or other.shot.begin > track.shot.end:
        return False
    _, here, there = np.intersect1d(track.frames, other.frames, assume_unique=True, return_indices=True)
    a, b = track.boxes[here], other.boxes[there]
    low = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    inside = np.prod(np.maximum(high - low, 0), axis=1) > tuning.DUPLICATE_CONTAINMENT * a[:, 2] * a[:, 3]
    return int(inside.sum()) > tuning.DUPLICATE_FRAMES * len(track.frames)


def meeting(boxes: Boxes) -> list[int]:
    """Return the numbers of those of (n, 4) boxes that lie inside another, or that another lies inside, ascending."""
    half = boxes[:, 2:] / 2
    low, high = boxes[:, :2] - half, boxes[:, :2] + half
    sides = np.maximum(np.minimum(high[:, None], high) - np.maximum(low[:, None], low), 0)
    inside = sides[..., 0] * sides[..., 1] / (boxes[:, 2] * boxes[:, 3])[:, None] > tuning.DUPLICATE_CONTAINMENT
    np.fill_diagonal(inside, False)
    return np.flatnonzero(inside.any(axis=0) | inside.any(axis=1)).tolist()
