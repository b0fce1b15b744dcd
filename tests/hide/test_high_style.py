"""What each style leaves of a face, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from facered._native import blur
from facered.hide import hider
from facered.hide.hider import Hider
from facered.hide.style import STYLES, Style
from facered.video.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

WIDTH, HEIGHT = 192, 160
BOX = (60.0, 40.0, 124.0, 120.0)
BOXES = [BOX, (61.3, 38.7, 120.9, 111.1), (-20.0, 90.5, 60.0, 190.0), (70.0, 70.0, 79.0, 81.0)]


def planar(y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> Picture:
    return Picture(y.copy(), u.copy(), v.copy(), "bt601", False)


def interleaved(y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> Picture:
    pairs = np.empty((u.shape[0], 2 * u.shape[1]), np.uint8)
    pairs[:, 0::2], pairs[:, 1::2] = u, v
    return Picture(y.copy(), pairs[:, 0::2], pairs[:, 1::2], "bt601", False)


def planes(picture: Picture) -> list[NDArray[np.uint8]]:
    assert picture.u is not None
    assert picture.v is not None
    return [picture.y, picture.u, picture.v]


def scene(seed: int = 0, coarse: int = 4) -> list[NDArray[np.uint8]]:
    """Return random patches, in every plane."""
    rng = np.random.default_rng(seed)
    shapes = [(HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2)]
    small = [rng.integers(20, 230, (rows // coarse, columns // coarse), np.uint8) for rows, columns in shapes]
    return [np.kron(patches, np.ones((coarse, coarse), np.uint8)) for patches in small]


def hidden(picture: Picture, style: Style, box: Box = BOX) -> Picture:
    Hider(style).hide(picture, np.array([box]))
    return picture


def opaque(box: Box, shape: tuple[int, ...], rectangle: bool) -> NDArray[np.bool_]:
    """Return the samples of a plane that lie wholly in the shape; those of chroma with a little distance."""
    scale = WIDTH / shape[1]
    x, y = (np.arange(shape[1]) + 0.5) * scale, (np.arange(shape[0])[:, None] + 0.5) * scale
    dx, dy = (x - (box[0] + box[2]) / 2) / (box[2] - box[0]) * 2, (y - (box[1] + box[3]) / 2) / (box[3] - box[1]) * 2
    apart = np.maximum(abs(dx), abs(dy)) if rectangle else np.hypot(dx, dy)
    found: NDArray[np.bool_] = apart <= 0.999 - (scale - 1) * 2 / (box[2] - box[0])
    return found


def steps(plane: NDArray[np.uint8], mask: NDArray[np.bool_], axis: int) -> int:
    """Return in how many places along an axis neighbouring lines differ within a mask."""
    lines, inside = np.moveaxis(plane.astype(int), axis, 0), np.moveaxis(mask, axis, 0)
    differ = (lines[1:] != lines[:-1]) & inside[1:] & inside[:-1]
    return int(differ.any(axis=1).sum())


layouts = pytest.mark.parametrize("layout", [planar, interleaved], ids=["yuv420p", "nv12"])
boxes = pytest.mark.parametrize("box", BOXES, ids=["even", "fractional", "over the corner", "small"])
shapes = pytest.mark.parametrize("rectangle", [False, True], ids=["ellipse", "rectangle"])


@layouts
@boxes
@shapes
class TestOpaque:
    def test_black_is_black(self, layout: Any, box: Box, rectangle: bool) -> None:
        picture = hidden(layout(*scene()), replace(STYLES["Black"], rectangle=rectangle), box)
        for plane, black in zip(planes(picture), (16, 128, 128), strict=True):
            inside = opaque(box, plane.shape, rectangle)
            assert inside.any()
            assert (plane[inside] == black).all()

    def test_mosaic_has_at_most_six_flat_cells_a_side(self, layout: Any, box: Box, rectangle: bool) -> None:
        picture = hidden(layout(*scene(coarse=1)), replace(STYLES["Mosaic"], rectangle=rectangle), box)
        for plane in planes(picture):
            inside = opaque(box, plane.shape, rectangle)
            assert steps(plane, inside, 0) <= 5
            assert steps(plane, inside, 1) <= 5
            assert len(np.unique(plane[inside])) <= 36
        assert len(np.unique(picture.y[opaque(box, picture.y.shape, rectangle)])) > 1

    @pytest.mark.parametrize("name", [name for name in STYLES if name not in ("Box", "Low", "Mosaic")])
    def test_what_was_inside_is_gone(self, layout: Any, box: Box, rectangle: bool, name: str) -> None:
        before = scene(coarse=1)
        picture = hidden(layout(*before), replace(STYLES[name], rectangle=rectangle), box)
        for plane, pristine in zip(planes(picture), before, strict=True):
            inside = opaque(box, plane.shape, rectangle)
            assert plane[inside].std() < 0.5 * pristine[inside].std()


@pytest.fixture
def averaged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int, int, NDArray[np.uint16]]]:
    """Return what the styles average from now on: window, cell width and height, and the means."""
    calls: list[tuple[Any, int, int, NDArray[np.uint16]]] = []

    def average_cells(window: Any, across: int, down: int, scratch: Any, out: Any, depth: int) -> None:
        blur.average_cells(window, across, down, scratch, out, depth)
        calls.append((window, across, down, out.copy()))

    monkeypatch.setattr(hider, "blur", SimpleNamespace(average_cells=average_cells, box_blur=blur.box_blur))
    return calls


def sort_cells(plane: NDArray[np.uint8], left: int, top: int, window: tuple[int, int], cell: tuple[int, int]) -> None:
    """Sort the samples in each cell of a grid, so that a picture becomes another one with the same means."""
    part = plane[top : top + window[0], left : left + window[1]]
    for y in range(0, window[0], cell[0]):
        for x in range(0, window[1], cell[1]):
            piece = part[y : y + cell[0], x : x + cell[1]]
            piece[:] = np.sort(piece, axis=None).reshape(piece.shape)


class TestEqualMeans:
    """Of two faces with the same few means, one cannot be told from the other."""

    def twins(self, style: Style, box: Box, averaged: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return two pictures with equal means in the cells that a style takes, and the means of the first."""
        one = scene(coarse=1)
        picture = planar(*one)
        hidden(picture, style, box)
        other = [plane.copy() for plane in one]
        means = []
        for (window, across, down, cells), plane, drawn in zip(averaged, other, planes(picture), strict=True):
            top, left = divmod(window.ctypes.data - drawn.ctypes.data, drawn.strides[0])
            sort_cells(plane, left, top, window.shape, (down, across))
            means.append(cells)
        averaged.clear()
        return one, other, means

    @layouts
    @boxes
    @shapes
    @pytest.mark.parametrize("name", ["High", "Mosaic"])
    def test_look_the_same(self, averaged: list[Any], layout: Any, box: Box, rectangle: bool, name: str) -> None:
        style = replace(STYLES[name], rectangle=rectangle)
        one, other, means = self.twins(style, box, averaged)
        pictures = [hidden(layout(*one), style, box), hidden(layout(*other), style, box)]
        for (*_, cells), expected in zip(averaged, means * 2, strict=True):
            np.testing.assert_array_equal(cells, expected)
        for before, twin, plane, drawn in zip(one, other, *map(planes, pictures), strict=True):
            inside = opaque(box, plane.shape, rectangle)
            assert (before[inside] != twin[inside]).mean() > 0.4
            np.testing.assert_array_equal(plane[inside], drawn[inside])

    @pytest.mark.parametrize("name", ["Low", "Med"])
    def test_do_not_look_the_same_in_a_style_that_keeps_more(self, averaged: list[Any], name: str) -> None:
        one, other, _ = self.twins(STYLES["High"], BOX, averaged)
        pictures = [hidden(planar(*picture), STYLES[name]) for picture in (one, other)]
        inside = opaque(BOX, one[0].shape, False)
        assert (pictures[0].y[inside] != pictures[1].y[inside]).any()

    @boxes
    @pytest.mark.parametrize("name", ["High", "Mosaic"])
    def test_a_box_has_about_five_cells_a_side(self, averaged: list[Any], box: Box, name: str) -> None:
        hidden(planar(*scene()), STYLES[name], box)
        for scale, (_, across, down, _) in zip((1, 2, 2), averaged, strict=True):
            assert (box[2] - box[0]) / scale / 5 <= across < (box[2] - box[0]) / scale / 5 + 1
            assert (box[3] - box[1]) / scale / 5 <= down < (box[3] - box[1]) / scale / 5 + 1


