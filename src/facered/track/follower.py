"""Detections of successive frames -> tracklets.

Forward in time, detections are matched to the predictions of the tracks so far, confident ones first, then those of low
score (ByteTrack, Zhang et al. 2022). A face that is not detected is followed by its patch of luma, see `propagation`;
one that is confirmed is followed backwards from its first detection, too. A tentative track is verified on an enlarged
crop, see `verification`. `offline` and `online` make tracks of the tracklets, each in its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import patience, tuning, verification
from facered.track.appearance import RecentPictures, ncc
from facered.track.association import associate
from facered.track.boxes import centred, containment
from facered.track.changes import Changes
from facered.track.clock import Clock
from facered.track.path import CameraPath
from facered.track.prediction import Predictor
from facered.track.propagation import follow_backwards, followed_boxes, widen_faint_beginning
from facered.track.tracklet import Tracklet, reunited
from facered.track.window import WHOLE, Window, about, holds, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes, Detections
    from facered.track.verification import Verify


class Follower:
    """Follows faces from frame to frame.

    Parameters
    ----------
    rate : float
        Frames a second, as it is told; `wanted` and `update` may be given the frames' own times.
    threshold : float
        Least score of a confident detection; lower ones may continue a track.
    size : (int, int)
        Width and height of the picture, in the pixels that boxes are measured in.
    idle_seconds : float, optional
        Longest time without a detection where nothing changes; by default `tuning.IDLE_INTERVAL_SECONDS`.
    most_looks : int
        Most tracks that are looked at by themselves in a frame.
    first_key : int
        The key of the first track.

    Attributes
    ----------
    clock : Clock
        When the frames are.
    threshold : float
    frame : int
        Number of the last frame, from 0.
    next_key : int
        The key that the next track will have.
    cuts : list of int
        The first frame of each shot.
    active, finished : list of Tracklet
        Tracklets that may go on, and those that have ended.
    pictures : RecentPictures
        The small lumas of the last frames.
    path : CameraPath
        Which pictures were repeats, and how far the camera jumped.
    """

    def __init__(
        self,
        rate: float,
        threshold: float,
        size: tuple[int, int],
        *,
        idle_seconds: float | None = None,
        most_looks: int = tuning.MAX_VERIFICATIONS_PER_FRAME,
        first_key: int = 0,
    ) -> None:
        self.clock, self.threshold = Clock(rate), threshold
        kept = min(2 * self.clock.count(tuning.MAX_FOLLOWED_SECONDS, 0), tuning.MAX_PICTURES) + 1
        self.pictures = RecentPictures(np.array(size, np.float64), kept)
        self._idle_seconds = tuning.IDLE_INTERVAL_SECONDS if idle_seconds is None else idle_seconds
        self._most_looks = most_looks
        self._changes = Changes(self.pictures.size)
        self.path = CameraPath(self.pictures.size)
        self.frame = self._last_detection = self._last_whole = self._last_for_changes = -1
        self._entered = self._seen_once = False
        self._predictor = Predictor()
        self.next_key = first_key
        self.cuts: list[int] = []
        self.active: list[Tracklet] = []
        self.finished: list[Tracklet] = []
        self._before_cut: list[Tracklet] | None = None
        self._ends_shot = self._asked_for_changes = False
        self._asked: Window | None = None

    def boxes(self, largest: float | None = None) -> Boxes:
        """Return where faces are, (n, 4): the confirmed ones; or all, tentative or not, of `largest` pixels at most."""
        chosen = [t for t in self.active if (t.confirmed if largest is None else t.size <= largest)]
        return np.array([self.expected(tracklet) for tracklet in chosen]).reshape(-1, 4)

    @property
    def smallest(self) -> float:
        """Mean side of the smallest confirmed face, in pixels; infinite if there is none."""
        return min((tracklet.size for tracklet in self.active if tracklet.confirmed), default=float("inf"))

    def wanted(
        self,
        luma: NDArray[np.uint8],
        begins_shot: bool,
        *,
        verifies: bool = False,
        seconds: float | None = None,
        ends_shot: bool = False,
    ) -> Window | None:
        """Return what of the next frame should be given to the detector; to be asked before `update`.

        All of it in a new shot and once in a while; a part of it where the picture changes, and where a track is
        tentative, lost, fast or found badly.

        Parameters
        ----------
        luma, begins_shot, seconds, ends_shot
            As for `update`.
        verifies : bool
            Whether `update` will be able to verify a few uncertain tracks one by one instead.
        """
        self._enter(luma, begins_shot, seconds)
        self._ends_shot = ends_shot
        self._asked = self._window(verifies)
        return self._asked

    def _window(self, verifies: bool) -> Window | None:
        if self.cuts[-1] == self.frame or self.clock.has_passed(self._idle_seconds, self._last_whole, self.frame):
            return WHOLE
        parts = []
        active = self.clock.has_passed(tuning.ACTIVE_INTERVAL_SECONDS, self._last_for_changes, self.frame)
        # Whoever came since the last detection is not found later.
        changed = self._changes.elsewhere(self.boxes()) if active or self._ends_shot else None
        if changed is not None:
            parts.append(changed[None])
        self._asked_for_changes = changed is not None
        if self.clock.has_passed(tuning.DOUBTFUL_INTERVAL_SECONDS, self._last_detection, self.frame):
            parts += [self._about(t) for t in self.active if patience.is_young(t, self.clock, self.frame)]
        uncertain = self._uncertain()
        many = len(uncertain) > (tuning.MAX_SINGLE_VERIFICATIONS if verifies else 0)
        if many or any(tracklet.verification_failed or self._is_away(tracklet) for tracklet in uncertain):
            parts += [self._about(tracklet) for tracklet in uncertain]
        return about(np.concatenate(parts), self.boxes(np.inf), self.pictures.size) if parts else None

    def _about(self, tracklet: Tracklet) -> Boxes:
        return surroundings(self.expected(tracklet)[None])

    def update(
        self,
        luma: NDArray[np.uint8],
        detections: Detections | None,
        begins_shot: bool,
        verify: Verify | None = None,
        *,
        seconds: float | None = None,
        ends_shot: bool = False,
    ) -> dict[int, int]:
        """Take the next frame.

        Parameters
        ----------
        luma : (height, width) uint8
            Its luma, shrunk; of the same size for all frames.
        detections : Detections or None
            What was detected in it; None if it was not given to the detector.
        begins_shot : bool
            Whether nothing from before can continue in this frame.
        verify : callable, optional
            Detects faces on an enlarged crop about a (4,) box of this frame.
        seconds : float, optional
            The frame's time, if `wanted` was not told it; by default it follows from the rate.
        ends_shot : bool
            Whether nothing in this frame goes on after it: what is tentative is verified now or never.

        Returns
        -------
        dict of int to int
            For each track detected in this frame, by the key of its detection run, the index of its detection.
        """
        self._enter(luma, begins_shot, seconds)
        self._entered, self._ends_shot = False, ends_shot
        self._seen_once = patience.sees_once(self.clock, self.frame, ends_shot and self.cuts[-1] == self.frame)
        found: dict[int, int] = {}
        if detections is not None:
            found = self._take(detections)
        elif verify is not None:
            for tracklet in self._uncertain():
                if tracklet.confirmed:
                    tracklet.verification_failed = not self._verify(tracklet, verify)
        if verify is not None:
            most = patience.most_verifications(self.clock, self.frame, ends_shot, len(self.active), self._most_looks)
            for tracklet in verification.due(self.active, self.frame, self.clock, most):
                if detections is not None or not tracklet.confirmed:
                    self._verify(tracklet, verify)
        self._follow()
        return found

    def undo_cut(self) -> None:
        """Take back the last cut, before the next frame is entered: it was a flash, and everybody is still there.

        Tracks that began since become those from before where they are in the same place; others stay new ones.
        """
        before, self._before_cut = self._before_cut, None
        if before is None or len(self.cuts) < 2:
            return
        self.finished = [tracklet for tracklet in self.finished if tracklet not in before]
        self.active = reunited(before, self.active, self.frame + 1 - self.cuts.pop())

    def expected(self, tracklet: Tracklet) -> Boxes:
        """Return the (4,) box where a face is expected in this frame; see `Predictor.expected`."""
        return self._predictor.expected(tracklet)

    def _enter(self, luma: NDArray[np.uint8], begins_shot: bool, seconds: float | None) -> None:
        """Advance to the next frame, unless that has been done."""
        if self._entered:
            return
        self._entered = True
        self.frame += 1
        self.clock.push(seconds)
        if begins_shot or not self.cuts:
            self._before_cut = self.active
            for tracklet in self.active:
                tracklet.cut_off = True
            self.cuts.append(self.frame)
            self._retire(self.active)
            self.pictures.clear()
            self._predictor.reset()
        self._changes.push(luma)
        self.pictures.push(luma, self._changes.step)
        self.path.add(self.frame, self._changes.step)
        self._retire([tracklet for tracklet in self.active if patience.is_gone(tracklet, self.clock, self.frame)])
        self._predictor.advance(self.active, self.frame, self.pictures)

    def _take(self, detections: Detections) -> dict[int, int]:
        """Continue tracks with detections of the whole picture, begin new ones, and count who is missing."""
        if detections.within is None:
            self._last_whole = self.frame
        # What is detected about one person, or elsewhere than was asked for, says nothing of who came.
        if self._is_answered(detections.within):
            self._last_detection = self.frame
            if detections.within is None or self._asked_for_changes:
                self._last_for_changes = self.frame
        self._changes.set_reference(detections.within)
        # What is found must not depend on the order in which detections come.
        order = np.lexsort((*detections.boxes.T[::-1], -detections.scores))
        boxes, scores = centred(detections.boxes[order]), detections.scores[order]
        visible = tuning.VISIBLE_SIZE * detections.shrunk
        looked_at = {
            t
            for t in self.active
            if t.size >= visible and holds(detections.within, self.expected(t), self.pictures.size)
        }
        found = self._associate(boxes, scores)
        found |= self._begin(boxes, scores, found)
        runs = {tracklet.key: tracklet.runs[-1].key for tracklet in self.active}
        for tracklet in self.active:
            if tracklet.last_detected == self.frame:
                tracklet.missed = 0
            elif tracklet in looked_at:
                tracklet.missed += 1
            else:
                continue
            tracklet.verification_failed = False
        return {runs[key]: int(order[index]) for key, index in found.items()}

    def _is_answered(self, within: Boxes | None) -> bool:
        """Tell whether a part of the picture holds the one that was asked for last."""
        asked = self._asked
        if within is None or asked is None:
            return True
        return asked.within is not None and holds(within, asked.within, self.pictures.size)

    def _uncertain(self) -> list[Tracklet]:
        return [tracklet for tracklet in self.active if self._is_uncertain(tracklet)]

    def _is_uncertain(self, tracklet: Tracklet) -> bool:
        worth = patience.is_worth_a_detection(tracklet, self.clock, self.frame, self.threshold)
        if worth is not None:
            return worth
        place = self._predictor.place(tracklet)
        return patience.is_unsteady(tracklet, place) or patience.is_stale(
            tracklet, place, self.clock, self.frame, self._ends_shot
        )

    def _is_away(self, tracklet: Tracklet) -> bool:
        """Tell whether a large face is not where it was a frame ago: it may leave faster than single ones are found."""
        large = tracklet.size > tuning.LARGE_FACE * self.pictures.size.max()
        seen = tracklet.frames[-1] == self.frame - 1
        return bool(large and seen and self._predictor.place(tracklet)[4] < tuning.MIN_NCC_RECENT)

    def _retire(self, tracklets: Iterable[Tracklet]) -> None:
        gone = set(tracklets)
        if gone:
            self.finished += [tracklet for tracklet in self.active if tracklet in gone]
            self.active = [tracklet for tracklet in self.active if tracklet not in gone]

    def _box(self, tracklet: Tracklet) -> Boxes:
        """Return where a face was detected in this frame, else where it is expected."""
        return tracklet.boxes[-1] if tracklet.last_detected == self.frame else self.expected(tracklet)

    def _associate(self, boxes: Boxes, scores: NDArray[np.float32]) -> dict[int, int]:
        """Continue tracks with detections; return the detections' indices by the tracks' keys."""
        found: dict[int, int] = {}
        seen = [tracklet for tracklet in self.active if tracklet.frames[-1] == self.frame - 1]
        lost = [tracklet for tracklet in self.active if tracklet.frames[-1] < self.frame - 1]
        confident = scores >= self.threshold
        for tracklets, usable, padding, min_iou in (
            (seen, confident, tuning.IOU_PADDING, tuning.MIN_IOU),
            (seen, ~confident, 0.0, tuning.MIN_IOU_LOW_SCORE),
            (lost, confident, tuning.LOST_IOU_PADDING, tuning.MIN_IOU),
            (lost, ~confident, 0.0, tuning.MIN_IOU_LOW_SCORE),
        ):
            free = usable.copy()
            free[list(found.values())] = False
            waiting = [tracklet for tracklet in tracklets if tracklet.key not in found]
            if not waiting or not free.any():
                continue
            expected = np.array([self.expected(tracklet) for tracklet in waiting])
            matched = associate(expected, boxes, free, padding, min_iou)
            for tracklet, index in zip(waiting, matched, strict=True):
                if index >= 0 and self._looks_like(tracklet, boxes[index]):
                    self._detect(tracklet, boxes[index], float(scores[index]))
                    found[tracklet.key] = int(index)
        return found

    def _looks_like(self, tracklet: Tracklet, box: Boxes) -> bool:
        """Tell whether a detection may be of a face that was missing for a while: another person may have come."""
        if tracklet.missed <= tuning.MAX_MISSES:
            return True
        patch = self.pictures.patch(box)
        likeness = max(ncc(tracklet.anchor, patch), ncc(tracklet.best_patch, patch))
        return likeness >= tuning.MIN_NCC_REAPPEARED

    def _detect(self, tracklet: Tracklet, box: Boxes, score: float, *, verified: bool = False) -> None:
        # After so long a break another person may have come, unless the face was found where it must be.
        key = self._take_key() if tracklet.missed > tuning.MAX_MISSES and not verified else None
        tracklet.detect(self.frame, box, score, self.pictures.patch(box), key)
        seen_enough = tracklet.detections > 1 or self._seen_once
        if seen_enough and tracklet.score >= tuning.scaled(tuning.CONFIRMING_SCORE, self.threshold):
            self._confirm(tracklet)
        if not tracklet.confirmed and not verified:
            self._note(tracklet, min(tuning.WHOLE_PICTURE_WEIGHT * score, tuning.WHOLE_PICTURE_MOST))

    def _note(self, tracklet: Tracklet, score: float) -> None:
        """Add a piece of evidence for a tentative track."""
        tracklet.evidence = verification.best_of([*tracklet.evidence, score])
        if verification.is_certain(tracklet.evidence, self.threshold):
            self._confirm(tracklet)

    def _confirm(self, tracklet: Tracklet) -> None:
        """Confirm a track: now it is worth while to follow it back from its first detection."""
        if not tracklet.confirmed:
            tracklet.confirmed = True
            if tracklet.frames[-1] == self.frame:
                widen_faint_beginning(self.pictures, tracklet)
            others = [other for other in self.active if other.confirmed and other is not tracklet]
            most = 2 * self.clock.count(tuning.MAX_FOLLOWED_SECONDS, self.frame)
            follow_backwards(self.pictures, tracklet, self.frame, most, others)

    def _begin(self, boxes: Boxes, scores: NDArray[np.float32], found: dict[int, int]) -> dict[int, int]:
        """Begin a track with every detection that is not too faint and continues none."""
        begun: dict[int, int] = {}
        confirmed = [self._box(tracklet)[None] for tracklet in self.active if tracklet.confirmed]
        taken = np.concatenate([boxes[sorted(found.values())], *confirmed])
        least = tuning.FAINT_FRACTION * self.threshold
        for index in sorted(set(np.flatnonzero(scores >= least).tolist()) - set(found.values())):
            # Detectors see parts of a face as further, fainter faces.
            faint = scores[index] < tuning.CONFIRMING_SCORE
            if len(taken) and faint and containment(boxes[index], taken).max() > tuning.MAX_CONTAINMENT:
                continue
            tracklet = Tracklet(self._take_key(), self.pictures.patch(boxes[index]), self.frame)
            self._detect(tracklet, boxes[index], float(scores[index]))
            tracklet.mean[:, 1] = self._predictor.motion.velocity(boxes[index])
            self.active.append(tracklet)
            begun[tracklet.key] = index
        return begun

    def _take_key(self) -> int:
        self.next_key += 1
        return self.next_key - 1

    def _follow(self) -> None:
        """Follow the faces that were not detected by their patches."""
        waiting = [tracklet for tracklet in self.active if tracklet.frames[-1] < self.frame]
        there = np.array([t.boxes[-1] for t in self.active if t.frames[-1] == self.frame]).reshape(-1, 4)
        followed = []
        for tracklet in waiting:
            if self.pictures.repeats() and tracklet.frames[-1] == self.frame - 1:
                tracklet.repeat()
            elif patience.is_followed(tracklet, self.clock, self.frame):
                followed.append(tracklet)
        places = np.array([self._predictor.place(tracklet) for tracklet in followed]).reshape(-1, 5)
        rows, boxes = followed_boxes(self.pictures, places, followed, there)
        for row, box, patch in zip(rows.tolist(), boxes, self.pictures.patches(boxes), strict=True):
            followed[row].follow(self.frame, box.copy(), patch.copy())

    def _verify(self, tracklet: Tracklet, verify: Verify) -> bool:
        """Detect one face on an enlarged crop, and tell whether it was found."""
        box = self._box(tracklet)
        others = np.array([self._box(t) for t in self.active if t.confirmed and t is not tracklet]).reshape(-1, 4)
        match = verification.look(tracklet, box, verify, others, self.threshold, once=self._seen_once)
        score = 0.0 if match is None else match[1]
        if not tracklet.confirmed:
            tracklet.looks += 1
            tracklet.last_look = self.frame
            self._note(tracklet, score)
        if match is None:
            return False
        box = match[0]
        found = score >= tuning.scaled(tuning.REDETECTED_SCORE, self.threshold)
        if found and tracklet.last_detected < self.frame:
            self._detect(tracklet, box, score, verified=True)
        return found
