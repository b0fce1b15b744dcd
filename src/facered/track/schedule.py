"""When and where to look for smaller faces as well, on a larger picture: that takes long, so it is done in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track.changes import Changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.follower import Tracker

FINE_SECONDS, FINER_SECONDS = 1.0, 0.2
"""So often, and at the begin of every shot, smaller faces are looked for as well: while there are none, and while there
are some."""
WHOLE_SECONDS, WHOLER_SECONDS = 3.0, 1.2
"""So often, and at the begin of every shot, very large pictures are looked at in their own size, likewise."""
WHOLE = 1920
"""Pictures with a longer side than this are very large."""
EARLY = 0.1
"""By this part of the time a fine look may come early, together with another one."""
EVERYWHERE = 2
"""So many looks at the begin of a shot are at all of the picture: the first frames are often the worst."""
SMALL = 1 / 32
"""Part of the picture's longer side below which a face is small."""
DOUBTFUL = 0.5
"""Detections with this part of the threshold may continue a track."""
SURPLUS = 2
"""So many times the faces that may be hidden are detected at most: the tracker may know better than the score which
faces to keep where there are too many."""
NOBODY = np.empty((0, 4))


@dataclass(frozen=True, slots=True)
class FineLook:
    """A look at a larger picture, which shows smaller faces. That takes several times as long.

    Attributes
    ----------
    within : (4,) float64 or None
        The part of the picture that it is confined to: centre x, centre y, width, height in pixels.
    whole : bool
        Whether a very large picture is looked at in its own size as well, part by part: for faces that are small even
        there.
    """

    within: NDArray[np.float64] | None = None
    whole: bool = False


class FineTurns:
    """Tells in which frames smaller faces are looked for, and where.

    Parameters
    ----------
    rate : float
        Frames a second.
    size : (int, int)
        Width and height of the picture.
    whole : bool
        Whether pictures are ever looked at in their own size, if they are very large.
    """

    def __init__(self, rate: float, size: tuple[int, int], *, whole: bool = True) -> None:
        self._fine_intervals = [max(1, round(seconds * rate)) for seconds in (FINE_SECONDS, FINER_SECONDS)]
        self._whole_intervals = [round(seconds * rate) for seconds in (WHOLE_SECONDS, WHOLER_SECONDS)]
        self._whole = whole and max(size) > WHOLE
        self._small = SMALL * max(size)
        self._changes = Changes(np.array(size, np.float64))
        self._since_fine = self._since_whole = self._looks = 0
        self._shot_begun = True

    def due(self, smallest: float, begins_shot: bool, looking: bool) -> bool:
        """Tell whether to look in the next frame, or in one soon after it; to be asked for every frame.

        Parameters
        ----------
        smallest : float
            Mean side of the smallest face that is followed, in pixels.
        begins_shot : bool
        looking : bool
            Whether the frame is given to the detector anyway.
        """
        self._since_fine += 1
        self._since_whole += 1
        self._shot_begun |= begins_shot
        interval = self._fine_intervals[smallest < self._small]
        return self._shot_begun or self._since_fine >= interval * (1 - EARLY * looking)

    def take(self, tracker: Tracker, luma: NDArray[np.uint8]) -> FineLook | None:
        """Return where to look in this frame, if anything is to be seen anywhere.

        Parameters
        ----------
        tracker : Tracker
            That has been asked by `Tracker.wants_detection`.
        luma : (height, width) uint8
            The frame's small luma.
        """
        if self._shot_begun:
            self._looks = 0
        everywhere = self._looks < EVERYWHERE
        interval = self._whole_intervals[tracker.smallest < self._small / 2]
        whole = self._whole and (self._shot_begun or self._since_whole >= interval)
        self._shot_begun = False
        self._since_fine = 0
        self._looks += 1
        self._changes.push(luma)
        if whole:
            self._since_whole = 0
        within = None
        if not (whole or everywhere):
            # Where nothing has changed nobody is new, but small faces that are there have to be found again. What those
            # who are known move themselves is looked at every other time.
            known = tracker.followed() if self._looks % 2 else NOBODY
            within = self._changes.region(tracker.followed(2 * self._small), known)
        self._changes.look(within)
        return FineLook(within, whole) if within is None or within[2] else None
