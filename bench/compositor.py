"""Composes synthetic scenes of pictures that move in layers: the frames, and the exact places of the faces in them.

Points are in pixels from the top left corner of the top left pixel, x before y.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.photos import Picture, Pixels

Curve = NDArray[np.float64]
"""A value for each frame."""
Value = Curve | float
"""The same, or one for all frames."""

MIN_FACE_HEIGHT = 20
"""Least height in pixels of a face that must be found, unless a composition says otherwise."""
MIN_INSIDE = 0.3
"""A face must be found where at least this part of it is inside the picture, ..."""
MIN_VISIBLE = 0.5
"""... at least this part of that is not behind something, ..."""
MIN_LIGHT = 0.12
"""... it is not darker than this part of its brightness, ..."""
MAX_BLUR = 0.12
"""... and it is not blurred by more than this part of its width (sigma of a Gaussian)."""
EXPOSURE_STEP = 4.0
"""While the shutter is open, pictures that moved by so many pixels are averaged."""
MAX_EXPOSURES = 10
SAMPLES = 16
"""Points along each side of a face's box at which hidden and visible are told apart."""
NOISE_DEVIATION = 40
"""Standard deviation of the stored noise."""
FLASH_LEVEL = 250
"""What a flash turns everything to."""
MIN_DEFOCUS = 0.3
"""Sigma in pixels below which nothing is blurred."""


