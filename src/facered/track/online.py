"""Tracking while the video goes on: who is, or may be, where right now, and who was where some frames ago.

`offline` answers when the video is over. Here the answer is wanted after every frame, detections may come late, and
what is long past is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import centred, iou, union
from facered.track.instant import Person, people_in
from facered.track.propagation import carry_forward
from facered.track.shot import Shots
from facered.track.smoothing import growth_where_faint
from facered.track.stitching import join, link_cost
from facered.track.verification import counts, is_likely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.clock import Clock
    from facered.track.follower import Follower
    from facered.track.tracklet import Tracklet


@dataclass(frozen=True, slots=True)
class Presence:
    """A face in one frame.

    Attributes
    ----------
    key : int
        Identifies the person; who came first has the lowest.
    box : (4,) float64
        Centre x, centre y, width, height in pixels: larger the less certain its place is.
    score : float
        The best of its detections' scores.
    doubtful : bool
        Whether it may be no face, and is there to be safe.
    """

    key: int
    box: Boxes
    score: float
    doubtful: bool = False


class OnlineTracker:
    """Tells where the faces are that a follower follows, frame by frame.

    Parameters
    ----------
    follower : Follower
    kept : int
        How many frames ago `past` may be asked for.
    verifies : bool
        Whether tentative tracks are verified, so that one that stays tentative is no face.
    """

    def __init__(self, follower: Follower, kept: int, *, verifies: bool) -> None:
        self._follower = follower
        self._verifies = verifies
        self._kept = kept
        self._named = follower.next_key
        self._excess: dict[int, Boxes] = {}
        self._names: dict[int, int] = {}
        self._costs: dict[tuple[float, ...], float | None] = {}
        self._older_costs = self._costs

    def present(self) -> list[Presence]:
        """Return the faces that are, or may be, in the last frame: all that reached the threshold, even once.

        To be asked for in every frame.
        """
        follower = self._follower
        found, excess = [], {}
        if not self._kept:
            self._reidentify()
        for tracklet in follower.active:
            if counts(tracklet, follower.threshold):
                box, excess[tracklet.key] = self._generous(tracklet)
                name = self.name(tracklet.key)
                found.append(Presence(name, box, tracklet.score, doubtful=not tracklet.confirmed))
        self._excess = excess
        return found

    def past(self, frame: int) -> list[Presence]:
        """Return the faces of an earlier frame, by all that is known now; keys are those of their first tracklets."""
        follower = self._follower
        begin = frame - follower.clock.count(tuning.SMOOTHED_SECONDS, frame)
        shots = Shots(follower.cuts, (), follower.frame)
        near = [part for tracklet in self._near(frame) for part in tracklet.split_at_cuts(shots)]
        tracklets = [follower.path.steady(part) for part in near]
        waiting = {tracklet.key for tracklet in follower.active}
        known = {tracklet.key for tracklet in tracklets}
        people, lost = [], {}
        for trajectory in join(tracklets, follower.clock, self._link_cost):
            keys, last = [tracklet.key for tracklet in trajectory], trajectory[-1]
            name = self.name(keys[0])
            if name in known and name not in keys:
                name = keys[0]  # what seemed to be one trajectory was not
            self._names |= dict.fromkeys(keys, name)
            # Whose shot ended before it was known who they are may have been somebody.
            if any(part.confirmed or self._is_open(part, part.key in waiting or part.cut_off) for part in trajectory):
                waited = follower.frame - last.frames[-1] if last.key in waiting else 0
                recent = _clipped(trajectory, begin, follower.frame)
                doubtful = not any(part.confirmed for part in trajectory)
                people.append(Person(recent, name, waited, doubtful))
                lost[id(recent)] = frame - last.frames[-1]
        found = []
        for one, box in people_in(frame, people, follower.clock, follower.pictures.pixel, follower.path):
            box[2:] *= self._growth(lost[id(one.trajectory)])
            found.append(Presence(one.key, box, one.score, one.doubtful))
        return found

    def name(self, key: int) -> int:
        """Return the key of the first tracklet of the trajectory that a tracklet belongs to, as far as is known."""
        return self._names.get(key, key)

    def carried(self, corners: NDArray[np.float32], age: int) -> NDArray[np.float32] | None:
        """Bring boxes that were detected some frames ago forward to the frame just entered.

        The box of a known face moves as that did; a new face is searched for in the pictures since.

        Parameters
        ----------
        corners : (n, 4) float32
            x1, y1, x2, y2 in pixels.
        age : int
            How many frames ago they were detected.

        Returns
        -------
        (n, 4) float32 or None
            None if there was a cut since.
        """
        pictures = self._follower.pictures
        if age >= len(pictures):
            return None
        boxes = centred(corners)
        new = []
        for index, box in enumerate(boxes):
            moved = self._movement(box, self._follower.frame - age)
            if moved is None:
                new.append(index)
            else:
                boxes[index, :2] += moved
        carry_forward(pictures, boxes, new[: tuning.MAX_CARRIED], age)
        half = boxes[:, 2:] / 2
        return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1).astype(np.float32)

    def forget(self) -> None:
        """Drop what is past; to be called once in a while."""
        follower = self._follower
        oldest = follower.frame - self._kept - self._gap(follower.frame)
        follower.clock.forget(oldest)
        follower.path.forget(oldest)
        follower.finished = [tracklet for tracklet in follower.finished if tracklet.frames[-1] >= oldest]
        remembered = [*follower.finished, *follower.active]
        for tracklet in remembered:
            tracklet.drop_before(oldest)
        self._costs, self._older_costs = {}, self._costs
        kept = {tracklet.key for tracklet in remembered}
        self._names = {key: name for key, name in self._names.items() if key in kept}
        while len(follower.cuts) > 1 and follower.cuts[1] <= oldest:
            del follower.cuts[0]

    def _reidentify(self) -> None:
        """Give tracks that have just begun the name of somebody who was lost and looks alike."""
        follower = self._follower
        new = [tracklet for tracklet in follower.active if tracklet.key >= self._named]
        self._named = follower.next_key
        if not new:
            return
        earliest = max(follower.frame - self._gap(follower.frame), follower.cuts[-1])
        seen = {self.name(tracklet.key) for tracklet in follower.active}
        lost = [
            tracklet
            for tracklet in follower.finished
            if tracklet.confirmed and tracklet.frames[-1] >= earliest and self.name(tracklet.key) not in seen
        ]
        for tracklet in new:
            candidates = [(self._reid_cost(before, tracklet), before.key) for before in lost]
            cost, key = min(candidates, default=(1.0, 0))
            if cost < tuning.REID_MAX_COST:
                self._names[tracklet.key] = name = self.name(key)
                lost = [before for before in lost if self.name(before.key) != name]

    def _reid_cost(self, before: Tracklet, after: Tracklet) -> float:
        """Return the cost of a link, whether or not its patches had drifted; 1 where it cannot be."""
        cost = link_cost(before, after, self._follower.clock)
        if cost is None:
            return 1.0
        return cost - (tuning.DRIFT_PENALTY if cost >= tuning.DRIFT_PENALTY else 1.0)

    def _link_cost(self, before: Tracklet, after: Tracklet, clock: Clock) -> float | None:
        """Return `stitching.link_cost`, computed once as long as nothing changes that it depends on."""
        recent = min(len(after.frames), 2 * tuning.VELOCITY_FRAMES)
        key = (
            *(before.key, before.frames[-1], before.last_detected, before.score),
            *(after.key, after.first, after.first_detected, recent, after.score),
        )
        if key not in self._costs:
            self._costs[key] = self._older_costs[key] if key in self._older_costs else link_cost(before, after, clock)
        return self._costs[key]

    def _is_open(self, tracklet: Tracklet, waiting: bool) -> bool:
        """Tell whether a tentative tracklet is to be hidden: it may still be confirmed."""
        threshold = self._follower.threshold
        if is_likely(tracklet.evidence, threshold):
            return True
        young = waiting and tracklet.looks < tuning.YOUNG_LOOKS
        return tracklet.score >= threshold and (young or not self._verifies)

    def _near(self, frame: int) -> Iterator[Tracklet]:
        earliest = frame - self._gap(frame)
        for tracklet in [*self._follower.finished, *self._follower.active]:
            if tracklet.frames[-1] >= earliest and counts(tracklet, self._follower.threshold):
                yield tracklet

    def _generous(self, tracklet: Tracklet) -> tuple[Boxes, Boxes]:
        """Return a box that holds wherever a face may be, and its excess over the filter's box, (4,): a side each."""
        frame = self._follower.frame
        middle = tracklet.predicted[None]
        measured = tracklet.frames[-1] == frame
        # A track that begins in this frame has no expected place yet.
        other = tracklet.boxes[-1] if measured else self._follower.expected(tracklet)
        whole = union(middle, other[None])[0]
        middle = middle[0]
        shift, more = whole[:2] - middle[:2], (whole[2:] - middle[2:]) / 2
        excess = np.concatenate([more - shift, more + shift])
        before = self._excess.get(tracklet.key)
        if before is not None:
            excess = np.maximum(excess, tuning.EXCESS_DECAY * before)
        low, high = middle[:2] - middle[2:] / 2 - excess[:2], middle[:2] + middle[2:] / 2 + excess[2:]
        steady = round(tuning.STEADY_SECONDS * self._follower.clock.rate(frame))
        away = max(frame - tracklet.last_detected - steady, 0)
        growth = 1 + tuning.GROWTH_PER_FRAME * min(away, tuning.MAX_GROWTH_FRAMES)
        faint = next(score for score in reversed(tracklet.scores) if score)
        growth *= float(growth_where_faint(np.array(faint)))
        size = (high - low) * growth * self._growth(frame - tracklet.frames[-1])
        return np.concatenate([(low + high) / 2, size]), excess

    def _growth(self, lost: int) -> float:
        """Return how many times as large the box becomes of a face that was last measured so many frames ago."""
        rate = self._follower.clock.rate(self._follower.frame)
        return min(1 + tuning.LOST_GROWTH_PER_SECOND * max(lost, 0) / rate, tuning.MAX_LOST_GROWTH)

    def _gap(self, frame: int) -> int:
        """Return how many frames the longest gap about a frame has."""
        return self._follower.clock.count(tuning.MAX_GAP_SECONDS, frame)

    def _movement(self, box: Boxes, frame: int) -> Boxes | None:
        """Return how far the face of a (4,) box of an earlier frame has moved since; None if it is a new one."""
        there = [(tracklet, tracklet.box_at(frame)) for tracklet in self._follower.active]
        measured = [(tracklet, place) for tracklet, place in there if place is not None]
        if not measured:
            return None
        shared = iou(box, np.array([place for _, place in measured]))
        best = int(np.argmax(shared))
        if shared[best] < tuning.SAME_FACE_IOU:
            return None
        tracklet, place = measured[best]
        moved: Boxes = self._follower.expected(tracklet)[:2] - place[:2]
        return moved


def _clipped(trajectory: list[Tracklet], begin: int, end: int) -> list[Tracklet]:
    """Return what a trajectory has from a frame on; its last tracklet if that is nothing."""
    found = []
    for tracklet in trajectory:
        part = tracklet.clip(begin, end)
        if part is not None:
            part.shot = tracklet.shot
            found.append(part)
    return found or trajectory[-1:]
