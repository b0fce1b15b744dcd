"""Pictures -> their luma, small: enough to tell shots apart and to follow faces by their looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered._native.tensor import Letterbox
from facered.video.picture import side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.picture import Picture

MIN_LONGER_SIDE, MAX_LONGER_SIDE = 640, 960
"""Pixels of the longer side, which is half the picture's within these bounds and never more than the picture's own; by
hand. More of them follow small faces better and take more time a frame."""


class Shrinker:
    """Shrinks the luma of pictures of any size; not safe to share between threads."""

    def __init__(self) -> None:
        self._letterbox: Letterbox | None = None

    def __call__(self, picture: Picture) -> NDArray[np.uint8]:
        """Return the small luma as it is shown, (height, width) uint8."""
        box = self._letterbox
        if box is None or (box.width, box.height, box.depth) != (picture.width, picture.height, picture.depth):
            longer = max(picture.width, picture.height)
            scale = min(max(longer // 2, min(longer, MIN_LONGER_SIDE)), MAX_LONGER_SIDE) / longer
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            box = self._letterbox = Letterbox(picture.width, picture.height, 0, 0, *size, picture.depth)
        luma = np.empty((box.content_height, box.content_width), np.uint8)
        box.shrink(side_by_side(picture.y), luma)
        return np.ascontiguousarray(picture.orientation.turn(luma))
