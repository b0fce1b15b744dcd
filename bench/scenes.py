"""Videos whose faces are known: clips with truth beside them, and photos that the picture's frame is moved across."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from bench import clips
from bench.scores import clipped
from bench.truth import Truth, area

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

PAN_FRAMES = 90
PAN_RATE = Fraction(25)
PAN_WINDOW = 2 / 3, 5 / 6
"""Part of the photo's width and height that is seen at a time."""
PAN_LONGEST = 640
"""Larger photos are shrunk until the window's longer side is this."""
PAN_VISIBLE = 0.8
"""A face must be found where at least this part of its box is inside the window."""
NEARLY_LOSSLESS = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """A video with truth; scenes of the same `group` are summed up in one row."""

    name: str
    group: str
    path: Path
    truth: Truth


def filmed() -> Iterator[Scene]:
    """Yield the clips with truth.

    Raises
    ------
    MaterialMissingError
    """
    for path in sorted(clips.media().glob("*.csv")):
        film = clips.carphone() if path.stem == "carphone_pristine" else clips.film(path)
        if film is not None:
            yield Scene(path.stem, path.stem, film, Truth.read(path))


def panned(directory: Path) -> Iterator[Scene]:
    """Yield a scene for each photo, made in a directory; faces come and go at the edges of the picture.

    Raises
    ------
    MaterialMissingError
    """
    for photo in clips.photos():
        yield _pan(photo, directory)


def _pan(photo: Path, directory: Path) -> Scene:
    pixels, scale = _shrunk(photo)
    height, width = pixels.shape[:2]
    window = np.array([_even(PAN_WINDOW[0] * width), _even(PAN_WINDOW[1] * height)])
    way = np.linspace(0, 1, PAN_FRAMES)[:, None]
    corners = np.round(way * (np.array([width, height]) - window)).astype(np.int64)
    path = directory / f"{photo.stem}.mp4"
    clips.encode(path, _windows(pixels, corners, window), PAN_RATE, NEARLY_LOSSLESS)
    still = Truth.read(photo.with_suffix(".csv"))
    return Scene(photo.stem, "photos panned", path, _moved(still, scale, corners, window))


def _shrunk(photo: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the photo as (height, width, 3) RGB, and by how much it was scaled, (x, y)."""
    with av.open(str(photo)) as container:
        frame = next(container.decode(video=0))
    size = np.array([frame.width, frame.height])
    factor = min(1.0, PAN_LONGEST / max(size * PAN_WINDOW))
    width, height = np.round(size * factor).astype(int).tolist()
    small = frame.reformat(width, height, "rgb24", interpolation=Interpolation.AREA)
    return small.to_ndarray().astype(np.uint8, copy=False), np.array([width, height]) / size


def _windows(pixels: NDArray[np.uint8], corners: NDArray[np.int64], window: NDArray[np.int64]) -> Iterator[VideoFrame]:
    for x, y in corners:
        yield VideoFrame.from_ndarray(np.ascontiguousarray(pixels[y : y + window[1], x : x + window[0]]), "rgb24")


def _moved(still: Truth, scale: NDArray[np.float64], corners: NDArray[np.int64], window: NDArray[np.int64]) -> Truth:
    """Return the truth of all windows: the photo's boxes shifted, without those that are outside altogether."""
    count, faces = len(corners), len(still.people)
    shifts = np.concatenate([corners, corners], axis=1)
    boxes = (still.boxes * np.tile(scale, 2) - shifts[:, None]).reshape(-1, 4)
    visible = area(clipped(boxes, (int(window[0]), int(window[1])))) / area(boxes)
    seen = visible > 0
    return Truth(
        frames=np.repeat(np.arange(count), faces)[seen],
        people=np.tile(still.people, count)[seen],
        boxes=boxes[seen],
        required=(np.tile(still.required, count) & (visible >= PAN_VISIBLE))[seen],
    )


def _even(length: float) -> int:
    return 2 * round(length / 2)
