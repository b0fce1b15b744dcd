"""Who is in a frame, by whole tracks: the slow twin of `track.instant.people_in`, and people to ask about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facered.track import tuning
from facered.track.boxes import containment
from facered.track.cadence import Step
from facered.track.clock import Clock
from facered.track.duplicates import without_duplicates
from facered.track.instant import Person
from facered.track.path import CameraPath
from facered.track.shot import Shot
from facered.track.smoothing import smooth_and_fill
from tracklets import tracklet

Boxes = NDArray[np.float64]

PIXEL = 2.0


def people_by_tracks(
    frame: int, people: Sequence[Person], clock: Clock, pixel: float, path: CameraPath
) -> list[tuple[Person, Boxes]]:
    """Do as `people_in` does: make all tracks, and look into them."""
    made = [
        (
            one,
            smooth_and_fill(one.trajectory, clock, pixel, one.waited, path=path, doubtful=one.doubtful),
        )
        for one in people
    ]
    made = [(one, track) for one, track in made if track.frames[0] <= frame <= track.frames[-1]]
    owner = {id(track): one for one, track in made}
    tracks = [track for _, track in made]
    boxes = np.array([track.boxes[int(np.searchsorted(track.frames, frame))] for track in tracks]).reshape(-1, 4)
    inside = np.array([containment(box, boxes) > tuning.DUPLICATE_CONTAINMENT for box in boxes]).reshape(
        len(boxes), len(boxes)
    )
    np.fill_diagonal(inside, False)
    meeting = set(np.argwhere(inside).ravel().tolist())
    apart = [track for number, track in enumerate(tracks) if number not in meeting]
    found = []
    for track in apart + without_duplicates([tracks[number] for number in sorted(meeting)]):
        at = int(np.searchsorted(track.frames, frame))
        if track.frames[at] == frame:
            found.append((owner[id(track)], track.boxes[at].copy()))
    return found


def clock(frames: int, rate: float = 25.0) -> Clock:
    """Return the clock of a film."""
    made = Clock(rate)
    for frame in range(frames):
        made.push(frame / rate)
    return made


def path(repeats: Sequence[int] = (), jumps: Sequence[int] = ()) -> CameraPath:
    """Return the path of a camera that repeats pictures and jumps in some frames."""
    made = CameraPath(np.array([640.0, 360.0]))
    for frame in sorted({*repeats, *jumps}):
        shift = np.array([0.02, 0.01]) if frame in jumps else None
        made.add(frame, Step(repeats=frame in repeats, shift=shift))
    return made


def wanderers(
    rng: np.random.Generator,
    count: int,
    frames: int,
    *,
    gaps: bool = True,
    shots: Sequence[int] = (),
    every: int = 5,
    apart: bool = False,
) -> list[Person]:
    """Return people who go about, detected in every n-th frame, in one of several shots, and lost now and then.

    They cross each other's ways, or stay apart, in rows of ten.
    """
    borders = [0, *shots, frames]
    people = []
    for key in range(count):
        shot = int(rng.integers(len(borders) - 1))
        begin, end = borders[shot], borders[shot + 1]
        known = Shot(begin, end - 1, begin, end - 1)
        middle = np.array([key % 10 + 1, key // 10 + 1]) * 170.0 if apart else rng.uniform([60, 60], [580, 300])
        way = middle + _swing(rng, frames)
        first = begin + (int(rng.integers(0, (end - begin) // 2)) if gaps else 0)
        there = [frame for frame in range(first, end) if not gaps or (frame // 9 + key) % 5]
        half = there[: len(there) // 2], there[len(there) // 2 :]
        trajectory = []
        for part in half if gaps and key % 3 == 0 else [there]:
            measured = part[: len(part) - int(rng.integers(0, 9)) * gaps]
            if len(measured) > 1:
                followed = [frame for place, frame in enumerate(measured) if place and place % every]
                places = {frame: (*way[frame].tolist(), 40.0 + key) for frame in measured}
                score = float(rng.uniform(0.3, 1))
                made = tracklet(places, followed, key=10 * key + len(trajectory), score=score, shot=known)
                if gaps and key % 4 == 1:
                    back = min(3, measured[0] - begin)
                    made.backward_boxes = [made.boxes[0] - [2.0 * (n + 1), 0, 0, 0] for n in range(back)]
                trajectory.append(made)
        if trajectory:
            people.append(Person(trajectory, key, int(rng.integers(0, 4)) if gaps else 0, doubtful=not key % 2))
    return people


def _swing(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    steps = np.arange(frames)[:, None]
    swing: NDArray[np.float64] = rng.uniform(5, 40, 2) * np.sin(steps / rng.uniform(6, 20, 2))
    return swing + rng.normal(0, 1.5, (frames, 2))
