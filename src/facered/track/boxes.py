"""Boxes as the tracker has them: (4,) or (n, 4) float64, centre x, centre y, width, height in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[np.float64]


class Detections(Protocol):
    """What a detector found in a picture."""

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(n, 4) x1, y1, x2, y2 in pixels; finite."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n,), 0 to 1."""

    @property
    def within(self) -> NDArray[np.float64] | None:
        """The part of the picture that was looked at, (4,) centre and size in pixels; None if it was all of it."""

    @property
    def shrunk(self) -> float:
        """How many times smaller the detector saw the faces."""


def centred(corners: NDArray[np.float32]) -> Boxes:
    """Return the boxes of corners, (n, 4) x1, y1, x2, y2."""
    found = np.empty((len(corners), 4))
    found[:, :2] = (corners[:, :2] + corners[:, 2:]) / 2
    found[:, 2:] = np.maximum(corners[:, 2:] - corners[:, :2], 1e-3)
    return found


def union(a: Boxes, b: Boxes) -> Boxes:
    """Return the (n, 4) boxes that hold both of each pair."""
    low = np.minimum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.maximum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def iou(box: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the intersections over union of a (4,) box with (n, 4) others."""
    shared = _shared(box, others)
    ratio: NDArray[np.float64] = shared / (box[2] * box[3] + others[:, 2] * others[:, 3] - shared)
    return ratio


def containment(box: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the part of a (4,) box's area that lies inside each of (n, 4) others."""
    part: NDArray[np.float64] = _shared(box, others) / (box[2] * box[3])
    return part


def _shared(box: Boxes, others: Boxes) -> NDArray[np.float64]:
    low = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    area: NDArray[np.float64] = np.prod(np.maximum(high - low, 0), axis=1)
    return area
