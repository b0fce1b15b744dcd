"""Tiles: the parts of a picture that a model is given one by one, and which of its detections in each count.

The numbers below were set by hand while tiles were made; no sweep is recorded. "Larger" and "smaller" tell what becomes
worse then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.tensor import View

    Place = tuple[int, int, int, int]
    """Left, top, right and bottom, in pixels of the picture as it is shown."""

MIN_CROP = 32
"""Least side of a crop in pixels of the picture. Larger: tiny faces are verified among more around them. Smaller: crops
of a few pixels."""
TILE_OVERLAP = 96
"""Pixels of the tensor that neighbouring tiles share. Larger: time. Smaller: more faces are larger than it, may be cut
in every tile, and are left to coarser pictures."""
MAX_TILE_PIXELS = 2_100_000
"""Most pixels of the tensor that a tile has, overlap apart: half of 4k's width and height, for which the model takes
half a gigabyte. Larger: memory. Smaller: more overlap is computed twice."""
CUT_MARGIN = 4
"""Pixels of the tensor: a box so near to the border between tiles is left to the next, where the face is whole. Larger:
whole faces are left to a tile that may not have them. Smaller: cut faces count."""
MAX_COORDINATE = 1e6
"""Pixels beyond which no box reaches: not tuned, what a model gives beyond it is infinite or damaged."""


class TileRequest(Protocol):
    """Which larger pictures are given to the model too; see `facered.track.schedule.TileRequest`."""

    @property
    def within(self) -> NDArray[np.float64] | None:
        """The part of the picture that the larger one is confined to: (4,) centre and size in pixels."""

    @property
    def native(self) -> bool:
        """Whether a very large picture is given in its own size as well."""


class Window(Protocol):
    """Which part of a picture is given to the model in its usual size; see `facered.track.window.Window`."""

    @property
    def within(self) -> NDArray[np.float64] | None:
        """(4,) centre and size in pixels; None means all of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A `Window`."""

    within: NDArray[np.float64] | None = None


class Crop(Protocol):
    """How a face is looked at by itself; see `facered.track.verification.Crop`."""

    @property
    def extent(self) -> float:
        """The side of the crop, in multiples of the face's longer side."""

    @property
    def face_pixels(self) -> int:
        """Pixels of the tensor that the face's longer side has in it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture, ready for the model, and which of the detections in it count.

    Attributes
    ----------
    view : View
        The tensor.
    corner : (2,) float32
        Where in the picture the tile begins.
    bounds : (4,) float64 or None
        Boxes, x1, y1, x2, y2, that reach beyond these are cut, and left to the next tile.
    max_side : float
        Longer side, in pixels of the picture, of the largest faces that count; larger ones are left to coarser tiles.
    min_size : float
        Mean side, likewise, of the smallest faces that count where finer tiles are detected too: coarser ones show
        ghosts beside them.
    finer : (4,) float64 or None
        Where those finer tiles are: centre and size; None if they are everywhere.
    """

    view: View
    corner: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    bounds: NDArray[np.float64] | None = None
    max_side: float = np.inf
    min_size: float = 0.0
    finer: NDArray[np.float64] | None = None

    def counted(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return those of (n, 5) boxes and scores that count, in pixels of the picture."""
        found[:, :4] += np.tile(self.corner, 2)
        if self.bounds is not None:
            whole = (found[:, :2] >= self.bounds[:2]) & (found[:, 2:4] <= self.bounds[2:])
            sides = (found[:, 2:4] - found[:, :2]).max(axis=1, initial=0)
            found = found[whole.all(axis=1) & (sides <= self.max_side)]
        if self.min_size:
            distinct = np.sqrt(np.prod(found[:, 2:4] - found[:, :2], axis=1)) >= self.min_size
            if self.finer is not None:
                middles = (found[:, :2] + found[:, 2:4]) / 2
                distinct |= (np.abs(middles - self.finer[:2]) > self.finer[2:] / 2).any(axis=1)
            found = found[distinct]
        return found


def crop_about(box: NDArray[np.float64], width: float, height: float, size: tuple[int, int]) -> Place:
    """Return a part of a picture of a size with the middle of a (4,) box in its middle, moved inside the picture."""
    left, right = _span(float(box[0]), max(MIN_CROP, ceil(width)), size[0])
    top, bottom = _span(float(box[1]), max(MIN_CROP, ceil(height)), size[1])
    return left, top, right, bottom


def split(
    place: Place, scale: float, longest: int, size: tuple[int, int]
) -> list[tuple[Place, NDArray[np.float64] | None, float]]:
    """Split a part of a picture into tiles that overlap.

    Parameters
    ----------
    place : (int, int, int, int)
    scale : float
        Pixels of the tensor a pixel of the picture.
    longest : int
        Most pixels of the tensor along a tile's side, overlap apart; of all of it, `MAX_TILE_PIXELS`.
    size : (int, int)
        Width and height of the picture.

    Returns
    -------
    list of (place, bounds, max_side)
        place : (int, int, int, int)
        bounds : (4,) float64 or None
        max_side : float
            See `Tile`.
    """
    shared = round(TILE_OVERLAP / scale)
    lengths = [end - begin for begin, end in (place[::2], place[1::2])]
    sides = [round(scale * length) for length in lengths]
    counts = [max(ceil(side / longest), 1) for side in sides]  # a line may be less than a pixel there
    while sides[0] * sides[1] > MAX_TILE_PIXELS * counts[0] * counts[1]:
        counts[sides[1] * counts[0] > sides[0] * counts[1]] += 1
    spans = [
        [(begin + a, begin + b) for a, b in _spans(length, count, shared)]
        for begin, length, count in zip(place[:2], lengths, counts, strict=True)
    ]
    several = len(spans[0]) * len(spans[1]) > 1
    tiles = []
    for top, bottom in spans[1]:
        for left, right in spans[0]:
            low, high = np.array([left, top]), np.array([right, bottom])
            inner = low > 0, high < size
            low = low + np.where(inner[0], CUT_MARGIN / scale, -MAX_COORDINATE)
            high = high - np.where(inner[1], CUT_MARGIN / scale, -MAX_COORDINATE)
            cut = several or any(edges.any() for edges in inner)
            bounds = np.concatenate([low, high]) if cut else None
            tiles.append(((left, top, right, bottom), bounds, shared if several else np.inf))
    return tiles


def _span(middle: float, side: int, length: int) -> tuple[int, int]:
    """Return where a crop begins and ends along one axis, inside the picture."""
    begin = min(max(round(middle - side / 2), 0), max(length - side, 0))
    return begin, min(begin + side, length)


def _spans(length: int, count: int, shared: int) -> list[tuple[int, int]]:
    """Return where so many parts of a length begin and end, each with half of what neighbours share at either side."""
    borders = [length * number // count for number in range(count + 1)]
    return [(max(a - shared // 2, 0), min(b + shared // 2, length)) for a, b in pairwise(borders)]
