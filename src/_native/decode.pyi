import numpy as np
from numpy.typing import NDArray

def centerface(
    heatmap: NDArray[np.float32],
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
    threshold: float,
    out: NDArray[np.float32],
) -> int: ...
def yunet(
    classes: NDArray[np.float32],
    objectness: NDArray[np.float32],
    boxes: NDArray[np.float32],
    columns: int,
    stride: int,
    threshold: float,
    out: NDArray[np.float32],
) -> int: ...
def scrfd(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    columns: int,
    anchors: int,
    stride: int,
    threshold: float,
    out: NDArray[np.float32],
) -> int: ...
def suppress(boxes: NDArray[np.float32], limit: float, keep: NDArray[np.uint8]) -> None: ...
