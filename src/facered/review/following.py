"""What a person draws, followed by its patch forwards and backwards until it is lost or a cut comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track.appearance import RecentPictures
from facered.track.cuts import CutDetector
from facered.track.propagation import NO_BOXES, followed_boxes, is_inside
from facered.track.tracklet import Tracklet

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]

MAX_SECONDS = 60.0
"""Seconds that it is followed each way, at most; by hand. More: a person waits, and what drifted is far away by then.
Fewer: who stays longer has to be drawn again."""
DRAWN_SCORE = 1.0
"""A person is certain."""


def follow(
    luma_of: Callable[[int], Luma],
    frame: int,
    box: NDArray[np.float64],
    frames: int,
    size: tuple[int, int],
    rate: float,
) -> tuple[int, NDArray[np.float64]]:
    """Follow a box both ways.

    Parameters
    ----------
    luma_of : callable
        Returns the small luma of a frame, (height, width) uint8.
    frame : int
        In which it was drawn.
    box : (4,) float64
        Centre and size in pixels of the shown picture.
    frames : int
        How many the film has.
    size : (int, int)
        Width and height of the shown picture.
    rate : float
        Frames a second.

    Returns
    -------
    int
        The first frame in which it was found.
    (n, 4) float64
        The boxes from there on, one a frame.
    """
    most = round(MAX_SECONDS * rate)
    ways = range(frame, max(0, frame - most) - 1, -1), range(frame, min(frames, frame + most + 1))
    back, ahead = (_follow(luma_of, way, box, size, rate) for way in ways)
    return frame - len(back), np.array([*back[::-1], box, *ahead])


def _follow(
    luma_of: Callable[[int], Luma], way: range, box: NDArray[np.float64], size: tuple[int, int], rate: float
) -> list[NDArray[np.float64]]:
    """Return the boxes in the frames of a way, but for the first, as far as it is found."""
    pictures, cuts = RecentPictures(np.array(size, np.float64), 2), CutDetector(rate)
    tracklet: Tracklet | None = None
    found: list[NDArray[np.float64]] = []
    for number, frame in enumerate(way):
        luma = luma_of(frame)
        pictures.push(luma)
        cuts.push(luma)
        if tracklet is None:
            patch = pictures.patch(box)
            tracklet = Tracklet(0, patch, number)
            tracklet.detect(number, box, DRAWN_SCORE, patch)
            continue
        step = tracklet.boxes[-1][:2] - tracklet.boxes[-2][:2] if number > 1 else np.zeros(2)
        guess = tracklet.boxes[-1].copy()
        guess[:2] += step
        places = pictures.find([tracklet.recent], guess[None])
        _, boxes = followed_boxes(pictures, places, [tracklet], NO_BOXES)
        if cuts.suspect() or not len(boxes) or not is_inside(boxes[0], pictures.size):
            break
        tracklet.follow(number, boxes[0], pictures.patch(boxes[0]))
        found.append(boxes[0])
    return found
