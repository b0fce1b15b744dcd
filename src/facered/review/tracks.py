"""An annotations document by people: what each one's boxes are, ready to be changed without touching the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from facered.annotations.model import Annotations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Keys = Mapping[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Track:
    """The boxes of an id; never changed, but replaced.

    Attributes
    ----------
    frames : (n,) int64
        Ascending; what is no person may have several boxes in a frame.
    boxes : (n, 4) float64
        x, y, width, height as fractions of the picture.
    scores : (n,) float32
    doubtful : (n,) bool
    keys : mapping of int to dict
        What else the document says of a row.
    by_hand : frozenset of int
        The frames whose boxes a person has set.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]
    doubtful: NDArray[np.bool_]
    keys: Keys = field(default_factory=dict)
    by_hand: frozenset[int] = frozenset()

    @classmethod
    def drawn(cls, first: int, boxes: NDArray[np.float64], by_hand: frozenset[int]) -> Track:
        """Return the track of something that was drawn: boxes, (n, 4), from a frame on."""
        count = len(boxes)
        frames = np.arange(first, first + count)
        return cls(frames, boxes, np.full(count, np.nan, np.float32), np.zeros(count, np.bool_), {}, by_hand)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The runs of frames, first and last."""
        breaks = np.flatnonzero(np.diff(self.frames) > 1)
        firsts, lasts = np.append(0, breaks + 1), np.append(breaks, len(self.frames) - 1)
        return list(zip(self.frames[firsts].tolist(), self.frames[lasts].tolist(), strict=True))

    @property
    def doubts(self) -> list[tuple[int, int]]:
        """The runs of frames in which it may be no face."""
        return self.only(self.doubtful).spans if self.doubtful.any() else []

    def only(self, rows: NDArray[np.bool_]) -> Track:
        """Return the rows that are chosen, (n,) bool."""
        places = np.cumsum(rows) - 1
        kept = self.frames[rows]
        return Track(
            kept,
            self.boxes[rows],
            self.scores[rows],
            self.doubtful[rows],
            {int(places[row]): keys for row, keys in self.keys.items() if rows[row]},
            self.by_hand & frozenset(kept.tolist()) if self.by_hand else self.by_hand,
        )

    def joined(self, other: Track) -> Track:
        """Return the boxes of both; where both have one in a frame, both stay."""
        frames = np.concatenate([self.frames, other.frames])
        order = np.argsort(frames, kind="stable")
        keys = dict(self.keys) | {len(self.frames) + row: keys for row, keys in other.keys.items()}
        place = {int(row): number for number, row in enumerate(order)} if keys else {}
        return Track(
            frames[order],
            np.concatenate([self.boxes, other.boxes])[order],
            np.concatenate([self.scores, other.scores])[order],
            np.concatenate([self.doubtful, other.doubtful])[order],
            {place[row]: found for row, found in keys.items()},
            self.by_hand | other.by_hand,
        )

    def with_box(self, frame: int, box: tuple[float, float, float, float]) -> Track:
        """Return the track with a box that a person has set in a frame; between two of these it moves evenly."""
        at, placed = np.flatnonzero(self.frames == frame), np.array(box, np.float64)
        if not len(at):
            made = self.joined(Track.drawn(frame, placed[None], frozenset({frame})))
        else:
            middles = self.boxes[at, :2] + self.boxes[at, 2:] / 2
            apart = np.hypot(*(middles - (placed[:2] + placed[2:] / 2)).T)
            boxes = self.boxes.copy()
            boxes[at[np.argmin(apart)]] = placed
            made = replace(self, boxes=boxes, by_hand=self.by_hand | {frame})
        earlier = max((other for other in made.by_hand if other < frame), default=None)
        later = min((other for other in made.by_hand if other > frame), default=None)
        for one, two in ((earlier, frame), (frame, later)):
            if one is not None and two is not None:
                made = made._evenly(one, two)
        return made

    def _evenly(self, first: int, last: int) -> Track:
        """Return the track with boxes that move evenly between those of two frames."""
        ends = [self.boxes[np.flatnonzero(self.frames == frame)[0]] for frame in (first, last)]
        between = np.arange(first + 1, last)
        boxes = np.stack([np.interp(between, (first, last), pair) for pair in np.stack(ends, axis=1)], axis=1)
        kept = self.only((self.frames <= first) | (self.frames >= last))
        return kept.joined(Track.drawn(first + 1, boxes, frozenset())) if len(between) else self


def tracks_of(annotations: Annotations) -> dict[int, Track]:
    """Return the track of each id."""
    frames = np.repeat(np.arange(len(annotations.pts)), np.diff(annotations.starts))
    order = np.lexsort((frames, annotations.ids))
    ids, firsts = np.unique(annotations.ids[order], return_index=True)
    extras = annotations.extras.faces
    tracks = {}
    for number, rows in zip(ids.tolist(), np.split(order, firsts[1:]), strict=True):
        keys = {place: extras[row] for place, row in enumerate(rows.tolist()) if row in extras} if extras else {}
        columns = (frames[rows], annotations.boxes[rows], annotations.scores[rows], annotations.doubtful[rows])
        tracks[number] = Track(*columns, keys)
    return tracks


def annotations_of(base: Annotations, tracks: Mapping[int, Track]) -> Annotations:
    """Return a document like another one, of other tracks."""
    present = {number: track for number, track in sorted(tracks.items()) if len(track.frames)}
    ids = np.repeat(np.array([*present], np.int64), [len(track.frames) for track in present.values()])
    frames = np.concatenate([np.empty(0, np.int64), *(track.frames for track in present.values())])
    order = np.lexsort((ids, frames))
    faces: dict[int, dict[str, Any]] = {}
    begun = 0
    for track in present.values():
        faces |= {begun + row: keys for row, keys in track.keys.items()}
        begun += len(track.frames)
    place = {int(row): number for number, row in enumerate(order)} if faces else {}
    return replace(
        base,
        starts=np.searchsorted(frames[order], np.arange(len(base.pts) + 1)).astype(np.int64),
        ids=ids[order],
        boxes=np.concatenate([np.empty((0, 4)), *(track.boxes for track in present.values())])[order],
        scores=np.concatenate([np.empty(0, np.float32), *(track.scores for track in present.values())])[order],
        doubtful=np.concatenate([np.empty(0, np.bool_), *(track.doubtful for track in present.values())])[order],
        extras=replace(base.extras, faces={place[row]: keys for row, keys in faces.items()}),
    )