@layouts
class TestShape:
    CORNERS = ((40, 60), (40, 123), (119, 60), (119, 123))

    @pytest.mark.parametrize("name", [name for name in STYLES if name != "Box"])
    def test_only_the_rectangle_covers_the_corners_of_the_box(self, layout: Any, name: str) -> None:
        before = [255 - np.full_like(plane, 16) for plane in scene()]
        before[0][30:130:2] = 20
        for rectangle in (True, False):
            picture = hidden(layout(*before), replace(STYLES[name], rectangle=rectangle))
            assert [bool(picture.y[at] != before[0][at]) for at in self.CORNERS] == [rectangle] * 4

    @shapes
    @pytest.mark.parametrize("feather", [0.01, 0.15, 0.5])
    def test_the_feather_fades_outside(self, layout: Any, rectangle: bool, feather: float) -> None:
        before = [np.full_like(plane, 200) for plane in scene()]
        picture = hidden(layout(*before), replace(STYLES["Black"], rectangle=rectangle, feather=feather))
        row = picture.y[80].astype(int)
        assert (row[60:124] == 16).all()
        reach = 32 * feather
        assert (row[: int(60 - reach)] == 200).all()
        assert (row[int(124 + reach) + 1 :] == 200).all()
        rim = row[124 : int(124 + reach)]
        assert len(rim) == int(reach)
        assert ((rim > 16) & (rim < 200)).all()
        assert (np.diff(rim) > 0).all()


@layouts
class TestBox:
    def test_hides_nothing_and_draws_the_outline(self, layout: Any) -> None:
        before = scene(coarse=1)
        picture = hidden(layout(*before), STYLES["Box"])
        np.testing.assert_array_equal(picture.y[40:120, 60:124], before[0][40:120, 60:124])
        for line in (picture.y[38:40, 58:126], picture.y[120:122, 58:126], picture.y[38:122, 124:126]):
            assert (line == 235).all()
        changed = picture.y != before[0]
        assert not changed[122:].any()
        assert not changed[:, 126:].any()


def test_full_range_black_is_nought() -> None:
    y, u, v = scene()
    picture = hidden(Picture(y, u, v, "bt601", True), STYLES["Black"])
    assert (picture.y[opaque(BOX, y.shape, False)] == 0).all()


def test_gray_pictures_have_no_chroma_to_hide() -> None:
    for name, style in STYLES.items():
        y = scene(coarse=1)[0]
        before = y.copy()
        hidden(Picture(y, None, None, "bt601", False), style)
        assert (y != before).any(), name
