"""Small scenes of which the truth is known exactly: how much of the faces stays bare, and who is who."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import Detection
from facered.options import Options
from facered.track import tuning
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.online import OnlineTracker
from lumas import Luma, Person, Place, Way, film, wall

RATE = 25.0
MARGIN = Options().margin
NEAR = 15
"""Frames within which a hidden box may lie where a face was or will be."""

Hidden = list[tuple[int, NDArray[np.float64]]]
"""Ids and boxes, middle and size, of what is hidden in a frame."""


@dataclass(frozen=True)
class Outcome:
    """How well faces were hidden: covered part of face-frames, and so on."""

    recall: float
    bare_run: int
    false_boxes: float
    ids: int
    """Most ids of one person."""


def _covered(face: NDArray[np.float64], hidden: Hidden) -> bool:
    """Tell whether four fifths of a face's box lie inside hidden ellipses."""
    points = (np.stack(np.meshgrid(*[np.linspace(-0.45, 0.45, 10)] * 2), axis=-1).reshape(-1, 2)) * face[2:] + face[:2]
    inside = np.zeros(len(points), np.bool_)
    for _, box in hidden:
        inside |= (((points - box[:2]) / (box[2:] / 2)) ** 2).sum(axis=1) <= 1
    return bool(inside.mean() >= 0.8)


