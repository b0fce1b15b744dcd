"""From Y, U and V to what a detector takes, as one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.families import TensorLayout

# Weights of red and blue in luma (ITU-R BT.601-7, BT.709-6 and BT.2020-2, non-constant luminance).
LUMA_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


def conversion(matrix: str, full_range: bool, layout: TensorLayout) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the affine map from 8-bit (Y, U, V, 1) to the three channels, and each channel's least and greatest value.

    Parameters
    ----------
    matrix : str
        A key of `LUMA_WEIGHTS`, or ``"gbr"``: then Y, U and V are green, blue and red.
    full_range : bool
        Whether black is 0 and white 255, instead of 16 and 235.
    layout : TensorLayout

    Returns
    -------
    (3, 4) float32, (3, 2) float32
    """
    affine = (_to_rgb(matrix, full_range) - [0, 0, 0, layout.mean]) / layout.scale
    if layout.order == "bgr":
        affine = affine[::-1]
    limits = (np.array([[0, 255]] * 3) - layout.mean) / layout.scale
    return np.ascontiguousarray(affine, np.float32), limits.astype(np.float32)


def _to_rgb(matrix: str, full_range: bool) -> NDArray[np.float64]:
    """Return the (3, 4) affine map from 8-bit (Y, U, V, 1) to red, green and blue from 0 to 255."""
    if matrix == "gbr":
        return np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]])
    red, blue = LUMA_WEIGHTS[matrix]
    green = 1 - red - blue
    rgb = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
    black, luma_gain, chroma_gain = (0, 1.0, 1.0) if full_range else (16, 255 / 219, 255 / 224)
    linear = rgb * [luma_gain, chroma_gain, chroma_gain]
    return np.column_stack([linear, -linear @ [black, 128, 128]])
