"""How well faces are hidden: covered face-frames, bare runs, false boxes, areas, and how steady the ids are.

What is hidden is the ellipse inscribed in a box. Faces are judged by the part of them that lies inside the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import motmetrics
import numpy as np
from numpy.typing import NDArray

from bench.truth import Truth, area, enlarged, intersections, overlaps

COVERED = 0.8
"""Part of a face's box that must be hidden."""
TIGHT = 0.95
"""Part of it that should be: chin and forehead as well."""
NEARBY = 15
"""Frames before and behind, of the same shot, in which a box may still belong to a face."""
SAME_FACE = 0.3
"""Overlap from which a box is on a face that must be found."""
IGNORED = 0.5
"""A box with this part of itself on a face that need not be found, and on no other, is neither right nor wrong."""
MATCHED = 0.5
"""Overlap that an id asks of a person's face."""
SAMPLES = 32
"""Points along each side of a box at which hidden and bare are told apart."""
CHUNK = 4096
"""Boxes that are sampled at a time."""

Boxes = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What was hidden in a video, a row a box, in order of the frames.

    Attributes
    ----------
    size : tuple of int
        Width and height of the picture.
    length : int
        How many frames there are.
    frames, ids : (n,) int64
    boxes : (n, 4) float64
        x1, y1, x2, y2 in pixels, larger than the face by `margin`.
    margin : float
    """

    size: tuple[int, int]
    length: int
    frames: Numbers
    ids: Numbers
    boxes: Boxes
    margin: float


@dataclass(slots=True)
class Coverage:
    """What was hidden of what should be, summed over videos.

    Attributes
    ----------
    frames, face_frames, covered, tight : int
        Frames, required faces in them, and how many of these are covered, and are but for a rim.
    bare_run : int
        Most frames in a row in which one person is not covered.
    false_boxes : int
        Hidden boxes that overlap no face within `NEARBY` frames of the same shot.
    hidden_area, true_area : float
        Pixels inside the hidden ellipses, without those on faces that need not be found, and inside the boxes of the
        faces that must be.
    """

    frames: int = 0
    face_frames: int = 0
    covered: int = 0
    tight: int = 0
    bare_run: int = 0
    false_boxes: int = 0
    hidden_area: float = 0.0
    true_area: float = 0.0

    def add(self, truth: Truth, hidden: Hidden) -> Coverage:
        """Count a video and return this."""
        by_truth, by_box = _meeting(truth, hidden)
        faces = clipped(truth.boxes, hidden.size)
        shares = _shares(faces, hidden.boxes, by_truth, by_box)
        bare = truth.required & (shares < COVERED)
        self.frames += hidden.length
        self.face_frames += int(truth.required.sum())
        self.covered += int((truth.required & ~bare).sum())
        self.tight += int((truth.required & (shares >= TIGHT)).sum())
        people = np.unique(truth.people[bare])
        self.bare_run = max(
            [self.bare_run, *(longest_run(truth.frames[bare & (truth.people == who)]) for who in people)]
        )
        meets = np.zeros(len(hidden.boxes), np.bool_)
        meets[by_box] = True
        self.false_boxes += sum(not _meets_later(truth, hidden, row) for row in np.flatnonzero(~meets).tolist())
        boxes = clipped(enlarged(hidden.boxes, 1 / hidden.margin), hidden.size)
        judged = ~_ignored(faces, truth.required, boxes, by_truth, by_box)
        self.hidden_area += float(_ellipse_areas(hidden.boxes[judged], hidden.size).sum())
        self.true_area += float(area(faces[truth.required]).sum())
        return self

    def figures(self) -> dict[str, float]:
        """Return the figures to compare."""
        return {
            "frames": self.frames,
            "face_frames": self.face_frames,
            "bare_face_frames": self.face_frames - self.covered,
            "recall": self.covered / self.face_frames if self.face_frames else 1.0,
            "tight": self.tight / self.face_frames if self.face_frames else 1.0,
            "longest_bare_run": self.bare_run,
            "false_boxes_per_frame": self.false_boxes / max(self.frames, 1),
            "area_beyond_truth": self.hidden_area / self.true_area - 1 if self.true_area else 0.0,
        }


@dataclass(slots=True)
class Identities:
    """How steady ids are, summed over videos: ids per person and IDF1, both by py-motmetrics.

    Attributes
    ----------
    ids : list of int
        With how many different ids each person was matched, of those who were at all.
    matched, wrong, missed : int
        IDTP, IDFP and IDFN.
    """

    ids: list[int] = field(default_factory=list)
    matched: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, truth: Truth, hidden: Hidden) -> Identities:
        """Count a video and return this."""
        faces = clipped(truth.boxes, hidden.size)
        boxes = clipped(enlarged(hidden.boxes, 1 / hidden.margin), hidden.size)
        events = motmetrics.MOTAccumulator()
        judged = ~_ignored(faces, truth.required, boxes, *_meeting(truth, hidden)) & (area(boxes) > 0)
        for frame in range(hidden.length):
            rows, here = truth.at(frame), _rows(hidden.frames, frame, frame)
            rows, here = rows[truth.required[rows]], here[judged[here]]
            shared = overlaps(faces[rows], boxes[here])
            distances = np.where(shared >= MATCHED, 1 - shared, np.nan)
            events.update(truth.people[rows], hidden.ids[here], distances, frameid=frame)
        found = events.mot_events
        found = found[found.Type.isin(["MATCH", "SWITCH"])]
        self.ids += [int(count) for count in found.groupby("OId").HId.nunique()]
        names = ["idtp", "idfp", "idfn"]
        counts = motmetrics.metrics.create().compute(events, metrics=names, return_dataframe=False)
        self.matched, self.wrong, self.missed = (
            before + int(counts[name])
            for before, name in zip((self.matched, self.wrong, self.missed), names, strict=True)
        )
        return self

    def figures(self) -> dict[str, float]:
        """Return the figures to compare."""
        total = 2 * self.matched + self.wrong + self.missed
        return {
            "people_found": len(self.ids),
            "ids_per_person": sum(self.ids) / max(len(self.ids), 1),
            "idf1": 2 * self.matched / total if total else 1.0,
        }


def bare_faces(truth: Truth, hidden: Hidden) -> NDArray[np.bool_]:
    """Return which faces of the truth, (n,), must be hidden and are not."""
    by_truth, by_box = _meeting(truth, hidden)
    shares = _shares(clipped(truth.boxes, hidden.size), hidden.boxes, by_truth, by_box)
    return truth.required & (shares < COVERED)


def clipped(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Return the part of (..., 4) boxes that lies inside the picture."""
    return np.clip(boxes, 0, [*size, *size])


