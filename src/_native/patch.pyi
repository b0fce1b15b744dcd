import numpy as np
from numpy.typing import NDArray

SIDE: int
RADIUS: int

class Pyramid:
    width: int
    height: int
    def __init__(self, width: int, height: int) -> None: ...
    def fill(self, luma: NDArray[np.uint8]) -> None: ...

def sample(pyramid: Pyramid, boxes: NDArray[np.float64], patches: NDArray[np.uint8]) -> None: ...
def search(
    pyramid: Pyramid,
    patches: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    radius: int,
    scales: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None: ...
