"""Where shots begin: cuts, flashes that are none, and dissolves, found on small luma pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.cadence import Cadence, shift
from facered.track.clock import Clock
from facered.track.likeness import Cells, correlation, differ, is_moved, unlike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    CellMeans = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Dissolve:
    """A shot that fades into another: from `first` to `last` both can be seen; from `middle` on, the new one better."""

    first: int
    middle: int
    last: int

    def shifted(self, frames: int) -> Dissolve:
        """Return the same, numbered from so many frames earlier."""
        return replace(self, first=self.first + frames, middle=self.middle + frames, last=self.last + frames)


class CutDetector:
    """Tells whether a shot begins with a frame, `tuning.CUT_LOOKAHEAD` frames after that frame.

    Parameters
    ----------
    rate : float
        Frames a second, as it is told; `push` may be given the frames' own times.
    """

    def __init__(self, rate: float) -> None:
        self._clock = Clock(rate)
        self._pictures: deque[Cells] = deque(maxlen=2 * tuning.CUT_LOOKAHEAD + 2)
        self._differ = lru_cache(maxsize=(2 * tuning.CUT_LOOKAHEAD + 2) ** 2)(differ)
        self._cadence = Cadence()
        self._jumps: deque[bool] = deque(maxlen=2 * tuning.CUT_LOOKAHEAD + 2)
        self._waiting = 0
        self._past: deque[Cells] = deque()
        self._pace(rate)
        self._taken = 0
        self._candidate: Dissolve | None = None
        self._last_found = 0
        self._last_clear: Cells | None = None
        self._clear_at: float | None = None  # when that was
        self._flat_at: float | None = None  # when the last picture since then was black or white
        self.dissolves: list[Dissolve] = []
        """Those found so far; each is added about a second late."""

    def push(self, luma: NDArray[np.uint8], seconds: float | None = None) -> bool | None:
        """Take the next frame's small luma and judge the frame `tuning.CUT_LOOKAHEAD` before it.

        Parameters
        ----------
        luma : (height, width) uint8
        seconds : float, optional
            Its time; by default it follows the frame before at the rate that was told.

        Returns
        -------
        bool or None
            Whether that frame begins a new shot; None while there is no such frame.
        """
        self._clock.push(seconds)
        self._clock.forget(self._taken)
        rate = self._clock.rate(self._taken)
        if rate != self._rate:
            self._pace(rate)
        picture = Cells(cell_means(luma))
        self._pictures.append(picture)
        self._cadence.push(picture.means)
        self._jumps.append(self._cadence.jumped)
        fades_in = self._fades_in(picture, self._clock.at(self._taken))
        self._find_dissolve(picture)
        self._waiting += 1
        if self._waiting <= tuning.CUT_LOOKAHEAD:
            return None
        self._waiting -= 1
        return self._first_is_cut(tuning.CUT_LOOKAHEAD) or fades_in

    def _pace(self, rate: float) -> None:
        """Set how many frames dissolves may last, by the rate of the frames about the last one."""
        self._rate = rate
        spans = {min(2 * round(seconds * rate / 2), tuning.MAX_DISSOLVE_FRAMES) for seconds in tuning.DISSOLVE_SECONDS}
        self._spans = sorted(span for span in spans if span >= tuning.MIN_DISSOLVE_FRAMES)
        self._past = deque(self._past, maxlen=max(self._spans, default=0) + 1)
        self._settled = max(2, round(tuning.DISSOLVE_SETTLED_SECONDS * rate))

    def suspect(self) -> bool:
        """Tell whether a shot may begin with the last frame taken; the frames after it may show that it was a flash."""
        return self._first_is_cut(0)

    def differs(self) -> bool:
        """Tell whether the last frame taken shows something else than the one before; where a flash ends, that too."""
        return len(self._pictures) > 1 and self._differ(self._pictures[-2], self._pictures[-1])

    def flush(self) -> list[bool]:
        """Judge the frames that are left."""
        answers = [self._first_is_cut(following) for following in range(self._waiting - 1, -1, -1)]
        self._waiting = 0
        self._pictures.clear()
        self._close_dissolve()
        return answers

    def known_dissolves(self) -> list[Dissolve]:
        """Return those found so far, the one that may still be going on among them."""
        return [*self.dissolves, *([] if self._candidate is None else [self._candidate])]

    def _first_is_cut(self, following: int) -> bool:
        """Judge the frame that has `following` frames after it."""
        pictures = list(self._pictures)
        at = len(pictures) - following - 1
        before, after = pictures[max(at - tuning.CUT_LOOKAHEAD - 1, 0) : at], pictures[at:]
        # Nearest first: mostly nothing has changed, and one comparison tells. The others tell a flash from a cut.
        if not before or not all(self._differ(a, b) for a in reversed(before) for b in after):
            return False
        # A camera that repeats its pictures swings farther from one to the next.
        return not self._jumps[at - len(pictures)] or shift(before[-1].means, after[0].means) is None

    def _fades_in(self, picture: Cells, seconds: float) -> bool:
        """Tell whether another shot appears out of black or white; that it began some frames earlier does no harm.

        What was there long before is forgotten: whoever begins in the middle of a film must find the same.
        """
        contrast = float(picture.means.std())
        if self._clear_at is None:
            self._clear_at = seconds
        if contrast < tuning.MAX_FLAT_DEVIATION:
            self._flat_at = seconds
        if contrast < tuning.MIN_CLEAR_DEVIATION:
            return False
        faded = self._flat_at is not None and seconds - self._flat_at <= tuning.FADED_SECONDS
        known = seconds - self._clear_at <= tuning.FADED_SECONDS
        other = not known or (self._last_clear is not None and unlike(self._last_clear, picture))
        self._last_clear, self._clear_at, self._flat_at = picture, seconds, None
        return faded and other

    def _find_dissolve(self, picture: Cells) -> None:
        self._past.append(picture)
        found = False
        for span in self._spans:
            if len(self._past) > span and _is_mixture(self._past[-1 - span // 2], self._past[-1 - span], picture):
                extent, known = self._extent(span), self._candidate
                # The longest span counts: at the ends of shorter ones both shots can still be seen.
                if known is None or extent.last - extent.first >= known.last - known.first:
                    self._candidate = extent
                self._last_found = self._taken
                found = True
        if not found and self._candidate is not None and self._taken - self._last_found > self._settled:
            self._close_dissolve()
        self._taken += 1

    def _extent(self, span: int) -> Dissolve:
        """Return where, in the last `span` + 1 frames, both the first and the last of them can be seen."""
        pictures = [self._past[index] for index in range(-1 - span, 0)]
        shares = np.array([_shares(middle, pictures[0], pictures[-1])[0] for middle in pictures])
        first = int(np.flatnonzero(shares > 1 - tuning.VISIBLE_SHARE)[-1])
        last = int(np.flatnonzero(shares < tuning.VISIBLE_SHARE)[0])
        if last <= first:
            first, last = 0, span
        middle = first + int(np.argmin(np.abs(shares[first : last + 1] - 0.5)))
        begin = self._taken - span
        return Dissolve(max(begin + first, 0), begin + middle, begin + last)

    def _close_dissolve(self) -> None:
        if self._candidate is not None:
            self.dissolves.append(self._candidate)
        self._candidate = None


def cell_means(luma: NDArray[np.uint8]) -> CellMeans:
    """Return the means of square cells of a luma picture, about `tuning.CUT_SAMPLES` along the longer side."""
    cell = max(1, max(luma.shape) // tuning.CUT_SAMPLES)
    rows, columns = max(1, luma.shape[0] // cell), max(1, luma.shape[1] // cell)
    tall, wide = min(cell, luma.shape[0]), min(cell, luma.shape[1])
    part = luma[: rows * tall, : columns * wide]
    # A few rows of each cell are enough.
    lines = part.reshape(rows, tall, columns * wide)[:, :: max(1, tall // tuning.CUT_ROWS_PER_CELL)]
    sums = lines.sum(axis=1, dtype=np.uint16)
    means: CellMeans = sums.reshape(rows, columns, wide).sum(axis=2, dtype=np.uint32) / np.float32(
        lines.shape[1] * wide
    )
    return means


def _is_mixture(middle: Cells, before: Cells, after: Cells) -> bool:
    """Tell whether a picture is a mixture of two others, of different shots."""
    if float(np.abs(before.means - after.means).mean()) < tuning.MIN_CUT_DIFFERENCE:
        return False
    if correlation(before, after) >= tuning.MIN_SHOT_CORRELATION:
        return False
    share, other, unexplained = _shares(middle, before, after)
    if min(share, other) < tuning.MIN_SHARE or unexplained > tuning.MAX_UNEXPLAINED:
        return False
    return not is_moved(before, after)


def _shares(middle: Cells, before: Cells, after: Cells) -> tuple[float, float, float]:
    """Return the shares of two pictures in a third, and the part of its variance left unexplained."""
    aa, bb, mm = before.square, after.square, middle.square
    ab, am, bm = before.times(after), before.times(middle), after.times(middle)
    determinant = aa * bb - ab * ab
    if determinant <= 1e-6 * aa * bb or mm == 0:
        return 0.0, 0.0, 1.0
    share, other = (am * bb - bm * ab) / determinant, (bm * aa - am * ab) / determinant
    return share, other, (mm - share * am - other * bm) / mm
