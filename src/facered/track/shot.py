"""Shots, and what belongs to which."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facered.track.cuts import Dissolve
    from facered.track.tracklet import Tracklet


@dataclass(frozen=True, slots=True)
class Shot:
    """A run of frames, numbered; where it fades from or into another, both are seen in some frames.

    Attributes
    ----------
    begin, end : int
        The first and the last frame in which it is what is seen best.
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

    def pieces(self, tracklet: Tracklet) -> list[Tracklet]:
        """Return the parts of a tracklet that lie in one shot each, with `Tracklet.shot` set."""
        first, last = (
            bisect_right(self._begins, frame) - 1 for frame in (tracklet.first_detected, tracklet.last_detected)
        )
        # A face may be detected while its shot is only just appearing, or nearly gone.
        if first < last and tracklet.first_detected >= self._shots[first + 1].first:
            first += 1
        if first < last and tracklet.last_detected <= self._shots[last - 1].last:
            last -= 1
        shots = self._shots[first : last + 1]
        bounds = [(shot.first if shot is shots[0] else shot.begin, shot.end) for shot in shots]
        bounds[-1] = bounds[-1][0], shots[-1].last
        parts = [tracklet.part(begin, end) for begin, end in bounds]
        for part, shot in zip(parts, shots, strict=True):
            if part is not None:
                part.shot = shot
        return [part for part in parts if part is not None]
