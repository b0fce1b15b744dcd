"""When and where the detector is given a larger picture, on which smaller faces can be found; that takes long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.changes import Changes
from facered.track.window import about

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.follower import Follower


@dataclass(frozen=True, slots=True)
class TileRequest:
    """A request to detect on a larger picture too, in tiles: that finds smaller faces, and takes several times as long.

    Attributes
    ----------
    within : (4,) float64 or None
        The part of the picture that it is confined to: centre x, centre y, width, height in pixels.
    native : bool
        Whether a very large picture is to be looked at in its own size as well: for faces that are small even there.
    """

    within: NDArray[np.float64] | None = None
    native: bool = False


class DetectionSchedule:
    """Decides in which frames tiles are detected, and where.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture.
    native : bool
        Whether very large pictures are ever detected in their own size.
    finer : bool
        Whether there is a larger picture than the usual one.
    """

    def __init__(self, size: tuple[int, int], *, native: bool = True, finer: bool = True) -> None:
        self._finer = finer
        self._native = native and max(size) > tuning.NATIVE_MIN_SIDE
        self._small = tuning.SMALL_FACE * max(size)
        self._changes = Changes(np.array(size, np.float64))
        self._last_fine = self._last_native = self._taken = 0
        self._shot_begun = True

    def due(self, follower: Follower, begins_shot: bool, detecting: bool) -> bool:
        """Tell whether tiles are due in the next frame; to be asked for every frame.

        It goes on telling so until `take` is called.

        Parameters
        ----------
        follower : Follower
            Has been asked `Follower.wanted` for the frame.
        begins_shot : bool
        detecting : bool
            Whether the frame is given to the detector anyway.
        """
        if not self._finer:
            return False
        self._shot_begun |= begins_shot
        small = follower.smallest < self._small
        full = self._taken < tuning.FULL_DETECTIONS_PER_SHOT
        seconds = (tuning.FIRST_FINE_INTERVAL_SECONDS if full else tuning.FINE_INTERVAL_SECONDS)[small]
        early = 1 - tuning.FINE_EARLINESS * detecting
        passed = follower.clock.has_passed(seconds, self._last_fine, follower.frame, early)
        return self._shot_begun or passed or self._is_native_due(follower)

    def take(self, follower: Follower, luma: NDArray[np.uint8]) -> TileRequest | None:
        """Return which tiles to detect in this frame; None if nothing has changed since the last ones.

        Parameters
        ----------
        follower : Follower
            Has been asked `Follower.wanted` for this frame.
        luma : (height, width) uint8
            The frame's small luma.
        """
        if self._shot_begun:
            self._taken = 0
        everywhere = self._taken < tuning.FULL_DETECTIONS_PER_SHOT
        native = (self._native and self._shot_begun) or self._is_native_due(follower)
        self._shot_begun = False
        self._last_fine = follower.frame
        self._taken += 1
        self._changes.push(luma)
        if native:
            self._last_native = follower.frame
        within = None
        if not (native or everywhere):
            # Where nothing has changed nobody is new, but small faces that are there have to be found again. What known
            # people move themselves is no change.
            within = self._changes.region(follower.boxes(2 * self._small), follower.boxes())
            if within is not None and within[2]:
                within = about(within[None], follower.boxes(np.inf), self._changes.size).within
        self._changes.set_reference(within)
        return TileRequest(within, native) if within is None or within[2] else None

    def _is_native_due(self, follower: Follower) -> bool:
        seconds = tuning.NATIVE_INTERVAL_SECONDS[follower.smallest < self._small / 2]
        return self._native and follower.clock.has_passed(seconds, self._last_native, follower.frame)
