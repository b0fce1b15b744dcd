"""The table of the faces: which are in which frame, and where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from facered.annotations.document import SEGMENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIMALS = 6
"""Boxes are rounded to this many decimals when they are written; redaction draws from the rounded values."""
SCORE_DECIMALS = 2
"""Scores are rounded to these: more would make documents longer and tell nothing."""
REGION_IDS = 1_000_000_000
"""The ids from here on are of regions: faces beyond those that could be followed. They are no persons."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a document holds besides, and what is written again.

    Attributes
    ----------
    document : dict
        Keys of the document.
    fragments : dict
        Time -> keys of the fragment that starts then, its duration and interval too where it has no frames.
    faces : dict
        Row of the table -> keys of that face.
    """

    document: dict[str, Any] = field(default_factory=dict)
    fragments: dict[int, dict[str, Any]] = field(default_factory=dict)
    faces: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of the table and look-ups in it; `Annotations`, which users get, says what is in each."""

    time_base: Fraction
    rate: Fraction | None
    width: int
    height: int
    margin: float | None
    pts: NDArray[np.int64]
    last_duration: int
    starts: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    doubtful: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    extras: Extras = field(default_factory=Extras)
    source: str = "annotations"
    covered: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not len(self.scores):
            object.__setattr__(self, "scores", np.full(len(self.ids), np.nan, np.float32))
        if not len(self.doubtful):
            object.__setattr__(self, "doubtful", np.zeros(len(self.ids), np.bool_))

    @property
    def doubtful_ids(self) -> list[int]:
        """The ids of those who are hidden to be safe wherever they are."""
        return sorted(
            set(np.unique(self.ids[self.doubtful]).tolist()) - set(np.unique(self.ids[~self.doubtful]).tolist())
        )

    @property
    def people(self) -> int:
        """How many different ids of persons there are."""
        return len(np.unique(self.ids[self.ids < REGION_IDS]))

    @property
    def segments(self) -> list[int] | None:
        """The numbers of the frames at which segments of the film begin; None where nothing tells of them."""
        return self.extras.document.get(SEGMENTS)

    @property
    def seconds(self) -> float:
        """From the first frame's time to the last one's end."""
        return float((int(self.pts[-1] - self.pts[0]) + self.last_duration) * self.time_base) if len(self.pts) else 0.0

    @property
    def span(self) -> tuple[int, int] | None:
        """From when to when they tell of the video, in units of `pts`; None where they tell of no frame."""
        if not len(self.pts):
            return None
        begin, end = int(self.pts[0]), int(self.pts[-1]) + self.last_duration
        return (min(begin, self.covered[0]), max(end, self.covered[1])) if self.covered else (begin, end)

    def frame_at(self, pts: int) -> int | None:
        """Return the number of the frame at a time, or None if there is none."""
        index = int(np.searchsorted(self.pts, pts))
        return index if index < len(self.pts) and self.pts[index] == pts else None

    def frame_before(self, pts: int) -> int | None:
        """Return the number of the last frame before a time, or None if there is none."""
        index = int(np.searchsorted(self.pts, pts))
        return index - 1 if index else None

    def pixel_boxes(self, frame: int) -> NDArray[np.float64]:
        """Return the (n, 4) boxes of a frame, x1, y1, x2, y2 in pixels; they may reach outside the picture."""
        boxes = self.boxes[self.starts[frame] : self.starts[frame + 1]]
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * ([self.width, self.height] * 2)

    def frame_ids(self, frame: int) -> NDArray[np.int64]:
        """Return the (n,) ids of the faces of a frame, in the order of `pixel_boxes`."""
        return self.ids[self.starts[frame] : self.starts[frame + 1]]

    def _in_order(self) -> Self:
        """Sort the frames by time and join those of the same time; a face that stands twice in them stays once."""
        if (np.diff(self.pts) > 0).all():
            return self
        pts, frames, entries = np.unique(self.pts, return_inverse=True, return_counts=True)
        frames = np.repeat(frames, np.diff(self.starts))
        rows = np.argsort(frames, kind="stable")
        joined = rows[entries[frames[rows]] > 1]
        table = np.column_stack([frames[joined], self.ids[joined], self.boxes[joined]])
        _, first = np.unique(table, axis=0, return_index=True)
        twice = np.delete(joined, first)
        return self._regrouped(pts, frames, rows[~np.isin(rows, twice)])

    def _regrouped(self, pts: NDArray[np.int64], frames: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        """Return some of the faces, `rows` in order of the `frames` (one a face of this table) that they belong to."""
        place = {int(row): number for number, row in enumerate(rows)} if self.extras.faces else {}
        return replace(
            self,
            pts=pts,
            starts=np.searchsorted(frames[rows], np.arange(len(pts) + 1)).astype(np.int64),
            ids=self.ids[rows],
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            doubtful=self.doubtful[rows],
            extras=replace(
                self.extras, faces={place[row]: keys for row, keys in self.extras.faces.items() if row in place}
            ),
        )
