"""Where a picture differs from the one that was last given to the detector: only there can a face be new."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.cadence import Cadence, Step
from facered.track.cuts import cell_means

if TYPE_CHECKING:
    from typing import TypeVar

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes

    Cell = TypeVar("Cell", bound=np.generic)


ROUNDING = 1e-6
"""Cells by which bounds that are equal may differ as floating-point numbers."""


class Changes:
    """Compares each picture with a reference: the one that the detector was last given.

    Parameters
    ----------
    size : (2,) float64
        Width and height of the picture in the pixels that boxes are measured in.

    Attributes
    ----------
    size : (2,) float64
    step : Step
        How the last picture follows from the one before.
    """

    def __init__(self, size: NDArray[np.float64]) -> None:
        self.size = size
        self._size = np.tile(size, 2)
        self._current: NDArray[np.float32] | None = None
        self._reference: NDArray[np.float32] | None = None
        self._cadence = Cadence()
        self.step = Step()

    def push(self, luma: NDArray[np.uint8]) -> None:
        """Take the next picture, (height, width) uint8."""
        self._current = cell_means(luma)
        self.step = self._cadence.step(self._current)

    def set_reference(self, within: Boxes | None = None) -> None:
        """Make the current picture the reference, or only the part of it within a (4,) box."""
        if within is None or self._reference is None or self._current is None:
            self._reference = self._current
            return
        reference = self._reference.copy()  # the cadence compares with it, too
        _inner(reference, within / self._size)[:] = _inner(self._current, within / self._size)
        self._reference = reference

    def elsewhere(self, faces: Boxes) -> Boxes | None:
        """Return the (4,) box of what changed outside the heads and bodies of people whose faces, (n, 4), are known.

        Returns
        -------
        (4,) float64 or None
            None if hardly anything did; all of the picture where there is no reference.
        """
        changed = self._changed()
        if changed is None:
            return np.concatenate([self._size[:2] / 2, self._size[:2]])
        self._leave_out(changed, faces)
        return self._bounds(changed) if int(changed.sum()) >= tuning.MIN_CHANGED_CELLS else None

    def region(self, faces: Boxes, people: Boxes) -> Boxes | None:
        """Return the part of the picture that the detector must be given.

        Parameters
        ----------
        faces : (n, 4) float64
            Faces that the part must hold, with their surroundings, beside everything that changed.
        people : (m, 4) float64
            Faces of people whose own movements, of head and body, do not count as a change.

        Returns
        -------
        (4,) float64 or None
            A box, of no size if nothing has changed; None where there is no reference.
        """
        changed = self._changed()
        if changed is None:
            return None
        self._leave_out(changed, people)
        for face in faces / self._size:
            _cells(changed, face, tuning.FACE_EXTENT)[:] = True
        return self._bounds(changed)

    def _bounds(self, changed: NDArray[np.bool_]) -> Boxes:
        """Return the (4,) box about all cells that changed, of no size if there are none."""
        bounds = []
        for axis in (0, 1):
            at = np.flatnonzero(changed.any(axis=axis))
            # One cell more to either side, and the rest of the picture behind the last.
            low, high = (at[0] - 1, at[-1] + 2) if len(at) else (0, 0)
            count = changed.shape[1 - axis]
            bounds.append((max(low, 0) / count, min(high, count) / count))
        (left, right), (top, bottom) = bounds
        return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]) * self._size

    def _leave_out(self, changed: NDArray[np.bool_], people: Boxes) -> None:
        for face in people / self._size:
            for part in (tuning.HEAD_EXTENT, tuning.BODY_EXTENT):
                _cells(changed, face, part)[:] = False

    def _changed(self) -> NDArray[np.bool_] | None:
        if self._reference is None or self._current is None or self._reference.shape != self._current.shape:
            return None
        low, high = _neighbourhood(self._reference)
        below, above = low - self._current, self._current - high
        return _in_company(np.maximum(below, above) > tuning.MIN_CELL_CHANGE)


def _neighbourhood(cells: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the least and the greatest value of each cell and its neighbours: a camera in a hand moves a little."""
    low, high = cells, cells
    for axis in (0, 1):
        edge = [(1, 1) if axis == number else (0, 0) for number in (0, 1)]
        several = [
            np.take(np.pad(bound, edge, mode="edge"), range(first, first + bound.shape[axis]), axis=axis)
            for bound in (low, high)
            for first in (0, 1, 2)
        ]
        low, high = (low + np.minimum.reduce(several[:3])) / 2, (high + np.maximum.reduce(several[3:])) / 2
    return low, high


def _in_company(changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those cells beside, above or below which another one changed: whoever comes is larger than a cell."""
    found = np.zeros_like(changed)
    pairs = changed[:-1] & changed[1:]
    found[:-1] |= pairs
    found[1:] |= pairs
    pairs = changed[:, :-1] & changed[:, 1:]
    found[:, :-1] |= pairs
    found[:, 1:] |= pairs
    return found


def _inner(cells: NDArray[Cell], part: Boxes) -> NDArray[Cell]:
    """Return the cells that lie within a part of the picture, a (4,) box in fractions of it."""
    bounds = np.concatenate([part[:2] - part[2:] / 2, part[:2] + part[2:] / 2]) * np.tile(cells.shape[::-1], 2)
    left, top = np.ceil(bounds[:2] - ROUNDING).astype(int).tolist()
    right, bottom = np.floor(bounds[2:] + ROUNDING).astype(int).tolist()
    return cells[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]


def _cells(cells: NDArray[Cell], face: Boxes, part: tuple[float, float, float, float]) -> NDArray[Cell]:
    """Return the cells that touch a part of a person; the face is a (4,) box in fractions of the picture."""
    rows, columns = cells.shape
    x, y, width, height = face.tolist()
    left, top, right, bottom = part
    return cells[
        max(int((y + top * height) * rows), 0) : max(ceil((y + bottom * height) * rows), 0),
        max(int((x + left * width) * columns), 0) : max(ceil((x + right * width) * columns), 0),
    ]
