"""Motion of the camera from one frame to the next, estimated from the faces that are followed well.

Where a camera swings or zooms, all faces move alike. The common motion predicts a face that has only just been found,
or that is lost, better than its own velocity does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes


@dataclass(frozen=True, slots=True)
class Motion:
    """A similarity transform of the picture: rotation, zoom and shift.

    Attributes
    ----------
    rotation : complex
        Factor of places x + iy in pixels: its angle is the rotation, its modulus the zoom.
    shift : complex
        Added after that, in pixels.
    """

    rotation: complex = 1.0
    shift: complex = 0.0

    @property
    def zoom(self) -> float:
        """Factor by which everything grows."""
        return abs(self.rotation)

    def velocity(self, box: Boxes) -> NDArray[np.float64]:
        """Return the velocity that it gives to a (4,) box: (4,) pixels a frame, of centre and size."""
        step = self.rotation * complex(box[0], box[1]) + self.shift - complex(box[0], box[1])
        return np.array([step.real, step.imag, (self.zoom - 1) * box[2], (self.zoom - 1) * box[3]])


STILL = Motion()


def common_motion(before: Boxes, after: Boxes) -> Motion:
    """Return the motion that most of (n, 4) boxes share between two frames, `STILL` if they share none.

    Least squares over the faces that agree; those that do not are left out in a few rounds.
    """
    if len(before) < tuning.MIN_AGREEING_FACES:
        return STILL
    start, end = before[:, 0] + 1j * before[:, 1], after[:, 0] + 1j * after[:, 1]
    near = tuning.MAX_MOTION_RESIDUAL * np.sqrt(before[:, 2] * before[:, 3])
    agreeing = np.ones(len(before), np.bool_)
    motion = STILL
    for _ in range(tuning.MOTION_FIT_ROUNDS):
        motion = _fitted(start[agreeing], end[agreeing])
        missed = np.abs(motion.rotation * start + motion.shift - end) / near
        best = missed <= max(1.0, float(np.median(missed)))
        if (best == agreeing).all():
            break
        agreeing = best
    good = int((missed <= 1).sum())
    if (
        good < max(tuning.MIN_AGREEING_FACES, tuning.MIN_AGREEING_FRACTION * len(before))
        or not 1 / tuning.MAX_ZOOM < motion.zoom < tuning.MAX_ZOOM
    ):
        return STILL
    return motion


def _fitted(start: NDArray[np.complex128], end: NDArray[np.complex128]) -> Motion:
    middle, goal = start.mean(), end.mean()
    spread = float(np.sum(np.abs(start - middle) ** 2))
    rotation = complex(np.sum(np.conj(start - middle) * (end - goal)) / spread) if spread > 0 else 1.0
    return Motion(rotation, complex(goal - rotation * middle))
