"""Boxes and ids drawn for checking."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facered.hide.outline import DIGITS, draw
from facered.video.picture import Picture

BLACK, WHITE = 16, 235


def gray(width: int = 200, height: int = 150, full_range: bool = False, chroma: bool = True) -> Picture:
    half = ((height + 1) // 2, (width + 1) // 2)
    small = [np.full(half, 90, np.uint8) for _ in "uv"] if chroma else [None, None]
    return Picture(np.full((height, width), 100, np.uint8), *small, "bt601", full_range)


def drawn(picture: Picture, *boxes: tuple[float, float, float, float], ids: tuple[int, ...] = ()) -> NDArray[np.uint8]:
    draw(picture, np.array(boxes, np.float64).reshape(-1, 4), ids)
    return picture.y


def plate(luma: NDArray[np.uint8], x: int, y: int, digits: int, scale: int = 4) -> str:
    """Read the number on the plate whose upper left corner is given."""
    part = luma[y : y + 7 * scale : scale, x : x + (4 * digits + 1) * scale : scale]
    assert set(np.unique(part)) <= {BLACK, WHITE}
    found = [part[1:6, 1 + 4 * n : 4 + 4 * n] == WHITE for n in range(digits)]
    return "".join(str(next(d for d in range(10) if np.array_equal(DIGITS[d], glyph))) for glyph in found)


def test_no_two_digits_look_alike() -> None:
    assert len({digit.tobytes() for digit in DIGITS}) == 10


@pytest.mark.parametrize("number", [0, 7, 18, 2345, 960])
def test_the_id_stands_above_the_upper_left_corner(number: int) -> None:
    luma = drawn(gray(), (50, 60, 120, 130), ids=(number,))
    assert plate(luma, 50, 60 - 28, len(str(number))) == str(number)


@pytest.mark.parametrize(
    ("box", "at"),
    [((-30, -20, 60, 50), (0, 0)), ((190, 60, 260, 100), (200 - 36, 60 - 28)), ((20, 400, 60, 440), (20, 150 - 28))],
)
def test_the_id_is_visible_where_the_box_is_not(box: tuple[int, int, int, int], at: tuple[int, int]) -> None:
    assert plate(drawn(gray(), box, ids=(42,)), *at, digits=2) == "42"


def test_the_outline_is_around_the_box_and_the_rest_is_untouched() -> None:
    picture = gray()
    luma = drawn(picture, (50, 60, 120, 130))
    expected = np.full((150, 200), 100, np.uint8)
    expected[58:132, 48:122] = WHITE
    expected[60:130, 50:120] = 100
    np.testing.assert_array_equal(luma, expected)
    neutral = np.repeat(np.repeat(picture.u == 128, 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(neutral, expected == WHITE)
    np.testing.assert_array_equal(picture.u, picture.v)


def test_lines_are_thicker_in_larger_pictures() -> None:
    luma = drawn(gray(1920, 1080), (500, 300, 900, 800))
    assert (luma[500, 494:500] == WHITE).all()
    assert luma[500, 493] == luma[500, 500] == 100


@pytest.mark.parametrize("box", [(-500, -500, -400, -400), (300, 20, 400, 60), (-50, -50, 400, 400)])
def test_what_lies_outside_is_left_out(box: tuple[int, int, int, int]) -> None:
    assert (drawn(gray(), box) == 100).all()


def test_each_box_has_its_own_id() -> None:
    luma = drawn(gray(), (10, 60, 50, 130), (90, 60, 150, 130), ids=(3, 12))
    assert (plate(luma, 10, 32, 1), plate(luma, 90, 32, 2)) == ("3", "12")


def test_white_is_as_white_as_the_range_allows() -> None:
    assert set(np.unique(drawn(gray(full_range=True), (50, 60, 120, 130), ids=(1,)))) == {0, 100, 255}


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (63, 47)])
@pytest.mark.parametrize("chroma", [False, True])
def test_any_size_will_do(width: int, height: int, chroma: bool) -> None:
    picture = gray(width, height, chroma=chroma)
    luma = drawn(picture, (0.4, 0.4, 0.8 * width, 0.8 * height), ids=(123456789,))
    assert luma.shape == (height, width)
    assert (luma != 100).any()
