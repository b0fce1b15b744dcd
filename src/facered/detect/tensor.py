"""The tensor that a model is given, filled with a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.detect import colour
from facered.detect.letterbox import UprightLetterbox
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage

if TYPE_CHECKING:
    from facered.detect.families import TensorLayout
    from facered.video.picture import Picture


class View:
    """A tensor, and how pictures of one kind and colour are shrunk or enlarged into its upper left corner.

    Parameters
    ----------
    picture : Picture
        The first of them.
    sizes : ((int, int), (int, int))
        Width and height of the tensor and of the picture in it.
    layout : TensorLayout

    Attributes
    ----------
    tensor : (1, 3, height, width) float32
    to_picture : (4,) float32
        What boxes in the tensor are multiplied by.
    """

    def __init__(self, picture: Picture, sizes: tuple[tuple[int, int], tuple[int, int]], layout: TensorLayout) -> None:
        tensor, content = sizes
        self._letterbox = UprightLetterbox(picture, *content)
        self._colour = picture.matrix, picture.full_range
        self._matrix, self._limits = colour.conversion(*self._colour, layout)
        self._luma = np.empty((content[1], content[0]), np.uint8)
        self.tensor = np.full((1, 3, tensor[1], tensor[0]), self._limits[0, 0], np.float32)
        width, height = picture.shown_size
        self.to_picture = np.array([width / content[0], height / content[1]] * 2, np.float32)

    def shows(self, picture: Picture) -> bool:
        """Tell whether it suits a picture."""
        return self._letterbox.fits(picture) and self._colour == (picture.matrix, picture.full_range)

    def fill(self, picture: Picture) -> None:
        """Show it a picture."""
        with timed(Stage.TENSOR):
            self._letterbox.fill(picture, self._matrix, self._limits, self.tensor[0], self._luma)
