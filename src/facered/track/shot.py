"""Shots: the runs of frames between cuts and dissolves."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facered.track.cuts import Dissolve


@dataclass(frozen=True, slots=True)
class Shot:
    """A run of frames, numbered; where it fades from or into another, both are seen in some frames.

    Attributes
    ----------
    begin, end : int
        The first and the last frame in which it is seen better than its neighbours.
    first, last : int
        The first and the last frame in which it is seen at all.
    """

    begin: int
    end: int
    first: int
    last: int


class Shots:
    """All shots of a video.

    Parameters
    ----------
    cuts : sequence of int
        The frames that begin a shot, the very first one among them.
    dissolves : iterable of Dissolve
    last : int
        The last frame.
    """

    def __init__(self, cuts: Sequence[int], dissolves: Iterable[Dissolve], last: int) -> None:
        borders = [(cut, cut, cut - 1) for cut in cuts]
        borders += [(fade.middle, fade.first, fade.last) for fade in dissolves if 0 < fade.middle <= last]
        borders.sort()
        self._begins = [begin for begin, _, _ in borders]
        ends = [*self._begins[1:], last + 1]
        earliest = [0, *self._begins[:-1]]
        latest = [*ends[1:], last + 1]
        fades = [*(until for _, _, until in borders[1:]), last]
        self._shots = [
            Shot(begin, end - 1, max(first, before), max(min(until, after - 1), end - 1))
            for (begin, first, _), end, until, before, after in zip(borders, ends, fades, earliest, latest, strict=True)
        ]

    def between(self, first: int, last: int) -> list[tuple[Shot, int, int]]:
        """Return the shots in which a face is that was first and last detected in two frames.

        Returns
        -------
        list of (Shot, int, int)
            Each with the first and the last frame that the face can have in it.
        """
        one, other = (bisect_right(self._begins, frame) - 1 for frame in (first, last))
        # A face may be detected while its shot is only just appearing, or nearly gone.
        if one < other and first >= self._shots[one + 1].first:
            one += 1
        if one < other and last <= self._shots[other - 1].last:
            other -= 1
        found = [(shot, shot.begin, shot.end) for shot in self._shots[one : other + 1]]
        found[0] = found[0][0], found[0][0].first, found[0][2]
        found[-1] = found[-1][0], found[-1][1], found[-1][0].last
        return found
