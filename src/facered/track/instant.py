"""Who is in one frame: what `smoothing.smooth_and_fill` says of it, without the rest of each track.

Live, that is asked in every frame, of all who are followed. Mostly a face is measured in the frame; then only what is
measured about it counts, and the faces are worked out together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.track import kalman, tuning
from facered.track.boxes import union
from facered.track.duplicates import meeting, without_duplicates
from facered.track.smoothing import (
    OUTWARDS,
    best_score,
    boxes_of,
    corners_of,
    enlarge,
    extent,
    known_sizes,
    mean_of_greatest,
    measurements,
    smooth_and_fill,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.track.boxes import Boxes
    from facered.track.clock import Clock
    from facered.track.path import CameraPath
    from facered.track.smoothing import Track
    from facered.track.tracklet import Tracklet


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be in the frame.

    Attributes
    ----------
    trajectory : list of Tracklet
        What is known of them; see `smooth_and_fill`.
    key : int
        What they are called.
    waited : int
        Frames beyond the trajectory's end in which it is still waited for.
    doubtful : bool
        Whether it may be no face.
    """

    trajectory: list[Tracklet]
    key: int
    waited: int
    doubtful: bool

    def may_be_in(self, frame: int, clock: Clock) -> bool:
        """Tell whether the track begins by a frame, and does not end before it."""
        first = min(tracklet.first for tracklet in self.trajectory)
        last = max(tracklet.last for tracklet in self.trajectory)
        begin, end = extent(self.trajectory[0].shot, first, last, clock, self.waited)
        return begin <= frame <= end

    @property
    def score(self) -> float:
        """The best score of the detections, or of the looks at it."""
        return best_score(self.trajectory)


@dataclass(frozen=True, slots=True)
class _Measured:
    """The measurements of somebody who is measured in the frame, `at` being its row."""

    number: int
    at: int
    boxes: Boxes
    deviations: NDArray[np.float64]
    scores: NDArray[np.float64]

    def smoothed(self, reach: int) -> tuple[slice, Boxes, Boxes, NDArray[np.bool_]]:
        """Return which of the rows `reach` before and after there are, the smooth and the measured box, and where."""
        low, high = max(self.at - reach, 0), self.at + reach + 1
        smooth = kalman.smooth(self.boxes, self.deviations)[low:high]
        begin = low - self.at + reach
        rows = slice(begin, begin + len(smooth))
        return rows, smooth, self.boxes[low:high], self.deviations[low:high] > 0

    def nearest(self, rate: float) -> tuple[float, NDArray[np.float64], int]:
        """Return score and known size by the detections about the frame, and how many frames away the nearest is."""
        detected = np.flatnonzero(self.deviations == kalman.DETECTION_DEVIATION)
        after = int(detected.searchsorted(self.at))
        before, behind = int(detected[max(after - 1, 0)]), int(detected[min(after, len(detected) - 1)])
        away = min(abs(self.at - before), abs(behind - self.at))
        at = np.array([self.at])
        sizes = known_sizes(self.boxes, detected, self.scores, at, np.array([rate]))[0]
        return float(np.interp(self.at, detected, self.scores[detected])), sizes, away


def people_in(
    frame: int, people: Sequence[Person], clock: Clock, pixel: float, path: CameraPath
) -> list[tuple[Person, Boxes]]:
    """Return who is in a frame, each once, and their (4,) boxes, as the tracks of `smooth_and_fill` have them.

    Parameters
    ----------
    frame : int
    people : sequence of Person
    clock, pixel, path
        See `smooth_and_fill`.
    """
    tracks: dict[int, Track] = {}

    def track_of(number: int) -> Track:
        if number not in tracks:
            one = people[number]
            made = smooth_and_fill(one.trajectory, clock, pixel, one.waited, path=path, doubtful=one.doubtful)
            tracks[number] = made
        return tracks[number]

    there = _boxes_where_measured(frame, people, clock, pixel, path)
    for number, one in enumerate(people):
        if number not in there and one.may_be_in(frame, clock):
            track = track_of(number)
            there[number] = track.boxes[int(np.searchsorted(track.frames, frame))]
    numbers = sorted(there)
    twice = [numbers[place] for place in meeting(np.array([there[number] for number in numbers]).reshape(-1, 4))]
    kept = without_duplicates([track_of(number) for number in twice])
    names = {id(track): number for number, track in tracks.items()}
    found = []
    for number in [*(number for number in numbers if number not in twice), *(names[id(track)] for track in kept)]:
        if number in tracks:
            track = tracks[number]
            at = int(np.searchsorted(track.frames, frame))
            if track.frames[at] == frame:
                found.append((people[number], track.boxes[at].copy()))
        else:
            found.append((people[number], there[number]))
    return found


def _boxes_where_measured(
    frame: int, people: Sequence[Person], clock: Clock, pixel: float, path: CameraPath
) -> dict[int, Boxes]:
    """Return, by their numbers, the boxes of those whose box does not depend on gaps, nor on repeats or jumps."""
    alike: dict[int, list[_Measured]] = defaultdict(list)
    for number, one in enumerate(people if not path.jumps else ()):
        first, boxes, deviations, scores = measurements(one.trajectory, clock)
        at = frame - first
        if 0 <= at < len(boxes) and deviations[at] > 0 and not path.repeats(first, first + len(boxes) - 1):
            radius = clock.count(tuning.HULL_SECONDS, first)
            alike[radius].append(_Measured(number, at, boxes, deviations, scores))
    found: dict[int, Boxes] = {}
    for radius, several in alike.items():
        boxes = _smoothed(several, radius)
        rates = clock.rates(np.full(len(several), frame))
        nearest = [one.nearest(float(rates[0])) for one in several]
        scores, sizes, away = map(np.array, zip(*nearest, strict=True))
        enlarge(boxes, scores, sizes, away, rates, pixel)
        found |= {one.number: box for one, box in zip(several, boxes, strict=True)}
    return found


def _smoothed(several: Sequence[_Measured], radius: int) -> Boxes:
    """Return the smooth boxes of some people in the frame that hold the measured ones; see `smoothing`."""
    reach = 2 * radius
    smooth, measured = np.zeros((2, 2 * reach + 1, len(several), 4))
    seen = np.zeros((2 * reach + 1, len(several)), np.bool_)
    for place, one in enumerate(several):
        rows, smooth[rows, place], measured[rows, place], seen[rows, place] = one.smoothed(reach)
    smooth[..., 2:] = np.maximum(smooth[..., 2:], 1.0)
    flat, known = smooth.reshape(-1, 4), seen.reshape(-1, 1)
    hull = np.where(known, union(flat, measured.reshape(-1, 4)), flat)
    corners = corners_of(flat)
    # Where there is no frame, nothing is beyond.
    beyond = np.where(known, np.maximum((corners_of(hull) - corners) * OUTWARDS, 0), 0)
    grown = mean_of_greatest(beyond.reshape(2 * reach + 1, -1), radius)[0].reshape(-1, 4)
    middle = corners.reshape(2 * reach + 1, -1, 4)[reach]
    return boxes_of(middle + OUTWARDS * grown)
