"""The larger picture of a stream, on which smaller faces are found: looked at in parts, so that no frame waits for all.

The number below was set by hand. "Larger" and "smaller" tell what becomes worse then.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from facered.detect.tiles import split
from facered.track.schedule import TileRequest

if TYPE_CHECKING:
    from facered.detect.tiles import Place

LONGEST = 448
"""Most pixels of the tensor along a part's side, overlap apart: it then takes as long as the usual picture. Larger:
frames wait for parts. Smaller: more overlap is computed twice, and all of the picture takes longer."""


class Parts:
    """The parts that are still to be looked at.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture.
    scale : float or None
        Pixels of the larger picture that are one of the picture's; None where there is no larger one.
    """

    def __init__(self, size: tuple[int, int], scale: float | None) -> None:
        self._size, self._scale = size, scale
        self._waiting: deque[TileRequest] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, request: TileRequest) -> None:
        """Have what a request says looked at, from the middle of the picture outwards: most people are there."""
        assert self._scale is not None
        place: Place = (0, 0, *self._size)
        if request.within is not None:
            low, high = request.within[:2] - request.within[2:] / 2, request.within[:2] + request.within[2:] / 2
            x1, y1 = np.floor(low.clip(0)).astype(int).tolist()
            x2, y2 = np.ceil(np.minimum(high, self._size)).astype(int).tolist()
            place = x1, y1, x2, y2
        corners = [np.array(part, np.float64) for part, _, _ in split(place, self._scale, LONGEST, self._size)]
        boxes = [np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]]) for box in corners]
        boxes.sort(key=lambda box: float(np.abs(box[:2] - np.array(self._size) / 2).sum()))
        self._waiting.extend(TileRequest(box) for box in boxes)

    def take(self) -> TileRequest:
        """Return the next part, which is not waited for any more."""
        return self._waiting.popleft()

    def forget(self) -> None:
        """Drop what waits: it is of another shot."""
        self._waiting.clear()
