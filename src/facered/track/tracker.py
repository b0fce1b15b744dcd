"""Detections of successive frames -> tracks, one for each person in each shot.

Forward in time, detections are matched to the predictions of the tracks so far, confident ones first, then the doubtful
ones, which may continue a track but not begin one (ByteTrack, Zhang et al. 2022). Backwards in time, each track is
smoothed over all its detections, which also fills its gaps, and extended a little at both ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from facered.track import association, kalman

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUFFER = 0.3
"""Boxes are enlarged by this part before they are compared."""
GATE = 0.15
"""Least overlap of a track's prediction with its next detection."""
REMEMBERED_SECONDS = 1.0
"""A track ends when its face has not been detected for so long."""
EXTENSION_SECONDS = 0.2
"""Tracks go on for so long before their first and behind their last detection, unless a cut is nearer."""
GROWTH = 0.02
"""Boxes grow by this part a frame away from the nearest detection, to `GROWING_FRAMES`: their place is a guess."""
GROWING_FRAMES = 10
DAMPING = 0.8
"""Velocity kept from frame to frame beyond the ends of a track."""
CERTAIN = 0.5
"""A track of a single detection is kept if its score is at least this; fainter ones flicker on walls."""


@dataclass(slots=True)
class Track:
    """A person in a shot: boxes for every frame from `first` on.

    Attributes
    ----------
    first : int
        Number of the first frame.
    detected : int
        Number of the first frame with a detection.
    boxes : (frames, 4) float64
        Centre x, centre y, width, height in pixels.
    score : float
        The best score of its detections.
    key : int
        By what `Tracker.update` knows it.
    """

    first: int
    detected: int
    boxes: NDArray[np.float64]
    score: float
    key: int


@dataclass(slots=True, eq=False)
class _Tracklet:
    """A track in the making."""

    key: int
    shot: int
    mean: NDArray[np.float64] = field(default_factory=lambda: np.empty((4, 2)))
    covariance: NDArray[np.float64] = field(default_factory=lambda: np.empty((4, 3)))
    frames: list[int] = field(default_factory=list)
    boxes: list[NDArray[np.float64]] = field(default_factory=list)
    score: float = 0.0

    def see(self, frame: int, box: NDArray[np.float64], score: float) -> None:
        if self.frames:
            kalman.update(box, self.mean, self.covariance)
        else:
            kalman.start(box, self.mean, self.covariance)
        self.frames.append(frame)
        self.boxes.append(box)
        self.score = max(self.score, score)


