"""Which tracks are looked at again, alone and enlarged, and what that says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import centred, iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facered.track.boxes import Boxes, Detections, Verify
    from facered.track.tracklet import Tracklet


def due(tracklets: Iterable[Tracklet], frame: int, most: int = tuning.MAX_VERIFICATIONS_PER_FRAME) -> list[Tracklet]:
    """Return the tracks to verify beside a detection, not more than so many.

    Confirmed tracks that are not detected any more and tentative ones take turns at being first.
    """
    missing, tentative = [], []
    for tracklet in tracklets:
        if tracklet.confirmed:
            if tracklet.missed % tuning.MISSES_PER_VERIFICATION == 1:
                missing.append(tracklet)
        elif (
            tracklet.verifications < tuning.MAX_VERIFICATIONS
            and frame - tracklet.first_detected >= 2**tracklet.verifications - 1
        ):
            tentative.append(tracklet)
    missing.sort(key=lambda tracklet: tracklet.last_detected)
    tentative.sort(key=lambda tracklet: (tracklet.verifications, -tracklet.score))
    first, second = (missing, tentative) if frame % 2 else (tentative, missing)
    return [*first[:1], *second, *first[1:]][:most]


def best_view(box: Boxes, verify: Verify, others: Boxes, views: Sequence[float]) -> tuple[Boxes, float] | None:
    """Return `best_match` of the first crop that confirms a face, or else of the one that shows it best.

    Parameters
    ----------
    box : (4,) float64
        The face.
    verify : callable
        Detects faces on an enlarged crop about a (4,) box.
    others : (n, 4) float64
        Other confirmed faces.
    views : sequence of float
        Sizes of what the crops are made about, in sizes of the box.
    """
    best = None
    for view in views:
        match = best_match(box, verify(box * [1, 1, view, view]), others)
        if match is not None and (best is None or match[1] > best[1]):
            best = match
        if best is not None and best[1] >= tuning.VERIFIED_SCORE:
            break
    return best


def best_match(box: Boxes, detections: Detections, others: Boxes) -> tuple[Boxes, float] | None:
    """Return box and score of the detection on an enlarged crop that is of the face which it was made about.

    Parameters
    ----------
    box : (4,) float64
        The face.
    detections : Detections
        What was found on the crop.
    others : (n, 4) float64
        Other confirmed faces: what one of them explains better says nothing about this one.

    Returns
    -------
    ((4,) float64, float) or None
    """
    boxes, scores = centred(detections.boxes), detections.scores
    if not len(boxes):
        return None
    shared = iou(box, boxes)
    best = int(np.argmax(np.where(shared > tuning.SAME_FACE_IOU, scores, -1.0)))
    if shared[best] <= tuning.SAME_FACE_IOU:
        return None
    if len(others) and iou(boxes[best], others).max() >= shared[best]:
        return None
    return boxes[best], float(scores[best])
