"""Cameras that repeat each picture a few times and then jump: which pictures are repeats, and how far the jumps go.

A repeated picture says nothing new: taken for a face that stands still, it teaches a filter a velocity of zero, and
the jump after it a great one. Such pictures are told by how little they differ from the one that they repeat beside
how much that differed from the one before; where all pictures differ alike, none is a repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facered.track import tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    CellMeans = NDArray[np.float32]


class Step(NamedTuple):
    """What leads from one picture to the next.

    Attributes
    ----------
    repeats : bool
        Whether the picture repeats the one before it.
    frames : int
        How many frames ago the last picture came that this one does not repeat.
    shift : (2,) float64 or None
        Where the picture jumps after repeats, and it can be told: by how much all that it shows has moved, to the
        right and downwards, in parts of its width and height.
    """

    repeats: bool = False
    frames: int = 1
    shift: NDArray[np.float64] | None = None


class Cadence:
    """Tells repeats and jumps, picture by picture.

    Attributes
    ----------
    jumped : bool
        Whether the last picture is a jump of a camera that has been repeating pictures.
    """

    def __init__(self) -> None:
        self.jumped = False
        self._shown: CellMeans | None = None
        self._before: CellMeans | None = None
        self._change = np.inf
        self._held = self._since_jump = 0
        self._has_jumped = False

    def push(self, means: CellMeans) -> bool:
        """Take the next picture's `cuts.cell_means`, and tell whether it repeats the one before."""
        self._since_jump += 1
        recently, self.jumped = self._since_jump <= tuning.MAX_JUMP_INTERVAL, False
        known = self._shown if self._shown is not None and self._shown.shape == means.shape else None
        # Compared with the first of its kind: what moves slowly must not pass for a repeat for ever.
        change = np.inf if known is None else float(np.abs(means - known).max())
        alike = change < min(tuning.REPEATED_CHANGE, tuning.REPEATED_PART * self._change)
        if alike and self._held < tuning.MAX_REPEATS:
            self._held += 1
            return recently and self._has_jumped
        if self._held and not alike and known is not None:
            clear = self._has_jumped or change * tuning.REPEATED_PART >= tuning.REPEATED_CHANGE
            self.jumped, self._since_jump, self._has_jumped = recently and clear, 0, True
        self._before, self._shown, self._change, self._held = known, means, change, 0
        return False

    def step(self, means: CellMeans) -> Step:
        """Take the next picture as `push` does; return how it follows from the one before."""
        frames = self._held + 1
        if self.push(means):
            return Step(repeats=True)
        if not self.jumped or self._before is None:
            return Step()
        return Step(frames=frames, shift=shift(self._before, means))


def shift(before: CellMeans, after: CellMeans) -> NDArray[np.float64] | None:
    """Return by how much what two pictures show has moved between them, None if they show different things.

    The normalised cross-correlation of where they overlap, for every shift at once (Padfield 2012, masked
    registration).

    Returns
    -------
    (2,) float64 or None
        To the right and downwards, in parts of width and height.
    """
    shape = [2 * side for side in before.shape]
    middle = (float(before.mean()) + float(after.mean())) / 2
    a, b = before.astype(np.float64) - middle, after.astype(np.float64) - middle
    one = np.ones_like(a)
    first, second = (np.fft.rfft2(np.array([one, picture, picture * picture]), shape) for picture in (a, b))

    def sums(of_first: int, of_second: int) -> NDArray[np.float64]:
        return np.asarray(np.fft.irfft2(np.conj(first[of_first]) * second[of_second], shape))

    count = np.maximum(sums(0, 0), 1)
    sum_a, sum_b = sums(1, 0), sums(0, 1)
    spread = (sums(2, 0) - sum_a * sum_a / count) * (sums(0, 2) - sum_b * sum_b / count)
    energy = np.sqrt(np.maximum(spread, 0))
    usable = (count >= tuning.MIN_JUMP_OVERLAP * a.size) & (energy > count)
    found = np.divide(sums(1, 1) - sum_a * sum_b / count, energy, out=np.full(energy.shape, -1.0), where=usable)
    row, column = np.unravel_index(int(np.argmax(found)), found.shape)
    if found[row, column] < tuning.MIN_JUMP_CORRELATION:
        return None
    moved = [
        _peak(found[:, column], int(row)) / before.shape[0],
        _peak(found[row], int(column)) / before.shape[1],
    ]
    return np.array(moved[::-1])


def _peak(values: NDArray[np.float64], at: int) -> float:
    """Return where a parabola through a maximum and its neighbours is greatest; the second half are negative places."""
    low, middle, high = (float(values[(at + side) % len(values)]) for side in (-1, 0, 1))
    curvature = low - 2 * middle + high
    offset = 0.5 * (low - high) / curvature if curvature < 0 and min(low, high) > -1 else 0.0
    return (at if 2 * at < len(values) else at - len(values)) + offset
