import numpy as np
from numpy.typing import NDArray

def average_cells(
    region: NDArray[np.uint8] | NDArray[np.uint16],
    cell_width: int,
    cell_height: int,
    scratch: NDArray[np.uint32],
    out: NDArray[np.uint16],
    depth: int = 8,
) -> None: ...
def box_blur(
    picture: NDArray[np.uint16], radius_x: int, radius_y: int, passes: int, scratch: NDArray[np.uint32]
) -> None: ...
