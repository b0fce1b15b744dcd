"""Hides what is to be hidden in a frame of a stream: faces and areas, or all of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from facered.hide.hider import Hider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.hide.style import Style
    from facered.live.face import Face
    from facered.live.stream import Stream
    from facered.video.picture import Picture

logger = logging.getLogger(__name__)


class Masks:
    """Hides in pictures, in place.

    Parameters
    ----------
    style : Style
    """

    def __init__(self, style: Style) -> None:
        self._hider, self._whole = Hider(style), Hider(replace(style, rectangle=True))

    def hide(self, picture: Picture, faces: Sequence[Face], beyond: NDArray[np.float64], stream: Stream) -> None:
        """Hide faces, and the areas of a stream.

        Parameters
        ----------
        picture : Picture
            Writable planes.
        faces : sequence of Face
        beyond : (n, 4) float64
            Faces without an id: x1, y1, x2, y2 in pixels of the picture as it is shown.
        stream : Stream
        """
        self._hider.hide(picture, beyond, spared=stream.spared)
        boxes = np.array([[f.x, f.y, f.x + f.width, f.y + f.height] for f in faces]).reshape(-1, 4)
        self._hider.hide(picture, boxes * (picture.shown_size * 2), [face.id for face in faces], stream.spared)
        for area in stream.areas:
            self._hider.hide_area(picture, area)

    def warm_up(self, picture: Picture) -> None:
        """Hide a face in the middle of a picture that is of no use otherwise, so that the first one takes no longer."""
        width, height = picture.shown_size
        self._hider.hide(picture, np.array([[0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height]]), [1])

    def hide_whole(self, picture: Picture) -> bool:
        """Hide all of a picture; return whether that went as it should, else it is black."""
        try:
            self._whole.hide(picture, np.array([[0.0, 0.0, *picture.shown_size]]))
        except Exception:
            logger.debug("a frame cannot be hidden in the style asked for; it is black", exc_info=True)
            _blacken(picture)
            return False
        return True


def _blacken(picture: Picture) -> None:
    """Fill a picture with black, which takes no memory."""
    picture.y[...], chroma = picture.gray(0.0)
    for plane in (picture.u, picture.v):
        if plane is not None:
            plane[...] = chroma
