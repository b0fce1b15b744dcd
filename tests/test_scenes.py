"""Whole scenes with exact truth: how much is hidden, how long a face is bare, what is hidden in vain, who is who."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np

import facered
import lumas
import videos
from facered.annotations.model import Annotations
from facered.detect.detector import Detection
from facered.jobs.analyze import _by_frame
from facered.options import Options
from facered.track import tuning
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.step import detection_limits
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
Hidden = list[list[tuple[int, "NDArray[np.float64]"]]]
"""For each frame, id and box, (4,) of centre and size, of all that is hidden; without margin."""


@dataclass(frozen=True)
class Outcome:
    """What became of a scene's faces."""

    recall: float
    longest_bare: int
    false_per_frame: float
    ids: dict[int, int]

    def check(self, recall: float, bare: int, false: float) -> None:
        assert self.recall >= recall
        assert self.longest_bare <= bare
        assert self.false_per_frame <= false


def truth_of(ways: Mapping[int, Way], frames: int, hidden: Callable[[int, int], bool] = lambda *_: False) -> Truth:
    """Return where the people on these ways can be seen."""
    places = [{who: way(frame) for who, way in ways.items() if not hidden(who, frame)} for frame in range(frames)]
    return [{who: place for who, place in row.items() if place is not None} for row in places]


def detected(row: Mapping[int, Place], rng: np.random.Generator) -> Detection:
    """Return what a fair detector finds: it misses some faces, doubts others, and sees one where nobody is at times."""
    boxes, scores = [], []
    for x, y, size in row.values():
        if rng.random() < 0.9:
            half = np.array([-size, -size, size, size]) / 2
            x1, y1, x2, y2 = np.array([x, y, x, y]) + half + rng.normal(0, 0.03 * size, 4)
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


def by_frame(tracks: Iterable[Track], frames: int) -> Hidden:
    """Return number and box of each track in every frame."""
    at: Hidden = [[] for _ in range(frames)]
    for number, track in enumerate(tracks):
        for frame, box in zip(track.frames.tolist(), track.boxes, strict=True):
            at[frame].append((number, box))
    return at


def outcome(hidden: Hidden, truth: Truth) -> Outcome:
    """Compare boxes with the truth: a face is covered where a box, with its margin, holds all of its square."""
    faces = covered = false = longest = 0
    run: dict[int, int] = {}
    ids: dict[int, set[int]] = {}
    for row, boxes in zip(truth, hidden, strict=True):
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
    """Seven people stand still, and the camera begins to pan and to zoom when two of them cannot be seen."""

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

    def test_that_pans_and_zooms_takes_along_who_is_hidden(self) -> None:
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
        got = outcome(by_frame(followed(pictures, truth), self.frames), truth)
        got.check(0.97, 3, 0.6)
        assert set(got.ids.values()) == {1}


def test_two_who_cross_remain_who_they_are() -> None:
    """The one behind is seen again when the other has passed."""
    ways: dict[int, Way] = {1: lambda frame: (40 + 4 * frame, 80, 40), 8: lambda frame: (280 - 4 * frame, 96, 44)}
    truth = truth_of(ways, 60, lambda who, frame: who == 1 and abs(frame - 30) < 4)
    got = outcome(by_frame(followed(film([Person(who, way) for who, way in ways.items()], 60), truth), 60), truth)
    got.check(0.97, 2, 0.25)
    assert got.ids == {1: 1, 8: 1}


def test_who_leaves_and_returns_is_the_same_and_not_hidden_meanwhile() -> None:
    def way(frame: int) -> Place | None:
        x = 300 + 3.5 * frame if frame < 40 else 385 - 3.5 * (frame - 60)
        return (x - 60, 90, 40) if x < 370 else None

    ways = {3: way, 5: lambda _: (80, 90, 36)}
    truth = truth_of(ways, 110)
    got = outcome(by_frame(followed(film([Person(who, path) for who, path in ways.items()], 110), truth), 110), truth)
    got.check(0.97, 2, 0.2)
    assert got.ids == {3: 1, 5: 1}


