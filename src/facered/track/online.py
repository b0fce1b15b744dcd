"""Tracking while the video goes on: who is, or may be, where right now, and some frames ago.

The offline tracker's answer comes when the video is over. Here it is asked for after every frame, detections may come
late, and what is long past is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import kalman
from facered.track.association import associate
from facered.track.boxes import centred, overlaps, parts, union
from facered.track.follower import ALIKE, BUFFER, GATE, SAME, TRIALS, Tracker
from facered.track.shot import Shots
from facered.track.smoothing import GROWING_FRAMES, GROWTH, STEADY_SECONDS, complete
from facered.track.stitching import BRIDGED_SECONDS, MISLED, PART, RECENT, cost, join, without_doubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.smoothing import Track
    from facered.track.tracklet import Tracklet

SMOOTHED_SECONDS = 1.0
"""What was measured so long before a frame, or longer, says nothing about where a face is in it."""
LOST_GROWTH, LARGEST = 1.2, 2.0
"""A face that is neither detected nor found by its looks is hidden in a box that grows by this part a second, up to so
many times its size."""
CALM = 0.85
"""What made a box larger than its filter says is kept from frame to frame, but for the rest of this: masks that shrink
at once would tremble."""
KNOWN = 0.7
"""Who appears is somebody who was there before if so little is missing of nearness and likeness together."""
CARRIED = 16
"""Most new faces of a late detection that are looked for in the pictures since; the others stay where they were."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A face in one frame.

    Attributes
    ----------
    key : int
        Whom it is of; who came first has the lowest.
    box : (4,) float64
        Centre x, centre y, width, height in pixels, as large as is not certain.
    score : float
        The best of its detections' scores.
    """

    key: int
    box: Boxes
    score: float


class OnlineTracker(Tracker):
    """A tracker that tells where faces are while it goes on.

    Parameters
    ----------
    rate, threshold, size
        As for `Tracker`.
    kept : int
        How many frames ago `past` may be asked for.
    looks : bool
        Whether doubtful faces are looked at again, so that what stays doubtful is none.
    first_key : int
        The key of the first track.
    """

    def __init__(
        self, rate: float, threshold: float, size: tuple[int, int], kept: int, *, looks: bool, first_key: int = 0
    ) -> None:
        super().__init__(rate, threshold, size)
        self._calm_interval = self._interval  # who is found late is bare: perhaps nobody can go back
        self._begun = first_key
        self._looks = looks
        self._kept = kept
        self._named = first_key
        self._horizon = kept + round(BRIDGED_SECONDS * rate)
        self._excess: dict[int, Boxes] = {}
        self._names: dict[int, int] = {}
        self._costs: dict[tuple[float, ...], float | None] = {}
        self._older_costs = self._costs
        self._cut: tuple[int, list[Tracklet]] = -1, []
        self._steady = round(STEADY_SECONDS * rate)

    @property
    def next_key(self) -> int:
        """The key that the next track will have."""
        return self._begun

    def present(self) -> list[Presence]:
        """Return the faces that are, or may be, in the last frame: all that were confidently detected, sure or not.

        To be asked for in every frame.
        """
        found, excess = [], {}
        if not self._kept:
            self._recognise()
        for tracklet in self._active:
            if self._is_shown(tracklet):
                box, excess[tracklet.key] = self._generous(tracklet)
                found.append(Presence(self.name(tracklet.key), box, tracklet.score))
        self._excess = excess
        return found

    def past(self, frame: int) -> list[Presence]:
        """Return the faces of an earlier frame, by all that is known now; the keys are those of their first pieces."""
        begin = frame - round(SMOOTHED_SECONDS * self._rate)
        shots = Shots(self._cuts, (), self._frame)
        pieces = [piece for tracklet in self._near(frame) for piece in shots.pieces(tracklet)]
        waiting = {tracklet.key for tracklet in self._active}
        known = {piece.key for piece in pieces}
        tracks, lost, names = [], {}, {}
        for way in join(pieces, self._rate, self._cost):
            keys, last = [piece.key for piece in way], way[-1]
            name = self.name(keys[0])
            if name in known and name not in keys:
                name = keys[0]  # what seemed to be one way was not
            self._names |= dict.fromkeys(keys, name)
            if any(piece.sure or self._is_open(piece, piece.key in waiting) for piece in way):
                waited = self._frame - last.frames[-1] if last.key in waiting else 0
                track = complete(_lately(way, begin, self._frame), self._rate, self._pictures.pixel, waited)
                if track.frames[0] <= frame <= track.frames[-1]:
                    tracks.append(track)
                    lost[track.keys], names[track.keys] = frame - last.frames[-1], name
        found = []
        for track in _without_doubles(tracks, frame):
            at = int(np.searchsorted(track.frames, frame))
            if track.frames[at] == frame:
                box = track.boxes[at].copy()
                box[2:] *= self._growth(lost[track.keys])
                found.append(Presence(names[track.keys], box, track.score))
        return found

    def name(self, key: int) -> int:
        """Return the key of the first piece of the way that a piece belongs to, as far as is known."""
        return self._names.get(key, key)

    def carried(self, corners: NDArray[np.float32], age: int) -> NDArray[np.float32] | None:
        """Bring boxes forward that were detected in an earlier frame than the one that `wants_detection` entered.

        A face that is followed already moved as it was followed; another is looked for in the pictures since.

        Parameters
        ----------
        corners : (n, 4) float32
            x1, y1, x2, y2 in pixels.
        age : int
            How many frames ago that was.

        Returns
        -------
        (n, 4) float32 or None
            None if there was a cut since.
        """
        if age >= len(self._pictures):
            return None
        boxes = centred(corners)
        fresh = []
        for index, box in enumerate(boxes):
            known = self._known(box, self._frame - age)
            if known is None:
                fresh.append(index)
            else:
                boxes[index, :2] += known
        self._search_forward(boxes, fresh[:CARRIED], age)
        half = boxes[:, 2:] / 2
        return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1).astype(np.float32)

    def resume(self) -> None:
        """Take back the last cut, before the next frame is entered: it was a flash, and everybody is still there.

        Who was detected since is the one who was there before, if they are in the same place; others are new.
        """
        cut, before = self._cut
        if len(self._cuts) < 2 or self._cuts[-1] != cut:
            return
        self._cuts.pop()
        self._cut = -1, []
        since = self._active
        for tracklet in before:
            for _ in range(cut - 1, self._frame):
                kalman.predict(tracklet.mean, tracklet.covariance)
            box = tracklet.predicted
            same = [other for other in since if overlaps(box, other.boxes[0][None])[0] > SAME]
            if same:
                since = [other for other in since if other is not same[0]]
                tracklet.go_on_as(same[0])
        self._done = [tracklet for tracklet in self._done if tracklet not in before]
        self._active = [*before, *since]

    def forget(self) -> None:
        """Let go of what is past; to be called once in a while."""
        oldest = self._frame - self._horizon
        self._done = [tracklet for tracklet in self._done if tracklet.frames[-1] >= oldest]
        for tracklet in [*self._done, *self._active]:
            tracklet.forget_before(oldest)
        self._costs, self._older_costs = {}, self._costs
        kept = {tracklet.key for tracklet in [*self._done, *self._active]}
        self._names = {key: name for key, name in self._names.items() if key in kept}
        while len(self._cuts) > 1 and self._cuts[1] <= oldest:
            del self._cuts[0]

    def _enter(self, luma: NDArray[np.uint8], begins_shot: bool) -> None:
        if begins_shot and not self._entered:
            self._cut = self._frame + 1, self._active
        super()._enter(luma, begins_shot)

    def _recognise(self) -> None:
        """Give those who have just appeared the name of somebody who was lost from sight and looks alike."""
        new = [tracklet for tracklet in self._active if tracklet.key >= self._named]
        self._named = self._begun
        if not new:
            return
        earliest = max(self._frame - round(BRIDGED_SECONDS * self._rate), self._cuts[-1])
        seen = {self.name(tracklet.key) for tracklet in self._active}
        lost = [
            tracklet
            for tracklet in self._done
            if tracklet.sure and tracklet.frames[-1] >= earliest and self.name(tracklet.key) not in seen
        ]
        for tracklet in new:
            likely = [(self._missing(before, tracklet), before.key) for before in lost]
            missing, key = min(likely, default=(1.0, 0))
            if missing < KNOWN:
                self._names[tracklet.key] = name = self.name(key)
                lost = [before for before in lost if self.name(before.key) != name]

    def _missing(self, before: Tracklet, behind: Tracklet) -> float:
        """Return how much is missing of nearness and likeness, or 1 if one face cannot continue the other."""
        unlikely = cost(before, behind, self._rate)
        return 1.0 if unlikely is None else unlikely - (MISLED if unlikely >= MISLED else 1.0)

    def _cost(self, before: Tracklet, behind: Tracklet, rate: float) -> float | None:
        """Return what `stitching.cost` does, computed once as long as nothing changes that it depends on."""
        key = (
            *(before.key, before.frames[-1], before.last_detected, before.score),
            *(behind.key, behind.first, behind.first_detected, min(len(behind.frames), 2 * RECENT), behind.score),
        )
        if key not in self._costs:
            self._costs[key] = self._older_costs[key] if key in self._older_costs else cost(before, behind, rate)
        return self._costs[key]

    def _is_shown(self, tracklet: Tracklet) -> bool:
        return tracklet.sure or tracklet.score >= self._threshold

    def _is_open(self, piece: Tracklet, waiting: bool) -> bool:
        """Tell whether what is only perhaps a face is to be hidden: it may still turn out to be one."""
        return piece.score >= self._threshold and (not self._looks or (waiting and piece.looks < TRIALS))

    def _near(self, frame: int) -> Iterator[Tracklet]:
        earliest = frame - round(BRIDGED_SECONDS * self._rate)
        for tracklet in [*self._done, *self._active]:
            if tracklet.frames[-1] >= earliest:
                yield tracklet

    def _generous(self, tracklet: Tracklet) -> tuple[Boxes, Boxes]:
        """Return a box that holds wherever a face may be, and by how much it is larger than its filter's."""
        middle = tracklet.predicted[None]
        measured = tracklet.frames[-1] == self._frame
        # In a frame that it begins with, it has no place yet.
        other = tracklet.boxes[-1] if measured else self._expected(tracklet)
        whole = union(middle, other[None])[0]
        middle = middle[0]
        shift, more = whole[:2] - middle[:2], (whole[2:] - middle[2:]) / 2
        excess = np.concatenate([more - shift, more + shift])
        before = self._excess.get(tracklet.key)
        if before is not None:
            excess = np.maximum(excess, CALM * before)
        low, high = middle[:2] - middle[2:] / 2 - excess[:2], middle[:2] + middle[2:] / 2 + excess[2:]
        away = max(self._frame - tracklet.last_detected - self._steady, 0)
        size = (high - low) * (1 + GROWTH * min(away, GROWING_FRAMES)) * self._growth(self._frame - tracklet.frames[-1])
        return np.concatenate([(low + high) / 2, size]), excess

    def _growth(self, lost: int) -> float:
        """Return how many times as large a face's box is that was last measured so many frames ago."""
        return min(1 + LOST_GROWTH * max(lost, 0) / self._rate, LARGEST)

    def _known(self, box: Boxes, frame: int) -> Boxes | None:
        """Return how far the face has moved since that was detected in an earlier frame; None if it is a new one."""
        there = [(tracklet, tracklet.box_at(frame)) for tracklet in self._active]
        measured = [(tracklet, place) for tracklet, place in there if place is not None]
        if not measured:
            return None
        shared = overlaps(box, np.array([place for _, place in measured]))
        best = int(np.argmax(shared))
        if shared[best] < SAME:
            return None
        tracklet, place = measured[best]
        moved: Boxes = self._expected(tracklet)[:2] - place[:2]
        return moved

    def _search_forward(self, boxes: Boxes, rows: list[int], age: int) -> None:
        """Move boxes, in place, to where their patches are found picture by picture."""
        if not rows:
            return
        patches = [self._pictures.patch(boxes[row], age) for row in rows]
        for back in range(age - 1, -1, -1):
            places = self._pictures.find(patches, boxes[rows], back)
            for number, (row, place) in enumerate(zip(rows, places, strict=True)):
                if place[4] >= ALIKE and self._inside(place):
                    boxes[row] = place[:4]
                    patches[number] = self._pictures.patch(place[:4], back)


