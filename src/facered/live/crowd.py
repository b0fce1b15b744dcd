"""Faces that nobody follows, since there are too many: where they are hidden, from one detection to the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import centred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes

GROWTH_PER_FRAME = 0.1
"""Part of its size by which such a box grows for each frame that lies between it and its detection, up to
`MAX_GROWTH_FRAMES` of them; by hand. Larger: large masks in crowds. Smaller: who moves leaves the mask."""
MAX_GROWTH_FRAMES = 10
"""See there."""
HELD_FRAMES = tuning.CUT_LOOKAHEAD + 1
"""Frames from a suspected cut on in which those who were there before stay hidden: until it is known whether it was a
flash. Larger: boxes on nobody after cuts. Smaller: faces are not hidden after a flash."""
NOBODY: Boxes = np.empty((0, 4))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a detection has found beyond those who are followed, and the frame from which on it is known."""

    frame: int
    boxes: Boxes
    full: bool


class Crowd:
    """Keeps what detections find beyond those who are followed.

    Parameters
    ----------
    kept : int
        How many frames ago it may be asked for.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept + HELD_FRAMES
        self._seen: deque[_Seen] = deque()

    @property
    def now(self) -> bool:
        """Whether the last detection has found any."""
        return bool(self._seen) and (self._seen[-1].full or len(self._seen[-1].boxes) > 0)

    def note(self, frame: int, corners: NDArray[np.float32], full: bool) -> None:
        """Take what a detection has found.

        Parameters
        ----------
        frame : int
            The frame in which it is used.
        corners : (n, 4) float32
            The boxes beyond those that are followed: x1, y1, x2, y2 in pixels of that frame.
        full : bool
            Whether there may be more faces yet, at any place.
        """
        self._seen.append(_Seen(frame, centred(corners), full))
        while len(self._seen) > 1 and self._seen[1].frame <= frame - self._kept:
            self._seen.popleft()

    def boxes(self, frame: int, shot: int) -> Boxes:
        """Return where they are hidden in a frame of the shot that begins with `shot`: (n, 4), centres and sizes."""
        found = [NOBODY]
        for seen in self._about(frame, shot):
            growth = 1 + GROWTH_PER_FRAME * min(abs(frame - seen.frame), MAX_GROWTH_FRAMES)
            found.append(seen.boxes * [1, 1, growth, growth])
        return np.concatenate(found)

    def is_full(self, frame: int, shot: int) -> bool:
        """Tell whether nobody knows where all of them are in a frame of the shot that begins with `shot`."""
        return any(seen.full for seen in self._about(frame, shot))

    def forget_from(self, frame: int) -> None:
        """Forget what was detected from a frame on: it was a flash."""
        while self._seen and self._seen[-1].frame >= frame:
            self._seen.pop()

    def _about(self, frame: int, shot: int) -> list[_Seen]:
        """Return the detections that count in a frame of a shot.

        They are the one before it and, unless one was made for it, the one after it; at the shot's beginning the last
        of the shot before, too, in case it was a flash.
        """
        there = [seen for seen in self._seen if seen.frame >= shot]
        found = [seen for seen in self._seen if seen.frame < shot][-1:] if frame < shot + HELD_FRAMES else []
        before, after = ([seen for seen in there if (seen.frame <= frame) == past] for past in (True, False))
        return found + before[-1:] + ([] if before and before[-1].frame == frame else after[:1])
