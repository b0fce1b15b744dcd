"""The path of a camera that repeats pictures and jumps, and the places of faces with its jumps taken out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.cadence import Step
    from facered.track.tracklet import Tracklet


class CameraPath:
    """Where pictures are repeats, and how far the camera has jumped until each frame.

    Parameters
    ----------
    size : (2,) float64
        Width and height of the picture in the pixels that boxes are measured in.
    """

    def __init__(self, size: NDArray[np.float64]) -> None:
        self._size = size
        self._repeats: list[int] = []
        self._jumps: list[int] = []
        self._places = [np.zeros(2)]

    def add(self, frame: int, step: Step) -> None:
        """Take how the picture of the next frame follows."""
        if step.repeats:
            self._repeats.append(frame)
        if step.shift is not None:
            self._jumps.append(frame)
            self._places.append(self._places[-1] + step.shift * self._size)

    def forget(self, oldest: int) -> None:
        """Drop what was before a frame."""
        del self._repeats[: bisect_left(self._repeats, oldest)]
        gone = bisect_left(self._jumps, oldest)
        del self._jumps[:gone], self._places[:gone]

    @property
    def jumps(self) -> bool:
        """Whether the camera has jumped."""
        return bool(self._jumps)

    def repeats(self, first: int, last: int) -> bool:
        """Tell whether any picture of some frames repeats the one before."""
        return bisect_left(self._repeats, first) < bisect_right(self._repeats, last)

    def repeated(self, first: int, last: int) -> NDArray[np.bool_]:
        """Tell for each of some frames whether its picture repeats the one before."""
        repeated = np.zeros(last - first + 1, np.bool_)
        known = self._repeats[bisect_left(self._repeats, first) : bisect_right(self._repeats, last)]
        repeated[np.array(known, np.int64) - first] = True
        return repeated

    def steady(self, tracklet: Tracklet) -> Tracklet:
        """Take the camera's jumps out of the boxes of a tracklet, which is changed, and return it."""
        if self._jumps:
            back = tracklet.frames[0] - np.arange(1, len(tracklet.backward_boxes) + 1)
            tracklet.boxes = self._moved(tracklet.boxes, np.array(tracklet.frames))
            tracklet.backward_boxes = self._moved(tracklet.backward_boxes, back)
            heads = self._moved(list(tracklet.head_boxes.values()), np.array(list(tracklet.head_boxes), np.int64))
            tracklet.head_boxes = dict(zip(tracklet.head_boxes, heads, strict=True))
        return tracklet

    def shakes(self, first: int, steady: Boxes, seen: NDArray[np.bool_]) -> bool:
        """Tell whether a face moves with the camera: less by the picture than without the jumps.

        Parameters
        ----------
        first : int
            The first frame.
        steady : (n, 4) float64
            The boxes from then on, without the jumps.
        seen : (n,) bool
            Where there is one.
        """
        shaken = self.shaken(first, steady)
        ways = [float(np.abs(np.diff(boxes[seen, :2], axis=0)).sum()) for boxes in (steady, shaken)]
        return ways[1] < ways[0]

    def shaken(self, first: int, steady: Boxes) -> Boxes:
        """Return (n, 4) boxes from a frame on with the camera's jumps put back."""
        boxes = steady.copy()
        boxes[:, :2] += self._offsets(np.arange(first, first + len(steady)))
        return boxes

    def _moved(self, boxes: list[Boxes], frames: NDArray[np.int64]) -> list[Boxes]:
        still = np.array(boxes).reshape(-1, 4)
        still[:, :2] -= self._offsets(frames)
        return list(still)

    def _offsets(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array(self._places)[np.searchsorted(self._jumps, frames, side="right")]