def _meets(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return bool((np.abs(a[:2] - b[:2]) < (a[2:] + b[2:]) / 2).all())


def judge(truth: Sequence[dict[str, NDArray[np.float64]]], hidden: Sequence[Hidden]) -> Outcome:
    """Compare what is hidden with the faces of each frame, by the names of the people."""
    covered, wrong = 0, 0
    runs: dict[str, int] = defaultdict(int)
    longest = 0
    ids: dict[str, set[int]] = defaultdict(set)
    for number, (faces, boxes) in enumerate(zip(truth, hidden, strict=True)):
        for name, face in faces.items():
            good = _covered(face, boxes)
            covered += good
            runs[name] = 0 if good else runs[name] + 1
            longest = max(longest, runs[name])
        near = [face for some in truth[max(number - NEAR, 0) : number + NEAR + 1] for face in some.values()]
        for key, box in boxes:
            wrong += not any(_meets(box, face) for face in near)
            away = {name: float(np.hypot(*(face[:2] - box[:2])) / face[2]) for name, face in faces.items()}
            name = min(away, key=away.__getitem__, default=None)
            if name is not None and away[name] < 0.3 and sum(distance < 0.8 for distance in away.values()) == 1:
                ids[name].add(key)
    total = sum(map(len, truth))
    return Outcome(covered / total, longest, wrong / len(truth), max(map(len, ids.values())))


# --- Real faces, decoded ---------------------------------------------------------------------------------------------

HEAD = np.array([89.0, 67.0, 48.0, 62.0])
"""Middle and size of the face in the first picture of the clip."""
AROUND = 1.5
"""How much larger than the face the oval is that is cut out, with hair and chin."""
WIDTH, HEIGHT = 352, 192

Middle = Callable[[int], tuple[int, int] | None]


@pytest.fixture(scope="module")
def head(carphone: Path) -> NDArray[np.uint8]:
    """Return the man's head with its surroundings, (height, width, 3)."""
    picture = videos.decode(carphone, 1)[0].to_ndarray(format="rgb24")
    x, y, width, height = (HEAD * [1, 1, AROUND, AROUND]).astype(int)
    return picture[y - height // 2 : y + height // 2, x - width // 2 : x + width // 2].copy()


def paste(picture: NDArray[np.uint8], sprite: NDArray[np.uint8], middle: tuple[int, int]) -> None:
    """Draw the oval of a sprite; it may reach out of the picture."""
    height, width = sprite.shape[:2]
    down, across = np.mgrid[:height, :width]
    oval = ((down + 0.5) * 2 / height - 1) ** 2 + ((across + 0.5) * 2 / width - 1) ** 2 <= 1
    rows, columns = down[oval] + middle[1] - height // 2, across[oval] + middle[0] - width // 2
    inside = (rows >= 0) & (rows < picture.shape[0]) & (columns >= 0) & (columns < picture.shape[1])
    picture[rows[inside], columns[inside]] = sprite[oval][inside]


def setting(seed: int = 1000) -> NDArray[np.uint8]:
    """Return a coloured background."""
    return np.stack([wall(WIDTH, HEIGHT, seed + n) for n in range(3)], axis=-1)


def analyzed(path: Path, pictures: Sequence[NDArray[np.uint8]]) -> list[Hidden]:
    """Encode pictures and return what `facered.analyze` would hide in each."""
    frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures]
    found = facered.analyze(videos.encode(path / "scene.mp4", frames), path / "out").annotations
    hidden = []
    for number in range(len(pictures)):
        corners = np.asarray(found.pixel_boxes(number), np.float64).reshape(-1, 4)
        boxes = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
        hidden.append(list(zip(found.frame_ids(number).tolist(), boxes, strict=True)))
    return hidden


def face_at(middle: tuple[int, int]) -> NDArray[np.float64]:
    return np.array([*middle, *HEAD[2:]])


def test_two_men_cross_and_one_leaves_and_returns(head: NDArray[np.uint8], tmp_path: Path) -> None:
    def behind(frame: int) -> tuple[int, int] | None:
        return (60 + 4 * frame, 90) if frame < 90 else None

    def before(frame: int) -> tuple[int, int] | None:
        """Out at the left, and in again there."""
        return (260 - 5 * frame if frame < 70 else -90 + 5 * (frame - 70), 100)

    pictures, truth = [], []
    for frame in range(110):
        picture = setting()
        faces = {}
        for name, way, sprite in (("behind", behind, head), ("before", before, head[:, ::-1])):
            middle = way(frame)
            if middle is None:
                continue
            paste(picture, sprite, middle)
            if 12 < middle[0] < WIDTH - 12:
                faces[name] = face_at(middle)
        # Nobody can see who is wholly covered by the other.
        if len(faces) == 2 and abs(faces["behind"][0] - faces["before"][0]) < 20:
            del faces["behind"]
        pictures.append(picture)
        truth.append(faces)
    outcome = judge(truth, analyzed(tmp_path, pictures))
    assert outcome.recall >= 0.99
    assert outcome.bare_run <= 2
    assert outcome.false_boxes <= 0.15
    assert outcome.ids <= 2


def test_a_man_passes_a_pillar_then_comes_a_flash_and_a_cut(head: NDArray[np.uint8], tmp_path: Path) -> None:
    pictures, truth = [], []
    for frame in range(90):
        picture = setting(1000 if frame < 60 else 1030)
        middle = (50 + 4 * frame, 90) if frame < 60 else (250, 100)
        paste(picture, head, middle)
        faces = {"first" if frame < 60 else "second": face_at(middle)}
        if frame < 60:
            picture[:, 150:190] = (80, 90, 70)
            if abs(middle[0] - 170) < 36:
                faces = {}
        if frame in (48, 49):
            picture[:] = 250
        pictures.append(picture)
        truth.append(faces)
    outcome = judge(truth, analyzed(tmp_path, pictures))
    assert outcome.recall >= 0.99
    assert outcome.bare_run <= 2
    assert outcome.false_boxes <= 0.05
    assert outcome.ids == 1


# --- Made-up faces, and a detector that errs ------------------------------------------------------------------------


def detected(places: Sequence[Place], rng: np.random.Generator, missing: float) -> Detection:
    """Return what a detector finds of faces: most of them, not quite where they are."""
    rows = []
    for place in places:
        if rng.random() < missing:
            continue
        x, y, size = place + rng.normal(0, 0.02, 3) * place[2]
        rows.append([x - size / 2, y - size / 2, x + size / 2, y + size / 2, rng.uniform(0.6, 0.95)])
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detection(table[:, :4], table[:, 4])


def true_faces(ways: dict[str, Way], frame: int) -> dict[str, NDArray[np.float64]]:
    places = {name: way(frame) for name, way in ways.items()}
    return {name: np.array([place[0], place[1], place[2], place[2]]) for name, place in places.items() if place}


def live(pictures: Sequence[Luma], rows: Sequence[Detection]) -> list[Hidden]:
    """Return what is hidden frame by frame, without looking ahead."""
    follower = Follower(RATE, 0.4, pictures[0].shape[::-1])
    tracker, hidden = OnlineTracker(follower, 0, verifies=False), []
    for number, (luma, row) in enumerate(zip(pictures, rows, strict=True)):
        follower.update(luma, row, not number)
        hidden.append([(face.key, face.box * [1, 1, MARGIN, MARGIN]) for face in tracker.present()])
    return hidden


def looked_back(pictures: Sequence[Luma], rows: Sequence[Detection]) -> list[Hidden]:
    """Return what is hidden when the whole film has been seen."""
    follower = Follower(RATE, 0.4, pictures[0].shape[::-1])
    for number, (luma, row) in enumerate(zip(pictures, rows, strict=True)):
        follower.update(luma, row, not number)
    hidden: list[Hidden] = [[] for _ in pictures]
    for key, track in enumerate(finish(follower)):
        for frame, box in zip(track.frames.tolist(), track.boxes, strict=True):
            hidden[frame].append((key, box * [1, 1, MARGIN, MARGIN]))
    return hidden


def swinging(frame: int, x: float, y: float, size: float) -> Place:
    """Return where a place of the scene is seen: the camera stands, then swings and zooms in."""
    moved = max(frame - 18, 0)
    zoom = 1.004**moved
    return 200 + (x - 200) * zoom - 5.0 * moved, 100 + (y - 100) * zoom, size * zoom


def test_who_turns_away_while_the_camera_swings_stays_hidden() -> None:
    """Two of nine are not recognised any more from the moment on at which the camera begins to swing."""
    spots = [(150 + 60 * (n % 5), 60 + 80 * (n // 5), 32) for n in range(9)]
    ways: dict[str, Way] = {
        str(n): lambda frame, spot=spot: swinging(frame, *spot)  # type: ignore[misc]
        for n, spot in enumerate(spots)
    }
    away = {"2", "7"}
    people = [Person(n, way) for n, way in enumerate(ways.values())]
    people += [
        Person(50 + int(name), lambda frame, name=name: ways[name](frame) if frame >= 18 else None)  # type: ignore[misc]
        for name in sorted(away)
    ]
    pictures = film(people, 36, wall(440, 200))
    rng = np.random.default_rng(0)
    truth = [true_faces(ways, frame) for frame in range(36)]
    seen = [[way(frame) for name, way in ways.items() if frame < 18 or name not in away] for frame in range(36)]
    rows = [detected([place for place in row if place], rng, 0.1) for row in seen]
    outcome = judge(truth, live(pictures, rows))
    assert outcome.recall >= 0.97
    assert outcome.bare_run <= 3
    assert outcome.false_boxes <= 0.1
    assert outcome.ids == 1


def test_a_crowd_stays_hidden() -> None:
    """Two dozen sway, each in a place of their own; a quarter of them is not detected at a time."""
    rng = np.random.default_rng(1)
    phases = rng.uniform(0, 6, (24, 2))

    def way(n: int, frame: int) -> Place:
        dx, dy = 6 * np.sin(frame / 7 + phases[n])
        return float(30 + 44 * (n % 8) + dx), float(40 + 60 * (n // 8) + dy), 26.0

    ways: dict[str, Way] = {str(n): lambda frame, n=n: way(n, frame) for n in range(24)}  # type: ignore[misc]
    pictures = film([Person(n, each) for n, each in enumerate(ways.values())], 50, wall(370, 200))
    truth = [true_faces(ways, frame) for frame in range(50)]
    rows = [detected([way(n, frame) for n in range(24)], rng, 0.25) for frame in range(50)]
    for hidden in (looked_back(pictures, rows), live(pictures, rows)):
        outcome = judge(truth, hidden)
        assert outcome.recall >= 0.98
        assert outcome.bare_run <= 4
        assert outcome.false_boxes == 0
        assert outcome.ids == 1


def test_who_leaves_and_returns_keeps_the_id() -> None:
    """She goes out at the right and comes back a second and a half later."""
    away = round(0.5 * tuning.MAX_GAP_SECONDS * RATE)

    def way(frame: int) -> Place | None:
        x = 200 + 4 * frame if frame < 25 + away // 2 else 200 + 4 * (50 + away - frame)
        return (float(x), 90.0, 40.0) if x < 312 else None

    ways: dict[str, Way] = {"Ada": way}
    total = 60 + away
    pictures = film([Person(1, way)], total)
    truth = [true_faces(ways, frame) for frame in range(total)]
    rng = np.random.default_rng(2)
    rows = [detected([place] if (place := way(frame)) else [], rng, 0.1) for frame in range(total)]
    for hidden in (looked_back(pictures, rows), live(pictures, rows)):
        outcome = judge(truth, hidden)
        assert outcome.recall >= 0.95
        assert outcome.bare_run <= 2
        assert outcome.false_boxes <= 0.1
        assert outcome.ids == 1
