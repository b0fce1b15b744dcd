"""Where a picture differs from the one that was last looked at: only there can somebody be new."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from facered.track.cuts import thinned

if TYPE_CHECKING:
    from typing import TypeVar

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes

    Cell = TypeVar("Cell", bound=np.generic)

LEAST = 3.0
"""Change of a cell's mean, in 8-bit steps, that is more than noise."""
FEWEST = 2
"""So many cells change at least where something enters."""
HEAD, BODY = (-1.25, -1.0, 1.25, 0.5), (-2.0, 0.25, 2.0, 4.0)
"""Left, top, right and bottom of where a person moves, from the middle of the face on, in parts of its size."""
ABOUT = (-1.0, -1.0, 1.0, 1.0)
"""The same of what a face is looked at with."""


class Changes:
    """Compares pictures with the one that was last looked at.

    Parameters
    ----------
    size : (2,) float64
        Width and height of the picture in the pixels that boxes are measured in.
    """

    def __init__(self, size: NDArray[np.float64]) -> None:
        self._size = np.tile(size, 2)
        self._here: NDArray[np.float32] | None = None
        self._before: NDArray[np.float32] | None = None

    def push(self, luma: NDArray[np.uint8]) -> None:
        """Turn to the next picture, (height, width) uint8."""
        self._here = thinned(luma)

    def look(self, within: Boxes | None = None) -> None:
        """Take note that this picture, or what is within a (4,) box of it, is being looked at."""
        if within is None or self._before is None or self._here is None:
            self._before = self._here
            return
        part = _cells(self._here, within / self._size, (-0.5, -0.5, 0.5, 0.5))
        _cells(self._before, within / self._size, (-0.5, -0.5, 0.5, 0.5))[:] = part

    def elsewhere(self, faces: Boxes) -> bool:
        """Tell whether anything changed but what persons move whose faces, (n, 4) boxes, are known."""
        changed = self._changed()
        if changed is None:
            return True
        self._leave_out(changed, faces)
        return int(changed.sum()) >= FEWEST

    def region(self, faces: Boxes, persons: Boxes) -> Boxes | None:
        """Return the part of the picture that is to be looked at.

        Parameters
        ----------
        faces : (n, 4) float64
            What holds these faces, with what is about them, and all that changed, is returned
        persons : (m, 4) float64
            but for what these persons move, given by their faces.

        Returns
        -------
        (4,) float64 or None
            A box, without any extent if nothing has changed; None where nothing is known.
        """
        changed = self._changed()
        if changed is None:
            return None
        self._leave_out(changed, persons)
        for face in faces / self._size:
            _cells(changed, face, ABOUT)[:] = True
        bounds = []
        for axis in (0, 1):
            at = np.flatnonzero(changed.any(axis=axis))
            # One cell more to either side, and the rest of the picture behind the last.
            low, high = (at[0] - 1, at[-1] + 2) if len(at) else (0, 0)
            count = changed.shape[1 - axis]
            bounds.append((max(low, 0) / count, min(high, count) / count))
        (left, right), (top, bottom) = bounds
        return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]) * self._size

    def _leave_out(self, changed: NDArray[np.bool_], persons: Boxes) -> None:
        for face in persons / self._size:
            for part in (HEAD, BODY):
                _cells(changed, face, part)[:] = False

    def _changed(self) -> NDArray[np.bool_] | None:
        if self._before is None or self._here is None or self._before.shape != self._here.shape:
            return None
        changed: NDArray[np.bool_] = np.abs(self._here - self._before) > LEAST
        return changed


def _cells(cells: NDArray[Cell], face: Boxes, part: tuple[float, float, float, float]) -> NDArray[Cell]:
    """Return the cells that hold any of a part about a face, a (4,) box in fractions of the picture."""
    rows, columns = cells.shape
    x, y, width, height = face.tolist()
    left, top, right, bottom = part
    return cells[
        max(int((y + top * height) * rows), 0) : max(ceil((y + bottom * height) * rows), 0),
        max(int((x + left * width) * columns), 0) : max(ceil((x + right * width) * columns), 0),
    ]