def _lately(way: list[Tracklet], begin: int, end: int) -> list[Tracklet]:
    """Return what a way has from a frame on; its last piece if that is nothing."""
    pieces = []
    for piece in way:
        part = piece.part(begin, end)
        if part is not None:
            part.shot = piece.shot
            pieces.append(part)
    return pieces or way[-1:]


def _without_doubles(tracks: list[Track], frame: int) -> list[Track]:
    """Return tracks without those that lie on a better one; only those are compared whose boxes do in a frame."""
    boxes = np.array([track.boxes[int(np.searchsorted(track.frames, frame))] for track in tracks]).reshape(-1, 4)
    lying = np.array([parts(box, boxes) > PART for box in boxes]).reshape(len(boxes), len(boxes))
    np.fill_diagonal(lying, False)
    meeting = set(np.argwhere(lying).ravel().tolist())
    apart = [track for number, track in enumerate(tracks) if number not in meeting]
    return apart + without_doubles([tracks[number] for number in sorted(meeting)])


def prepare() -> None:
    """Load what Numba has compiled, or compile it, so that the first frame does not wait for that."""
    box, mean, covariance = np.array([50.0, 50.0, 20.0, 20.0]), np.empty((4, 2)), np.empty((4, 3))
    kalman.start(box, mean, covariance)
    kalman.predict(mean, covariance)
    kalman.update(box, kalman.DETECTED, mean, covariance)
    kalman.smooth(box[None], np.array([kalman.DETECTED]))
    associate(box[None], box[None], np.array([True]), BUFFER, GATE)
