import numpy as np
from numpy.typing import NDArray

class Letterbox:
    width: int
    height: int
    chroma_width: int
    chroma_height: int
    content_width: int
    content_height: int
    depth: int
    def __init__(
        self,
        width: int,
        height: int,
        chroma_width: int,
        chroma_height: int,
        content_width: int,
        content_height: int,
        depth: int = 8,
    ) -> None: ...
    def __call__(
        self,
        y: NDArray[np.uint8] | NDArray[np.uint16],
        u: NDArray[np.uint8] | NDArray[np.uint16] | None,
        v: NDArray[np.uint8] | NDArray[np.uint16] | None,
        matrix: NDArray[np.float32],
        limits: NDArray[np.float32],
        out: NDArray[np.float32],
        luma: NDArray[np.uint8],
    ) -> None: ...
    def shrink(self, y: NDArray[np.uint8] | NDArray[np.uint16], luma: NDArray[np.uint8]) -> None: ...
