import numpy as np
from numpy.typing import NDArray

def ellipse_mask(
    mask: NDArray[np.uint8], centre_x: float, centre_y: float, semi_x: float, semi_y: float, feather: float
) -> None: ...
def rectangle_mask(
    mask: NDArray[np.uint8], centre_x: float, centre_y: float, semi_x: float, semi_y: float, feather: float
) -> None: ...
def subsample_mask(mask: NDArray[np.uint8], odd_x: bool, odd_y: bool, out: NDArray[np.uint8]) -> None: ...
def blend_cells(
    region: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    cells: NDArray[np.uint16],
    cell_width: int,
    cell_height: int,
    left: int,
    top: int,
    smooth: bool,
    scratch: NDArray[np.uint8],
) -> None: ...
