"""Which tracks at both sides of a seam are of the same person: those that overlap in the frames analyzed for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facered.track.boxes import Boxes
    from facered.track.smoothing import Track


def matched(before: Sequence[Track], after: Sequence[Track]) -> dict[int, int]:
    """Return for tracks behind a seam, by their places in a list, the same person's before it.

    Parameters
    ----------
    before, after : sequence of Track
        Of the segments on both sides, those frames among them that both have analyzed.

    Returns
    -------
    dict of int to int
        Each the best for the other by the sum of IoU over their common frames, whose mean is not too small.
    """
    shared = np.zeros((len(before), len(after)))
    for one, other in np.ndindex(shared.shape):
        shared[one, other] = _overlap(before[one], after[other])
    if not shared.size:
        return {}
    best, best_back = shared.argmax(axis=0), shared.argmax(axis=1)
    return {place: int(one) for place, one in enumerate(best) if shared[one, place] > 0 and best_back[one] == place}


def _overlap(one: Track, other: Track) -> float:
    """Return the sum of the IoU of two tracks over their common frames, 0 where the mean is too small."""
    _, here, there = np.intersect1d(one.frames, other.frames, assume_unique=True, return_indices=True)
    if not len(here):
        return 0.0
    shared = _iou(one.boxes[here], other.boxes[there])
    return float(shared.sum()) if shared.mean() >= tuning.MIN_OVERLAPPING_IOU else 0.0


def _iou(a: Boxes, b: Boxes) -> Boxes:
    """Return the (n,) IoU of each of (n, 4) boxes with the one in its place."""
    low = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    inside = np.prod(np.maximum(high - low, 0), axis=1)
    found: Boxes = inside / (np.prod(a[:, 2:], axis=1) + np.prod(b[:, 2:], axis=1) - inside)
    return found
