"""Tracklets made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import lumas
from facered._native.patch import SIDE
from facered.track.shot import Shot
from facered.track.tracklet import Tracklet
from lumas import Place

WHOLE = Shot(0, 999, 0, 999)


def box(place: Place) -> NDArray[np.float64]:
    """Return middle and size of a place."""
    x, y, size = place
    return np.array([x, y, size, size], np.float64)


def patch_of(who: int) -> NDArray[np.uint8]:
    """Return the patch of a person's face."""
    return lumas.texture(who, SIDE, SIDE, lumas.KNOTS)


def tracklet(
    places: Mapping[int, Place],
    followed: Iterable[int] = (),
    backward: Sequence[Place] = (),
    *,
    key: int = 0,
    who: int = 1,
    score: float = 0.9,
    confirmed: bool = True,
    shot: Shot = WHOLE,
) -> Tracklet:
    """Return a tracklet that was measured in these frames, in some of them by its patch, and before them, backwards."""
    patch, by_patch = patch_of(who), set(followed)
    made = Tracklet(key, patch, min(set(places) - by_patch))
    for frame, place in sorted(places.items()):
        if frame in by_patch:
            made.follow(frame, box(place), patch)
        else:
            made.detect(frame, box(place), score, patch)
    made.backward_boxes = [box(place) for place in backward]
    made.confirmed, made.shot = confirmed, shot
    return made


def straight(
    frames: Iterable[int], x: float = 100, y: float = 90, size: float = 40, speed: float = 0
) -> dict[int, Place]:
    """Return places on a straight line."""
    return {frame: (x + speed * frame, y, size) for frame in frames}