class Tracker:
    """Follows faces from frame to frame.

    Parameters
    ----------
    rate : float
        Frames a second.
    threshold : float
        Least score of a detection that begins a track; the tracker may be fed lower ones.
    """

    def __init__(self, rate: float, threshold: float) -> None:
        self._threshold = threshold
        self._remembered = max(1, round(REMEMBERED_SECONDS * rate))
        self._extension = max(1, round(EXTENSION_SECONDS * rate))
        self._frame = -1
        self._shots: list[int] = []  # the first frame of each shot
        self._begun = 0
        self._active: list[_Tracklet] = []
        self._done: list[_Tracklet] = []

    def update(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], begins_shot: bool) -> dict[int, int]:
        """Take the detections of the next frame.

        Parameters
        ----------
        boxes : (n, 4) float32
            x1, y1, x2, y2 in pixels; finite.
        scores : (n,) float32
        begins_shot : bool
            Whether nothing from before can continue in this frame.

        Returns
        -------
        dict of int to int
            For each track seen in this frame, by its key, the index of its detection.
        """
        self._frame += 1
        if begins_shot or not self._shots:
            self._shots.append(self._frame)
            self._retire(lambda _: True)
        self._retire(lambda tracklet: self._frame - tracklet.frames[-1] > self._remembered)
        centred = np.empty((len(boxes), 4))
        centred[:, :2] = (boxes[:, :2] + boxes[:, 2:]) / 2
        centred[:, 2:] = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)

        for tracklet in self._active:
            kalman.predict(tracklet.mean, tracklet.covariance)
        confident = scores >= self._threshold
        found = self._match(self._active, centred, scores, confident)
        new = sorted(set(np.flatnonzero(confident).tolist()) - set(found.values()))
        waiting = [tracklet for tracklet in self._active if tracklet.frames[-1] != self._frame]
        found |= self._match(waiting, centred, scores, ~confident)
        for index in new:
            tracklet = _Tracklet(self._begun, len(self._shots) - 1)
            tracklet.see(self._frame, centred[index], float(scores[index]))
            self._active.append(tracklet)
            found[self._begun] = index
            self._begun += 1
        return found

    def finish(self) -> list[Track]:
        """Return all tracks, in order of appearance; within a frame from left to right."""
        self._retire(lambda _: True)
        kept = [tracklet for tracklet in self._done if len(tracklet.frames) > 1 or tracklet.score >= CERTAIN]
        tracks = [self._complete(tracklet) for tracklet in kept]
        return sorted(tracks, key=lambda track: (track.first, track.detected, *track.boxes[0]))

    def _retire(self, when: object) -> None:
        assert callable(when)
        gone = [tracklet for tracklet in self._active if when(tracklet)]
        if gone:
            self._done += gone
            self._active = [tracklet for tracklet in self._active if not when(tracklet)]

    def _match(
        self,
        tracklets: list[_Tracklet],
        boxes: NDArray[np.float64],
        scores: NDArray[np.float32],
        usable: NDArray[np.bool_],
    ) -> dict[int, int]:
        """Continue tracklets with usable boxes; return the boxes' indices by the tracklets' keys."""
        found: dict[int, int] = {}
        if not tracklets or not usable.any():
            return found
        predicted = np.array([tracklet.mean[:, 0] for tracklet in tracklets])
        predicted[:, 2:] = np.maximum(predicted[:, 2:], 1.0)
        matched = association.associate(predicted, boxes, usable, BUFFER, GATE)
        for tracklet, index in zip(tracklets, matched, strict=True):
            if index >= 0:
                tracklet.see(self._frame, boxes[index], float(scores[index]))
                found[tracklet.key] = int(index)
        return found

    def _complete(self, tracklet: _Tracklet) -> Track:
        """Fill the gaps, smooth, and extend both ends within the shot."""
        first, last = tracklet.frames[0], tracklet.frames[-1]
        begin = self._shots[tracklet.shot]
        end = self._shots[tracklet.shot + 1] - 1 if tracklet.shot + 1 < len(self._shots) else self._frame
        seen = np.zeros(last - first + 1, np.bool_)
        seen[np.array(tracklet.frames) - first] = True
        measured = np.zeros((len(seen), 4))
        measured[seen] = tracklet.boxes
        boxes = kalman.smooth(measured, seen)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], 1.0)
        boxes[seen] = _union(boxes[seen], measured[seen])
        ahead = _extrapolate(boxes, min(self._extension, end - last))
        behind = _extrapolate(boxes[::-1], min(self._extension, first - begin))
        away = np.concatenate([np.arange(len(behind), 0, -1), _distance(seen), np.arange(1, len(ahead) + 1)])
        whole = np.concatenate([behind[::-1], boxes, ahead])
        whole[:, 2:] *= 1 + GROWTH * np.minimum(away, GROWING_FRAMES)[:, None]
        return Track(first - len(behind), first, whole, tracklet.score, tracklet.key)


def _union(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the boxes that hold both: smoothing must not take the mask off what the detector saw."""
    low = np.minimum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.maximum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def _extrapolate(boxes: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return `count` boxes behind the last: the middle moves on, ever slower; the size stays."""
    velocity = boxes[-1, :2] - boxes[max(len(boxes) - 4, 0), :2]
    velocity /= max(min(len(boxes) - 1, 3), 1)
    ahead = np.repeat(boxes[-1:], count, axis=0)
    ahead[:, :2] += np.cumsum(DAMPING ** np.arange(count))[:, None] * velocity
    return ahead


def _distance(seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each frame how many frames away the nearest detection is."""
    frames = np.arange(len(seen))
    at = np.flatnonzero(seen)
    behind = at[np.searchsorted(at, frames)]
    before = at[np.searchsorted(at, frames, side="right") - 1]
    nearest: NDArray[np.int64] = np.minimum(behind - frames, frames - before)
    return nearest
