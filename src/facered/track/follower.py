"""Detections of successive frames -> tracks, one for each person in each shot.

Forward in time, detections are matched to the predictions of the tracks so far, confident ones first, then the doubtful
ones (ByteTrack, Zhang et al. 2022). A face that is not detected is followed by its looks: the patch of luma that it was
last seen as is searched for about its predicted place. When a face is first detected, its patch is followed backwards
through the pictures before. What is only perhaps a face is looked at again, enlarged. In the end the pieces of one
person's way are joined and smoothed: see `stitching` and `path`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from facered.track import association, kalman
from facered.track.appearance import RecentPictures, likeness
from facered.track.boxes import centred, overlaps, parts
from facered.track.camera import STILL, common_motion
from facered.track.changes import Changes
from facered.track.compiled import announce
from facered.track.shot import Shots
from facered.track.smoothing import Track, complete
from facered.track.stitching import join, without_doubles
from facered.track.tracklet import Tracklet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.cuts import Dissolve

    class Found(Protocol):
        """What a detector found."""

        @property
        def boxes(self) -> NDArray[np.float32]:
            """(n, 4) x1, y1, x2, y2 in pixels; finite."""

        @property
        def scores(self) -> NDArray[np.float32]:
            """(n,), 0 to 1."""

    Look = Callable[[Boxes], Found]
    """Looks for faces again, on an enlarged crop about a (4,) box."""

BUFFER = 0.3
"""Boxes are enlarged by this part before they are compared."""
REACH = 0.8
"""The same for a face that was lost from sight: its place is a guess."""
GATE = 0.15
"""Least overlap of a track's prediction with its next detection."""
DOUBTFUL_GATE = 0.4
"""The same for a doubtful detection, not enlarged: there are many in a crowd."""
REMEMBERED_SECONDS = 1.0
"""A face lost from sight for so long is no longer waited for."""
TENTATIVE_SECONDS = 0.5
"""The same for what may be none."""
FOLLOWED_SECONDS = 1.2
"""For so long at most a face is followed by its looks alone, forwards and backwards; back from its first detection,
twice as long."""
MOST_PICTURES = 120
"""Most pictures that are kept for following backwards, whatever the frame rate."""
ALIKE = 0.75
"""Least correlation of a face's patch with the place it is followed to."""
ANCHORED = 0.6
"""Least correlation there of the patch as it was detected, however many frames ago."""
REMINDING = 0.25
"""Least correlation there of the patch as it was detected best."""
STRETCH = 1.5
"""By so much at most a face grows or shrinks until it is detected again."""
SAME = 0.4
"""Boxes that overlap more are of the same face."""
PART = 0.3
"""A box of which more lies inside that of another face is a part of it, or behind it."""
DAMPING = 0.9
"""Velocity kept from frame to frame while a face is not seen."""
CERTAIN = 0.65
"""What is detected twice, once with this score, is a face."""
ACKNOWLEDGED = 0.55
"""So is what has this score when looked at again, enlarged."""
TRIALS = 6
"""How often a doubtful face is looked at again: at once, one frame after its first detection, 3, 7, 15 and 31."""
FOUND_AGAIN = 0.45
"""Least score of a face that is no longer detected, but found when looked at again."""
LOOKS = 2
"""Second looks in a frame, at most."""
MISSED, LIKE = 2, 0.4
"""A face that was missed more often than that is only found again in a detection that looks so much like it."""
CLOSE_LOOKS = 3
"""So many faces at most that are uncertain are looked at one by one; if there are more, the whole picture is."""
RETRY = 3
"""So many detections in vain lie between second looks for a face that is no longer detected."""
INTERVAL_SECONDS, CALM_SECONDS = 0.2, 0.5
"""Longest time without detection: where something changes that no face explains, and where nothing does."""
STEADY, FAST = 0.8, 0.1
"""A face is certain while its patch correlates so well, and moves by no more than this part of its size a frame."""


