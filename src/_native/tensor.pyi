import numpy as np
from numpy.typing import NDArray

class Letterbox:
    width: int
    height: int
    chroma_width: int
    chroma_height: int
    content_width: int
    content_height: int
    def __init__(
        self, width: int, height: int, chroma_width: int, chroma_height: int, content_width: int, content_height: int
    ) -> None: ...
    def __call__(
        self,
        y: NDArray[np.uint8],
        u: NDArray[np.uint8] | None,
        v: NDArray[np.uint8] | None,
        matrix: NDArray[np.float32],
        limits: NDArray[np.float32],
        out: NDArray[np.float32],
        luma: NDArray[np.uint8],
    ) -> None: ...
    def shrink(self, y: NDArray[np.uint8], luma: NDArray[np.uint8]) -> None: ...
