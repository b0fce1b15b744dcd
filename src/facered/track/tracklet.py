"""A piece of a person's way: the frames in which a face was measured, one after the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facered.track import kalman
from facered.track.appearance import likeness

if TYPE_CHECKING:
    from facered.track.appearance import Patch
    from facered.track.boxes import Boxes
    from facered.track.shot import Shot

SEEN_WELL, ALIKE = 0.65, 0.6
"""Two spells whose best detections had this score, and are less alike, may be of two people."""


class Spell(NamedTuple):
    """A time in which a face was detected without interruption."""

    key: int
    """What it is known by."""
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
        What it is known by, at first.
    frames : list of int
        The frames in which it was measured, ascending.
    boxes : list of (4,) float64
        The box in each of them, centre and size in pixels.
    deviations : list of float
        Standard deviation of each, as a part of the face's size: `kalman.DETECTED` or `kalman.FOLLOWED`.
    behind : list of (4,) float64
        Boxes followed backwards from the first frame: in the one before, the one before that, and so on.
    first_patch, best_patch, anchor, recent : (SIDE, SIDE) uint8
        The face as it was first detected, best detected, last detected and last measured.
    detections : int
        How many of the boxes were detected.
    first_detected, last_detected : int
        The first and the last frame in which it was.
    score : float
        The best of its detections' scores.
    missed : int
        Detections since then in which it was not found.
    looks : int
        Second looks taken to find out whether it is a face.
    looked_in_vain : bool
        Whether it was not found when it alone was looked at, and the whole picture has not been since.
    size : float
        Mean side of the box as it was last detected.
    sure : bool
        Whether it is.
    spells : list of Spell
        When it was detected, and how it looked then.
    shot : Shot
        The shot that it lies in, known when the video has been seen.
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
    behind: list[Boxes] = field(default_factory=list)
    detections: int = 0
    last_detected: int = 0
    score: float = 0.0
    missed: int = 0
    looks: int = 0
    looked_in_vain: bool = False
    size: float = 0.0
    sure: bool = False
    spells: list[Spell] = field(default_factory=list)
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
        return self.frames[0] - len(self.behind)

    def detect(self, frame: int, box: Boxes, score: float, patch: Patch, key: int | None = None) -> None:
        """Add a detection; after an interruption, in which somebody else may have come, with a new key."""
        self.detections += 1
        self.last_detected = frame
        if score > self.score:
            self.score, self.best_patch = score, patch
        if key is not None or not self.spells:
            self.spells.append(Spell(self.key if key is None else key, frame, score, patch))
        elif score > self.spells[-1].score:
            self.spells[-1] = self.spells[-1]._replace(score=score, patch=patch)
        self.anchor = patch
        self.size = float(np.sqrt(box[2] * box[3]))
        self._measure(frame, box, kalman.DETECTED, patch)

    def follow(self, frame: int, box: Boxes, patch: Patch) -> None:
        """Add a box that was found by its patch."""
        self._measure(frame, box, kalman.FOLLOWED, patch)

    def box_at(self, frame: int) -> Boxes | None:
        """Return where it was measured in a frame, if it was."""
        if frame < self.frames[0]:
            back = self.frames[0] - frame
            return self.behind[back - 1] if back <= len(self.behind) else None
        at = bisect_left(self.frames, frame)
        return self.boxes[at] if at < len(self.frames) and self.frames[at] == frame else None

    def part(self, begin: int, end: int) -> Tracklet | None:
        """Return the piece from one frame to another, or None if there is no detection in it."""
        low, high = bisect_left(self.frames, begin), bisect_right(self.frames, end)
        frames, deviations = self.frames[low:high], self.deviations[low:high]
        detected = [frame for frame, deviation in zip(frames, deviations, strict=True) if deviation == kalman.DETECTED]
        if not detected:
            return None
        piece = replace(
            self,
            first_detected=detected[0],
            frames=frames,
            boxes=self.boxes[low:high],
            deviations=deviations,
            behind=self.behind[: max(frames[0] - begin, 0)] if low == 0 else [],
            detections=len(detected),
            last_detected=detected[-1],
        )
        started = [spell for spell in self.spells if spell.begin <= detected[0]]
        piece.spells = started[-1:] + [spell for spell in self.spells if detected[0] < spell.begin <= end]
        piece.best_patch, piece.anchor, piece.recent = self.best_patch, self.anchor, self.recent
        return piece

    def by_person(self) -> list[Tracklet]:
        """Return its parts, cut where somebody else may have been taken for who had been there before."""
        parts: list[Tracklet] = []
        begin, known = self.first, self.spells[0]
        for spell in self.spells[1:]:
            if min(known.score, spell.score) >= SEEN_WELL and likeness(known.patch, spell.patch) < ALIKE:
                parts += self._one_person(begin, spell.begin - 1, known)
                begin, known = spell.begin, spell
            elif spell.score > known.score:
                known = spell
        return [*parts, *self._one_person(begin, self.frames[-1], known)] if parts else [self]

    def _one_person(self, begin: int, end: int, known: Spell) -> list[Tracklet]:
        part = self.part(begin, end)
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
        """Return its first boxes, the very first one last."""
        return self.boxes[::-1] + self.behind

    def forget_tail(self) -> None:
        """Take back where it was followed to after its last detection."""
        keep = self.frames.index(self.last_detected) + 1
        del self.frames[keep:], self.boxes[keep:], self.deviations[keep:]

    def forget_behind(self) -> None:
        """Take back where it was followed to before its first detection."""
        drop = self.frames.index(self.first_detected)
        self.behind = []
        del self.frames[:drop], self.boxes[:drop], self.deviations[:drop]

    def go_on_as(self, other: Tracklet) -> None:
        """Take over what was measured of another that turned out to be the same face, and its state."""
        self.frames += other.frames
        self.boxes += other.boxes
        self.deviations += other.deviations
        if other.score > self.score:
            self.score, self.best_patch = other.score, other.best_patch
        self.detections += other.detections
        self.last_detected, self.size, self.missed = other.last_detected, other.size, other.missed
        self.anchor, self.recent, self.sure = other.anchor, other.recent, self.sure or other.sure
        self.mean, self.covariance = other.mean, other.covariance

    def forget_before(self, frame: int) -> None:
        """Let go of what was measured before a frame, but for the last detection."""
        drop = min(bisect_left(self.frames, frame), bisect_left(self.frames, self.last_detected))
        if not drop:
            return
        self.behind = []
        del self.frames[:drop], self.boxes[:drop], self.deviations[:drop]
        self.first_detected = self.frames[self.deviations.index(kalman.DETECTED)]
        begun = [spell for spell in self.spells if spell.begin <= self.first_detected]
        del self.spells[: max(len(begun) - 1, 0)]

    def _measure(self, frame: int, box: Boxes, deviation: float, patch: Patch) -> None:
        if self.frames:
            kalman.update(box, deviation, self.mean, self.covariance)
        else:
            kalman.start(box, self.mean, self.covariance)
        self.frames.append(frame)
        self.boxes.append(box)
        self.deviations.append(deviation)
        self.recent = patch