def longest_run(frames: Numbers) -> int:
    """Return the greatest number of frames in a row, given their numbers."""
    runs = np.split(np.sort(frames), np.flatnonzero(np.diff(np.sort(frames)) != 1) + 1)
    return max(len(run) for run in runs)


def _rows(frames: Numbers, first: int, last: int) -> Numbers:
    """Return the rows of frames from `first` to `last`, both included, where rows are in order of their frames."""
    return np.arange(np.searchsorted(frames, first), np.searchsorted(frames, last, side="right"))


def _meeting(truth: Truth, hidden: Hidden) -> tuple[Numbers, Numbers]:
    """Return all pairs of a face and a hidden box that overlap in the same frame: rows of each, by rows of faces."""
    faces, boxes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for frame in np.unique(truth.frames):
        rows, here = truth.at(frame), _rows(hidden.frames, frame, frame)
        pairs = np.argwhere(area(intersections(truth.boxes[rows], hidden.boxes[here])) > 0)
        faces.append(rows[pairs[:, 0]])
        boxes.append(here[pairs[:, 1]])
    return np.concatenate(faces), np.concatenate(boxes)


def _meets_later(truth: Truth, hidden: Hidden, row: int) -> bool:
    """Tell whether a hidden box overlaps a face some frames earlier or later in the same shot."""
    frame = int(hidden.frames[row])
    first, last = truth.shot(frame)
    near = _rows(truth.frames, max(frame - NEARBY, first), min(frame + NEARBY, last))
    return bool((area(intersections(hidden.boxes[row][None], truth.boxes[near])) > 0).any())


def _ignored(
    faces: Boxes, required: NDArray[np.bool_], boxes: Boxes, by_face: Numbers, by_box: Numbers
) -> NDArray[np.bool_]:
    """Tell which of (n, 4) boxes are on a face that need not be found and on none that must be; pairs may overlap."""
    own, face = boxes[by_box], faces[by_face]
    shared = area(np.concatenate([np.maximum(own[:, :2], face[:, :2]), np.minimum(own[:, 2:], face[:, 2:])], axis=1))
    wanted = required[by_face] & (shared > SAME_FACE * (area(own) + area(face) - shared))
    ignored = np.zeros(len(boxes), np.bool_)
    ignored[by_box[~required[by_face] & (shared > IGNORED * area(own))]] = True
    ignored[by_box[wanted]] = False
    return ignored


def _shares(faces: Boxes, ellipses: Boxes, by_face: Numbers, by_ellipse: Numbers) -> NDArray[np.float64]:
    """Return how much of each of (n, 4) faces lies inside the union of the ellipses in the boxes paired with it."""
    shares = np.zeros(len(faces))
    rows, starts = np.unique(by_face, return_index=True)
    ends = np.append(starts[1:], len(by_face))
    first = 0
    while first < len(rows):
        last = max(int(np.searchsorted(ends, starts[first] + CHUNK, side="right")), first + 1)
        pairs = slice(starts[first], ends[last - 1])
        inside = _inside(faces[by_face[pairs]], ellipses[by_ellipse[pairs]])
        union = np.logical_or.reduceat(inside, starts[first:last] - starts[first], axis=0)
        shares[rows[first:last]] = union.mean(axis=(1, 2))
        first = last
    return shares


def _ellipse_areas(boxes: Boxes, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return how many pixels of the picture lie inside the ellipses inscribed in (n, 4) boxes."""
    visible = clipped(boxes, size)
    areas = np.pi / 4 * area(boxes)
    cut = np.flatnonzero((visible != boxes).any(axis=1))
    for first in range(0, len(cut), CHUNK):
        part = cut[first : first + CHUNK]
        areas[part] = _inside(visible[part], boxes[part]).mean(axis=(1, 2)) * area(visible[part])
    return areas


def _inside(boxes: Boxes, ellipses: Boxes) -> NDArray[np.bool_]:
    """Return which of (SAMPLES, SAMPLES) points of each box lie inside its ellipse, (n, SAMPLES, SAMPLES)."""
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
    centres = (ellipses[:, :2] + ellipses[:, 2:]) / 2
    halves = np.maximum((ellipses[:, 2:] - ellipses[:, :2]) / 2, 1e-9)
    points = boxes[:, :2, None] + steps * (boxes[:, 2:] - boxes[:, :2])[:, :, None]
    across, down = np.moveaxis(((points - centres[:, :, None]) / halves[:, :, None]) ** 2, 1, 0)
    return np.asarray(down[:, :, None] + across[:, None, :] <= 1)
