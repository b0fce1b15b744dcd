"""Where the faces really are, as MOTChallenge text: ``frame,id,x,y,w,h,conf,class,visibility``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Truth:
    """The true faces of a video or a photo, a row a face, in order of the frames.

    Attributes
    ----------
    frames : (n,) int64
        Number of the frame, from 0.
    people : (n,) int64
        Who it is.
    boxes : (n, 4) float64
        x1, y1, x2, y2 in pixels; they may reach outside the picture.
    required : (n,) bool
        Whether the face must be found; where not, finding it is neither right nor wrong.
    cuts : (m,) int64
        First frame of each shot but the first.
    """

    frames: NDArray[np.int64]
    people: NDArray[np.int64]
    boxes: NDArray[np.float64]
    required: NDArray[np.bool_]
    cuts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read a file; in it frames count from 1 and a confidence of 0 says that the face is not required.

        The first frames of further shots, likewise counted, are in a file beside it that ends in ``.cuts``, if any.
        """
        lines = path.read_text().splitlines()
        rows = np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, 9))
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        beside = path.with_suffix(".cuts")
        cuts = np.loadtxt(beside, np.int64, ndmin=1) - 1 if beside.is_file() else np.empty(0, np.int64)
        boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
        return cls(rows[:, 0].astype(np.int64) - 1, rows[:, 1].astype(np.int64), boxes, rows[:, 6] > 0, cuts)

    def write(self, path: Path) -> None:
        """Write what `read` reads."""
        corners, sizes = self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]
        rows = np.column_stack([self.frames + 1, self.people, corners, sizes, self.required])
        np.savetxt(path, rows, "%d,%d,%.1f,%.1f,%.1f,%.1f,%d,1,1")
        if len(self.cuts):
            np.savetxt(path.with_suffix(".cuts"), self.cuts + 1, "%d")

    def at(self, frame: int) -> NDArray[np.int64]:
        """Return the rows of a frame."""
        return np.arange(*np.searchsorted(self.frames, [frame, frame + 1]))

    def shot(self, frame: int) -> tuple[int, int]:
        """Return the first and the last frame of the shot that a frame is in; the last one has no end."""
        shot = int(np.searchsorted(self.cuts, frame, side="right"))
        first = int(self.cuts[shot - 1]) if shot else 0
        return first, int(self.cuts[shot]) - 1 if shot < len(self.cuts) else np.iinfo(np.int64).max


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n, m) intersections over union of (n, 4) and (m, 4) boxes, x1, y1, x2, y2."""
    shared = area(intersections(a, b))
    return shared / np.maximum(area(a)[:, None] + area(b) - shared, 1e-9)


def intersections(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n, m, 4) boxes that each of (n, 4) shares with each of (m, 4) boxes."""
    a = a[:, None]
    return np.concatenate([np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])], axis=-1)


def area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the areas of (..., 4) boxes; 0 for those that are empty."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def enlarged(boxes: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return (n, 4) boxes enlarged about their centres."""
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * (factor / 2)
    return np.concatenate([centres - halves, centres + halves], axis=1)
