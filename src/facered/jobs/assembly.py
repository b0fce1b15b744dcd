"""The segments' results, in order -> annotations: who is one person across seams, ids, and all frames in one table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations.document import SEGMENTS
from facered.annotations.model import Annotations
from facered.annotations.table import DECIMALS, REGION_IDS, SCORE_DECIMALS, Extras
from facered.errors import FaceredError, ServiceError
from facered.jobs.columns import Columns
from facered.runtime.work import Inference
from facered.track.seams import matched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.jobs.finder import Film, SegmentResult
    from facered.track.smoothing import Track


@dataclass(slots=True)
class _Person:
    """Somebody who has an id: the frame of the first box, the first and the best score, and the best picture."""

    first: int
    first_score: float
    score: float
    picture: tuple[float, bytes] | None = None


class Assembly:
    """Joins the results of a film's segments.

    Each segment's table is final when it is added, ids included; nothing in it depends on those behind it.

    Parameters
    ----------
    film : Film
    """

    def __init__(self, film: Film) -> None:
        self._film = film
        self._begun: list[int] = []  # the first frame of each segment
        self._people: list[_Person] = []  # those with the ids 1, 2, ...
        self._columns: list[Columns] = []
        self._pts: list[NDArray[np.int64]] = []
        self._doubtful: list[NDArray[np.int64]] = []  # the ids that are doubtful in each segment
        self._before: tuple[SegmentResult, list[int]] | None = None  # the last one, with its tracks' ids
        self._wanted = self._last_duration = 0
        self.inference = Inference()

    @property
    def wanted(self) -> int:
        """How many of the frames lie in the part that is worked on."""
        return self._wanted

    @property
    def thumbnails(self) -> dict[int, bytes]:
        """The JPEG of each person that there is one of, by ids."""
        return {number: person.picture[1] for number, person in enumerate(self._people, 1) if person.picture}

    def add(self, result: SegmentResult) -> Annotations:
        """Take the next segment's result and return its annotations: of its own frames alone."""
        pieces, ids = self._pieces(result)
        own = result.segment
        relative = [replace(piece, frames=piece.frames - own.first) for piece in pieces]
        ranks = [(self._people[number - 1].first, -self._people[number - 1].first_score, number) for number in ids]
        columns = Columns.of(relative, result.wanted, self._film.options.max_faces, ids, ranks)
        columns = columns.with_regions({frame - own.first: boxes for frame, boxes in result.regions.items()})
        doubtful = np.array([number for piece, number in zip(pieces, ids, strict=True) if piece.doubtful], np.int64)
        self._begun.append(own.first)
        self._columns.append(columns)
        self._pts.append(result.pts)
        self._doubtful.append(doubtful)
        self._wanted += int(result.wanted.sum())
        self._last_duration = result.last_duration
        self.inference += result.inference
        return self._annotations(columns, result.pts, np.isin(columns.ids % REGION_IDS, doubtful), [0])

    def finish(self, damaged: Collection[int]) -> tuple[Annotations, int]:
        """Return the annotations of the film, and in how many frames there is somebody whom nobody follows.

        Parameters
        ----------
        damaged : collection of int
            Frames that may not look as they should: who was there before them is hidden there too.
        """
        firsts = np.cumsum([0, *(len(pts) for pts in self._pts)])
        pts = np.concatenate(self._pts)
        columns = Columns(
            np.concatenate([part.at + first for part, first in zip(self._columns, firsts, strict=False)]),
            np.concatenate([part.ids for part in self._columns]),
            np.concatenate([part.boxes for part in self._columns]),
        ).held_through(damaged, len(pts))
        rows = np.searchsorted(columns.at, firsts)
        doubtful = np.concatenate(
            [
                np.isin(columns.ids[begin:end] % REGION_IDS, ids)
                for begin, end, ids in zip(rows, rows[1:], self._doubtful, strict=False)
            ]
        )
        return self._annotations(columns, pts, doubtful, self._begun), columns.crowded

    def _pieces(self, result: SegmentResult) -> tuple[list[Track], list[int]]:
        """Return what there is of tracks in a segment's own frames, and their ids."""
        own = result.segment
        mine = [index for index, track in enumerate(result.tracks) if (_within(track, own.first, own.end)).any()]
        ids = [0] * len(result.tracks)
        found: list[tuple[Track, int]] = []
        if own.lead < own.first and self._before is not None:
            found = self._across(result, mine, ids)
        clipped = {index: _clipped(result.tracks[index], own.first, own.end) for index in mine}
        for index in sorted(
            (index for index in mine if not ids[index]),
            key=lambda index: (clipped[index].frames[0], clipped[index].first_detected, *clipped[index].boxes[0]),
        ):
            track = clipped[index]
            self._people.append(_Person(int(track.frames[0]), track.score, track.score))
            ids[index] = len(self._people)
        for index in mine:
            person, picture = self._people[ids[index] - 1], result.thumbnails[index]
            person.score = max(person.score, result.tracks[index].score)
            if picture is not None and (person.picture is None or picture[0] > person.picture[0]):
                person.picture = picture
        self._before = result, ids
        found += [(clipped[index], ids[index]) for index in mine]
        found.sort(key=lambda item: item[1])
        return [piece for piece, _ in found], [number for _, number in found]

    def _across(self, result: SegmentResult, mine: list[int], ids: list[int]) -> list[tuple[Track, int]]:
        """Give tracks behind a seam the ids of those before it; return what only the segment before has of its own.

        Who was there before the seam is hidden beyond it wherever the segment before shows it, and this one does not.
        """
        assert self._before is not None
        before, known = self._before
        own = result.segment
        alive = [index for index, number in enumerate(known) if number]
        pairs = matched([before.tracks[index] for index in alive], [result.tracks[index] for index in mine])
        continued = {alive[one]: mine[other] for other, one in pairs.items()}
        found = []
        for index in alive:
            beyond = _clipped(before.tracks[index], own.first, min(before.segment.until, own.end))
            other = continued.get(index)
            if other is not None:
                ids[other] = known[index]
                keep = ~np.isin(beyond.frames, result.tracks[other].frames)
                beyond = replace(beyond, frames=beyond.frames[keep], boxes=beyond.boxes[keep])
            if len(beyond.frames):
                found.append((beyond, known[index]))
        return found

    def _annotations(
        self, columns: Columns, pts: NDArray[np.int64], doubtful: NDArray[np.bool_], begun: list[int]
    ) -> Annotations:
        film, info = self._film, self._film.info
        fractions = columns.corners(film.options.margin) / np.array([info.width, info.height] * 2, np.float64)
        scores = np.array([np.nan, *[person.score for person in self._people]], np.float32)[columns.ids % REGION_IDS]
        annotations = Annotations(
            time_base=info.time_base,
            rate=info.rate,
            width=info.width,
            height=info.height,
            margin=film.options.margin,
            pts=pts,
            last_duration=self._last_duration or max(1, round(1 / (info.rate * info.time_base))),
            starts=columns.starts(len(pts)),
            ids=columns.ids,
            boxes=np.round(fractions, DECIMALS),
            scores=scores.round(SCORE_DECIMALS),
            doubtful=doubtful,
            extras=Extras(document={"precision": self.inference.precision, SEGMENTS: begun}),
        )
        try:
            annotations.check_sound()
        except FaceredError as error:
            raise ServiceError(f"{film.path}: what was found cannot be ({error}); please report it") from error
        return annotations


def part_of(annotations: Annotations, first: int, end: int) -> Annotations:
    """Return the annotations of some frames only, from one on up to another, which is not included."""
    low, high = annotations.starts[[first, end]].tolist()
    following = annotations.pts[end : end + 1].tolist()
    return replace(
        annotations,
        extras=Extras(document=annotations.extras.document | {SEGMENTS: [0]}),
        pts=annotations.pts[first:end],
        last_duration=following[0] - int(annotations.pts[end - 1]) if following else annotations.last_duration,
        starts=annotations.starts[first : end + 1] - low,
        ids=annotations.ids[low:high],
        boxes=annotations.boxes[low:high],
        scores=annotations.scores[low:high],
        doubtful=annotations.doubtful[low:high],
    )


def _within(track: Track, first: int, end: int) -> NDArray[np.bool_]:
    return (track.frames >= first) & (track.frames < end)


def _clipped(track: Track, first: int, end: int) -> Track:
    """Return what a track has from one frame on up to another, which is not included."""
    keep = _within(track, first, end)
    return replace(track, frames=track.frames[keep], boxes=track.boxes[keep])
