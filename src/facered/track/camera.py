"""How the whole picture moves from one frame to the next, as told by the faces that are followed well.

Where a camera swings or zooms, all faces move alike. What they have in common says where a face goes that has only just
been found, or that is lost from sight, better than its own way does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes

FEWEST = 5
"""So many faces must agree."""
AGREEING = 0.7
"""Such a part of all that are followed well must agree: people who each go their own way say nothing of the camera."""
NEAR = 0.15
"""Those agree who come so near to where the motion takes them, in parts of their size."""
ROUNDS = 4
"""How often those who do not agree are left out."""
ZOOM = 1.25
"""From one frame to the next the picture grows or shrinks by no more than this."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A turn, zoom and shift of the picture.

    Attributes
    ----------
    turn : complex
        What places are multiplied by, x + iy in pixels.
    shift : complex
        What is added then.
    """

    turn: complex = 1.0
    shift: complex = 0.0

    @property
    def zoom(self) -> float:
        """By how much everything grows."""
        return abs(self.turn)

    def velocity(self, box: Boxes) -> NDArray[np.float64]:
        """Return by how much a (4,) box is moved and grows in a frame: (4,), centre and size in pixels."""
        step = self.turn * complex(box[0], box[1]) + self.shift - complex(box[0], box[1])
        return np.array([step.real, step.imag, (self.zoom - 1) * box[2], (self.zoom - 1) * box[3]])


STILL = Motion()


def common_motion(before: Boxes, after: Boxes) -> Motion:
    """Return the motion that most of (n, 4) boxes share between two frames, `STILL` if there is none.

    Least squares over those that agree, which are found in a few rounds.
    """
    if len(before) < FEWEST:
        return STILL
    start, end = before[:, 0] + 1j * before[:, 1], after[:, 0] + 1j * after[:, 1]
    near = NEAR * np.sqrt(before[:, 2] * before[:, 3])
    agreeing = np.ones(len(before), np.bool_)
    motion = STILL
    for _ in range(ROUNDS):
        motion = _fitted(start[agreeing], end[agreeing])
        missed = np.abs(motion.turn * start + motion.shift - end) / near
        best = missed <= max(1.0, float(np.median(missed)))
        if (best == agreeing).all():
            break
        agreeing = best
    good = int((missed <= 1).sum())
    if good < max(FEWEST, AGREEING * len(before)) or not 1 / ZOOM < motion.zoom < ZOOM:
        return STILL
    return motion


def _fitted(start: NDArray[np.complex128], end: NDArray[np.complex128]) -> Motion:
    middle, goal = start.mean(), end.mean()
    spread = float(np.sum(np.abs(start - middle) ** 2))
    turn = complex(np.sum(np.conj(start - middle) * (end - goal)) / spread) if spread > 0 else 1.0
    return Motion(turn, complex(goal - turn * middle))
