"""Where one shot ends and the next begins, seen on small luma pictures: cuts, and dissolves from one to the other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Thin = NDArray[np.float32]

SAMPLES = 64
"""The longer side of the picture is averaged down to about this many samples: what is where matters, not detail."""
ROWS = 4
"""About so many rows of each square cell are averaged."""
LEAST_CORRELATION = 0.5
"""Pictures of the same shot correlate better, whatever the light does."""
MOVED_CORRELATION = 0.85
"""So well do pictures of the same shot correlate that were moved against each other, by `FARTHEST` of their size."""
FARTHEST = 0.2
LEAST_DIFFERENCE = 8.0
"""Mean difference of two pictures, in 8-bit steps, below which nothing has happened (darkness is mostly noise)."""
LOOKAHEAD = 3
"""Frames that a flash may last; a change that is gone by then is no cut."""
DISSOLVE_SECONDS = (0.4, 1.0, 2.0)
"""Stretches of time in which a dissolve is looked for."""
MIXED = 0.07
"""Part of a picture's variance that a mixture of two others may leave unexplained."""
SHARE = 0.25
"""Least share of either picture in the mixture, in the middle of a dissolve."""
SEEN = 0.08
"""Share of a shot that can be seen."""
SETTLED_SECONDS = 0.6
"""A dissolve is over when for so long nothing of it has been found."""
FLAT, CLEAR = 3.0, 8.0
"""Standard deviation of a picture faded to black or white, and of one that shows something again."""


@dataclass(frozen=True, slots=True)
class Dissolve:
    """A shot that fades into another: from `first` to `last` both can be seen; from `middle` on, the new one better."""

    first: int
    middle: int
    last: int


