"""A film of three people and a number plate, and what an analysis would have found of them: nothing of the plate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import lumas
import videos
from facered.annotations.model import Annotations
from facered.annotations.table import Extras
from lumas import Person

WIDTH, HEIGHT, FRAMES = 320, 192, 75
FACES = (
    Person(1, lambda frame: (50 + 0.6 * frame, 60, 40)),
    Person(8, lambda frame: (160, 70 + 0.3 * frame, 36)),
    Person(4, lambda frame: (270 - 0.4 * frame, 60, 44) if frame < 50 else None),
)
PLATE = Person(12, lambda frame: (60 + 1.2 * frame, 150, 30))
SIZE = 1.4
"""Of the boxes, in multiples of the faces."""


def box(person: Person, frame: int, size: float = SIZE) -> list[float] | None:
    """Return x, y, width and height as fractions of the picture."""
    place = person.way(frame)
    if place is None:
        return None
    x, y, side = place
    return [(x - side * size / 2) / WIDTH, (y - side * size / 2) / HEIGHT, side * size / WIDTH, side * size / HEIGHT]


def make_film(folder: Path, name: str = "foo.mp4", audio: str | None = "aac") -> Path:
    """Write the film."""
    pictures = lumas.film([*FACES, PLATE], FRAMES, lumas.wall(WIDTH, HEIGHT))
    frames = [av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p") for picture in pictures]
    options = {"crf": "12", "preset": "veryfast", "g": "30"}
    return videos.encode(folder / name, frames, audio=audio, audio_seconds=FRAMES / 25, options=options)


def annotate(film: Path, folder: Path | None = None, count: int = FRAMES) -> Path:
    """Write what an analysis would have written; faces have the ids 1, 2 and 3."""
    pts = np.array([round(time / Fraction(1, 12800)) for time in videos.times(film)], np.int64)
    found = [[(who, place) for who, one in enumerate(FACES, 1) if (place := box(one, frame))] for frame in range(count)]
    counts = [len(faces) for faces in found]
    document = Annotations(
        time_base=Fraction(1, 12800),
        rate=Fraction(25),
        width=WIDTH,
        height=HEIGHT,
        margin=SIZE,
        pts=pts,
        last_duration=512,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        ids=np.array([who for faces in found for who, _ in faces], np.int64),
        boxes=np.array([place for faces in found for _, place in faces]),
        scores=np.array([0.3 if who == 3 else 0.9 for faces in found for who, _ in faces], np.float32),
        doubtful=np.array([who == 3 and frame > 40 for frame, faces in enumerate(found) for who, _ in faces]),
        extras=Extras({"segments": [0]}),
    )
    path = (folder or film.parent) / f"{film.stem}_annotations.json"
    document.write(path)
    return path


def part(picture: NDArray[np.uint8], person: Person, frame: int) -> NDArray[np.float64]:
    """Return the middle of a person in a picture, (height, width) or with colours."""
    place = person.way(frame)
    assert place is not None
    x, y, size = place
    half = size * 0.3
    found = picture[int(y - half) : int(y + half), int(x - half) : int(x + half)].astype(float)
    return found if found.ndim == 2 else found.mean(axis=2)


def is_bare(picture: NDArray[np.uint8], source: NDArray[np.uint8], person: Person, frame: int) -> bool:
    """Tell whether somebody looks in a picture as in the film."""
    here, there = (part(one, person, frame).ravel() for one in (picture, source))
    return bool(np.abs(here - there).mean() < 6)


def lumas_of(film: Path) -> list[NDArray[np.uint8]]:
    """Return the luma of each frame."""
    return [frame.to_ndarray(format="gray") for frame in videos.decode(film)]
