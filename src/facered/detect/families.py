"""Families of face detectors: what each takes, what it gives, and how that becomes boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from facered._native import decode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRIDES = (8, 16, 32)
"""Pixels of the tensor that a cell of each level stands for, in families with three levels."""
CENTERFACE_STRIDE = 4
SCRFD_ANCHORS = 2


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

    def shapes(self, width: int, height: int) -> list[tuple[int, ...]]:
        """Return what shape each of `outputs` has for a tensor of a size in pixels, without the axis of the batch."""
        ...

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """Fill `boxes`, (n, 5) float32, with x1, y1, x2, y2 in pixels of the tensor and the score; return how many.

        Parameters
        ----------
        outputs : sequence of float32 arrays
            In the order and of the shapes that `shapes` tells: the kernels take them at their word.
        columns : int
            Width of the tensor in pixels.
        threshold : float
            Least score, exclusive.
        boxes : (n, 5) float32
            When it is full, the rest is dropped.
        """
        ...


class CenterFace:
    """CenterFace (Xu et al. 2019): a heat map of face middles at a quarter of the resolution.

    Outputs heat map, scale, offset and landmarks, in this order.
    """

    name = "CenterFace"
    layout = TensorLayout()

    def __init__(self, outputs: Sequence[ModelOutput]) -> None:
        self.outputs = [output.name for output in outputs[:3]]

    @staticmethod
    def recognise(outputs: Sequence[ModelOutput]) -> CenterFace | None:
        """Return the family if a model with these outputs belongs to it."""
        channels = [output.shape[1] if len(output.shape) == 4 else None for output in outputs]
        return CenterFace(outputs) if channels in ([1, 2, 2, 10], [1, 2, 2]) else None

    def shapes(self, width: int, height: int) -> list[tuple[int, ...]]:
        """See `Family.shapes`."""
        rows, columns = -(-height // CENTERFACE_STRIDE), -(-width // CENTERFACE_STRIDE)
        return [(channels, rows, columns) for channels in (1, 2, 2)]

    def decode(
        self,
        outputs: Sequence[NDArray[np.float32]],
        columns: int,  # noqa: ARG002
        threshold: float,
        boxes: NDArray[np.float32],
    ) -> int:
        """See `Family.decode`."""
        heatmap, scale, offset = outputs
        return decode.centerface(heatmap[0], scale, offset, threshold, boxes)


class YuNet:
    """YuNet (Wu et al. 2023): anchor-free, three levels, as in OpenCV's model zoo.

    Outputs are named after what they hold and the stride of their level, ``cls_8`` to ``bbox_32``.
    """

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

    def shapes(self, width: int, height: int) -> list[tuple[int, ...]]:
        """See `Family.shapes`."""
        return [(cells, channels) for cells in _cells(width, height) for channels in (1, 1, 4)]

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """See `Family.decode`."""
        count = 0
        for level, stride in enumerate(STRIDES):
            classes, objectness, distances = outputs[3 * level : 3 * level + 3]
            count += decode.yunet(classes, objectness, distances, columns // stride, stride, threshold, boxes[count:])
        return count


class SCRFD:
    """SCRFD (Guo et al. 2021): three levels with two anchors a cell, as exported by InsightFace.

    Outputs are three of scores, three of distances and, perhaps, three of landmarks; names vary.
    """

    name = "SCRFD"
    layout = TensorLayout(mean=127.5, scale=128.0)

    def __init__(self, outputs: Sequence[ModelOutput]) -> None:
        self.outputs = [output.name for output in outputs[:6]]

    @staticmethod
    def recognise(outputs: Sequence[ModelOutput]) -> SCRFD | None:
        """Return the family if a model with these outputs belongs to it."""
        widths = [output.shape[-1] if len(output.shape) in (2, 3) else None for output in outputs]
        return SCRFD(outputs) if widths in ([1] * 3 + [4] * 3, [1] * 3 + [4] * 3 + [10] * 3) else None

    def shapes(self, width: int, height: int) -> list[tuple[int, ...]]:
        """See `Family.shapes`."""
        return [(SCRFD_ANCHORS * cells, channels) for channels in (1, 4) for cells in _cells(width, height)]

    def decode(
        self, outputs: Sequence[NDArray[np.float32]], columns: int, threshold: float, boxes: NDArray[np.float32]
    ) -> int:
        """See `Family.decode`."""
        count = 0
        for level, stride in enumerate(STRIDES):
            scores, distances = outputs[level], outputs[level + 3]
            count += decode.scrfd(scores, distances, columns // stride, SCRFD_ANCHORS, stride, threshold, boxes[count:])
        return count


def _cells(width: int, height: int) -> list[int]:
    """Return how many cells each level has of a tensor of a size in pixels."""
    return [(width // stride) * (height // stride) for stride in STRIDES]


FAMILIES = (CenterFace, YuNet, SCRFD)
