"""Whole scenes with exact truth: how much is hidden, how long a face is bare, what is hidden in vain, who is who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

import facered
import lumas
from facered.detect.detector import Detection
from facered.track import tuning
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.offline import finish
from lumas import Person, film, wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from facered.track.smoothing import Track
    from lumas import Luma, Place, Way

RATE = 25.0
MARGIN = 1.4
"""How much larger what is hidden is than a track's box."""

Truth = list[dict[int, "Place"]]
"""For each frame, where each person's face can be seen."""


@dataclass(frozen=True)
class Outcome:
    """What became of a scene's faces."""

    recall: float
    longest_bare: int
    false_per_frame: float
    ids: dict[int, int]


def truth_of(ways: Mapping[int, Way], frames: int, hidden: Callable[[int, int], bool] = lambda *_: False) -> Truth:
    """Return where the people on these ways can be seen."""
    places = [{who: way(frame) for who, way in ways.items() if not hidden(who, frame)} for frame in range(frames)]
    return [{who: place for who, place in row.items() if place is not None} for row in places]


def detected(row: Mapping[int, Place], rng: np.random.Generator) -> Detection:
    """Return what a fair detector finds: it misses some faces, doubts others, and sees one where nobody is at times."""
    boxes, scores = [], []
    for x, y, size in row.values():
        if rng.random() < 0.9:
            x1, y1, x2, y2 = rng.normal(0, 0.03 * size, 4) + (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
            boxes.append((x1, y1, x2, y2))
            scores.append(rng.uniform(0.7, 0.95) if rng.random() < 0.85 else rng.uniform(0.25, 0.5))
    if rng.random() < 0.03:
        x, y = rng.uniform(30, 150, 2)
        boxes.append((x, y, x + 20, y + 20))
        scores.append(0.45)
    return Detection(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))


def followed(pictures: Sequence[Luma], truth: Truth, *, cuts: Iterable[int] = (), seed: int = 1) -> list[Track]:
    """Return the tracks through a scene, the detector being asked when the tracker wants it."""
    rng, begins, (height, width) = np.random.default_rng(seed), set(cuts), pictures[0].shape
    follower = Follower(RATE, 0.4, (width, height))
    for number, (picture, row) in enumerate(zip(pictures, truth, strict=True)):
        wanted = follower.wants_detection(picture, number in begins)
        follower.update(picture, detected(row, rng) if wanted else None, number in begins)
    return finish(follower)


def outcome(tracks: Iterable[Track], truth: Truth) -> Outcome:
    """Compare tracks with the truth: a face is covered where a box, with its margin, holds all of its square."""
    at: list[list[tuple[int, NDArray[np.float64]]]] = [[] for _ in truth]
    for number, track in enumerate(tracks):
        for frame, box in zip(track.frames.tolist(), track.boxes, strict=True):
            at[frame].append((number, box))
    faces = covered = false = longest = 0
    run: dict[int, int] = {}
    ids: dict[int, set[int]] = {}
    for row, boxes in zip(truth, at, strict=True):
        for who, (x, y, size) in row.items():
            off = [np.abs(box[:2] - (x, y)).max() for _, box in boxes]
            on = [
                (away, number)
                for away, (number, box) in zip(off, boxes, strict=True)
                if away + size / 2 <= MARGIN * box[2:].min() / 2 and box[2:].max() < 2 * size
            ]
            faces, covered, run[who] = faces + 1, covered + bool(on), 0 if on else run.get(who, 0) + 1
            longest = max(longest, run[who])
            ids.setdefault(who, set()).update([min(on)[1]] if on else [])
        false += sum(
            all(np.hypot(box[0] - x, box[1] - y) > 0.5 * size for x, y, size in row.values()) for _, box in boxes
        )
    return Outcome(covered / faces, longest, false / len(truth), {who: len(known) for who, known in ids.items()})


class TestCamera:
    """Seven people stand still, the camera begins to pan and to zoom, and a pillar passes before two of them."""

    frames, hidden = 70, range(25, 40)
    stands = {who: (60.0 + 55 * who, 70.0 + 45 * (who % 3), 28.0) for who in range(1, 8)}  # noqa: RUF012

    def view(self, frame: int) -> tuple[float, float]:
        """Return the camera's zoom and how far it has panned."""
        moving = min(max(frame - 24, 0), 26)
        return 1.006**moving, 7.0 * moving

    def way(self, who: int) -> Way:
        def seen(frame: int) -> Place:
            (zoom, panned), (x, y, size) = self.view(frame), self.stands[who]
            return (x + 20) * zoom - panned + 100, (y - 90) * zoom + 90, size * zoom

        return seen

    def test_that_pans_and_zooms_takes_the_hidden_along(self) -> None:
        behind = {3, 6}
        ways = {who: self.way(who) for who in self.stands}
        truth = truth_of(ways, self.frames, lambda who, frame: who in behind and frame in self.hidden)
        room, pictures = lumas.texture(77, 700, 180, 40, 90, 150), []
        people = [Person(who, way) for who, way in ways.items()]
        for frame in range(self.frames):
            zoom, panned = self.view(frame)
            across = np.clip((np.arange(600) + panned) / zoom, 0, 699).astype(int)
            picture = room[:, across].copy()
            for person in people:
                if person.seed in truth[frame]:
                    person.draw(picture, frame)
            pictures.append(picture)
        got = outcome(followed(pictures, truth), truth)
        print(got)
        assert got.recall >= 0.97
        assert got.longest_bare <= 3
        assert got.false_per_frame <= 0.6
        assert set(got.ids.values()) == {1}
