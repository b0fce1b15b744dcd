"""Pictures of a stream that lie on their side or stand on their head: detected at other angles as well, as in files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facered.detect.detector import WHOLE
from facered.detect.turned import LookingAround, TurnedDetector, shows_somebody

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from facered.detect.detector import Detection, Detector
    from facered.detect.tiles import Window
    from facered.track.schedule import TileRequest
    from facered.track.verification import Crop
    from facered.video.picture import Picture

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """A detection to be made, in any thread.

    Attributes
    ----------
    run : callable
        Makes it.
    shot : int
        Which shot the picture is of.
    seconds : float
        Its time.
    """

    run: Callable[[], Detection]
    shot: int
    seconds: float


class Angles:
    """Knows how the pictures of a stream lie.

    Parameters
    ----------
    detector : Detector
    threshold : float
        Least score of what it finds.
    hasty : bool
        Whether a stream's first detection must not take longer than others, nor any much longer.
    """

    def __init__(self, detector: Detector, threshold: float, *, hasty: bool = False) -> None:
        self._detector, self._threshold, self._hasty = detector, threshold, hasty
        self._shot = 0
        self._said = False
        self.forget()

    def forget(self) -> None:
        """Forget how they lie: what comes is another stream. What is being detected does not count any more."""
        self._turned, self._around = TurnedDetector(self._detector), LookingAround()
        self._looked = self._hasty
        if self._hasty:
            self._around.begin(0.0, lying=False)  # only where nobody is found is it looked at from all sides
        self._shot += 1

    def has_finer(self, size: tuple[int, int]) -> bool:
        """See `Detector.has_finer`."""
        return self._detector.has_finer(size)

    def begin_shot(self, seconds: float) -> None:
        """Take notice that a shot seems to begin at a time: how its pictures lie is not known."""
        self._shot += 1
        self._around.begin(seconds, lying=bool(self._turned.turn))

    def prepare(
        self, picture: Picture, seconds: float, window: Window | None, tiles: TileRequest | None, *, keeps: bool
    ) -> Look:
        """Return the detection of a picture; where its own memory is gone until it is made, it `keeps` a copy."""
        turned, due = self._turned, self._around.is_due(seconds)
        window = WHOLE if due else window
        upright = self._detector.prepare(picture, self._threshold, window=window, tiles=tiles)
        if not due and not turned.turn:
            return Look(upright, self._shot, seconds)
        kept = _copy(picture) if keeps else picture
        # Larger pictures at three more angles take seconds, which only a stream's beginning has.
        around = None if self._looked else tiles
        self._looked |= due

        def run() -> Detection:
            before = turned.turn
            if not due:
                return turned.complete(upright(), kept, self._threshold, window, tiles)
            found = turned.compare(upright(), kept, self._threshold, around)
            if not shows_somebody(found):
                turned.turn = before  # what seemed to be a cut may be a flash
            return found

        return Look(run, self._shot, seconds)

    def note(self, look: Look, found: Detection) -> None:
        """Take what a detection has found."""
        if look.shot == self._shot and found.within is None:
            self._around.note(found, look.seconds)
        if self._turned.turn and not self._said:
            self._said = True
            logger.warning("the picture is turned, and nothing says so; faces are found at another angle")

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop) -> Detection:
        """Detect faces on a crop about a (4,) box; see `Detector.verify`."""
        return self._turned.verify(picture, box, crop, self._threshold)


def _copy(picture: Picture) -> Picture:
    u, v = (None if plane is None else plane.copy() for plane in (picture.u, picture.v))
    return replace(picture, y=picture.y.copy(), u=u, v=v)
