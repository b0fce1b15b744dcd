"""What scenes are composed of: photos, people cut out of them, backgrounds, and the motion of camera and people."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench import photos
from bench.compositor import Curve, Layer, Motion, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.photos import Picture

Size = tuple[int, int]

RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class Sources:
    """The photos and random numbers of one set of scenes: no photo is in both sets.

    The order in which random numbers are drawn is part of a scene.
    """

    crowd: str
    tall: str
    groups: Sequence[str]
    large: Sequence[str]
    people: Sequence[tuple[str, int]]
    backgrounds: Sequence[tuple[str, tuple[int, int, int, int]]]
    rng: np.random.Generator

    def group_photo(self) -> Picture:
        """Return a photo of some people, with its blurred mirror image around it."""
        return photos.photo(self._one_of(self.groups)).surrounded(0.5)

    def crowd_photo(self) -> Picture:
        """Return a photo of many people with smaller faces, likewise."""
        return photos.photo(self.crowd).surrounded(1.0)

    def close_up(self) -> Picture:
        """Return a photo with large faces, likewise."""
        return photos.photo(self._one_of(self.large)).surrounded(0.3)

    def background(self) -> Picture:
        """Return a part of a photo without people, out of focus."""
        return photos.background(*self.backgrounds[int(self.rng.integers(len(self.backgrounds)))])

    def people_cut_out(self, count: int) -> list[Picture]:
        """Return different people, cut out, some mirrored; the same again only where there are too few."""
        order = np.concatenate([self.rng.permutation(len(self.people)) for _ in range(-(-count // len(self.people)))])
        cut = [photos.person(*self.people[index]) for index in order[:count]]
        return [one.mirrored() if self.rng.random() < 0.5 else one for one in cut]

    def uniform(self, low: float, high: float) -> float:
        """Return a random number between two."""
        return float(self.rng.uniform(low, high))

    def sign(self) -> int:
        """Return -1 or 1 at random."""
        return int(self.rng.choice([-1, 1]))

    def smooth_noise(self, frames: int, amplitude: float, seconds: float = 1.5) -> Curve:
        """Return a sum of sines of random phase, about 0 and as far as the amplitude: a camera held by hand."""
        time = np.arange(frames) / float(RATE)
        waves = [
            np.sin(2 * np.pi * time * speed / seconds + self.rng.uniform(0, 2 * np.pi)) / speed
            for speed in (0.6, 1.0, 1.7, 3.1)
        ]
        return np.asarray(amplitude * np.sum(waves, axis=0) / 1.5)

    def _one_of(self, names: Sequence[str]) -> str:
        return names[int(self.rng.integers(len(names)))]


def sources_of(seed: int, name: str) -> Sources:
    """Return the sources of a set for the scene of a name, which seeds its random numbers."""
    rng = np.random.default_rng([seed, *name.encode()])
    if seed == 1:
        return Sources(
            crowd="city",
            tall="stock1",
            groups=["dlib_2007_007763", "dlib_2008_002470"],
            large=["vgroup4", "vgroup6"],
            people=[("vgroup2", 1), ("vgroup2", 3)]
            + [("vgroup4", who) for who in (1, 2, 3, 4, 5)]
            + [("vgroup6", who) for who in (2, 3)]
            + [("stock1", who) for who in (2, 3, 6, 8, 9)]
            + [("dlib_2008_002470", who) for who in (1, 2, 3, 4, 5, 6)]
            + [("dlib_2007_007763", who) for who in (1, 2, 4, 5, 7)],
            backgrounds=[
                ("city", (0, 230, 800, 564)),
                ("vgroup4", (0, 900, 1929, 1447)),
                ("stock1", (0, 1010, 853, 1280)),
            ],
            rng=rng,
        )
    return Sources(
        crowd="vgroup1",
        tall="vgroup5",
        groups=["dlib_2008_002079", "dlib_2008_004176", "dlib_2008_007676", "stock2"],
        large=["vgroup3", "vgroup7"],
        people=[("vgroup3", who) for who in (1, 2, 3, 4)]
        + [("vgroup7", who) for who in (2, 3)]
        + [("vgroup5", who) for who in (1, 2, 3, 4, 5, 6, 7)]
        + [("vgroup1", who) for who in (1, 2, 3, 5, 6, 10)]
        + [("stock2", who) for who in (1, 2, 3, 4)]
        + [("dlib_2008_002079", who) for who in (2, 3, 4)],
        backgrounds=[
            ("vgroup1", (0, 1000, 1920, 1440)),
            ("vgroup5", (0, 900, 1920, 1635)),
            ("vgroup5", (0, 0, 1920, 260)),
        ],
        rng=rng,
    )


def eased(frames: int, *points: tuple[float, float]) -> Curve:
    """Return a curve through points (part of the time, value) that slows down at each."""
    times, values = np.array(points, np.float64).T
    now = np.linspace(0, 1, frames)
    leg = np.clip(np.searchsorted(times, now, side="right") - 1, 0, len(times) - 2)
    part = np.clip((now - times[leg]) / (times[leg + 1] - times[leg]), 0, 1)
    return np.asarray(values[leg] + (values[leg + 1] - values[leg]) * part * part * (3 - 2 * part))


def face_centres(picture: Picture) -> NDArray[np.float64]:
    """Return the (n, 2) middles of the faces that must be found, from left to right."""
    boxes = picture.boxes[picture.required]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(middles[np.argsort(middles[:, 0])])


def scale_for(picture: Picture, height: float) -> float:
    """Return the scale at which the faces that must be found are so high, as a median."""
    boxes = picture.boxes[picture.required]
    return float(height / np.median(boxes[:, 3] - boxes[:, 1]))


def camera_layer(world: Picture, size: Size, x: Value, y: Value, scale: Value, roll: Value = 0.0) -> Layer:
    """Return a photo as a camera sees it that has points x, y of the photo in the middle of the frame."""
    return Layer(world, Motion.of((x, y), (size[0] / 2, size[1] / 2), scale, roll))


def object_layer(
    picture: Picture,
    x: Value,
    y: Value,
    height: Value,
    roll: Value = 0.0,
    occludes: bool = True,
    stretch: tuple[Value, Value] = (1.0, 1.0),
) -> Layer:
    """Return a layer of something with its face, or else its middle, at points of the frame, so high there.

    The height is that before it is stretched.
    """
    box = picture.boxes[0] if len(picture.boxes) else np.array([0, 0, *picture.size])
    middle = (box[:2] + box[2:]) / 2
    motion = Motion.of((middle[0], middle[1]), (x, y), height / (box[3] - box[1]), roll, stretch)
    return Layer(picture, motion, occludes)


def background_layer(sources: Sources, size: Size, frames: int) -> Layer:
    """Return a background out of focus that fills the frame and drifts a little."""
    world = sources.background()
    scale = 1.15 * float((np.array(size) / world.size).max())
    x, y = world.size / 2
    reach = 0.05 * world.size[0]
    return camera_layer(world, size, x + eased(frames, (0, -reach), (1, reach)), y, scale)


def framing(sources: Sources, world: Picture, size: Size, height: float, frames: int) -> tuple[Curve, float, float]:
    """Return x, y and scale for `camera_layer`: the middle of all faces, drifting, with faces about so high."""
    x, y = face_centres(world).mean(axis=0)
    scale = max(scale_for(world, height), 0.9 * size[0] / world.width)
    drift = sources.sign() * 0.04 * size[0] / scale
    return x + eased(frames, (0, -drift), (1, drift)), y, scale
