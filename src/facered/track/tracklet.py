"""Tracklets: runs of frames in which one face was measured, by detection or by its patch."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facered.track import kalman, tuning
from facered.track.appearance import ncc
from facered.track.boxes import iou

if TYPE_CHECKING:
    from facered.track.appearance import Patch
    from facered.track.boxes import Boxes
    from facered.track.shot import Shot, Shots


class DetectionRun(NamedTuple):
    """A run of detections of a track without so long a break that another face may have taken over."""

    key: int
    """The key that it is told by."""
    begin: int
    """The first frame."""
    score: float
    """The best of its detections' scores."""
    patch: Patch
    """The face as it was best detected."""


@dataclass(slots=True, eq=False)
class Tracklet:
    """A face that is, or was, in sight.

    Attributes
    ----------
    key : int
        Identifies it; that of its first detection run.
    frames : list of int
        The frames in which it was measured, ascending.
    boxes : list of (4,) float64
        The box in each of them, centre and size in pixels.
    deviations : list of float
        Standard deviation of each, as a part of the face's size: `kalman.DETECTION_DEVIATION` where it was detected,
        `kalman.PATCH_DEVIATION` where it was followed.
    scores : list of float
        The score of each where it was detected, 0 where it was followed.
    backward_boxes : list of (4,) float64
        Boxes followed backwards from the first frame, nearest first.
    head_boxes : dict of int to (4,) float64
        Where it is by its head and shoulders, by the numbers of frames in which it was not measured; nothing else
        depends on them but where it is hidden.
    first_patch, best_patch, anchor, recent : (SIDE, SIDE) uint8
        The face when it was first detected, best detected, last detected and last measured.
    detections : int
        How many of the boxes were detected.
    first_detected, last_detected : int
        The first and the last frame with a detection.
    score : float
        The best of its detections' scores.
    missed : int
        Detections of the whole picture since then in which it was missing.
    evidence : list of float
        What was seen of it while it was tentative, the best few: the best score of each look at it by itself, 0 where
        it showed no face, and that of each detection of the whole picture, a little lowered.
    looks : int
        How often it was looked at by itself while it was tentative.
    last_look : int
        The frame of the last time.
    verification_failed : bool
        Whether the last verification found no face, and there was no detection of the whole picture since.
    size : float
        Mean side, in pixels, of the box as it was last detected.
    confirmed : bool
        Whether it is a face; else it is tentative.
    cut_off : bool
        Whether it was still looked for when its shot ended.
    runs : list of DetectionRun
        Its detections, in runs.
    shot : Shot
        The shot that it lies in; set by `split_at_cuts`.
    mean, covariance : (4, 2) and (4, 3) float64
        State of its Kalman filter.
    """

    key: int
    first_patch: Patch
    first_detected: int
    best_patch: Patch = field(init=False)
    anchor: Patch = field(init=False)
    recent: Patch = field(init=False)
    frames: list[int] = field(default_factory=list)
    boxes: list[Boxes] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    backward_boxes: list[Boxes] = field(default_factory=list)
    head_boxes: dict[int, Boxes] = field(default_factory=dict)
    detections: int = 0
    last_detected: int = 0
    score: float = 0.0
    missed: int = 0
    evidence: list[float] = field(default_factory=list)
    looks: int = 0
    last_look: int = -1
    verification_failed: bool = False
    size: float = 0.0
    confirmed: bool = False
    cut_off: bool = False
    runs: list[DetectionRun] = field(default_factory=list)
    shot: Shot = field(init=False)
    mean: Boxes = field(default_factory=lambda: np.empty((4, 2)))
    covariance: Boxes = field(default_factory=lambda: np.empty((4, 3)))

    @property
    def predicted(self) -> Boxes:
        """The box that its filter expects."""
        box = self.mean[:, 0].copy()
        box[2:] = np.maximum(box[2:], 1.0)
        return box

    @property
    def first(self) -> int:
        """The first frame in which it was measured, forwards or backwards."""
        return self.frames[0] - len(self.backward_boxes)

    @property
    def last(self) -> int:
        """The last frame in which it was measured, or its head was found."""
        return max([self.frames[-1], *self.head_boxes])

    def detect(self, frame: int, box: Boxes, score: float, patch: Patch, key: int | None = None) -> None:
        """Add a detection; a new key begins a new detection run."""
        self.detections += 1
        self.last_detected = frame
        if score > self.score:
            self.score, self.best_patch = score, patch
        if key is not None or not self.runs:
            self.runs.append(DetectionRun(self.key if key is None else key, frame, score, patch))
        elif score > self.runs[-1].score:
            self.runs[-1] = self.runs[-1]._replace(score=score, patch=patch)
        self.anchor = patch
        self.size = float(np.sqrt(box[2] * box[3]))
        self._measure(frame, box, kalman.DETECTION_DEVIATION, score, patch)

    def follow(self, frame: int, box: Boxes, patch: Patch) -> None:
        """Add a box that was found by its patch."""
        self._measure(frame, box, kalman.PATCH_DEVIATION, 0.0, patch)

    def repeat(self) -> None:
        """Add the last box once more: the picture is a repeat, which tells a filter nothing."""
        self.frames.append(self.frames[-1] + 1)
        self.boxes.append(self.boxes[-1])
        self.deviations.append(kalman.PATCH_DEVIATION)
        self.scores.append(0.0)

    def box_at(self, frame: int) -> Boxes | None:
        """Return the box measured in a frame, or None."""
        if frame < self.frames[0]:
            back = self.frames[0] - frame
            return self.backward_boxes[back - 1] if back <= len(self.backward_boxes) else None
        at = bisect_left(self.frames, frame)
        return self.boxes[at] if at < len(self.frames) and self.frames[at] == frame else None

    def clip(self, begin: int, end: int) -> Tracklet | None:
        """Return what it has from one frame to another, or None if there is no detection in that."""
        low, high = bisect_left(self.frames, begin), bisect_right(self.frames, end)
        frames, deviations = self.frames[low:high], self.deviations[low:high]
        known = kalman.DETECTION_DEVIATION
        detected = [frame for frame, deviation in zip(frames, deviations, strict=True) if deviation == known]
        if not detected:
            return None
        clipped = replace(
            self,
            first_detected=detected[0],
            frames=frames,
            boxes=self.boxes[low:high],
            deviations=deviations,
            scores=self.scores[low:high],
            backward_boxes=self.backward_boxes[: max(frames[0] - begin, 0)] if low == 0 else [],
            head_boxes=self._heads(begin, end),
            detections=len(detected),
            last_detected=detected[-1],
        )
        started = [run for run in self.runs if run.begin <= detected[0]]
        clipped.runs = started[-1:] + [run for run in self.runs if detected[0] < run.begin <= end]
        clipped.best_patch, clipped.anchor, clipped.recent = self.best_patch, self.anchor, self.recent
        return clipped

    def split_at_cuts(self, shots: Shots) -> list[Tracklet]:
        """Return its parts in each shot, with `shot` set."""
        found = []
        for shot, begin, end in shots.between(self.first_detected, self.last_detected):
            part = self.clip(begin, end)
            if part is not None:
                part.shot = shot
                found.append(part)
        return found

    def split_identities(self) -> list[Tracklet]:
        """Return its parts, split where its best patches are so unlike that it may have passed to another person."""
        parts: list[Tracklet] = []
        begin, known = self.first, self.runs[0]
        for run in self.runs[1:]:
            seen_well = min(known.score, run.score) >= tuning.REID_MIN_SCORE
            if seen_well and ncc(known.patch, run.patch) < tuning.MIN_NCC_IDENTITY:
                parts += self._of_one_identity(begin, run.begin - 1, known)
                begin, known = run.begin, run
            elif run.score > known.score:
                known = run
        return [*parts, *self._of_one_identity(begin, self.last, known)] if parts else [self]

    def _of_one_identity(self, begin: int, end: int, known: DetectionRun) -> list[Tracklet]:
        part = self.clip(begin, end)
        if part is None:
            return []
        part.shot = self.shot
        part.score, part.best_patch = known.score, known.patch
        if begin > self.first:
            part.first_patch = known.patch
        if end < self.last_detected:
            part.anchor = part.recent = known.patch
        return [part]

    def backwards(self) -> list[Boxes]:
        """Return its boxes in reverse order of time, those followed backwards last."""
        return self.boxes[::-1] + self.backward_boxes

    def drop_tail(self) -> None:
        """Drop the boxes after its last detection."""
        keep = self.frames.index(self.last_detected) + 1
        del self.frames[keep:], self.boxes[keep:], self.deviations[keep:], self.scores[keep:]
        self.head_boxes = self._heads(self.first, self.last_detected)

    def drop_backward(self) -> None:
        """Drop the boxes before its first detection."""
        drop = self.frames.index(self.first_detected)
        self.backward_boxes = []
        self.head_boxes = self._heads(self.first_detected, self.last)
        del self.frames[:drop], self.boxes[:drop], self.deviations[:drop], self.scores[:drop]

    def absorb(self, other: Tracklet) -> None:
        """Append the measurements of a later tracklet of the same face, and take over its state."""
        self.frames += other.frames
        self.boxes += other.boxes
        self.deviations += other.deviations
        self.scores += other.scores
        self.head_boxes |= other.head_boxes
        if other.score > self.score:
            self.score, self.best_patch = other.score, other.best_patch
        self.detections += other.detections
        self.evidence += other.evidence
        self.looks += other.looks
        self.last_detected, self.size, self.missed = other.last_detected, other.size, other.missed
        self.anchor, self.recent, self.confirmed = other.anchor, other.recent, self.confirmed or other.confirmed
        self.mean, self.covariance = other.mean, other.covariance

    def drop_before(self, frame: int) -> None:
        """Drop the measurements before a frame, but not the last detection nor what comes after it."""
        drop = min(bisect_left(self.frames, frame), bisect_left(self.frames, self.last_detected))
        if not drop:
            return
        self.backward_boxes = []
        self.head_boxes = self._heads(self.frames[drop], self.last)
        del self.frames[:drop], self.boxes[:drop], self.deviations[:drop], self.scores[:drop]
        self.first_detected = self.frames[self.deviations.index(kalman.DETECTION_DEVIATION)]
        begun = [run for run in self.runs if run.begin <= self.first_detected]
        del self.runs[: max(len(begun) - 1, 0)]

    def _heads(self, begin: int, end: int) -> dict[int, Boxes]:
        """Return where its head was found from one frame to another."""
        return {frame: box for frame, box in self.head_boxes.items() if begin <= frame <= end}

    def _measure(self, frame: int, box: Boxes, deviation: float, score: float, patch: Patch) -> None:
        if self.frames:
            kalman.update(box, deviation, self.mean, self.covariance)
        else:
            kalman.start(box, self.mean, self.covariance)
        self.frames.append(frame)
        self.boxes.append(box)
        self.deviations.append(deviation)
        self.scores.append(score)
        self.recent = patch


def reunited(before: list[Tracklet], since: list[Tracklet], frames: int) -> list[Tracklet]:
    """Return those from before a flash, some frames ago, with what has begun since in their places, and the others."""
    for tracklet in before:
        tracklet.cut_off = False
        for _ in range(frames):
            kalman.predict(tracklet.mean, tracklet.covariance)
        box = tracklet.predicted
        same = [other for other in since if iou(box, other.boxes[0][None])[0] > tuning.SAME_FACE_IOU]
        if same:
            since = [other for other in since if other is not same[0]]
            tracklet.absorb(same[0])
    return [*before, *since]