class Tracker:
    """Follows faces from frame to frame.

    Parameters
    ----------
    rate : float
        Frames a second.
    threshold : float
        Least score of a confident detection; the tracker may be fed lower ones.
    size : (int, int)
        Width and height of the picture, in the pixels that boxes are measured in.
    """

    def __init__(self, rate: float, threshold: float, size: tuple[int, int]) -> None:
        announce()
        self._threshold = threshold
        self._size = np.array(size, np.float64)
        self._rate = rate
        self._remembered = max(1, round(REMEMBERED_SECONDS * rate))
        self._tentative = max(1, round(TENTATIVE_SECONDS * rate))
        self._followed = max(1, round(FOLLOWED_SECONDS * rate))
        self._pictures = RecentPictures(self._size, min(2 * self._followed, MOST_PICTURES) + 1)
        self._interval = max(1, round(INTERVAL_SECONDS * rate))
        self._calm_interval = max(1, round(CALM_SECONDS * rate))
        self._changes = Changes(self._size)
        self._frame = self._looked_at = -1
        self._entered = False
        self._places: dict[int, Boxes] = {}
        self._motion = STILL
        self._cuts: list[int] = []  # the first frame of each shot
        self._begun = 0
        self._active: list[Tracklet] = []
        self._done: list[Tracklet] = []

    def followed(self, largest: float | None = None) -> Boxes:
        """Return where the faces are, (n, 4).

        Parameters
        ----------
        largest : float, optional
            Only of those whose mean side is so many pixels at most, but also of what may be none.
        """
        chosen = [t for t in self._active if (t.sure if largest is None else t.size <= largest)]
        return np.array([self._expected(tracklet) for tracklet in chosen]).reshape(-1, 4)

    @property
    def smallest(self) -> float:
        """Mean side of the smallest face that is followed, in pixels; infinite if there is none."""
        return min((tracklet.size for tracklet in self._active if tracklet.sure), default=float("inf"))

    def wants_detection(self, luma: NDArray[np.uint8], begins_shot: bool, closely: bool = False) -> bool:
        """Tell whether the next frame had better be given to the detector; to be asked before `update`.

        That is so in a new shot, where a face is new, or lost, or may be none, or moves fast, and once in a while;
        sooner where the picture changes.

        Parameters
        ----------
        luma, begins_shot
            As for `update`.
        closely : bool
            Whether `update` will be able to look at some faces one by one, if it is given no detection.
        """
        self._enter(luma, begins_shot)
        waited = self._frame - self._looked_at
        if waited >= self._calm_interval or self._cuts[-1] == self._frame:
            return True
        if waited >= self._interval and self._changes.elsewhere(self.followed()):
            return True
        uncertain = self._uncertain()
        if not closely:
            return bool(uncertain)
        return len(uncertain) > CLOSE_LOOKS or any(t.looked_in_vain or not t.sure for t in uncertain)

    def update(
        self,
        luma: NDArray[np.uint8],
        detection: Found | None,
        begins_shot: bool,
        look: Look | None = None,
    ) -> dict[int, int]:
        """Take the next frame.

        Parameters
        ----------
        luma : (height, width) uint8
            Its luma, shrunk; of the same size for all frames.
        detection : Found or None
            What was detected in it; None if it was not given to the detector.
        begins_shot : bool
            Whether nothing from before can continue in this frame.
        look : callable, optional
            Looks for faces about a (4,) box in this frame.

        Returns
        -------
        dict of int to int
            For each track detected in this frame, by its key, the index of its detection. The key changes where a face
            is detected again after an interruption.
        """
        self._enter(luma, begins_shot)
        self._entered = False
        found: dict[int, int] = {}
        if detection is not None:
            self._looked_at = self._frame
            self._changes.look()
            # What is found must not depend on the order in which detections come.
            order = np.lexsort((*detection.boxes.T[::-1], -detection.scores))
            boxes, scores = centred(detection.boxes[order]), detection.scores[order]
            found = self._associate(boxes, scores)
            found |= self._begin(boxes, scores, found)
            known = {tracklet.key: tracklet.spells[-1].key for tracklet in self._active}
            found = {known[key]: int(order[index]) for key, index in found.items()}
            for tracklet in self._active:
                tracklet.looked_in_vain = False
                tracklet.missed = 0 if tracklet.last_detected == self._frame else tracklet.missed + 1
            if look is not None:
                self._look_again(look)
        elif look is not None:
            for tracklet in self._uncertain():
                tracklet.looked_in_vain = not self._look_at(tracklet, look)
        self._follow()
        return found

    def finish(self, dissolves: Iterable[Dissolve] = ()) -> list[Track]:
        """Return all tracks, in order of appearance; within a frame from left to right.

        Parameters
        ----------
        dissolves : iterable of Dissolve
            Where one shot fades into another, so that nobody goes on beyond the middle.
        """
        if not self._cuts:
            return []
        self._retire(self._active)
        shots = Shots(self._cuts, dissolves, self._frame)
        pieces = [part for tracklet in self._done for piece in shots.pieces(tracklet) for part in piece.by_person()]
        ways = [way for way in join(pieces, self._rate) if any(piece.sure for piece in way)]
        tracks = [complete(way, self._rate, self._pictures.pixel) for way in ways]
        return sorted(without_doubles(tracks), key=lambda track: (track.frames[0], track.detected, *track.boxes[0]))

    def _enter(self, luma: NDArray[np.uint8], begins_shot: bool) -> None:
        """Turn to the next frame, unless that has been done."""
        if self._entered:
            return
        self._entered = True
        self._frame += 1
        if begins_shot or not self._cuts:
            self._cuts.append(self._frame)
            self._retire(self._active)
            self._pictures.clear()
            self._motion = STILL
        self._pictures.push(luma)
        self._changes.push(luma)
        self._retire([tracklet for tracklet in self._active if self._is_gone(tracklet)])
        self._predict()

    def _uncertain(self) -> list[Tracklet]:
        return [tracklet for tracklet in self._active if self._is_uncertain(tracklet)]

    def _is_uncertain(self, tracklet: Tracklet) -> bool:
        waited = self._frame - tracklet.frames[-1]
        if not tracklet.sure:
            young = self._frame - tracklet.first_detected <= self._tentative
            return young and tracklet.looks < TRIALS
        if waited > 1:
            return waited <= self._tentative
        place = self._places[tracklet.key]
        moved = float(np.abs(place[:2] - tracklet.boxes[-1][:2]).max())
        return bool(place[4] < STEADY or moved > FAST * tracklet.size)

    def _retire(self, tracklets: Iterable[Tracklet]) -> None:
        gone = set(tracklets)
        if gone:
            self._done += [tracklet for tracklet in self._active if tracklet in gone]
            self._active = [tracklet for tracklet in self._active if tracklet not in gone]

    def _is_gone(self, tracklet: Tracklet) -> bool:
        waited = self._frame - tracklet.frames[-1]
        if tracklet.sure and not tracklet.missed:
            return False  # nobody has looked since
        if tracklet.sure or tracklet.detections > self._tentative:
            return waited > self._remembered
        return waited > self._tentative

    def _predict(self) -> None:
        """Move the filters on, and see where the patches are."""
        for tracklet in self._active:
            if tracklet.frames[-1] < self._frame - 1:
                # What is not seen goes on with the picture, and ever less by itself.
                along = self._motion.velocity(tracklet.mean[:, 0])
                tracklet.mean[:2, 1] = along[:2] + DAMPING * (tracklet.mean[:2, 1] - along[:2])
                tracklet.mean[2:, 1] = along[2:]
            kalman.predict(tracklet.mean, tracklet.covariance)
        self._places = {}
        if self._active:
            predicted = np.array([tracklet.predicted for tracklet in self._active])
            recent = self._pictures.find([tracklet.recent for tracklet in self._active], predicted)
            for tracklet, place in zip(self._active, recent, strict=True):
                self._places[tracklet.key] = place
        self._move()

    def _move(self) -> None:
        """See how the picture moves; where a patch was not found, the face moves with it."""
        well = [t for t in self._active if t.frames[-1] == self._frame - 1 and self._places[t.key][4] >= STEADY]
        before = np.array([tracklet.boxes[-1] for tracklet in well]).reshape(-1, 4)
        after = np.array([self._places[tracklet.key] for tracklet in well]).reshape(-1, 5)
        last, self._motion = self._motion, common_motion(before, after)
        if self._motion is last:
            return
        for tracklet in self._active:
            if self._places[tracklet.key][4] < ALIKE:
                box = tracklet.mean[:, 0]
                box += self._motion.velocity(box) - last.velocity(box)

    def _expected(self, tracklet: Tracklet) -> Boxes:
        """Where a face is looked for: where its patch is, if that was found, else where its filter says."""
        place = self._places[tracklet.key]
        expected = tracklet.predicted
        if place[4] >= ALIKE:
            expected[:2] = place[:2]
        return expected

    def _box(self, tracklet: Tracklet) -> Boxes:
        """Where a face is: where it was detected in this frame, else where it is looked for."""
        return tracklet.boxes[-1] if tracklet.last_detected == self._frame else self._expected(tracklet)

    def _associate(self, boxes: Boxes, scores: NDArray[np.float32]) -> dict[int, int]:
        """Continue tracks with detections; return the boxes' indices by the tracks' keys."""
        found: dict[int, int] = {}
        seen = [tracklet for tracklet in self._active if tracklet.frames[-1] == self._frame - 1]
        lost = [tracklet for tracklet in self._active if tracklet.frames[-1] < self._frame - 1]
        confident = scores >= self._threshold
        for tracklets, usable, buffer, gate in (
            (seen, confident, BUFFER, GATE),
            (seen, ~confident, 0.0, DOUBTFUL_GATE),
            (lost, confident, REACH, GATE),
            (lost, ~confident, 0.0, DOUBTFUL_GATE),
        ):
            free = usable.copy()
            free[list(found.values())] = False
            waiting = [tracklet for tracklet in tracklets if tracklet.key not in found]
            if not waiting or not free.any():
                continue
            expected = np.array([self._expected(tracklet) for tracklet in waiting])
            matched = association.associate(expected, boxes, free, buffer, gate)
            for tracklet, index in zip(waiting, matched, strict=True):
                if index >= 0 and self._is_like(tracklet, boxes[index]):
                    self._detect(tracklet, boxes[index], float(scores[index]))
                    found[tracklet.key] = int(index)
        return found

    def _is_like(self, tracklet: Tracklet, box: Boxes) -> bool:
        """Tell whether a detection looks like a face that was not detected for a while: another may have come."""
        if tracklet.missed <= MISSED:
            return True
        patch = self._pictures.patch(box)
        return max(likeness(tracklet.anchor, patch), likeness(tracklet.best_patch, patch)) >= LIKE

    def _detect(self, tracklet: Tracklet, box: Boxes, score: float, *, again: bool = False) -> None:
        # In so long a time somebody else may have come, unless it was looked for where it must be.
        key = self._number() if tracklet.missed > MISSED and not again else None
        tracklet.detect(self._frame, box, score, self._pictures.patch(box), key)
        if tracklet.detections > 1 and tracklet.score >= max(CERTAIN, self._threshold):
            self._acknowledge(tracklet)

    def _acknowledge(self, tracklet: Tracklet) -> None:
        """Take note that it is a face: now it is worth while to follow it back from its first detection."""
        if not tracklet.sure:
            tracklet.sure = True
            self._follow_back(tracklet)

    def _begin(self, boxes: Boxes, scores: NDArray[np.float32], found: dict[int, int]) -> dict[int, int]:
        """Begin a track with every confident detection that continues none."""
        begun: dict[int, int] = {}
        taken = np.concatenate([boxes[sorted(found.values())], *(self._box(t)[None] for t in self._active if t.sure)])
        for index in sorted(set(np.flatnonzero(scores >= self._threshold).tolist()) - set(found.values())):
            # Detectors see parts of a face as further, fainter faces.
            if len(taken) and scores[index] < CERTAIN and parts(boxes[index], taken).max() > PART:
                continue
            tracklet = Tracklet(self._number(), self._pictures.patch(boxes[index]), self._frame)
            self._detect(tracklet, boxes[index], float(scores[index]))
            tracklet.mean[:, 1] = self._motion.velocity(boxes[index])
            self._active.append(tracklet)
            begun[tracklet.key] = index
        return begun

    def _number(self) -> int:
        """Return a key that nobody has yet."""
        self._begun += 1
        return self._begun - 1

    def _follow(self) -> None:
        """Follow the faces that were not detected by their patches."""
        waiting = [tracklet for tracklet in self._active if tracklet.frames[-1] < self._frame]
        there = np.array([t.boxes[-1] for t in self._active if t.frames[-1] == self._frame]).reshape(-1, 4)
        for tracklet in waiting:
            unseen = self._frame - tracklet.last_detected
            if unseen > (self._followed if tracklet.sure else tracklet.detections) and tracklet.missed:
                continue
            box = self._followed_to(self._places[tracklet.key], tracklet, tracklet.size, there)
            if box is not None:
                tracklet.follow(self._frame, box, self._pictures.patch(box))

    def _followed_to(self, place: Boxes, tracklet: Tracklet, size: float, others: Boxes, back: int = 0) -> Boxes | None:
        """Return where a face is whose patch was found at a place, (5,), or None if that is not believable.

        Errors of following from frame to frame add up. So what is there must still be a little like the nearest
        detection, the anchor, and like the best one; the box must be of about the `size` of the former. Where the
        anchor itself is found, there are no errors.
        """
        if place[4] < ALIKE or not self._inside(place) or (len(others) and parts(place[:4], others).max() > PART):
            return None
        ratio = float(np.sqrt(place[2] * place[3])) / size
        if not 1 / STRETCH < ratio < STRETCH:
            return None
        twice = np.repeat(place[None, :4], 2, axis=0)
        anchor = tracklet.first_patch if back else tracklet.anchor
        anchored, best = self._pictures.compare([anchor, tracklet.best_patch], twice, back)
        if anchored[4] < ANCHORED or best[4] < REMINDING:
            return None
        box: Boxes = (anchored if anchored[4] >= ALIKE else place)[:4].copy()
        return box

    def _follow_back(self, tracklet: Tracklet) -> None:
        """Follow a face back from its first detection."""
        box, patch, step = tracklet.boxes[0], tracklet.first_patch, np.zeros(2)
        others = [other for other in self._active if other.sure and other is not tracklet]
        elapsed = self._frame - tracklet.frames[0]
        size = float(np.sqrt(box[2] * box[3]))
        for back in range(elapsed + 1, min(elapsed + 2 * self._followed + 1, len(self._pictures))):
            guess = box.copy()
            guess[:2] += step
            place = self._pictures.find([patch], guess[None], back)[0]
            there = [other.box_at(self._frame - back) for other in others]
            near = np.array([measured for measured in there if measured is not None]).reshape(-1, 4)
            before = self._followed_to(place, tracklet, size, near, back)
            if before is None:
                break
            step = 0.5 * (step + before[:2] - box[:2])
            box = before
            patch = self._pictures.patch(box, back)
            tracklet.behind.append(box)

    def _inside(self, box: Boxes) -> bool:
        return bool((box[:2] > 0).all() and (box[:2] < self._size).all())

    def _look_again(self, look: Look) -> None:
        """Look for faces that are not detected any more, and at those that may be none."""
        missing = [tracklet for tracklet in self._active if tracklet.sure and tracklet.missed % RETRY == 1]
        doubtful = [
            tracklet
            for tracklet in self._active
            if not tracklet.sure
            and tracklet.looks < TRIALS
            and self._frame - tracklet.first_detected >= 2**tracklet.looks - 1
        ]
        missing.sort(key=lambda tracklet: tracklet.last_detected)
        doubtful.sort(key=lambda tracklet: (tracklet.looks, -tracklet.score))
        turns = [missing, doubtful] if self._frame % 2 else [doubtful, missing]
        for tracklet in [*turns[0][:1], *turns[1], *turns[0][1:]][:LOOKS]:
            self._look_at(tracklet, look)

    def _look_at(self, tracklet: Tracklet, look: Look) -> bool:
        """Look for one face, and tell whether it was found."""
        box = self._box(tracklet)
        tracklet.looks += not tracklet.sure
        again = look(box)
        boxes, scores = centred(again.boxes), again.scores
        if not len(boxes):
            return False
        shared = overlaps(box, boxes)
        best = int(np.argmax(np.where(shared > SAME, scores, -1.0)))
        others = np.array([self._box(t) for t in self._active if t.sure and t is not tracklet]).reshape(-1, 4)
        # What is better explained by another face says nothing about this one.
        if shared[best] <= SAME or (len(others) and overlaps(boxes[best], others).max() >= shared[best]):
            return False
        if scores[best] >= max(ACKNOWLEDGED, self._threshold):
            self._acknowledge(tracklet)
        found = bool(scores[best] >= FOUND_AGAIN)
        if found and tracklet.last_detected < self._frame:
            self._detect(tracklet, boxes[best], float(scores[best]), again=True)
        return found
