"""What the model is shown of a picture, and what is believed of its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.tensor import View
    from facered.track.schedule import FineLook


@dataclass(frozen=True, slots=True)
class Look:
    """What the model is shown, and what of that is to be believed.

    Attributes
    ----------
    view : View
    corner : (2,) float32
        Where in the picture it begins.
    bounds : (4,) float64 or None
        Boxes, x1, y1, x2, y2, that reach beyond these are cut.
    most : float
        Longer side, in pixels of the picture, of the largest faces that are not left to a coarser look.
    least : float
        Mean side of the smallest faces that are not left to a finer one.
    left_to : FineLook or None
        That look.
    """

    view: View
    corner: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    bounds: NDArray[np.float64] | None = None
    most: float = np.inf
    least: float = 0.0
    left_to: FineLook | None = None

    def kept(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, 5) boxes and scores that are believed, in pixels of the picture."""
        found[:, :4] += np.tile(self.corner, 2)
        if self.bounds is not None:
            whole = (found[:, :2] >= self.bounds[:2]) & (found[:, 2:4] <= self.bounds[2:])
            found = found[whole.all(axis=1) & ((found[:, 2:4] - found[:, :2]).max(axis=1, initial=0) <= self.most)]
        if self.left_to is not None:
            # What is small is seen better on the larger picture; on the smaller one it has ghosts beside it.
            distinct = np.sqrt(np.prod(found[:, 2:4] - found[:, :2], axis=1)) >= self.least
            within = self.left_to.within
            if within is not None:
                middles = (found[:, :2] + found[:, 2:4]) / 2
                distinct |= (np.abs(middles - within[:2]) > within[2:] / 2).any(axis=1)
            found = found[distinct]
        return found
