"""How a stored picture is turned and mirrored when it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways in which a picture can lie: rows and columns swapped, then mirrored.

    Attributes
    ----------
    transposed : bool
        Whether the stored rows are shown as columns.
    flip_x, flip_y : bool
        Whether what comes of that is shown with left and right, or top and bottom, exchanged.
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of_matrix(cls, matrix: Sequence[int]) -> Orientation:
        """Return the orientation nearest to a display matrix, nine numbers as FFmpeg has them."""
        a, b, _, c, d = matrix[:5]
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def __bool__(self) -> bool:
        return self.transposed or self.flip_x or self.flip_y

    def then(self, other: Orientation) -> Orientation:
        """Return the orientation of a picture that is shown as this one says, and of that as another one says."""
        flip_x, flip_y = (self.flip_y, self.flip_x) if other.transposed else (self.flip_x, self.flip_y)
        return Orientation(self.transposed ^ other.transposed, flip_x ^ other.flip_x, flip_y ^ other.flip_y)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the shown width and height of stored ones, or the other way round."""
        return (height, width) if self.transposed else (width, height)

    def turn(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Return a view of a stored (..., height, width) picture as it is shown."""
        if self.transposed:
            picture = picture.swapaxes(-1, -2)
        if self.flip_x:
            picture = picture[..., ::-1]
        return picture[..., ::-1, :] if self.flip_y else picture

    def to_stored(self, boxes: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """Return where boxes of the shown picture, `width` by `height`, lie in the stored one.

        Parameters
        ----------
        boxes : (n, 4) float64
            x1, y1, x2, y2 in pixels.
        width, height : int
            Size of the shown picture.

        Returns
        -------
        (n, 4) float64
        """
        if not self:
            return boxes
        x1, y1, x2, y2 = boxes.T
        if self.flip_x:
            x1, x2 = width - x2, width - x1
        if self.flip_y:
            y1, y2 = height - y2, height - y1
        return np.column_stack([y1, x1, y2, x2] if self.transposed else [x1, y1, x2, y2])

    def to_shown(self, boxes: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """Return where boxes of the stored picture lie in the shown one, `width` by `height`; see `to_stored`."""
        x1, y1, x2, y2 = boxes.T
        if self.transposed:
            x1, y1, x2, y2 = y1, x1, y2, x2
        if self.flip_x:
            x1, x2 = width - x2, width - x1
        if self.flip_y:
            y1, y2 = height - y2, height - y1
        return np.column_stack([x1, y1, x2, y2])


UPRIGHT = Orientation()
"""Shown as it is stored."""
QUARTER_TURNS = (Orientation(True, True, False), Orientation(False, True, True), Orientation(True, False, True))
"""Turned clockwise by 90, 180 and 270 degrees."""
