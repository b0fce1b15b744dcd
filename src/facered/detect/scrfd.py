"""SCRFD (Guo et al. 2021): three levels with two anchors a cell, as exported by InsightFace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from facered._native import decode
from facered.detect.family import ModelOutput, TensorLayout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRIDES = (8, 16, 32)
ANCHORS = 2


class SCRFD:
    """Outputs are three of scores, three of distances and, perhaps, three of landmarks; names vary."""

    name = "SCRFD"
    layout = TensorLayout(mean=127.5, scale=128.0)

    def __init__(self, outputs: Sequence[ModelOutput]) -> None:
        self.outputs = [output.name for output in outputs[:6]]

    @staticmethod
    def recognise(outputs: Sequence[ModelOutput]) -> SCRFD | None:
        """Return the family if a model with these outputs belongs to it."""
        widths = [output.shape[-1] if len(output.shape) in (2, 3) else None for output in outputs]
        return SCRFD(outputs) if widths in ([1] * 3 + [4] * 3, [1] * 3 + [4] * 3 + [10] * 3) else None

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """See `Family.decode`."""
        count = 0
        for level, stride in enumerate(STRIDES):
            scores, distances = outputs[level].reshape(-1, 1), outputs[level + 3].reshape(-1, 4)
            count += decode.scrfd(scores, distances, columns // stride, ANCHORS, stride, threshold, boxes[count:])
        return count
