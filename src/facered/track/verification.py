"""Looking again at single faces: which tracks, when, on what crops, and what that says of them.

A face that the detector sees faintly in the whole picture is seen better on one crop or another, and better in one
frame than in the next. So a tentative track is looked at as long as it lives, and what its looks show adds up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facered.track import tuning
from facered.track.boxes import centred, iou

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from facered.track.boxes import Boxes, Detections
    from facered.track.clock import Clock
    from facered.track.tracklet import Tracklet

    Verify = Callable[[Boxes, "Crop"], Detections]
    """Detects faces on a crop about a (4,) box."""


class Crop(NamedTuple):
    """What is looked at: `extent` sizes of the face, scaled so that the face has `face_pixels`."""

    extent: float
    face_pixels: int


KNOWN, SEEN_ONCE = ([Crop(*one) for one in several] for several in (tuning.CROPS_OF_KNOWN, tuning.CROPS_SEEN_ONCE))
"""What is looked at of a face that is known to be one, and of what may be one and will not be seen again."""


def crop(number: int) -> Crop:
    """Return what the look with this number, from 0, at a tentative track is at."""
    return Crop(*tuning.CROPS[number % len(tuning.CROPS)])


def due(tracklets: Iterable[Tracklet], frame: int, clock: Clock, most: int) -> list[Tracklet]:
    """Return the tracks to look at, not more than so many.

    Confirmed tracks that are not detected any more and tentative ones take turns at being first.
    """
    missing, tentative = [], []
    regular = clock.count(tuning.LOOK_SECONDS, frame)
    for tracklet in tracklets:
        if tracklet.confirmed:
            if tracklet.missed % tuning.MISSES_PER_VERIFICATION == 1:
                missing.append(tracklet)
        elif tracklet.frames[-1] >= frame - 1 and frame - tracklet.last_look >= _wait(tracklet, regular):
            tentative.append(tracklet)
    missing.sort(key=lambda tracklet: tracklet.last_detected)
    tentative.sort(key=lambda tracklet: (tracklet.looks, -tracklet.score))
    first, second = (missing, tentative) if frame % 2 else (tentative, missing)
    return [*first[:1], *second, *first[1:]][:most]


def _wait(tracklet: Tracklet, regular: int) -> int:
    """Return how many frames there are until the next look: ever more, up to a limit."""
    if tracklet.looks >= tuning.HOPELESS_LOOKS and max(tracklet.evidence) < tuning.HOPELESS_SCORE:
        return regular * tuning.HOPELESS_WAIT
    return min(1 << min(max(tracklet.looks - 1, 0), 20), regular)


def look(
    tracklet: Tracklet, box: Boxes, verify: Verify, others: Boxes, threshold: float, *, once: bool
) -> tuple[Boxes, float] | None:
    """Look at a track by itself, and return `best_match`: of the crop that shows it best, or first well enough.

    Parameters
    ----------
    tracklet : Tracklet
    box : (4,) float64
        Where its face is.
    verify : callable
        Detects faces on a crop about a (4,) box.
    others : (n, 4) float64
        Other confirmed faces.
    threshold : float
    once : bool
        Whether there will be no second look.
    """
    if tracklet.confirmed:
        followed = not tracklet.missed and not tracklet.verification_failed
        chosen = KNOWN[:1] if followed else KNOWN
        return best_view(box, verify, others, chosen, tuning.scaled(tuning.REDETECTED_SCORE, threshold))
    chosen = SEEN_ONCE if once else [crop(tracklet.looks)]
    return best_view(box, verify, others, chosen, tuning.scaled(tuning.CERTAIN_MEANS[0], threshold))


def best_view(
    box: Boxes, verify: Verify, others: Boxes, crops: Sequence[Crop], enough: float
) -> tuple[Boxes, float] | None:
    """Return `best_match` of the first crop that shows a face for certain, or else of the one that shows it best.

    Parameters
    ----------
    box : (4,) float64
        The face.
    verify : callable
        Detects faces on a crop about a (4,) box.
    others : (n, 4) float64
        Other confirmed faces.
    crops : sequence of Crop
    enough : float
        The score that is certain.
    """
    best = None
    for crop in crops:
        match = best_match(box, verify(box, crop), others)
        if match is not None and (best is None or match[1] > best[1]):
            best = match
        if best is not None and best[1] >= enough:
            break
    return best


def best_of(evidence: Sequence[float]) -> list[float]:
    """Return the best pieces of evidence, as many as any rule asks for: a lamp may be looked at for days."""
    return sorted(evidence, reverse=True)[: max(len(tuning.CERTAIN_MEANS), len(tuning.LIKELY_MEANS))]


def is_certain(evidence: Sequence[float], threshold: float) -> bool:
    """Tell whether what is known of a track, see `Tracklet.evidence`, shows that it is a face."""
    return _shows(evidence, tuning.CERTAIN_MEANS, threshold)


def counts(tracklet: Tracklet, threshold: float) -> bool:
    """Tell whether a tracklet may be a part of a trajectory: the faintest ones only where they are likely faces."""
    return tracklet.confirmed or tracklet.score >= threshold or is_likely(tracklet.evidence, threshold)


def is_likely(evidence: Sequence[float], threshold: float) -> bool:
    """Tell whether it may well be a face, so that it is hidden to be safe."""
    return _shows(evidence, tuning.LIKELY_MEANS, threshold)


def _shows(evidence: Sequence[float], means: Sequence[float], threshold: float) -> bool:
    """Tell whether the mean of the best 1, 2, 3, ... scores reaches what is asked of so many."""
    best = sorted(evidence, reverse=True)
    return any(
        len(best) >= count and sum(best[:count]) >= count * tuning.scaled(mean, threshold)
        for count, mean in enumerate(means, 1)
    )


def best_match(box: Boxes, detections: Detections, others: Boxes) -> tuple[Boxes, float] | None:
    """Return box and score of the detection on a crop that is of the face which it was made about.

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
