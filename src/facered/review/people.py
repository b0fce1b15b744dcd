"""Who is in a film, as a person is told of it, and where to look."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations.table import REGION_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from facered.review.gestures import State
    from facered.review.tracks import Track

LOW_SCORE = 0.5
"""Scores below which a person should look; by hand. Larger: more to look at. Smaller: what is no face is passed by."""
MAX_GAP_SECONDS = 3.0
"""Seconds for which somebody may be away and be called the same; by hand. Longer: more to look at."""
MAX_SIZE_RATIO = 1.5
"""By how much the sizes of one face may differ before and after a gap; by hand."""


@dataclass(frozen=True, slots=True)
class Person:
    """An id of the annotations.

    Attributes
    ----------
    id : int
    kind : str
        ``"face"``, or ``"region"`` for what was drawn and for faces that nobody could follow.
    hidden : bool
    spans : list of (int, int)
        The runs of frames in which it is, first and last.
    doubtful : list of (int, int)
        Those in which it may be no face.
    frames : int
        How many frames it is in.
    score : float
        How certain it is that it is a face, 0 to 1; NaN where nothing says.
    by_hand : bool
        Whether a person has set a box of it.
    reason, by, time : str
        What was noted of it.
    """

    id: int
    kind: str
    hidden: bool
    spans: list[tuple[int, int]]
    doubtful: list[tuple[int, int]]
    frames: int
    score: float
    by_hand: bool = False
    reason: str = ""
    by: str = ""
    time: str = ""

    @classmethod
    def of(cls, number: int, track: Track, state: State) -> Person:
        """Return what is told of an id."""
        known = track.scores[~np.isnan(track.scores)]
        noted = {key: str(value) for key, value in state.people.get(number, {}).items()}
        return cls(
            number,
            "region" if number >= REGION_IDS else "face",
            number not in state.shown,
            track.spans,
            track.doubts,
            len(np.unique(track.frames)),
            float(known.max()) if len(known) else nan,
            bool(track.by_hand),
            noted.get("reason", ""),
            noted.get("by", ""),
            noted.get("time", ""),
        )


def places(people: Iterable[Person], rate: float) -> list[tuple[int, int, str]]:
    """Return where a person should look: frame, id and why, in order of the film."""
    found = []
    for person in people:
        found += [(first, person.id, "may be no face") for first, _ in person.doubtful]
        gaps = pairwise(person.spans)
        found += [(a[1] + 1, person.id, "gap") for a, b in gaps if b[0] - a[1] <= MAX_GAP_SECONDS * rate]
        if not isnan(person.score) and person.score < LOW_SCORE and not person.doubtful:
            found.append((person.spans[0][0], person.id, "seen faintly"))
    return sorted(found)


def suggestions(tracks: Mapping[int, Track], cuts: Sequence[int], rate: float) -> list[tuple[int, int]]:
    """Return pairs of ids that may be the same person: one is where, and as large as, the other was just before."""
    begins = sorted((int(track.frames[0]), one) for one, track in tracks.items())
    firsts = [first for first, _ in begins]
    found = []
    for one, track in tracks.items():
        end = int(track.frames[-1])
        cut = next(iter(cuts[bisect_right(cuts, end) :]), end + 1 + round(MAX_GAP_SECONDS * rate))
        last = min(cut - 1, end + round(MAX_GAP_SECONDS * rate))
        for _, other in begins[bisect_right(firsts, end) : bisect_left(firsts, last + 1)]:
            if _alike(track.boxes[-1], tracks[other].boxes[0]):
                found.append((one, other))
    return sorted(found)


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Tell whether two boxes are of about the same size, their middles nearer than that."""
    apart = np.abs(one[:2] + one[2:] / 2 - other[:2] - other[2:] / 2)
    return bool((apart < one[2:]).all() and (np.abs(np.log(one[2:] / other[2:])) < np.log(MAX_SIZE_RATIO)).all())
