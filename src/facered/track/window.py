"""Which part of a picture the detector is given: all of it, or the box in which something has to be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a picture that is given to the detector.

    Attributes
    ----------
    within : (4,) float64 or None
        Centre x, centre y, width, height in pixels; None means all of the picture.
    """

    within: NDArray[np.float64] | None = None


WHOLE = Window()

ROUNDING = 1e-6
"""Pixels by which places that are equal may differ as floating-point numbers."""


def surroundings(boxes: Boxes) -> Boxes:
    """Return (n, 4) boxes with what the detector needs about them, and where the faces may have gone to."""
    return boxes * [1.0, 1.0, tuning.WINDOW_EXTENT, tuning.WINDOW_EXTENT]


def about(parts: Boxes, faces: Boxes, size: NDArray[np.float64]) -> Window:
    """Return the window that holds (n, 4) boxes, n > 0: the whole picture where that is hardly more.

    Parameters
    ----------
    parts : (n, 4) float64
    faces : (m, 4) float64
        Known faces; its border cuts none of them, since detectors find fragments of faces that are cut.
    size : (2,) float64
        Width and height of the picture.
    """
    margin = tuning.WINDOW_MARGIN * size.max()
    low, high = _low(parts).min(axis=0) - margin, _high(parts).max(axis=0) + margin
    whole = faces * [1.0, 1.0, tuning.UNCUT_EXTENT, tuning.UNCUT_EXTENT]
    while True:
        cut = whole[((_low(whole) < high) & (_high(whole) > low)).all(axis=1)]
        wider = _low(cut).min(axis=0, initial=np.inf), _high(cut).max(axis=0, initial=-np.inf)
        if not (wider[0] < low).any() and not (wider[1] > high).any():
            break
        low, high = np.minimum(low, wider[0]), np.maximum(high, wider[1])
    low, high = np.maximum(low, 0.0), np.minimum(high, size)
    sides = np.maximum(high - low, 1.0)
    if not sides.prod() <= tuning.MAX_WINDOW_PART * size.prod():  # nor where a place is no number
        return WHOLE
    return Window(np.concatenate([low + sides / 2, sides]))


def _low(boxes: Boxes) -> Boxes:
    return boxes[..., :2] - boxes[..., 2:] / 2


def _high(boxes: Boxes) -> Boxes:
    return boxes[..., :2] + boxes[..., 2:] / 2


def holds(within: Boxes | None, box: Boxes, size: NDArray[np.float64]) -> bool:
    """Tell whether all that the picture shows of a (4,) box lies within a part, so that it would have been found."""
    if within is None:
        return True
    low, high = (np.clip(corner(box), 0.0, size) for corner in (_low, _high))
    return bool((low >= _low(within) - ROUNDING).all() and (high <= _high(within) + ROUNDING).all())