@dataclass(frozen=True)
class Motion:
    """The motion of a picture: a point of its own, the point of the frame that it lies on, its scale, roll and stretch.

    Attributes
    ----------
    anchor, position : (frames, 2) float64
        In pixels of the picture and of the frame.
    scale, roll : (frames,) float64
        Pixels of the frame for a pixel of the picture; degrees, clockwise.
    stretch : (frames, 2) float64
        What the picture's width and height are multiplied with before it is turned.

    What does not move has one row.
    """

    anchor: NDArray[np.float64]
    position: NDArray[np.float64]
    scale: Curve
    roll: Curve
    stretch: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        anchor: tuple[Value, Value],
        position: tuple[Value, Value],
        scale: Value,
        roll: Value,
        stretch: tuple[Value, Value] = (1.0, 1.0),
    ) -> Motion:
        """Return a motion; what is one number does not change."""
        curves = np.broadcast_arrays(*anchor, *position, *stretch, scale, np.atleast_1d(roll))
        anchors, positions, stretches = (np.stack(curves[at : at + 2], axis=1) for at in (0, 2, 4))
        return cls(anchors, positions, curves[6], curves[7], stretches)

    def at(self, time: float) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from the picture to the frame at a time in frames."""
        first = int(np.clip(np.floor(time), 0, len(self.scale) - 1))
        after, part = min(first + 1, len(self.scale) - 1), time - first

        def between(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(values[first] + part * (values[after] - values[first]))

        scale, angle = between(self.scale), np.radians(between(self.roll))
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn = turn * between(self.stretch)
        return np.column_stack([turn, between(self.position) - turn @ between(self.anchor)])


@dataclass(frozen=True)
class Layer:
    """A picture that moves; `occludes` tells whether it hides faces behind it, in the truth."""

    picture: Picture
    motion: Motion
    occludes: bool = True


@dataclass(frozen=True)
class Shot:
    """A shot: layers, the farthest first, and the effects of light and lens.

    Attributes
    ----------
    exposure : float
        Part of a frame's time for which the shutter is open.
    light : (frames,) float64 or float
        What the brightness is multiplied with.
    flash : likewise
        How far everything turns white, 0 to 1.
    noise, defocus : likewise
        Standard deviation in gray levels; sigma of the blur in pixels.
    """

    frames: int
    layers: Sequence[Layer]
    exposure: float = 0.0
    light: Value = 1.0
    flash: Value = 0.0
    noise: Value = 0.0
    defocus: Value = 0.0


@dataclass(frozen=True)
class Composition:
    """Shots one after the other; `dissolves` are the frames in which each is mixed with the one before.

    Faces lower than `min_height` pixels need not be found.
    """

    size: tuple[int, int]
    shots: Sequence[Shot]
    dissolves: Sequence[int] = field(default=())
    min_height: float = MIN_FACE_HEIGHT

    @property
    def starts(self) -> list[int]:
        """The frame in which each shot begins to be seen."""
        starts = [0]
        for number, shot in enumerate(self.shots[:-1]):
            starts.append(starts[-1] + shot.frames - self._dissolve_frames(number + 1))
        return starts

    @property
    def cuts(self) -> list[int]:
        """The first frame of each shot but the first; of one that is mixed in, the first that it outweighs."""
        return [start + self._dissolve_frames(number) // 2 for number, start in enumerate(self.starts) if number]

    def pictures(self) -> Iterator[Pixels]:
        """Yield the frames, (height, width, 3) uint8 BGR."""
        starts = self.starts
        for frame in range(starts[-1] + self.shots[-1].frames):
            shown = [
                (number, frame - start)
                for number, start in enumerate(starts)
                if 0 <= frame - start < self.shots[number].frames
            ]
            mix = _rendered(self.shots[shown[0][0]], shown[0][1], self.size)
            for number, time in shown[1:]:
                weight = self._weight(number, time)
                mix = cv2.addWeighted(_rendered(self.shots[number], time, self.size), weight, mix, 1 - weight, 0)
            yield mix

    def truth(self) -> Truth:
        """Return where the faces are; nobody is in two shots."""
        parts, first = [], 1
        for number, (shot, start) in enumerate(zip(self.shots, self.starts, strict=True)):
            entering = [self._weight(number, time) for time in range(shot.frames)]
            leaving = [1.0] * shot.frames
            if number + 1 < len(self.shots):
                mixed = self._dissolve_frames(number + 1)
                leaving[shot.frames - mixed :] = [1 - self._weight(number + 1, time) for time in range(mixed)]
            weight = np.minimum(entering, leaving)
            parts.append(_faces(shot, start, first, weight, self))
            first += sum(len(layer.picture.boxes) for layer in shot.layers)
        rows = np.concatenate([np.empty((0, 7)), *parts])
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        frames, people = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        return Truth(frames, people, rows[:, 2:6], rows[:, 6] > 0, np.array(self.cuts, np.int64))

    def _dissolve_frames(self, number: int) -> int:
        return self.dissolves[number - 1] if number <= len(self.dissolves) else 0

    def _weight(self, number: int, time: int) -> float:
        """Return how much a shot is seen a number of frames after its beginning."""
        mixed = self._dissolve_frames(number) if number else 0
        return min((time + 0.5) / mixed, 1.0) if mixed else 1.0


def _rendered(shot: Shot, time: int, size: tuple[int, int]) -> Pixels:
    steps = _exposure_times(shot, time, size)
    if len(steps) == 1:
        picture = _composed(shot.layers, steps[0], size)
    else:
        total = np.zeros((size[1], size[0], 3), np.float32)
        for step in steps:
            cv2.accumulate(_composed(shot.layers, step, size), total)
        picture = cv2.convertScaleAbs(total, alpha=1 / len(steps))
    light, flash, noise, defocus = (_at(value, time) for value in (shot.light, shot.flash, shot.noise, shot.defocus))
    if defocus > MIN_DEFOCUS:
        picture = cv2.GaussianBlur(picture, (0, 0), defocus)
    if noise:
        share = noise / NOISE_DEVIATION
        picture = cv2.addWeighted(picture, light, _noise(time, size), share, -128 * share)
    elif light != 1:
        picture = cv2.convertScaleAbs(picture, alpha=light)
    if flash:
        picture = cv2.convertScaleAbs(picture, alpha=1 - flash, beta=FLASH_LEVEL * flash)
    return picture


def _at(value: Value, time: int) -> float:
    return float(value[time] if isinstance(value, np.ndarray) else value)


def _exposure_times(shot: Shot, time: int, size: tuple[int, int]) -> list[float]:
    """Return the times at which the picture is drawn while the shutter is open: often enough for what moves fastest."""
    if not shot.exposure:
        return [float(time)]
    ends = time - shot.exposure / 2, time + shot.exposure / 2
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [0, size[1], 1], [*size, 1]], np.float64).T
    fastest = 0.0
    for layer in shot.layers:
        before, now, after = (layer.motion.at(moment) for moment in (ends[0], time, ends[1]))
        seen = corners if layer is shot.layers[0] else now @ _homogeneous(_corners(layer.picture))
        own = _inverse(now) @ _homogeneous(seen[:2].T)
        fastest = max(fastest, float(np.abs((after - before) @ _homogeneous(own.T)).max()))
    count = int(np.clip(np.ceil(fastest / EXPOSURE_STEP), 1, MAX_EXPOSURES))
    return [float(ends[0] + (step + 0.5) * shot.exposure / count) for step in range(count)]


def _composed(layers: Sequence[Layer], time: float, size: tuple[int, int]) -> Pixels:
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    for layer in layers:
        _overlay(canvas, layer.picture, layer.motion.at(time))
    return canvas


def _overlay(canvas: Pixels, picture: Picture, matrix: NDArray[np.float64]) -> None:
    """Draw a picture over the canvas."""
    limits = np.array(canvas.shape[1::-1])
    first, last = np.zeros(2, int), limits
    if picture.pixels.shape[2] == 4:
        corners = matrix @ _homogeneous(_corners(picture))
        first = np.clip(np.floor(corners.min(axis=1)), 0, limits).astype(int)
        last = np.clip(np.ceil(corners.max(axis=1)), 0, limits).astype(int)
    if (last <= first).any():
        return
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    level = int(np.clip(np.floor(-np.log2(scale)), 0, len(picture.levels) - 1))
    pixels = picture.levels[level]
    shrunk = picture.size / pixels.shape[1::-1]
    # OpenCV counts from the middle of the first pixel, not from its corner.
    turn = matrix[:, :2] * shrunk
    offset = matrix[:, 2] + turn @ [0.5, 0.5] - 0.5 - first
    warp = np.column_stack([turn, offset])
    width, height = (last - first).tolist()
    border = cv2.BORDER_CONSTANT if pixels.shape[2] == 4 else cv2.BORDER_REPLICATE
    drawn = cv2.warpAffine(pixels, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)
    target = canvas[first[1] : last[1], first[0] : last[0]]
    if pixels.shape[2] == 3:
        target[:] = drawn
    else:
        through = cv2.merge([255 - drawn[:, :, 3]] * 3)
        cv2.add(drawn[:, :, :3], cv2.multiply(target, through, scale=1 / 255), dst=target)


def _faces(shot: Shot, start: int, first: int, weight: NDArray[np.float64], film: Composition) -> Curve:
    """Return frame, person, x1, y1, x2, y2, required of the faces of a shot, a row each."""
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES * 2 - 1
    disc = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    disc = disc[(disc**2).sum(axis=1) <= 1]
    rows = []
    for time in range(shot.frames):
        light = min(weight[time], _at(shot.light, time))
        defocus = _at(shot.defocus, time)
        recognisable = weight[time] >= 0.5 and light >= MIN_LIGHT
        person = first
        matrices = [layer.motion.at(time) for layer in shot.layers]
        for number, (layer, matrix) in enumerate(zip(shot.layers, matrices, strict=True)):
            for box, required in zip(layer.picture.boxes, layer.picture.required, strict=True):
                middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
                centre = matrix[:, :2] @ middle + matrix[:, 2]
                reach = np.sqrt(((matrix[:, :2] * half) ** 2).sum(axis=1))  # of the ellipse in the box, turned
                points = matrix[:, :2] @ (middle + disc * half).T + matrix[:, 2:]
                inside = ((points >= 0) & (points < np.array(film.size)[:, None])).all(axis=0)
                if inside.any():
                    in_front = zip(shot.layers[number + 1 :], matrices[number + 1 :], strict=True)
                    visible = _visibility(points[:, inside], in_front).mean()
                    sharp = defocus <= MAX_BLUR * 2 * reach[0]
                    found = required and recognisable and sharp and 2 * reach[1] >= film.min_height
                    found = found and inside.mean() >= MIN_INSIDE and visible >= MIN_VISIBLE
                    rows.append([start + time, person, *(centre - reach), *(centre + reach), float(found)])
                person += 1
    return np.array(rows).reshape(-1, 7)


def _visibility(points: NDArray[np.float64], in_front: Iterable[tuple[Layer, NDArray[np.float64]]]) -> Curve:
    """Return how much of each of (2, n) points of the frame is seen through the layers in front, 0 to 1."""
    seen = np.ones(points.shape[1])
    middle = points.mean(axis=1)
    reach = np.abs(points - middle[:, None]).max() * 2
    for layer, matrix in in_front:
        height, width = layer.picture.pixels.shape[:2]
        apart = np.hypot(*(matrix[:, :2] @ [width / 2, height / 2] + matrix[:, 2] - middle))
        if layer.occludes and apart < reach + np.hypot(*matrix[:, 0]) * np.hypot(width, height):
            columns, rows = np.floor(_inverse(matrix) @ _homogeneous(points.T)).astype(int)
            hit = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
            seen[hit] *= 1 - layer.picture.pixels[rows[hit], columns[hit], 3] / 255
    return seen


@cache
def _noise_field(width: int, height: int) -> Pixels:
    field = np.random.default_rng(0).standard_normal((height, width, 3), np.float32)
    return np.clip(128 + NOISE_DEVIATION * field, 0, 255).astype(np.uint8)


def _noise(time: int, size: tuple[int, int]) -> Pixels:
    """Return another part of the same field of noise for each frame."""
    x, y = (time * 37) % 97, (time * 61) % 89
    return _noise_field(size[0] + 97, size[1] + 89)[y : y + size[1], x : x + size[0]]


def _corners(picture: Picture) -> NDArray[np.float64]:
    width, height = picture.size
    return np.array([[0, 0], [width, 0], [0, height], [width, height]])


def _homogeneous(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 2) points as (3, n)."""
    return np.vstack([points.T, np.ones(len(points))])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.invertAffineTransform(matrix))
