"""Faces that are seen once: photos of groups, each as a photo and as a slide of a show, and turned on their side.

``python -m bench.stills`` prints how many faces of at least 20 pixels are hidden, and how many boxes there are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np

from bench import clips
from bench.accuracy import followed
from bench.scores import Coverage
from bench.truth import Truth
from facered.options import Options
from facered.runtime.table import table

MIN_FACE = 20
"""Least side in pixels of a face that must be hidden."""
SLIDE = (1280, 960)
LYING_SIDE, LYING_FRAMES = 480, 12
"""Longer side of the pictures that lie, so that most faces have 15 to 60 pixels; how many frames each film has."""
SHOWS = {"a frame a slide, 25/s": (1, 25), "a frame a slide, 1/s": (1, 1), "three frames a slide, 25/s": (3, 25)}
TURNS = {
    "upright": None,
    "90°": cv2.ROTATE_90_CLOCKWISE,
    "180°": cv2.ROTATE_180,
    "270°": cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True)
class Still:
    """A picture, (height, width, 3) BGR, and its faces."""

    pixels: np.ndarray
    truth: Truth

    @classmethod
    def read(cls, path: Path) -> Still:
        """Read a photo and its truth."""
        return cls(cv2.imread(str(path)), Truth.read(path.with_suffix(".csv")))

    def shrunk(self, width: int, height: int) -> Still:
        """Return it as large as fits, in even numbers of pixels."""
        scale = min(width / self.pixels.shape[1], height / self.pixels.shape[0])
        size = [int(side * scale) // 2 * 2 for side in self.pixels.shape[1::-1]]
        boxes = self.truth.boxes * scale
        return Still(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), replace(self.truth, boxes=boxes))

    def padded(self, width: int, height: int) -> Still:
        """Return it in a larger, black picture."""
        right, below = width - self.pixels.shape[1], height - self.pixels.shape[0]
        return replace(self, pixels=cv2.copyMakeBorder(self.pixels, 0, below, 0, right, cv2.BORDER_CONSTANT))

    def turned(self, turn: int | None) -> Still:
        """Return it turned as OpenCV says."""
        if turn is None:
            return self
        height, width = self.pixels.shape[:2]
        x1, y1, x2, y2 = self.truth.boxes.T
        corners = {
            cv2.ROTATE_90_CLOCKWISE: (height - y2, x1, height - y1, x2),
            cv2.ROTATE_180: (width - x2, height - y2, width - x1, height - y1),
            cv2.ROTATE_90_COUNTERCLOCKWISE: (y1, width - x2, y2, width - x1),
        }[turn]
        return Still(cv2.rotate(self.pixels, turn), replace(self.truth, boxes=np.column_stack(corners)))

    def times(self, first: int, count: int) -> Truth:
        """Return the truth of `count` frames that show it, from a frame on."""
        sides = np.diff(self.truth.boxes.reshape(-1, 2, 2), axis=1)[:, 0]
        required = self.truth.required & (sides >= MIN_FACE).all(axis=1)
        frames = np.repeat(np.arange(first, first + count), len(required))
        columns = (self.truth.people, self.truth.boxes, required)
        return Truth(frames, *(np.concatenate([column] * count) for column in columns))


def film(path: Path, stills: Sequence[Still], frames: int, rate: int) -> Truth:
    """Write a film that shows stills of one size, each for some frames; return its truth."""
    truths: list[Truth] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "15"})
        stream.height, stream.width = stills[0].pixels.shape[:2]
        for number, still in enumerate(stills):
            for _ in range(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(still.pixels, format="bgr24")))
            truths.append(still.times(number * frames, frames))
        container.mux(stream.encode(None))
    names = ("frames", "people", "boxes", "required")
    cuts = np.arange(frames, len(truths) * frames, frames)
    return Truth(*(np.concatenate([getattr(truth, name) for truth in truths]) for name in names), cuts)


def _row(name: str, films: Iterable[tuple[Path, Truth]]) -> Sequence[str]:
    coverage, boxes = Coverage(), 0
    for path, truth in films:
        found = followed(path, Options())
        coverage.add(truth, found)
        boxes += len(found.frames)
    hidden = f"{coverage.covered} of {coverage.face_frames}"
    return name, hidden, f"{100 * coverage.covered / coverage.face_frames:.1f}", str(boxes)


def main() -> int:
    """Measure and print."""
    try:
        photos = sorted((clips.media() / "photos").glob("*.jpg"))
    except clips.MaterialMissingError as missing:
        print(missing)
        return 0
    stills = [Still.read(photo) for photo in photos]
    slides = [still.shrunk(*SLIDE).padded(*SLIDE) for still in stills]
    small = [still.shrunk(LYING_SIDE, LYING_SIDE) for still in stills]
    rows = [_row("photos", ((photo, still.times(0, 1)) for photo, still in zip(photos, stills, strict=True)))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        for name, (frames, rate) in SHOWS.items():
            rows.append(_row(name, [(path, film(path, slides, frames, rate))]))
        for name, turn in TURNS.items():
            films = ((path, film(path, [still.turned(turn)], LYING_FRAMES, 25)) for still in small)
            rows.append(_row(f"films of {LYING_SIDE} pixels, {name}", films))
    print(table(("faces of 20 pixels or more", "hidden", "%", "boxes"), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
