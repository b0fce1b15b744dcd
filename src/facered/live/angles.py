"""Pictures of a stream that lie on their side or stand on their head: detected at other angles as well, as in files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facered.detect.detector import WHOLE
from facered.detect.turned import LookingAround, TurnedDetector, shows_somebody
from facered.video.orientation import QUARTER_TURNS

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
    angle : bool
        Whether it is one that is not upright, to be compared.
    compared : bool
        Whether all angles are looked at, and compared.
    """

    run: Callable[[], Detection]
    shot: int
    seconds: float
    angle: bool = False
    compared: bool = False


class Angles:
    """Knows how the pictures of a stream lie.

    Parameters
    ----------
    detector : Detector
    threshold : float
        Least score of what it finds.
    hasty : bool
        Whether a stream's first detection must not take longer than others.

    Attributes
    ----------
    turned : bool
        Whether another angle has been found since this was last set back: nothing has been detected at it yet.
    """

    def __init__(self, detector: Detector, threshold: float, *, hasty: bool = False) -> None:
        self._detector, self._threshold, self._hasty = detector, threshold, hasty
        self._shot = 0
        self._said = False
        self.forget()

    def forget(self) -> None:
        """Forget how they lie: what comes is another stream. What is being detected does not count any more."""
        self._turned, self._around = TurnedDetector(self._detector), LookingAround()
        self._at_once = not self._hasty
        self.turned = False
        self._upright: Detection | None = None
        self._others: list[Detection] = []
        if self._hasty:
            self._around.begin(0.0, lying=False)  # only where nobody is found is it looked at from all sides
        self._shot += 1

    @property
    def waits(self) -> bool:
        """Whether another angle is to be looked at, to be compared: one a frame, as all of them take long."""
        return self._upright is not None

    def finer(self, size: tuple[int, int]) -> float | None:
        """See `Detector.finer`."""
        return self._detector.finer(size)

    def begin_shot(self, seconds: float) -> None:
        """Take notice that a shot seems to begin at a time: how its pictures lie is not known."""
        self._shot += 1
        self._upright, self._others = None, []
        self._around.begin(seconds, lying=bool(self._turned.turn))

    def prepare(
        self, picture: Picture, seconds: float, window: Window | None, tiles: TileRequest | None, *, keeps: bool
    ) -> Look:
        """Return the detection of a picture; where its own memory is gone until it is made, it `keeps` a copy."""
        turned = self._turned
        due = bool(self._at_once or turned.turn) and self._around.is_due(seconds)
        upright = self._detector.prepare(picture, self._threshold, window=WHOLE if due else window, tiles=tiles)
        if not due and not turned.turn:
            return Look(upright, self._shot, seconds)
        kept = _copy(picture) if keeps else picture
        if not due:
            return Look(
                lambda: turned.complete(upright(), kept, self._threshold, window, tiles), self._shot, seconds
            )  # fmt: skip
        self._at_once = False  # only a stream's beginning has the time, and a shot after one that lay
        before = turned.turn

        def compare() -> Detection:
            found = turned.compare(upright(), kept, self._threshold, None)
            if not shows_somebody(found):
                turned.turn = before  # what seemed to be a cut may be a flash
            return found

        return Look(compare, self._shot, seconds, compared=True)

    def prepare_angle(self, picture: Picture, seconds: float, *, keeps: bool) -> Look:
        """Return the detection of a picture at the next angle that waits to be compared."""
        turned, turn = self._turned, QUARTER_TURNS[len(self._others)]
        kept = _copy(picture) if keeps else picture
        return Look(lambda: turned.at(turn, kept, self._threshold, WHOLE, None), self._shot, seconds, angle=True)

    def note(self, look: Look, found: Detection) -> None:
        """Take what a detection has found."""
        if look.shot == self._shot and look.angle:
            self._compare(found, look.seconds)
        elif look.shot == self._shot and found.within is None:
            due = not self._turned.turn and self._around.is_due(look.seconds)
            self._around.note(found, look.seconds)
            if due and not look.compared and not shows_somebody(found):
                self._upright, self._others = found, []
        if self._turned.turn and not self._said:
            self._said = True
            logger.warning("the picture is turned, and nothing says so; faces are found at another angle")

    def _compare(self, found: Detection, seconds: float) -> None:
        """Take what was found at the next angle; after the last one, choose."""
        self._others.append(found)
        if self._upright is None or len(self._others) < len(QUARTER_TURNS):
            return
        best = self._turned.choose(self._upright, self._others)
        if best is not None:
            self._around.note(best, seconds)
            self.turned = True
        self._upright, self._others = None, []

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop) -> Detection:
        """Detect faces on a crop about a (4,) box; see `Detector.verify`."""
        return self._turned.verify(picture, box, crop, self._threshold)


def _copy(picture: Picture) -> Picture:
    u, v = (None if plane is None else plane.copy() for plane in (picture.u, picture.v))
    return replace(picture, y=picture.y.copy(), u=u, v=v)
