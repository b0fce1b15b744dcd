"""When to look for smaller faces as well, on a larger picture: that takes long, so they are looked for in turn."""

from __future__ import annotations

FINE_SECONDS, FINER_SECONDS = 1.0, 0.4
"""So often, and at the begin of every shot, smaller faces are looked for as well: while there are none, and while there
are some."""
SMALL = 1 / 32
"""Part of the picture's longer side below which a face is small."""
DOUBTFUL = 0.5
"""Detections with this part of the threshold may continue a track."""
SURPLUS = 2
"""So many times the faces that may be hidden are detected at most: the tracker may know better than the score which
faces to keep where there are too many."""
FOREVER = 1 << 30


class FineTurns:
    """Tells in which frames smaller faces are looked for.

    Parameters
    ----------
    rate : float
        Frames a second.
    size : (int, int)
        Width and height of the picture.
    """

    def __init__(self, rate: float, size: tuple[int, int]) -> None:
        self._intervals = [max(1, round(seconds * rate)) for seconds in (FINE_SECONDS, FINER_SECONDS)]
        self._small = SMALL * max(size)
        self._since = FOREVER

    def due(self, begins_shot: bool, smallest: float) -> bool:
        """Tell whether the next frame is one; to be asked for every frame.

        Parameters
        ----------
        begins_shot : bool
        smallest : float
            Mean side of the smallest face that is followed, in pixels.
        """
        self._since += 1
        due = begins_shot or self._since >= self._intervals[smallest < self._small]
        if due:
            self._since = 0
        return due
