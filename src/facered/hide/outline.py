"""Boxes and ids drawn into a picture, for checking what would be hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.picture import Picture

_GLYPHS = (
    "### .#. ### ### #.# ### ### ### ### ###",
    "#.# ##. ..# ..# #.# #.. #.. ..# #.# #.#",
    "#.# .#. ### .## ### ### ### .#. ### ###",
    "#.# .#. #.. ..# ..# ..# #.# .#. #.# ..#",
    "### ### ### ### ..# ### ### .#. ### ###",
)
DIGITS = np.array([[[c == "#" for c in row[4 * d : 4 * d + 3]] for row in _GLYPHS] for d in range(10)])
"""(10, 5, 3) bool: the digits, three samples wide and five high."""


def draw(picture: Picture, boxes: NDArray[np.float64], ids: Sequence[int]) -> None:
    """Draw the outline of each box, and its id above its upper left corner, in white on black.

    Parameters
    ----------
    picture : Picture
        Writable planes.
    boxes : (n, 4) float64
        x1, y1, x2, y2 in luma pixels; clipped.
    ids : sequence of int
        As many as boxes, or none.
    """
    thick = max(2, picture.height // 360 * 2)
    for index, box in enumerate(boxes):
        x1, y1, x2, y2 = (round(value) for value in box.tolist())
        _fill(picture, x1 - thick, y1 - thick, x2 + thick, y1, 1.0)
        _fill(picture, x1 - thick, y2, x2 + thick, y2 + thick, 1.0)
        _fill(picture, x1 - thick, y1, x1, y2, 1.0)
        _fill(picture, x2, y1, x2 + thick, y2, 1.0)
        if index < len(ids):
            _write(picture, str(ids[index]), x1, y1, 2 * thick)


def _write(picture: Picture, text: str, x: int, y: int, scale: int) -> None:
    """Write digits on a black plate whose lower left corner is at (x, y), or where it is wholly visible."""
    width, height = (4 * len(text) + 1) * scale, 7 * scale
    x = min(max(x, 0), max(picture.width - width, 0))
    y = min(max(y - height, 0), max(picture.height - height, 0))
    _fill(picture, x, y, x + width, y + height, 0.0)
    for place, digit in enumerate(text):
        for row, column in np.argwhere(DIGITS[int(digit)]):
            left, top = x + (1 + 4 * place + int(column)) * scale, y + (1 + int(row)) * scale
            _fill(picture, left, top, left + scale, top + scale, 1.0)


def _fill(picture: Picture, x1: int, y1: int, x2: int, y2: int, light: float) -> None:
    """Fill a rectangle, clipped to the picture, with gray from 0 (black) to 1 (white)."""
    x1, y1 = max(x1, 0), max(y1, 0)
    x2, y2 = min(x2, picture.width), min(y2, picture.height)
    if x1 >= x2 or y1 >= y2:
        return
    across, down = picture.across, picture.down
    picture.y[y1:y2, x1:x2], chroma = picture.gray(light)
    for plane in (picture.u, picture.v):
        if plane is not None:
            plane[y1 // down : -(-y2 // down), x1 // across : -(-x2 // across)] = chroma
