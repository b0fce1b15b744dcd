"""How well faces are hidden: covered face-frames, bare runs, false boxes, areas, and how steady the ids are.

What is hidden is the ellipse inscribed in a box. Faces are judged by the part of them that lies inside the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import motmetrics
import numpy as np
from numpy.typing import NDArray

from bench.truth import Truth, area, enlarged, intersections, overlaps

COVERED = 0.8
"""Part of a face's box that must be hidden."""
NEARBY = 15
"""Frames before and behind in which a box may still belong to a face."""
SAME_FACE = 0.3
"""Overlap from which an id counts as having been on a person."""
MATCHED = 0.5
"""Overlap that IDF1 asks of a pair."""
SAMPLES = 32
"""Points along each side of a box at which hidden and bare are told apart."""

Boxes = NDArray[np.float64]
Faces = Sequence[Boxes]
"""For each frame the (n, 4) boxes that are hidden, x1, y1, x2, y2 in pixels."""


@dataclass(slots=True)
class Coverage:
    """What was hidden of what should be, summed over videos.

    Attributes
    ----------
    frames, face_frames, covered : int
        Frames, required faces in them, and how many of these are covered.
    bare_run : int
        Most frames in a row in which one person is not covered.
    false_boxes : int
        Hidden boxes that overlap no face within `NEARBY` frames.
    hidden_area, true_area : float
        Pixels inside the hidden ellipses and inside the boxes of the faces, required or not.
    """

    frames: int = 0
    face_frames: int = 0
    covered: int = 0
    bare_run: int = 0
    false_boxes: int = 0
    hidden_area: float = 0.0
    true_area: float = 0.0

    def add(self, truth: Truth, hidden: Faces, size: tuple[int, int]) -> Coverage:
        """Count a video whose pictures have a size, (width, height), and return this."""
        bare = np.zeros(len(truth.frames), np.bool_)
        for row in np.flatnonzero(truth.required):
            bare[row] = not is_covered(truth.boxes[row], hidden[truth.frames[row]], size)
        self.frames += len(hidden)
        self.face_frames += int(truth.required.sum())
        self.covered += int((truth.required & ~bare).sum())
        self.bare_run = max(
            [
                self.bare_run,
                *(longest_run(truth.frames[bare & (truth.people == person)]) for person in np.unique(truth.people)),
            ]
        )
        for frame, boxes in enumerate(hidden):
            near = truth.boxes[truth.at(frame - NEARBY, frame + NEARBY)]
            self.false_boxes += int((~(area(intersections(boxes, near)) > 0).any(axis=1)).sum())
            self.hidden_area += sum(ellipse_area(box, size) for box in boxes)
        self.true_area += float(area(clipped(truth.boxes, size)).sum())
        return self

    def figures(self) -> dict[str, float | int]:
        """Return the figures to compare."""
        return {
            "frames": self.frames,
            "face_frames": self.face_frames,
            "recall": self.covered / max(self.face_frames, 1),
            "longest_bare_run": self.bare_run,
            "false_boxes_per_frame": self.false_boxes / max(self.frames, 1),
            "hidden_area_to_true_area": self.hidden_area / max(self.true_area, 1.0),
        }


@dataclass(slots=True)
class Identities:
    """How steady ids are, summed over videos: ids per person, and IDF1 as py-motmetrics counts it."""

    ids: list[int] = field(default_factory=list)
    matched: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, truth: Truth, hidden: Faces, ids: Sequence[NDArray[np.int64]], margin: float) -> Identities:
        """Count a video, whose hidden boxes are larger than faces by `margin`, and return this."""
        seen: dict[int, set[int]] = {int(person): set() for person in truth.people[truth.required]}
        events = motmetrics.MOTAccumulator()
        for frame, (boxes, here) in enumerate(zip(hidden, ids, strict=True)):
            rows = truth.at(frame)
            shared = overlaps(truth.boxes[rows], enlarged(boxes, 1 / margin))
            required = truth.required[rows]
            for row, column in np.argwhere(shared[required] > SAME_FACE):
                seen[int(truth.people[rows[required][row]])].add(int(here[column]))
            # A box on a face that need not be found is neither right nor wrong.
            judged = ~(shared[~required] > SAME_FACE).any(axis=0) | (shared[required] > SAME_FACE).any(axis=0)
            pairs = shared[required][:, judged]
            distances = np.where(pairs >= MATCHED, 1 - pairs, np.nan)
            events.update(truth.people[rows[required]], here[judged], distances, frameid=frame)
        self.ids += [len(found) for found in seen.values()]
        names = ["idtp", "idfp", "idfn"]
        counts = motmetrics.metrics.create().compute(events, metrics=names, return_dataframe=False)
        self.matched, self.wrong, self.missed = (
            before + int(counts[name])
            for before, name in zip((self.matched, self.wrong, self.missed), names, strict=True)
        )
        return self

    def figures(self) -> dict[str, float | int]:
        """Return the figures to compare."""
        total = 2 * self.matched + self.wrong + self.missed
        return {
            "people": len(self.ids),
            "ids_per_person": sum(self.ids) / max(len(self.ids), 1),
            "idf1": 2 * self.matched / max(total, 1),
        }


def is_covered(box: Boxes, hidden: Boxes, size: tuple[int, int]) -> bool:
    """Tell whether at least `COVERED` of a (4,) box lies inside the union of the ellipses in (n, 4) boxes."""
    points = _points(clipped(box, size))
    inside = np.zeros(len(points), np.bool_)
    for ellipse in hidden:
        inside |= _inside(points, ellipse)
    return bool(inside.mean() >= COVERED)


def ellipse_area(box: Boxes, size: tuple[int, int]) -> float:
    """Return how many pixels of the picture lie inside the ellipse inscribed in a (4,) box."""
    visible = clipped(box, size)
    if not area(visible):
        return 0.0
    return float(_inside(_points(visible), box).mean() * area(visible))


def clipped(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Return the part of (..., 4) boxes that lies inside the picture."""
    return np.clip(boxes, 0, [*size, *size])


def longest_run(frames: NDArray[np.int64]) -> int:
    """Return the greatest number of frames in a row, given their numbers."""
    runs = np.split(np.sort(frames), np.flatnonzero(np.diff(np.sort(frames)) != 1) + 1)
    return max(len(run) for run in runs)


def _points(box: Boxes) -> Boxes:
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
    x, y = np.meshgrid(box[0] + steps * (box[2] - box[0]), box[1] + steps * (box[3] - box[1]))
    return np.column_stack([x.ravel(), y.ravel()])


def _inside(points: Boxes, ellipse: Boxes) -> NDArray[np.bool_]:
    centre, half = (ellipse[:2] + ellipse[2:]) / 2, np.maximum((ellipse[2:] - ellipse[:2]) / 2, 1e-9)
    inside: NDArray[np.bool_] = (((points - centre) / half) ** 2).sum(axis=1) <= 1
    return inside
