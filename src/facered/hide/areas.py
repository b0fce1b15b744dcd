"""Polygons of the picture that are always, or never, hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.checks import Polygon
    from facered.video.picture import Picture

OPAQUE = 128
"""What the mask is where it covers fully: not tuned, the blend kernel takes it so."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of any form of the picture as it is stored.

    Attributes
    ----------
    left, top : int
    mask : (height, width) uint8
        From there on: 128 where it is hidden, 0 elsewhere.
    """

    left: int
    top: int
    mask: NDArray[np.uint8]


def areas(polygons: Sequence[Polygon], picture: Picture) -> list[Area]:
    """Return the part of a picture inside each polygon, of those that have any."""
    found = []
    for polygon in polygons:
        inside = _inside(_stored(polygon, picture), picture.width, picture.height)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if len(rows):
            part = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            found.append(Area(int(columns[0]), int(rows[0]), part.astype(np.uint8) * OPAQUE))
    return found


def spared(polygons: Sequence[Polygon], picture: Picture) -> NDArray[np.bool_] | None:
    """Return where a picture, as it is stored, lies inside any polygon; None if there are none."""
    if not polygons:
        return None
    inside = np.zeros((picture.height, picture.width), np.bool_)
    for polygon in polygons:
        inside |= _inside(_stored(polygon, picture), picture.width, picture.height)
    return inside


def _stored(polygon: Polygon, picture: Picture) -> NDArray[np.float64]:
    """Return the corners in pixels of the stored picture, (n, 2)."""
    corners = np.array(polygon, np.float64) * picture.shown_size
    return picture.orientation.to_stored(np.tile(corners, 2), *picture.shown_size)[:, :2]


def _inside(corners: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels' middles a polygon winds around, (height, width); where it overlaps itself is inside too."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    winding = np.zeros((height, width), np.int16)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        rows = np.flatnonzero((y >= min(y1, y2)) & (y < max(y1, y2)))
        crossing = x1 + (y[rows] - y1) * ((x2 - x1) / (y2 - y1 or 1.0))
        winding[rows] += (x >= crossing[:, None]) * np.int16(1 if y2 > y1 else -1)
    inside: NDArray[np.bool_] = winding != 0
    return inside