class CutDetector:
    """Tells, `LOOKAHEAD` frames late, whether a shot begins with a frame.

    Parameters
    ----------
    rate : float
        Frames a second.
    """

    def __init__(self, rate: float) -> None:
        self._pictures: deque[Thin] = deque(maxlen=2 * LOOKAHEAD + 2)
        self._waiting = 0
        self._spans = sorted({max(4, 2 * round(seconds * rate / 2)) for seconds in DISSOLVE_SECONDS})
        self._past: deque[Thin] = deque(maxlen=self._spans[-1] + 1)
        self._settled = max(2, round(SETTLED_SECONDS * rate))
        self._taken = 0
        self._candidate: Dissolve | None = None
        self._last_found = 0
        self._last_clear: Thin | None = None
        self._faded = False
        self.dissolves: list[Dissolve] = []
        """Those found so far; each is added about a second late."""

    def push(self, luma: NDArray[np.uint8]) -> bool | None:
        """Take the small luma picture of the next frame, (height, width) uint8; answer for the one `LOOKAHEAD` before.

        Returns
        -------
        bool or None
            Whether that frame begins a new shot; None while there is no such frame.
        """
        picture = _thinned(luma)
        self._pictures.append(picture)
        self._find_dissolve(picture)
        fades_in = self._fades_in(picture)
        self._waiting += 1
        if self._waiting <= LOOKAHEAD:
            return None
        self._waiting -= 1
        return self._first_is_cut(LOOKAHEAD) or fades_in

    def suspect(self) -> bool:
        """Tell whether a shot may begin with the last frame; what follows it may show that it was a flash."""
        return self._first_is_cut(0)

    def flush(self) -> list[bool]:
        """Answer for the frames that are left."""
        answers = [self._first_is_cut(following) for following in range(self._waiting - 1, -1, -1)]
        self._waiting = 0
        self._pictures.clear()
        self._close_dissolve()
        return answers

    def _first_is_cut(self, following: int) -> bool:
        """Judge the frame that has `following` frames behind it."""
        pictures = list(self._pictures)
        at = len(pictures) - following - 1
        before, after = pictures[max(at - LOOKAHEAD - 1, 0) : at], pictures[at:]
        # Nearest first: mostly nothing has changed, and one comparison tells. The further ones tell the end of a flash.
        return bool(before) and all(_differ(a, b) for a in reversed(before) for b in after)

    def _fades_in(self, picture: Thin) -> bool:
        """Tell whether another shot appears out of black or white; that it began some frames ago does no harm."""
        contrast = float(picture.std())
        fades_in = False
        if contrast < FLAT:
            self._faded = True
        elif contrast >= CLEAR:
            fades_in = self._faded and self._last_clear is not None and _unlike(self._last_clear, picture)
            self._last_clear, self._faded = picture, False
        return fades_in

    def _find_dissolve(self, picture: Thin) -> None:
        self._past.append(picture)
        found = False
        for span in self._spans:
            if len(self._past) > span and _is_mixture(self._past[-1 - span // 2], self._past[-1 - span], picture):
                extent, known = self._extent(span), self._candidate
                # The longest is it: at the ends of shorter ones both shots are seen.
                if known is None or extent.last - extent.first >= known.last - known.first:
                    self._candidate = extent
                self._last_found = self._taken
                found = True
        if not found and self._candidate is not None and self._taken - self._last_found > self._settled:
            self._close_dissolve()
        self._taken += 1

    def _extent(self, span: int) -> Dissolve:
        """Return the part of the last frames, `span` and one, in which both the first and the last of them are seen."""
        pictures = [self._past[index] for index in range(-1 - span, 0)]
        shares = np.array([_shares(middle, pictures[0], pictures[-1])[0] for middle in pictures])
        first = int(np.flatnonzero(shares > 1 - SEEN)[-1])
        last = int(np.flatnonzero(shares < SEEN)[0])
        if last <= first:
            first, last = 0, span
        middle = first + int(np.argmin(np.abs(shares[first : last + 1] - 0.5)))
        begin = self._taken - span
        return Dissolve(max(begin + first, 0), begin + middle, begin + last)

    def _close_dissolve(self) -> None:
        if self._candidate is not None:
            self.dissolves.append(self._candidate)
        self._candidate = None


def _thinned(luma: NDArray[np.uint8]) -> Thin:
    """Return the averages of square cells."""
    cell = max(1, max(luma.shape) // SAMPLES)
    rows, columns = max(1, luma.shape[0] // cell), max(1, luma.shape[1] // cell)
    tall, wide = min(cell, luma.shape[0]), min(cell, luma.shape[1])
    part = luma[: rows * tall, : columns * wide]
    # A few rows of each cell are enough.
    lines = part.reshape(rows, tall, columns * wide)[:, :: max(1, tall // ROWS)]
    sums = lines.sum(axis=1, dtype=np.uint16)
    means: Thin = sums.reshape(rows, columns, wide).sum(axis=2, dtype=np.uint32) / np.float32(lines.shape[1] * wide)
    return means


def _differ(a: Thin, b: Thin) -> bool:
    """Tell whether two pictures are of different shots."""
    return float(np.abs(a - b).mean()) >= LEAST_DIFFERENCE and _unlike(a, b)


def _unlike(a: Thin, b: Thin) -> bool:
    """Tell whether two pictures show different things, whatever the light and wherever the camera points."""
    return _correlation(a, b) < LEAST_CORRELATION and _moved_correlation(a, b) < MOVED_CORRELATION


def _correlation(a: Thin, b: Thin) -> float:
    """Return the correlation of two pictures, -1 to 1; of pictures without structure, -1."""
    a, b = a - a.mean(), b - b.mean()
    energy = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / energy if energy else -1.0


def _moved_correlation(a: Thin, b: Thin) -> float:
    """Return the best correlation of the middle of one picture with any part of the other: a camera may be swung."""
    dy, dx = int(a.shape[0] * FARTHEST), int(a.shape[1] * FARTHEST)
    core = a[dy : a.shape[0] - dy, dx : a.shape[1] - dx]
    core = core - core.mean()
    parts = sliding_window_view(b, core.shape)
    parts = parts - parts.mean(axis=(2, 3), keepdims=True)
    energy = np.sqrt((core * core).sum() * np.einsum("ijkl,ijkl->ij", parts, parts))
    shared = np.einsum("ijkl,kl->ij", parts, core)
    return float(np.max(np.divide(shared, energy, out=np.full_like(shared, -1), where=energy > 0)))


def _is_mixture(middle: Thin, before: Thin, behind: Thin) -> bool:
    """Tell whether a picture is a mixture of two others, of different shots."""
    if float(np.abs(before - behind).mean()) < LEAST_DIFFERENCE or _correlation(before, behind) >= LEAST_CORRELATION:
        return False
    share, other, unexplained = _shares(middle, before, behind)
    if min(share, other) < SHARE or unexplained > MIXED:
        return False
    return _moved_correlation(before, behind) < MOVED_CORRELATION


def _shares(middle: Thin, before: Thin, behind: Thin) -> tuple[float, float, float]:
    """Return how much of two pictures there is in a third, and the part of its variance that is not explained so."""
    a, b, m = (picture.ravel() - picture.mean() for picture in (before, behind, middle))
    aa, bb, ab, am, bm, mm = (float(x @ y) for x, y in ((a, a), (b, b), (a, b), (a, m), (b, m), (m, m)))
    determinant = aa * bb - ab * ab
    if determinant <= 1e-6 * aa * bb or mm == 0:
        return 0.0, 0.0, 1.0
    share, other = (am * bb - bm * ab) / determinant, (bm * aa - am * ab) / determinant
    return share, other, (mm - share * am - other * bm) / mm
