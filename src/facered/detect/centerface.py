"""CenterFace (Xu et al. 2019): a heat map of face middles at a quarter of the resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from facered._native import decode
from facered.detect.family import ModelOutput, TensorLayout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CenterFace:
    """Outputs heat map, scale, offset and landmarks, in this order."""

    name = "CenterFace"
    layout = TensorLayout()

    def __init__(self, outputs: Sequence[ModelOutput]) -> None:
        self.outputs = [output.name for output in outputs[:3]]

    @staticmethod
    def recognise(outputs: Sequence[ModelOutput]) -> CenterFace | None:
        """Return the family if a model with these outputs belongs to it."""
        channels = [output.shape[1] if len(output.shape) == 4 else None for output in outputs]
        return CenterFace(outputs) if channels in ([1, 2, 2, 10], [1, 2, 2]) else None

    def decode(
        self,
        outputs: Sequence[NDArray[np.float32]],
        columns: int,  # noqa: ARG002
        threshold: float,
        boxes: NDArray[np.float32],
    ) -> int:
        """See `Family.decode`."""
        heatmap, scale, offset = outputs
        return decode.centerface(heatmap[0, 0], scale[0], offset[0], threshold, boxes)
