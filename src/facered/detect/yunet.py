"""YuNet (Wu et al. 2023): anchor-free, three levels, as in OpenCV's model zoo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from facered._native import decode
from facered.detect.family import ModelOutput, TensorLayout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRIDES = (8, 16, 32)


class YuNet:
    """Outputs are named after what they hold and the stride of their level, ``cls_8`` to ``bbox_32``."""

    name = "YuNet"
    layout = TensorLayout(order="bgr")

    def __init__(self) -> None:
        self.outputs = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox")]

    @staticmethod
    def recognise(outputs: Sequence[ModelOutput]) -> YuNet | None:
        """Return the family if a model with these outputs belongs to it."""
        family = YuNet()
        usable = {output.name for output in outputs if len(output.shape) == 3}
        return family if usable >= set(family.outputs) else None

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """See `Family.decode`."""
        count = 0
        for level, stride in enumerate(STRIDES):
            classes, objectness, distances = (output[0] for output in outputs[3 * level : 3 * level + 3])
            count += decode.yunet(classes, objectness, distances, columns // stride, stride, threshold, boxes[count:])
        return count
