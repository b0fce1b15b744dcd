import numpy as np
from numpy.typing import NDArray

def ellipse_mask(
    mask: NDArray[np.uint8], centre_x: float, centre_y: float, semi_x: float, semi_y: float, feather: float
) -> None: ...
def rectangle_mask(
    mask: NDArray[np.uint8], centre_x: float, centre_y: float, semi_x: float, semi_y: float, feather: float
) -> None: ...
def subsample_mask(
    mask: NDArray[np.uint8], before_x: int, before_y: int, out: NDArray[np.uint8], across: int = 2, down: int = 2
) -> None: ...
def blend_cells(
    region: NDArray[np.uint8] | NDArray[np.uint16],
    mask: NDArray[np.uint8],
    cells: NDArray[np.uint16],
    cell_width: int,
    cell_height: int,
    left: int,
    top: int,
    smooth: bool,
    scratch: NDArray[np.uint8],
    depth: int = 8,
) -> None: ...
