"""How a face is made unrecognisable: a small picture of cell averages, blurred, blended in through an ellipse."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from facered._native import blend, blur

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.frames import Picture

CELLS_A_RADIUS = 4
"""A box of this many cells to either side is as smooth as one of single pixels, and costs next to nothing."""
PASSES = 3
"""Box passes; three come close to a Gaussian."""


@dataclass(frozen=True, slots=True)
class Blur:
    """A box blur whose strength follows the size of the face.

    Attributes
    ----------
    radius : float
        Radius of each pass, as a part of the hidden box's width; 0.5 of a box with the default margin of 1.4 is 0.7 of
        the face's own width.
    feather : float
        Width of the fading rim around the ellipse, as a part of its semi-axes.
    """

    radius: float = 0.5
    feather: float = 0.15


class Hider:
    """Hides faces in pictures, in place; keeps its scratch memory, so one a thread.

    Parameters
    ----------
    style : Blur
    """

    def __init__(self, style: Blur) -> None:
        self._style = style
        self._bytes = np.empty(0, np.uint8)
        self._words = np.empty(0, np.uint32)

    def hide(self, picture: Picture, boxes: NDArray[np.float64]) -> None:
        """Hide what lies in the ellipses inscribed in the boxes, one after the other.

        Parameters
        ----------
        picture : Picture
            Writable planes; bytes outside the masks stay as they are.
        boxes : (n, 4) float64
            x1, y1, x2, y2 in luma pixels; they may reach outside the picture.
        """
        for box in boxes:
            self._hide_one(picture, *box.tolist())

    def _hide_one(self, picture: Picture, x1: float, y1: float, x2: float, y2: float) -> None:
        style = self._style
        centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
        semi_x, semi_y = max((x2 - x1) / 2, 0.5), max((y2 - y1) / 2, 0.5)
        reach = 1 + style.feather
        left, right = max(floor(centre_x - semi_x * reach), 0), min(ceil(centre_x + semi_x * reach), picture.width)
        top, bottom = max(floor(centre_y - semi_y * reach), 0), min(ceil(centre_y + semi_y * reach), picture.height)
        if left >= right or top >= bottom:
            return
        width, height = right - left, bottom - top
        radius = max(style.radius * (x2 - x1), 1.0)
        self._reserve(min(width + 2 * ceil(radius), picture.width), min(height + 2 * ceil(radius), picture.height))
        mask = self._bytes[: width * height].reshape(height, width)
        blend.ellipse_mask(mask, centre_x - left, centre_y - top, semi_x, semi_y, style.feather)
        self._blur(picture.y, left, top, mask, radius)
        if picture.u is not None and picture.v is not None:
            odd_x, odd_y = left % 2, top % 2
            rows, columns = (height + odd_y + 1) // 2, (width + odd_x + 1) // 2
            small = self._bytes[width * height :][: rows * columns].reshape(rows, columns)
            blend.subsample_mask(mask, bool(odd_x), bool(odd_y), small)
            for plane in (picture.u, picture.v):
                self._blur(plane, left // 2, top // 2, small, radius / 2)

    def _blur(self, plane: NDArray[np.uint8], left: int, top: int, mask: NDArray[np.uint8], radius: float) -> None:
        height, width = mask.shape
        # The surroundings are blurred in: an oval of the face's own colour alone still looks like a face to detectors.
        around = int(radius)
        x, y = max(left - around, 0), max(top - around, 0)
        window = plane[y : top + height + around, x : left + width + around]
        cell = min(max(1, int(radius / CELLS_A_RADIUS)), max(window.shape))
        rows, columns = -(-window.shape[0] // cell), -(-window.shape[1] // cell)
        cells = self._words[: rows * columns].view(np.uint16)[: rows * columns].reshape(rows, columns)
        scratch = self._words[rows * columns :]
        blur.average_cells(window, cell, cell, scratch, cells)
        reach = max(1, round(radius / cell))
        blur.box_blur(cells, reach, reach, PASSES, scratch)
        region = plane[top : top + height, left : left + width]
        blend.blend_cells(region, mask, cells, cell, cell, left - x, top - y, True, scratch.view(np.uint8))

    def _reserve(self, width: int, height: int) -> None:
        """Make the scratch memory large enough for a window: two masks, the cells and their copy, and lines."""
        if len(self._bytes) < 2 * width * height:
            self._bytes = np.empty(2 * width * height, np.uint8)
        words = 2 * width * height + 4 * width + height
        if len(self._words) < words:
            self._words = np.empty(words, np.uint32)
