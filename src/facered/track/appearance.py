"""The last pictures, small and as luma, and where in them the patch of a face is found again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facered._native.patch import RADIUS, SIDE, Pyramid, sample, search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Patch = NDArray[np.uint8]
    """(SIDE, SIDE) uint8: a face, whatever its size."""
    Boxes = NDArray[np.float64]

SCALES = np.array([1 / 1.04, 1.04])
"""Changes of size that are tried from frame to frame."""
NO_SCALES = np.empty(0)
SLACK = 3
"""By so many samples a patch may be moved to fit a box."""
UNDECIDED = 0.5
"""Likeness of what shows nothing."""
MOST_MEMORY = 16 << 20
"""Most bytes that the pictures take up at full size; their smaller levels take a third more."""
SHIFT = 2
"""By so many samples two patches are moved against each other to see how alike they are."""


class RecentPictures:
    """A ring of the last pictures.

    Parameters
    ----------
    size : (2,) float64
        Width and height of the picture in the pixels that boxes are measured in.
    count : int
        How many pictures are kept at most; fewer where they would need more than `MOST_MEMORY`.
    """

    def __init__(self, size: NDArray[np.float64], count: int) -> None:
        self._size = size
        self._pyramids: deque[Pyramid] = deque()
        self._spare: list[Pyramid] = []
        self._count = count

    def __len__(self) -> int:
        return len(self._pyramids)

    def push(self, luma: NDArray[np.uint8]) -> None:
        """Keep a picture, (height, width) uint8, and drop the oldest if there are too many."""
        if len(self._pyramids) >= min(self._count, max(2, MOST_MEMORY // luma.size)):
            self._spare.append(self._pyramids.popleft())
        height, width = luma.shape
        pyramid = self._spare.pop() if self._spare else Pyramid(width, height)
        pyramid.fill(luma)
        self._pyramids.append(pyramid)
        self._scale = np.tile([width, height] / self._size, 2)

    @property
    def pixel(self) -> float:
        """Side of one of their pixels, in the pixels that boxes are measured in."""
        return float(1 / self._scale[:2].min())

    def clear(self) -> None:
        """Forget all pictures: what comes next shows another scene."""
        self._spare += self._pyramids
        self._pyramids.clear()

    def patch(self, box: Boxes, back: int = 0) -> Patch:
        """Take the patch of a (4,) box from the last picture or one `back` frames before it."""
        taken = np.empty((SIDE, SIDE), np.uint8)
        sample(self._pyramids[-1 - back], (box * self._scale)[None], taken[None])
        return taken

    def find(self, patches: list[Patch], boxes: Boxes, back: int = 0) -> Boxes:
        """Look for patches near (n, 4) boxes, in the last picture or one `back` frames before it.

        A patch is looked for a third of its size around, and a little larger and smaller.

        Returns
        -------
        (n, 5) float64
            Centre x, centre y, width, height in pixels, and the correlation, -1 to 1.
        """
        return self._search(patches, boxes, back, RADIUS, SCALES)

    def compare(self, patches: list[Patch], boxes: Boxes, back: int = 0) -> Boxes:
        """Look how well patches fit (n, 4) boxes, give or take a little; return what `find` does."""
        return self._search(patches, boxes, back, SLACK, NO_SCALES)

    def _search(self, patches: list[Patch], boxes: Boxes, back: int, radius: int, scales: NDArray[np.float64]) -> Boxes:
        found = np.empty((len(boxes), 5))
        search(self._pyramids[-1 - back], np.array(patches), boxes * self._scale, radius, scales, found)
        found[:, :4] /= self._scale
        return found


def likeness(a: Patch, b: Patch) -> float:
    """Return the best correlation, -1 to 1, of two patches moved a little against each other.

    Where one shows nothing, in darkness perhaps, that says nothing: `UNDECIDED`.
    """
    inner = a[SHIFT:-SHIFT, SHIFT:-SHIFT].astype(np.float32)
    parts = sliding_window_view(b.astype(np.float32), inner.shape)[::SHIFT, ::SHIFT].reshape(-1, inner.size)
    inner = inner.ravel() - inner.mean()
    parts = parts - parts.mean(axis=1, keepdims=True)
    energy = np.sqrt((inner @ inner) * np.einsum("ij,ij->i", parts, parts))
    if not energy.all():
        return UNDECIDED
    return float(np.max(parts @ inner / energy))
