"""The picture that a detector sees: small, upright, in the corner of its tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered._native.tensor import Letterbox
from facered.video.picture import side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.picture import Picture


class UprightLetterbox:
    """Shrinks or enlarges pictures of one kind into the upper left corner of a tensor, as they are shown.

    A picture that is stored turned is turned when it is small.

    Parameters
    ----------
    picture : Picture
        The first of them.
    width, height : int
        Size of the result inside the tensor.
    """

    def __init__(self, picture: Picture, width: int, height: int) -> None:
        self._kind = _kind(picture)
        self._turn = picture.orientation.turn
        stored = picture.orientation.size(width, height)
        chroma_height, chroma_width = picture.u.shape if picture.u is not None else (0, 0)
        size = picture.width, picture.height, chroma_width, chroma_height
        self._letterbox = Letterbox(*size, *stored, picture.depth)
        self._turned = bool(picture.orientation)
        self._size = width, height
        if self._turned:
            self._tensor = np.empty((3, stored[1], stored[0]), np.float32)
            self._luma = np.empty((stored[1], stored[0]), np.uint8)

    def fits(self, picture: Picture) -> bool:
        """Return whether a picture is of the same kind."""
        return _kind(picture) == self._kind

    def fill(
        self,
        picture: Picture,
        matrix: NDArray[np.float32],
        limits: NDArray[np.float32],
        out: NDArray[np.float32],
        luma: NDArray[np.uint8],
    ) -> None:
        """Fill the tensor and the small luma picture.

        Parameters
        ----------
        picture : Picture
        matrix : (3, 4) float32
            Channel c of the tensor is ``matrix[c] @ (Y, U, V, 1)``, of samples brought to 8 bits and a fraction.
        limits : (3, 2) float32
            The least and the greatest value of each channel.
        out : (3, rows, columns) float32
            The tensor; what lies right of and below the content stays as it was.
        luma : (height, width) uint8
            The small picture's luma, as the source stores it.
        """
        y = side_by_side(picture.y)
        u, v = (None if plane is None else side_by_side(plane) for plane in (picture.u, picture.v))
        if not self._turned:
            self._letterbox(y, u, v, matrix, limits, out, luma)
            return
        self._letterbox(y, u, v, matrix, limits, self._tensor, self._luma)
        width, height = self._size
        out[:, :height, :width] = self._turn(self._tensor)
        luma[:] = self._turn(self._luma)


def _kind(picture: Picture) -> tuple[object, ...]:
    return (picture.y.shape, picture.u.shape if picture.u is not None else None, picture.depth, picture.orientation)
