"""Tracks, and what nobody follows -> the columns of the annotations: whose box is where, frame by frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from facered._native import decode
from facered.annotations.table import REGION_IDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.detector import Detection
    from facered.track.clock import Clock
    from facered.track.smoothing import Track

    Boxes = NDArray[np.float64]

HELD_SECONDS = 0.25
"""How long before and after its detection a face is hidden that nobody follows; by hand. Larger: more is hidden where
it is no more. Smaller: it is bare where the detector misses it."""
SAME_PLACE_IOU = 0.3
"""IoU above which what is held shows what is hidden already. Larger: longer documents. Smaller: neighbours are bare."""
WHOLE_PICTURE = np.array([[-0.5, -0.5, 1.5, 1.5]])
"""Corners, as parts of the picture, of a box whose ellipse holds all of it."""


@dataclass(slots=True)
class Columns:
    """The faces of all frames.

    Attributes
    ----------
    at : (faces,) int64
        The frame of each face, growing.
    ids : (faces,) int64
        From `REGION_IDS` on for what nobody follows.
    boxes : (faces, 4) float64
        Centre x, centre y, width, height in pixels.
    """

    at: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: Boxes

    @classmethod
    def of(
        cls,
        tracks: list[Track],
        wanted: NDArray[np.bool_],
        most: int | None,
        ids: Sequence[int] | None = None,
        ranks: Sequence[tuple[float, ...]] | None = None,
    ) -> Columns:
        """Return the boxes of tracks in the wanted frames; those beyond `most` are regions.

        Parameters
        ----------
        tracks : list of Track
        wanted : (frames,) bool
        most : int or None
            Most tracks that keep their ids in a frame.
        ids : sequence of int, optional
            Of the tracks; by default they are numbered from 1. One id may have several tracks.
        ranks : sequence of tuple, optional
            The least are the first that keep their ids; by default those who came first, then those of the best scores.
        """
        if not tracks:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)))
        if ranks is None:
            ranks = [(track.frames[0], -track.score, index) for index, track in enumerate(tracks)]
        numbers = np.array(range(1, len(tracks) + 1) if ids is None else ids, np.int64)
        at = np.concatenate([track.frames for track in tracks])
        which = np.repeat(np.arange(len(tracks)), [len(track.boxes) for track in tracks])
        boxes = np.concatenate([track.boxes for track in tracks])
        which, boxes, at = which[wanted[at]], boxes[wanted[at]], at[wanted[at]]
        ranked = sorted(range(len(tracks)), key=ranks.__getitem__)
        order = np.lexsort((np.argsort(ranked)[which], at))
        which, boxes, at = which[order], boxes[order], at[order]
        found = numbers[which]
        # The first ones of a frame are those followed for longest, then the surest.
        place = np.arange(len(at)) - np.searchsorted(at, at)
        found[place >= (most or len(at))] += REGION_IDS
        return cls(at, found, boxes)._in_order()

    @property
    def crowded(self) -> int:
        """In how many frames there is somebody whom nobody follows."""
        return len(np.unique(self.at[self.ids >= REGION_IDS]))

    def starts(self, frames: int) -> NDArray[np.int64]:
        """Return the row at which each frame begins, and where the last one ends."""
        return np.searchsorted(self.at, np.arange(frames + 1)).astype(np.int64)

    def corners(self, margin: float) -> Boxes:
        """Return (faces, 4) x, y, width, height in pixels, enlarged."""
        sizes = self.boxes[:, 2:] * margin
        return np.concatenate([self.boxes[:, :2] - sizes / 2, sizes], axis=1)

    def with_regions(self, regions: dict[int, Boxes]) -> Columns:
        """Return the same and further boxes, by their frames, of faces that nobody follows."""
        if not regions:
            return self
        count = sum(map(len, regions.values()))
        return Columns(
            np.concatenate([self.at, np.repeat(list(regions), [len(boxes) for boxes in regions.values()])]),
            np.concatenate([self.ids, np.full(count, REGION_IDS)]),
            np.concatenate([self.boxes, *regions.values()]),
        )._in_order()

    def held_through(self, damaged: Collection[int], frames: int) -> Columns:
        """Keep in damaged frames every face of the frame before; what is seen in them proves nothing."""
        if not damaged:
            return self
        table = [(self.ids[a:b], self.boxes[a:b]) for a, b in pairwise(self.starts(frames).tolist())]
        for frame in sorted(number for number in damaged if 0 < number < len(table)):
            (before, boxes_before), (here, boxes_here) = table[frame - 1], table[frame]
            lost = ~np.isin(before, here) | (before >= REGION_IDS)
            table[frame] = np.concatenate([here, before[lost]]), np.concatenate([boxes_here, boxes_before[lost]])
        return Columns(
            np.repeat(np.arange(len(table)), [len(ids) for ids, _ in table]),
            np.concatenate([ids for ids, _ in table]),
            np.concatenate([boxes for _, boxes in table]),
        )._in_order()

    def _in_order(self) -> Columns:
        order = np.lexsort((self.ids, self.at))
        return Columns(self.at[order], self.ids[order], self.boxes[order])


class Surplus:
    """What was detected beyond the faces that can be followed; it is hidden where it was, and about then.

    Parameters
    ----------
    limit : int or None
        Most detections of a frame that are followed.
    threshold : float
        Least score of a face beyond them.
    size : (int, int)
        Of the picture, in pixels.

    Attributes
    ----------
    now : bool
        Whether there was any in the last detection: then the next frame is to be detected as well.
    """

    def __init__(self, limit: int | None, threshold: float, size: tuple[int, int]) -> None:
        self._limit, self._threshold = limit, threshold
        self._whole = WHOLE_PICTURE * ([*size] * 2)
        self._found: dict[int, NDArray[np.float32]] = {}
        self.now = False

    def take(self, frame: int, detection: Detection) -> Detection:
        """Take what was detected in a frame, and return what is to be followed."""
        followed, beyond = detection.split(self._limit, self._threshold)
        self.now = detection.full or len(beyond) > 0
        if detection.full:
            self._found[frame] = self._whole.astype(np.float32)
        elif self.now:
            # Who is among the best in one frame only is followed in that one only, and no track comes of it.
            self._found[frame] = detection.boxes[detection.scores >= self._threshold]
        return followed

    def regions(self, columns: Columns, cuts: list[int], clock: Clock, wanted: NDArray[np.bool_]) -> dict[int, Boxes]:
        """Return boxes, centre and size, by the frames that they are to be hidden in, besides what `columns` has."""
        near: dict[int, list[tuple[int, NDArray[np.float32]]]] = {}
        for frame, boxes in self._found.items():
            shot, reach = bisect_right(cuts, frame), clock.count(HELD_SECONDS, frame)
            for other in range(max(frame - reach, 0), min(frame + reach + 1, len(wanted))):
                if wanted[other] and bisect_right(cuts, other) == shot:
                    near.setdefault(other, []).append((abs(other - frame), boxes))
        starts = columns.starts(len(wanted))
        found = {}
        for frame, several in sorted(near.items()):
            there = columns.boxes[starts[frame] : starts[frame + 1]]
            several.sort(key=lambda item: item[0])
            beside = _besides(there, np.concatenate([boxes for _, boxes in several]))
            if len(beside):
                found[frame] = beside
        return found


def _besides(there: Boxes, corners: NDArray[np.float32]) -> Boxes:
    """Return those boxes, centre and size, that show neither what is there nor what comes before them."""
    known = np.concatenate([there[:, :2] - there[:, 2:] / 2, there[:, :2] + there[:, 2:] / 2], axis=1)
    rows = np.zeros((len(known) + len(corners), 5), np.float32)
    rows[: len(known), :4], rows[len(known) :, :4] = known, corners
    keep = np.empty(len(rows), np.uint8)
    decode.suppress(rows, SAME_PLACE_IOU, keep)
    kept = corners[keep[len(known) :] == 1].astype(np.float64)
    return np.concatenate([(kept[:, :2] + kept[:, 2:]) / 2, kept[:, 2:] - kept[:, :2]], axis=1)
