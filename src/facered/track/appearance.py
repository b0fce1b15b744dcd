"""Patches, the luma of faces: where one is found again in the last pictures, and how alike two of them are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facered._native.patch import RADIUS, SIDE, Pyramid, sample, search
from facered.errors import ServiceError
from facered.track import tuning
from facered.track.cadence import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Patch = NDArray[np.uint8]
    """(SIDE, SIDE) uint8: a face, whatever its size."""
    Boxes = NDArray[np.float64]

MAX_COORDINATE = 2.0**20
"""Pixels beyond which no face is looked for, and its largest side: not tuned, it is far beyond every picture."""
NO_SCALES = np.empty(0)


class RecentPictures:
    """A ring of the last pictures.

    Parameters
    ----------
    size : (2,) float64
        Width and height of the picture in the pixels that boxes are measured in.
    count : int
        How many pictures are kept at most; fewer where they would need more than `tuning.MAX_PICTURE_BYTES`.
    """

    def __init__(self, size: NDArray[np.float64], count: int) -> None:
        self.size = size
        self._pyramids: deque[Pyramid] = deque()
        self._steps: deque[Step] = deque(maxlen=count)
        self._spare: list[Pyramid] = []
        self._count = count

    def __len__(self) -> int:
        return len(self._pyramids)

    def push(self, luma: NDArray[np.uint8], step: Step | None = None) -> None:
        """Keep a picture, (height, width) uint8, and how it follows; drop the oldest if there are too many."""
        if len(self._pyramids) >= min(self._count, max(2, tuning.MAX_PICTURE_BYTES // luma.size)):
            self._spare.append(self._pyramids.popleft())
        height, width = luma.shape
        pyramid = self._spare.pop() if self._spare else Pyramid(width, height)
        pyramid.fill(luma)
        self._pyramids.append(pyramid)
        self._steps.append(step or Step())
        self._scale = np.tile([width, height] / self.size, 2)

    def repeats(self, back: int = 0) -> bool:
        """Tell whether a picture, `back` frames before the last one, repeats the one before it."""
        return self._steps[-1 - back].repeats

    def frames(self) -> int:
        """Return how many frames ago the last picture came that differs from the last one."""
        return self._steps[-1].frames

    def jump(self, back: int = 0) -> NDArray[np.float64] | None:
        """Return by how many pixels, (2,), all moved to a picture from the one before where the camera jumps."""
        shift = self._steps[-1 - back].shift
        return None if shift is None else shift * self.size

    @property
    def pixel(self) -> float:
        """Side of one of their pixels, in the pixels that boxes are measured in."""
        return float(1 / self._scale[:2].min())

    def clear(self) -> None:
        """Forget all pictures: what comes next shows another scene."""
        self._spare += self._pyramids
        self._pyramids.clear()

    def release(self) -> None:
        """Give their memory back: none will come any more."""
        self._pyramids, self._spare = deque(), []

    def patch(self, box: Boxes, back: int = 0) -> Patch:
        """Take the patch of a (4,) box from the last picture or one `back` frames before it."""
        patch: Patch = self.patches(box[None], back)[0]
        return patch

    def patches(self, boxes: Boxes, back: int = 0) -> NDArray[np.uint8]:
        """Take the (n, SIDE, SIDE) patches of (n, 4) boxes, as `patch` does."""
        taken = np.empty((len(boxes), SIDE, SIDE), np.uint8)
        sample(self._pyramids[-1 - back], self._placed(boxes, len(boxes)), taken)
        return taken

    def find(self, patches: list[Patch], boxes: Boxes, back: int = 0) -> Boxes:
        """Search for patches near (n, 4) boxes, in the last picture or the one `back` frames before it.

        A patch is searched for up to a third of its size away, and a little larger and smaller.

        Returns
        -------
        (n, 5) float64
            Centre x, centre y, width, height in pixels, and the normalised cross-correlation (NCC), -1 to 1.
        """
        return self._search(patches, boxes, back, RADIUS, np.array([1 / tuning.SCALE_STEP, tuning.SCALE_STEP]))

    def compare(self, patches: list[Patch], boxes: Boxes, back: int = 0) -> Boxes:
        """Return, as `find` does, how well patches fit (n, 4) boxes, moved by a few samples at most."""
        return self._search(patches, boxes, back, tuning.COMPARE_RADIUS, NO_SCALES)

    def _search(self, patches: list[Patch], boxes: Boxes, back: int, radius: int, scales: NDArray[np.float64]) -> Boxes:
        found = np.empty((len(patches), 5))
        sought = np.array(patches, np.uint8).reshape(-1, SIDE, SIDE)
        search(self._pyramids[-1 - back], sought, self._placed(boxes, len(sought)), radius, scales, found)
        found[:, :4] /= self._scale
        return found

    def _placed(self, boxes: Boxes, count: int) -> Boxes:
        """Return so many boxes in pixels of the pictures, of numbers that the kernels can bear."""
        if boxes.shape != (count, 4) or not np.isfinite(boxes).all():
            raise ServiceError(f"{count} faces are looked for in boxes of {boxes.shape} that are not finite numbers")
        placed: Boxes = np.maximum(np.minimum(boxes * self._scale, MAX_COORDINATE), -MAX_COORDINATE)
        return placed


def ncc(a: Patch, b: Patch) -> float:
    """Return the best normalised cross-correlation, -1 to 1, of two patches moved a little against each other.

    Where one of them is flat, in darkness perhaps, it is `tuning.FLAT_NCC`.
    """
    shift = tuning.NCC_SHIFT
    inner = a[shift:-shift, shift:-shift].astype(np.float32)
    parts = sliding_window_view(b.astype(np.float32), inner.shape)[::shift, ::shift].reshape(-1, inner.size)
    inner = inner.ravel() - inner.mean()
    parts = parts - parts.mean(axis=1, keepdims=True)
    energy = np.sqrt((inner @ inner) * np.einsum("ij,ij->i", parts, parts))
    if not energy.all():
        return tuning.FLAT_NCC
    # Of floats, equal patches may give a little more than 1.
    return min(float(np.max(parts @ inner / energy)), 1.0)
