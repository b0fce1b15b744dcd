"""What is done with each frame, in files and live: ask the follower, ask the schedule, detect, follow.

The two ends differ in where detections come from: a `DetectionSource` waits for them, or lets them come late.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.track import tuning

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from facered.track.boxes import Detections
    from facered.track.follower import Follower
    from facered.track.schedule import DetectionSchedule, TileRequest
    from facered.track.verification import Verify
    from facered.track.window import Window
    from facered.video.picture import Picture

    Tiles = Callable[[], TileRequest | None]
    """Says, once, which tiles to detect in the frame."""

D = TypeVar("D", bound="Detections", covariant=True)


class DetectionSource(Protocol[D]):
    """Where the detections of a frame come from."""

    verifies_singly: bool
    """Whether a few uncertain faces are verified one by one instead of detecting the whole picture again."""

    def due(self, wanted: Window | None) -> Window | None:
        """Return what of the next frame is to be detected, given what the follower wants."""

    def detect(self, picture: Picture, window: Window | None, tiles: Tiles | None) -> D | None:
        """Return what is known to be in a picture, if anything new is; `tiles` is given where they are due."""

    def verifier(self, picture: Picture) -> Verify | None:
        """Return what verifies single faces of a picture; None if they are not verified."""


class Step(Generic[D]):
    """Takes frame after frame.

    Parameters
    ----------
    follower : Follower
    schedule : DetectionSchedule
    source : DetectionSource
    """

    def __init__(self, follower: Follower, schedule: DetectionSchedule, source: DetectionSource[D]) -> None:
        self._follower, self._schedule, self._source = follower, schedule, source

    def take(
        self,
        picture: Picture,
        luma: NDArray[np.uint8],
        begins_shot: bool,
        seconds: float | None = None,
        *,
        ends_shot: bool = False,
    ) -> tuple[D | None, dict[int, int]]:
        """Take the next frame.

        Parameters
        ----------
        picture : Picture
        luma : (height, width) uint8
            Its luma, shrunk.
        begins_shot : bool
        seconds : float, optional
            Its time; by default it follows the picture before at the rate that was told.
        ends_shot : bool
            Whether it is known that another shot begins after it, or that it is the last.

        Returns
        -------
        Detections or None
            What was detected in it, if it was given to the detector.
        dict of int to int
            Which detection belongs to which track; see `Follower.update`.
        """
        follower, source = self._follower, self._source
        with timed(Stage.FOLLOW):
            verifies = source.verifies_singly
            wanted = follower.wanted(luma, begins_shot, verifies=verifies, seconds=seconds, ends_shot=ends_shot)
            window = source.due(wanted)
        fine = self._schedule.due(follower, begins_shot, window is not None)
        found = source.detect(picture, window, partial(self._schedule.take, follower, luma) if fine else None)
        with timed(Stage.TRACK):
            return found, follower.update(luma, found, begins_shot, source.verifier(picture), ends_shot=ends_shot)


def detection_limits(threshold: float, max_faces: int | None) -> tuple[float, int | None]:
    """Return the least score and the greatest number of detections that a follower makes use of.

    Parameters
    ----------
    threshold : float
        Of a confident detection.
    max_faces : int or None
        Most faces that may be hidden.
    """
    return threshold * tuning.LOW_SCORE_FRACTION, max_faces and tuning.CANDIDATES_PER_FACE * max_faces
