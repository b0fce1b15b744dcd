"""What all model families share: how the tensor must look, and how outputs become boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """Name and shape of one of a model's outputs; dimensions that are not fixed are None."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class TensorLayout:
    """What a model takes: colour order, and (value - mean) / scale of channels from 0 to 255."""

    order: str = "rgb"
    mean: float = 0.0
    scale: float = 1.0


class Family(Protocol):
    """A kind of detector, recognised from the outputs of its graph."""

    name: str
    outputs: list[str]
    layout: TensorLayout

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """Fill `boxes`, (n, 5) float32, with x1, y1, x2, y2 in pixels of the tensor and the score; return how many.

        Parameters
        ----------
        outputs : sequence of float32 arrays
            In the order of the attribute `outputs`, of a batch of one.
        columns : int
            Width of the tensor in pixels.
        threshold : float
            Least score, exclusive.
        boxes : (n, 5) float32
            When it is full, the rest is dropped.
        """
        ...
