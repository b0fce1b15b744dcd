"""A scene of which the truth is known: somebody comes into the picture, and stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import Detector
from facered.video.picture import view
from lumas import wall

FRAMES, ENTERS, STEP = 60, 20, 16
"""Somebody comes into the picture from the right, in the 20th frame, 16 pixels a frame, and stays."""


@dataclass(frozen=True)
class Scene:
    """Frames, and the face's (4,) box, x, y, width, height in pixels, in each, where all of it is seen."""

    frames: list[av.VideoFrame]
    faces: dict[int, NDArray[np.float64]]

    def scaled(self, width: int, height: int) -> Scene:
        """Return the scene stretched to a size."""
        factors = np.array([width / self.frames[0].width, height / self.frames[0].height] * 2)
        return Scene(self.frames, {number: box * factors for number, box in self.faces.items()})


def make(carphone: Path) -> Scene:
    """Return the scene, with the person of a clip."""
    person = videos.decode(carphone, 1)[0]
    found = Detector().detect(view(person), 0.5).boxes[0]
    face = np.array([found[0], found[1], found[2] - found[0], found[3] - found[1]], np.float64)
    shown = person.to_ndarray(format="rgb24")
    background = np.repeat(wall(352, 240)[..., None], 3, axis=2)
    frames, faces = [], {}
    for number in range(FRAMES):
        left = 352 - min(max(number - ENTERS, 0) * STEP, 176)
        picture = background.copy()
        picture[48 : 48 + 144, left:352] = shown[:, : 352 - left]
        frames.append(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        box = face + np.array([left, 48, 0, 0])
        if box[0] + box[2] <= 352:
            faces[number] = box
    return Scene(frames, faces)


def bare(scene: Scene, found: facered.Annotations) -> list[int]:
    """Return the frames in which the face's middle two thirds are not all hidden."""
    corners = np.array([[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)]) / 3
    missed = []
    for number, (x, y, width, height) in scene.faces.items():
        points = corners * [width, height] + [x + width / 2, y + height / 2]
        hidden = np.zeros(len(points), np.bool_)
        for x1, y1, x2, y2 in found.pixel_boxes(number):
            middle, half = np.array([x1 + x2, y1 + y2]) / 2, np.array([x2 - x1, y2 - y1]) / 2
            hidden |= (((points - middle) / half) ** 2).sum(axis=1) <= 1
        if not hidden.all():
            missed.append(number)
    return missed
