"""Made-up luma pictures: faces, each with a texture of its own, that move before a wall."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Place = tuple[float, float, float]
"""Middle x, middle y and size of a face in pixels."""
Way = Callable[[int], Place | None]
"""Where a face is in a frame, if it is there."""

KNOTS = 7
"""Spots of light and dark along each side of a face."""


def texture(seed: int, width: int, height: int, knots: int, low: float = 20, high: float = 235) -> Luma:
    """Return a smooth random picture with so many spots along its longer side."""
    grain = max(width, height) / knots
    across, down = (np.arange(n) / grain for n in (width, height))
    spots = np.random.default_rng(seed).uniform(low, high, (int(down[-1]) + 2, int(across[-1]) + 2))
    return np.round(_between(spots, across, down)).astype(np.uint8, order="C")


def _between(
    samples: NDArray[np.float64], across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the samples at these columns and rows, by linear interpolation."""
    x, y = (np.clip(at.astype(int), 0, n - 2) for at, n in zip((across, down), samples.shape[::-1], strict=True))
    right, below = across - x, (down - y)[:, None]
    upper = samples[y][:, x] * (1 - right) + samples[y][:, x + 1] * right
    lower = samples[y + 1][:, x] * (1 - right) + samples[y + 1][:, x + 1] * right
    both: NDArray[np.float64] = upper * (1 - below) + lower * below
    return both


def wall(width: int = 320, height: int = 180, seed: int = 1000) -> Luma:
    """Return a background with less contrast than faces have."""
    return texture(seed, width, height, 20, 90, 150)


@dataclass(frozen=True)
class Person:
    """A face, or something else that is as round, and its way."""

    seed: int
    way: Way
    head: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", texture(self.seed, 64, 64, KNOTS).astype(np.float64))

    def draw(self, picture: Luma, frame: int) -> None:
        place = self.way(frame)
        if place is None:
            return
        x, y, size = place
        left, top = max(int(x - size / 2), 0), max(int(y - size / 2), 0)
        part = picture[top : max(int(y + size / 2) + 1, 0), left : max(int(x + size / 2) + 1, 0)]
        across = (np.arange(part.shape[1]) + left + 0.5 - x) / size
        down = (np.arange(part.shape[0]) + top + 0.5 - y) / size
        face = _between(self.head, np.clip((across + 0.5) * 63, 0, 63), np.clip((down + 0.5) * 63, 0, 63))
        inside = across**2 + down[:, None] ** 2 <= 0.25
        part[inside] = np.round(face[inside]).astype(np.uint8)


def film(people: Iterable[Person], frames: int, background: Luma | None = None) -> list[Luma]:
    """Return pictures of people, the later ones in front."""
    cast, pictures = list(people), []
    for frame in range(frames):
        picture = (wall() if background is None else background).copy()
        for person in cast:
            person.draw(picture, frame)
        pictures.append(picture)
    return pictures


def blended(a: Luma, b: Luma, share: float) -> Luma:
    """Return a mixture of two pictures."""
    return np.round(a * (1 - share) + b * share).astype(np.uint8)
