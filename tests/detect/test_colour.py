"""From Y, U and V to red, green and blue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.detect.colour import LUMA_WEIGHTS, conversion
from facered.detect.families import TensorLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = [(matrix, full_range) for matrix in LUMA_WEIGHTS for full_range in (False, True)]
LEVEL = 1 / 255

Colour = tuple[float, float, float]


def to_rgb(yuv: Colour, matrix: str, full_range: bool, layout: TensorLayout | None = None) -> NDArray[np.float64]:
    affine, limits = conversion(matrix, full_range, layout or TensorLayout(scale=255))
    return np.clip(affine.astype(np.float64) @ [*yuv, 1], *limits.T)


def to_yuv(rgb: Colour, matrix: str, full_range: bool) -> Colour:
    """Return the unrounded 8-bit code of a colour, by the equations of the standards."""
    red_weight, blue_weight = LUMA_WEIGHTS[matrix]
    red, green, blue = rgb
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    blueness, redness = (blue - luma) / (2 - 2 * blue_weight), (red - luma) / (2 - 2 * red_weight)
    if full_range:
        return 255 * luma, 128 + 255 * blueness, 128 + 255 * redness
    return 16 + 219 * luma, 128 + 224 * blueness, 128 + 224 * redness


@pytest.mark.parametrize(
    ("matrix", "full_range", "yuv", "rgb"),
    [
        # 100 % bars as the standards' tables give them, rounded to 8 bits
        ("bt601", False, (81, 90, 240), (1, 0, 0)),
        ("bt601", False, (145, 54, 34), (0, 1, 0)),
        ("bt601", False, (41, 240, 110), (0, 0, 1)),
        ("bt601", True, (76, 85, 255), (1, 0, 0)),
        ("bt709", False, (63, 102, 240), (1, 0, 0)),
        ("bt709", False, (173, 42, 26), (0, 1, 0)),
        ("bt709", False, (32, 240, 118), (0, 0, 1)),
        ("bt709", True, (54, 99, 255), (1, 0, 0)),
        ("bt2020", False, (74, 97, 240), (1, 0, 0)),
        ("bt2020", True, (67, 92, 255), (1, 0, 0)),
    ],
)
def test_pure_colours_come_out_pure(matrix: str, full_range: bool, yuv: Colour, rgb: Colour) -> None:
    np.testing.assert_allclose(to_rgb(yuv, matrix, full_range), rgb, atol=1.5 * LEVEL)


@pytest.mark.parametrize(("matrix", "full_range"), KINDS)
@pytest.mark.parametrize(("limited", "full", "gray"), [(16, 0, 0.0), (235, 255, 1.0), (126, 128, 0.502)])
def test_grays_have_no_colour(matrix: str, full_range: bool, limited: int, full: int, gray: float) -> None:
    rgb = to_rgb((full if full_range else limited, 128, 128), matrix, full_range)
    np.testing.assert_allclose(rgb, gray, atol=0.5 * LEVEL)
    np.testing.assert_allclose(rgb, rgb[0], atol=1e-6)


@pytest.mark.parametrize(("matrix", "full_range"), KINDS)
@pytest.mark.parametrize("rgb", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (0.8, 0.5, 0.4)])
def test_is_the_inverse_of_the_standards(matrix: str, full_range: bool, rgb: Colour) -> None:
    np.testing.assert_allclose(to_rgb(to_yuv(rgb, matrix, full_range), matrix, full_range), rgb, atol=1e-5)


@pytest.mark.parametrize("matrix", LUMA_WEIGHTS)
@pytest.mark.parametrize(("luma", "gray"), [(0, 0), (255, 1)])
def test_blacker_than_black_is_black_and_whiter_than_white_is_white(matrix: str, luma: int, gray: int) -> None:
    affine, _ = conversion(matrix, False, TensorLayout(scale=255))
    free = affine @ np.array([luma, 128, 128, 1], np.float32)
    assert ((free < 0) | (free > 1)).all()
    assert to_rgb((luma, 128, 128), matrix, False).tolist() == [gray] * 3


def test_black_is_brighter_in_the_wrong_range() -> None:
    assert to_rgb((16, 128, 128), "bt709", True) == pytest.approx(16 * LEVEL, abs=1e-6)


@pytest.mark.parametrize(("matrix", "full_range"), KINDS)
def test_bgr_is_rgb_turned_round(matrix: str, full_range: bool) -> None:
    affine, limits = conversion(matrix, full_range, TensorLayout("rgb", 10, 2))
    turned, turned_limits = conversion(matrix, full_range, TensorLayout("bgr", 10, 2))
    np.testing.assert_array_equal(turned, affine[::-1])
    np.testing.assert_array_equal(turned_limits, limits)


@pytest.mark.parametrize(("mean", "scale"), [(127.5, 128.0), (0.0, 255.0), (104.0, 1.0)])
def test_mean_and_scale_apply_to_channels_of_255(mean: float, scale: float) -> None:
    layout = TensorLayout(mean=mean, scale=scale)
    _, limits = conversion("bt709", False, layout)
    assert limits == pytest.approx(np.array([[(0 - mean) / scale, (255 - mean) / scale]] * 3))
    white, red = (to_rgb(yuv, "bt601", False, layout) for yuv in [(235, 128, 128), (81, 90, 240)])
    assert white == pytest.approx((255 - mean) / scale, abs=1e-4)
    assert red * scale + mean == pytest.approx([255, 0, 0], abs=1.5)


def test_the_kernels_get_the_types_they_expect() -> None:
    for array in conversion("bt601", True, TensorLayout("bgr")):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
