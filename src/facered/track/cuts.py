"""Where one shot ends and the next begins, seen on small luma pictures."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 40
"""The longer side of the picture is thinned to about this many samples: what is where matters, not detail."""
LEAST_CORRELATION = 0.5
"""Pictures of the same shot correlate better, whatever the light does."""
LEAST_DIFFERENCE = 8.0
"""Mean difference of two pictures, in 8-bit steps, below which nothing has happened (darkness is mostly noise)."""
LOOKAHEAD = 3
"""Frames that a flash may last; a change that is gone by then is no cut."""


class CutDetector:
    """Tells, `LOOKAHEAD` frames late, whether a shot begins with a frame."""

    def __init__(self) -> None:
        self._pictures: deque[NDArray[np.float32]] = deque(maxlen=2 * LOOKAHEAD + 2)
        self._waiting = 0

    def push(self, luma: NDArray[np.uint8]) -> bool | None:
        """Take the small luma picture of the next frame, (height, width) uint8; answer for the one `LOOKAHEAD` before.

        Returns
        -------
        bool or None
            Whether that frame begins a new shot; None while there is no such frame.
        """
        step = max(1, max(luma.shape) // SAMPLES)
        self._pictures.append(luma[step // 2 :: step, step // 2 :: step].astype(np.float32))
        self._waiting += 1
        if self._waiting <= LOOKAHEAD:
            return None
        self._waiting -= 1
        return self._first_is_cut(LOOKAHEAD)

    def flush(self) -> list[bool]:
        """Answer for the frames that are left."""
        answers = [self._first_is_cut(following) for following in range(self._waiting - 1, -1, -1)]
        self._waiting = 0
        self._pictures.clear()
        return answers

    def _first_is_cut(self, following: int) -> bool:
        """Judge the frame that has `following` frames behind it."""
        pictures = list(self._pictures)
        at = len(pictures) - following - 1
        before, after = pictures[max(at - LOOKAHEAD - 1, 0) : at], pictures[at:]
        # Nearest first: mostly nothing has changed, and one comparison tells. The further ones tell the end of a flash.
        return bool(before) and all(_differ(a, b) for a in reversed(before) for b in after)


def _differ(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    if float(np.abs(a - b).mean()) < LEAST_DIFFERENCE:
        return False
    a, b = a - a.mean(), b - b.mean()
    energy = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) < LEAST_CORRELATION * energy if energy else True
