"""Pictures that lie on their side or stand on their head, and nothing says so.

Large faces are found in any position, small ones are not. So a shot's beginning is detected at four angles where that
may help; if one of them shows clearly more faces, the shot is detected at that angle as well as upright.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from facered.detect.detector import WHOLE, Detection
from facered.detect.tiles import Part
from facered.video.orientation import QUARTER_TURNS, UPRIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.detect.detector import Detector
    from facered.detect.tiles import Crop, TileRequest, Window
    from facered.video.orientation import Orientation
    from facered.video.picture import Picture

CLEAR_SCORE = 0.65
"""Score from which a face counts when angles are compared; that of `facered.track.tuning.CONFIRMING_SCORE`. Larger:
pictures that lie are not noticed. Smaller: what is no face counts."""
MIN_WIN = 2.0
"""By how many times its sum of scores must be that of the upright picture for another angle to win; by hand. Larger:
pictures that lie are not noticed. Smaller: shots are detected twice for nothing."""
FIRST_WAIT = 1.0
"""Seconds until a shot in which nobody was found is looked at from all sides again, doubled each time; by hand. Larger:
who comes into a picture that lies is found late. Smaller: inference where there is nobody."""


class LookingAround:
    """Says when a shot is detected at four angles: at its beginning, and ever less often while nobody is found.

    Parameters
    ----------
    first : bool
        Whether the first shot that is begun is the film's first one.
    """

    def __init__(self, *, first: bool = True) -> None:
        self._begun = 0.0
        self._wait: float | None = None
        self._first, self._nobody = first, True

    def begin(self, seconds: float, *, lying: bool) -> None:
        """Begin a shot; it is looked at at once if it is the first, or the one before lay."""
        self._begun = seconds
        self._wait = 0.0 if self._first or lying else None
        self._first, self._nobody = False, True

    def is_due(self, seconds: float) -> bool:
        """Tell whether to look now."""
        return self._nobody and self._wait is not None and seconds >= self._begun + self._wait

    def note(self, found: Detection, seconds: float) -> None:
        """Take what was found."""
        if shows_somebody(found):
            self._nobody = False
        elif self._wait is None:
            self._wait = 0.0
        elif seconds >= self._begun + self._wait:
            self._wait = max(FIRST_WAIT, 2 * self._wait)


@dataclass(frozen=True, slots=True)
class _Request:
    """See `facered.detect.tiles.TileRequest`."""

    within: NDArray[np.float64] | None
    native: bool


class TurnedDetector:
    """A detector of pictures that may lie.

    Parameters
    ----------
    detector : Detector
    turn : Orientation
        How the pictures are likely to lie.

    Attributes
    ----------
    turn : Orientation
        How the pictures are detected as well as upright, until `look_around` finds another angle better.
    """

    def __init__(self, detector: Detector, turn: Orientation = UPRIGHT) -> None:
        self._detector = detector
        self.turn = turn

    def look_around(self, picture: Picture, threshold: float, tiles: TileRequest | None) -> Detection:
        """Detect a picture at all four angles, set `turn`, and return what is found upright and at that angle."""
        return self.compare(self._detector.detect(picture, threshold, tiles=tiles), picture, threshold, tiles)

    def compare(self, upright: Detection, picture: Picture, threshold: float, tiles: TileRequest | None) -> Detection:
        """Do as `look_around` with what was found upright already."""
        # Where there is somebody, larger pictures at three more angles are not worth their time.
        around = None if shows_somebody(upright) else tiles
        turned = [self.at(turn, picture, threshold, WHOLE, around) for turn in QUARTER_TURNS]
        best = self.choose(upright, turned)
        return upright if best is None else self._detector.joined([upright, best])

    def choose(self, upright: Detection, turned: Sequence[Detection]) -> Detection | None:
        """Set `turn` by what is found upright and at the other angles; return the latter where one of them wins."""
        sums = [_sum(found) for found in turned]
        best = int(np.argmax(sums))
        wins = sums[best] > MIN_WIN * _sum(upright)
        self.turn = QUARTER_TURNS[best] if wins else UPRIGHT
        return turned[best] if wins else None

    def detect(self, picture: Picture, threshold: float, window: Window | None, tiles: TileRequest | None) -> Detection:
        """Return the faces of a picture; see `Detector.detect`."""
        upright = self._detector.detect(picture, threshold, window=window, tiles=tiles)
        return self.complete(upright, picture, threshold, window, tiles)

    def complete(
        self,
        upright: Detection,
        picture: Picture,
        threshold: float,
        window: Window | None,
        tiles: TileRequest | None,
    ) -> Detection:
        """Do as `detect` with what was found upright already."""
        if not self.turn:
            return upright
        return self._detector.joined([upright, self.at(self.turn, picture, threshold, window, tiles)])

    def finer(self, size: tuple[int, int]) -> float | None:
        """See `Detector.finer`."""
        return self._detector.finer(size)

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop, threshold: float) -> Detection:
        """Return the faces about a box; see `Detector.verify`."""
        upright = self._detector.verify(picture, box, crop, threshold)
        if not self.turn:
            return upright
        turned = _turned(picture, self.turn)
        found = self._detector.verify(turned, _box_turned(box, self.turn, turned), crop, threshold)
        return self._detector.joined([upright, _turned_back(found, self.turn, turned)])

    def at(
        self,
        turn: Orientation,
        picture: Picture,
        threshold: float,
        window: Window | None,
        tiles: TileRequest | None,
    ) -> Detection:
        """Return the faces of a picture at one angle; see `Detector.detect`."""
        turned = _turned(picture, turn)
        if window is not None and window.within is not None:
            window = Part(_box_turned(window.within, turn, turned))
        if tiles is not None and tiles.within is not None:
            tiles = _Request(_box_turned(tiles.within, turn, turned), tiles.native)
        found = self._detector.detect(turned, threshold, window=window, tiles=tiles)
        return _turned_back(found, turn, turned)


def shows_somebody(found: Detection) -> bool:
    """Tell whether there is a face that counts when angles are compared."""
    return bool((found.scores >= CLEAR_SCORE).any())


def _sum(found: Detection) -> float:
    return float(found.scores[found.scores >= CLEAR_SCORE].sum())


def _turned(picture: Picture, turn: Orientation) -> Picture:
    return replace(picture, orientation=picture.orientation.then(turn))


def _turned_back(found: Detection, turn: Orientation, turned: Picture) -> Detection:
    corners = turn.to_stored(found.boxes.astype(np.float64), *turned.shown_size)
    return Detection(corners.astype(np.float32), found.scores, found.full)


def _box_turned(box: NDArray[np.float64], turn: Orientation, turned: Picture) -> NDArray[np.float64]:
    """Return where a (4,) box, centre and size, lies in the turned picture."""
    corners = np.concatenate([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])[None]
    x1, y1, x2, y2 = turn.to_shown(corners, *turned.shown_size)[0]
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