def test_a_cut_ends_everybody_and_a_flash_nobody() -> None:
    first: dict[int, Way] = {1: lambda frame: (60 + 2 * frame, 80, 40), 4: lambda _: (240, 100, 36)}
    second: dict[int, Way] = {6: lambda frame: (160 - frame, 80, 40), 9: lambda _: (240, 90, 36)}
    truth = [*truth_of(first, 45), *truth_of(second, 45)]
    pictures = film([Person(who, way) for who, way in first.items()], 45)
    pictures += film([Person(who, way) for who, way in second.items()], 45, lumas.texture(9, 320, 180, 9))
    pictures[20], truth[20] = np.full_like(pictures[20], 250), {}
    detector = CutDetector(RATE)
    answers = [*map(detector.push, pictures), *detector.flush()][tuning.CUT_LOOKAHEAD :]
    cuts = [frame for frame, begins in enumerate(answers) if begins and frame]
    assert cuts == [45]
    tracks = followed(pictures, truth, cuts=cuts)
    got = outcome(by_frame(tracks, 90), truth)
    assert len(tracks) == 4
    got.check(0.97, 2, 0.1)
    assert got.ids == {1: 1, 4: 1, 6: 1, 9: 1}


def test_in_a_crowd_those_who_were_there_first_stay_hidden() -> None:
    """Eight faces may be hidden; eight come whom the detector sees better, and two seconds later all are there."""
    known = {who: (30.0 + 36 * (who % 8), 40.0, 26.0) for who in range(8)}
    later = {who: (30.0 + 36 * (who % 8), 130.0, 26.0) for who in range(8, 16)}
    truth = [known if frame < 20 else {**known, **later} for frame in range(90)]
    pictures, follower = [wall(seed=frame // 20) for frame in range(90)], Follower(RATE, 0.4, (320, 180))
    _, limit = detection_limits(0.4, 8)
    for frame, (picture, row) in enumerate(zip(pictures, truth, strict=True)):
        for who, place in row.items():
            Person(who, lambda _, place=place: place).draw(picture, frame)
        scores = {who: 0.8 if frame < 10 else 0.6 if who < 8 else 0.9 for who in row}
        surest = sorted(row, key=lambda who: -scores[who])[:limit]
        boxes = [(x - s / 2, y - s / 2, x + s / 2, y + s / 2) for x, y, s in map(row.__getitem__, surest)]
        found = Detection(np.array(boxes, np.float32), np.array([scores[who] for who in surest], np.float32))
        follower.update(picture, found, False)
    tracks = finish(follower)
    starts, ids, _, crowded = _by_frame(tracks, np.ones(90, np.bool_), Options(max_faces=8))
    assert (np.diff(starts) == 8).all()
    assert set(crowded.tolist()) >= set(range(20, 90))
    got = outcome(by_frame([tracks[number - 1] for number in sorted(set(ids.tolist()))], 90), [known] * 90)
    assert (got.recall, got.longest_bare) == (1, 0)
    assert set(got.ids.values()) == {1}


def test_real_faces_that_move_come_and_go_in_a_video(carphone: Path, tmp_path: Path) -> None:
    """Two photographs of a man, of which one moves and the other is there for a while only."""
    frames, kept = 50, [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 81)]
    left, right, pictures = kept[0], kept[80], []
    truth: Truth = [{1: (89.0 + 2 * frame, 67.0, 48.0)} for frame in range(frames)]
    for frame in range(frames):
        picture = np.full((144, 480, 3), 110, np.uint8)
        picture[:, 2 * frame : 2 * frame + 176] = left
        if 12 <= frame < 40:
            picture[:, 304:] = right
            truth[frame][2] = (304 + 67.0, 57.0, 52.0)
        pictures.append(av.VideoFrame.from_ndarray(picture, format="rgb24"))
    source = videos.encode(tmp_path / "foo.mp4", pictures)
    facered.analyze(source, tmp_path)
    found = Annotations.read(tmp_path / "foo_annotations.json")
    boxes = found.boxes * [480, 144, 480, 144]
    boxes = np.concatenate([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] / found.margin], axis=1)
    rows = [list(zip(found.ids[a:b].tolist(), boxes[a:b], strict=True)) for a, b in pairwise(found.starts)]
    got = outcome(rows, truth)
    got.check(0.98, 1, 0.25)
    assert got.ids == {1: 1, 2: 1}
