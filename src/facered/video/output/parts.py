"""Parts of a film: runs of frames that are encoded apart from each other, so that each can be made by itself.

Where parts begin follows from the film alone, and from what is near: whoever begins in the middle of a film, at the
first segment from a multiple of `GRID_FRAMES` on, finds the same parts as whoever begins at its start.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

GRID_FRAMES = 1500
"""Frames from one multiple, at which a segment may begin in the middle of a shot, to the next; by hand. More: more work
is lost when a job is killed, and less can be done at once. Fewer: more seams."""
CLEARANCE_SECONDS = 3
"""Seconds around such a multiple in which a cut, or a dissolve, is so near that no seam is needed; by hand."""
MIN_PART_SECONDS = 10
"""Seconds that a part lasts at least; by hand. More: less can be done at once. Less: more key frames, and the encoder
stands still more often."""
MIN_PART_FRAMES = 250
"""Frames that it has at least, for films of few frames a second; by hand, likewise."""


class Parts:
    """Tells which frames begin a part, of those that begin a segment.

    A part ends where a segment ends, when it has lasted long enough and leaves room for another one before the next
    anchor; and in any case at the first segment that begins `CLEARANCE_SECONDS` before an anchor, or later. Anchors are
    multiples of `GRID_FRAMES`: each of them, unless so many frames are shorter than two parts.

    Parameters
    ----------
    rate : Fraction
        Frames a second of the film, as its header has it: lengths are counted in frames by it.
    first : int
        A frame that begins a part, from which on they are told.
    """

    def __init__(self, rate: Fraction, first: int = 0) -> None:
        self._least = max(MIN_PART_FRAMES, ceil(MIN_PART_SECONDS * rate))
        self._clearance = ceil(CLEARANCE_SECONDS * rate)
        self._step = GRID_FRAMES * ceil((2 * self._least + self._clearance) / GRID_FRAMES)
        self._begun = first

    def begins(self, number: int) -> bool:
        """Tell whether a frame that begins a segment begins a part; to be asked of each of them, in order."""
        if number <= self._begun:
            return number == self._begun
        due = self._due(self._begun)
        long_enough = number - self._begun >= self._least and self._due(number) - number >= self._least
        if number < due and not long_enough:
            return False
        self._begun = number
        return True

    def _due(self, number: int) -> int:
        """Return from where on the first segment begins a part in any case, after a frame."""
        return ((number + self._clearance) // self._step + 1) * self._step - self._clearance


def usual_segment(number: int) -> bool:
    """Tell whether a frame begins a segment where nobody knows of cuts."""
    return number % GRID_FRAMES == 0
