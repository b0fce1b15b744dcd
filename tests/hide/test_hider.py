"""Hiding faces in pictures."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import videos
from facered._native import blend, blur
from facered.hide import hider
from facered.hide.hider import Hider
from facered.hide.style import STYLES, Style, chosen_style
from facered.options import SHAPES, Options
from facered.video import formats
from facered.video.orientation import Orientation
from facered.video.picture import Picture, view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

GUARD = 173
PADDING = 5


def random_planes(width: int, height: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    return [rng.integers(0, 256, shape, np.uint8) for shape in ((height, width), half, half)]


def planar(planes: Sequence[NDArray[np.uint8]]) -> Picture:
    """Return a picture with copies of the planes, each in memory of its own with padding."""
    views = []
    for plane in planes:
        memory = np.full((plane.shape[0], plane.shape[1] + PADDING), GUARD, np.uint8)
        memory[:, :-PADDING] = plane
        views.append(memory[:, :-PADDING])
    y, u, v = [*views, None, None][:3]
    return Picture(y, u, v, "bt709", False)


def interleaved(planes: Sequence[NDArray[np.uint8]]) -> Picture:
    """Return the same as NV12."""
    y, u, v = planes
    memory = np.full((u.shape[0], 2 * u.shape[1] + PADDING), GUARD, np.uint8)
    pairs = memory[:, :-PADDING]
    pairs[:, 0::2], pairs[:, 1::2] = u, v
    return Picture(planar([y]).y, pairs[:, 0::2], pairs[:, 1::2], "bt709", False)


def upside_down(planes: Sequence[NDArray[np.uint8]]) -> Picture:
    """Return the same with rows that run from the bottom up in memory."""
    y, u, v = (planar([plane[::-1]]).y[::-1] for plane in planes)
    return Picture(y, u, v, "bt709", False)


def of_format(name: str, width: int, height: int, seed: int = 0) -> Picture:
    """Return a picture of a pixel format, with random samples."""
    form, rng = formats.layout(name), np.random.default_rng(seed)
    assert form is not None
    kind = np.uint8 if form.depth == 8 else np.uint16
    shapes = [(height, width)] + [(-(-height // form.down), -(-width // form.across))] * (2 * (form.chroma != "none"))
    y, u, v = [*(rng.integers(0, 1 << form.depth, shape, kind) for shape in shapes), None, None][:3]
    return Picture(y, u, v, "bt709", False, depth=form.depth, across=form.across, down=form.down)


def copied(picture: Picture) -> Picture:
    y, u, v = (None if plane is None else plane.copy() for plane in (picture.y, picture.u, picture.v))
    return replace(picture, y=y, u=u, v=v)


def hidden(picture: Picture, *boxes: Box, style: Style | None = None, hider: Hider | None = None) -> Picture:
    """Hide what is in the boxes, in place, and return the picture."""
    (hider or Hider(style or Style())).hide(picture, np.array(boxes, np.float64).reshape(-1, 4))
    return picture


def distance(box: Box, width: int, height: int) -> NDArray[np.float64]:
    """Return how far each sample is from the middle of the box: 1 on the ellipse inscribed in it."""
    x1, y1, x2, y2 = box
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    semi_x, semi_y = max((x2 - x1) / 2, 0.5), max((y2 - y1) / 2, 0.5)
    return np.hypot((x - (x1 + x2) / 2) / semi_x, (y - (y1 + y2) / 2) / semi_y)


def touched_chroma(luma: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which chroma samples belong to a luma sample that is touched."""
    padded = np.pad(luma, ((0, luma.shape[0] % 2), (0, luma.shape[1] % 2)))
    return padded.reshape(padded.shape[0] // 2, 2, -1, 2).any(axis=(1, 3))


BOXES = {
    "in the middle": (20, 14, 44, 42),
    "on odd edges": (21, 15, 44, 41),
    "between samples": (20.3, 14.8, 41.7, 40.1),
    "over the upper left corner": (-12, -9, 10, 17),
    "over the lower right corner": (50, 40, 90, 77),
    "of the last sample": (62, 46, 63, 47),
    "of one sample": (30, 20, 31, 21),
    "without a size": (30, 20, 30, 20),
    "larger than the picture": (-30, -40, 100, 90),
}


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
class TestWhatIsTouched:
    def test_nothing_beyond_the_feather(self, box: Box, size: tuple[int, int]) -> None:
        style, planes = Style(), random_planes(*size)
        picture = hidden(planar(planes), box, style=style)
        outside = distance(box, *size) > 1 + style.feather + 1e-3
        np.testing.assert_array_equal(picture.y[outside], planes[0][outside])
        for plane, before in zip((picture.u, picture.v), planes[1:], strict=True):
            assert plane is not None
            free = ~touched_chroma(~outside)
            np.testing.assert_array_equal(plane[free], before[free])

    def test_everything_inside(self, box: Box, size: tuple[int, int]) -> None:
        # Opposite pictures: whatever came through the mask would differ by as much as before.
        black, white = (hidden(planar([np.full(size[::-1], value, np.uint8)]), box).y for value in (0, 255))
        checkered = np.indices(size[::-1]).sum(axis=0) % 2 * np.uint8(255)
        one, other = (hidden(planar([plane.astype(np.uint8)]), box).y for plane in (checkered, 255 - checkered))
        inside = distance(box, *size) <= 0.999
        assert (black == 0).all()
        assert (white == 255).all()
        if min(box[2] - box[0], box[3] - box[1]) > 2:
            assert np.abs(one[inside].astype(int) - other[inside]).max() < 8

    @pytest.mark.parametrize("layout", [planar, interleaved, upside_down])
    def test_no_padding(self, box: Box, size: tuple[int, int], layout: Any) -> None:
        picture = hidden(layout(random_planes(*size)), box)
        for plane in (picture.y, picture.u, picture.v):
            memory = plane.base
            while memory.base is not None:
                memory = memory.base
            assert (memory[:, -PADDING:] == GUARD).all()

    @pytest.mark.parametrize("layout", [interleaved, upside_down])
    def test_the_same_bytes_in_any_layout(self, box: Box, size: tuple[int, int], layout: Any) -> None:
        planes = random_planes(*size)
        expected, picture = hidden(planar(planes), box), hidden(layout(planes), box)
        for name in "yuv":
            np.testing.assert_array_equal(getattr(picture, name), getattr(expected, name))

    def test_the_luma_of_a_gray_picture_just_so(self, box: Box, size: tuple[int, int]) -> None:
        planes = random_planes(*size)
        gray = hidden(planar(planes[:1]), box)
        assert gray.u is gray.v is None
        np.testing.assert_array_equal(gray.y, hidden(planar(planes), box).y)


@pytest.mark.parametrize(
    "box", [(-33, 10, -3, 40), (10, -33, 40, -3), (67, 10, 97, 40), (10, 51, 40, 81), (1e6, 1e6, 2e6, 2e6)]
)
def test_faces_outside_the_picture_change_nothing(box: Box) -> None:
    planes = random_planes(64, 48)
    picture = hidden(planar(planes), box)
    for name, before in zip("yuv", planes, strict=True):
        np.testing.assert_array_equal(getattr(picture, name), before)


def test_no_faces_change_nothing() -> None:
    planes = random_planes(64, 48)
    np.testing.assert_array_equal(hidden(planar(planes)).y, planes[0])


@settings(deadline=None, max_examples=75)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 30),
    middle=st.tuples(st.floats(-20, 60), st.floats(-20, 50)),
    size=st.tuples(st.floats(0, 90), st.floats(0, 90)),
    radius=st.sampled_from([0.05, 0.5, 4.0]),
    feather=st.sampled_from([0.05, 0.15, 1.0]),
)
@example(width=1, height=1, middle=(0.5, 0.5), size=(1, 1), radius=0.5, feather=0.15)
@example(width=1, height=30, middle=(0.5, 15), size=(30, 30), radius=4.0, feather=0.15)
def test_any_box_in_any_picture_stays_within_its_mask_and_the_same_in_nv12(
    width: int, height: int, middle: Box, size: tuple[float, float], radius: float, feather: float
) -> None:
    box = middle[0] - size[0] / 2, middle[1] - size[1] / 2, middle[0] + size[0] / 2, middle[1] + size[1] / 2
    planes, style = random_planes(width, height), Style(radius, feather)
    picture, pairs = hidden(planar(planes), box, style=style), hidden(interleaved(planes), box, style=style)
    for name in "yuv":
        np.testing.assert_array_equal(getattr(pairs, name), getattr(picture, name))
    outside = distance(box, width, height) > 1 + feather + 1e-3
    np.testing.assert_array_equal(picture.y[outside], planes[0][outside])


class TestBlur:
    @pytest.mark.parametrize("period", [1, 2, 4, 8])
    @pytest.mark.parametrize("layout", [planar, interleaved])
    def test_no_texture_is_left(self, layout: Any, period: int) -> None:
        planes = []
        for shape in ((240, 320), (120, 160), (120, 160)):
            rows, columns = np.indices(shape) // period
            planes.append(np.where((rows + columns) % 2, 230, 20).astype(np.uint8))
        picture, box = hidden(layout(planes), (100, 60, 200, 180)), (100, 60, 200, 180)
        inside = distance(box, 320, 240) <= 0.999
        assert picture.y[inside].std() < 0.05 * planes[0][inside].std()
        for plane, before in zip((picture.u, picture.v), planes[1:], strict=True):
            inside = distance((50, 30, 100, 90), 160, 120) <= 0.999
            assert plane[inside].std() < 0.05 * before[inside].std()

    @pytest.mark.parametrize("width", [8, 20, 40, 150])
    def test_comes_close_to_box_passes_over_single_samples(self, width: int) -> None:
        plane = np.kron(random_planes(8, 6)[0], np.ones((40, 40))).astype(np.uint8)
        box, radius = (160 - width / 2, 120 - width / 2, 160 + width / 2, 120 + width / 2), round(0.5 * width)
        truth = plane.astype(np.float64)
        window = np.ones(2 * radius + 1) / (2 * radius + 1)
        for _ in range(3 * 2):  # along the rows, then down the columns, by turning the picture round
            padded = np.pad(truth, ((0, 0), (radius, radius)), mode="edge")
            truth = np.array([np.convolve(row, window, "valid") for row in padded]).T
        inside = distance(box, 320, 240) <= 0.999
        error = np.abs(hidden(planar([plane]), box).y - truth)[inside]
        assert error.max() < 10
        assert error.mean() < 0.2 * truth[inside].std()

    @pytest.mark.parametrize("radius", [0.2, 0.5, 1.0])
    def test_is_as_strong_on_large_faces_as_on_small_ones(self, radius: float) -> None:
        small = np.kron(random_planes(20, 16)[0], np.ones((6, 6))).astype(np.uint8)
        large = np.kron(small, np.ones((10, 10))).astype(np.uint8)
        box = (45, 31, 75, 65)
        style = Style(radius)
        of_small = hidden(planar([small]), box, style=style).y.astype(np.float64)
        of_large = hidden(planar([large]), tuple(10.0 * side for side in box), style=style).y
        shrunk = of_large.reshape(96, 10, 120, 10).mean(axis=(1, 3))
        inside = distance(box, 120, 96) <= 0.95
        difference = np.abs(shrunk - of_small)[inside]
        assert difference.mean() < 2
        assert difference.max() < 6
        assert np.abs(small[inside] - of_small[inside]).mean() > 40

    def test_a_larger_radius_leaves_less(self) -> None:
        plane = np.kron(random_planes(20, 15)[0], np.ones((16, 16))).astype(np.uint8)
        box = (100, 60, 200, 180)
        inside = distance(box, 320, 240) <= 0.999
        left = [hidden(planar([plane]), box, style=Style(radius)).y[inside].std() for radius in (0.05, 0.1, 0.3, 1.0)]
        assert left == sorted(left, reverse=True)
        assert left[-1] < 0.5 * left[0]

    def test_leaves_no_edges_of_cells(self) -> None:
        plane = np.kron(random_planes(8, 6)[0], np.ones((80, 80))).astype(np.uint8)
        box = (120, 40, 520, 440)
        picture = hidden(planar([plane]), box).y.astype(int)
        inside = distance(box, 640, 480) <= 0.999
        for axis in (0, 1):
            both = inside & np.roll(inside, 1, axis)
            assert np.abs(picture - np.roll(picture, 1, axis))[both].max() <= 2
        assert np.ptp(picture[inside]) > 20

    def test_reaches_as_far_in_chroma_as_in_luma(self) -> None:
        chroma = np.kron(random_planes(8, 6)[0], np.ones((20, 20))).astype(np.uint8)
        luma = np.kron(chroma, np.ones((2, 2))).astype(np.uint8)
        picture = hidden(planar([luma, chroma, 255 - chroma]), (100, 60, 200, 180))
        assert picture.u is not None
        assert picture.v is not None
        inside = distance((50, 30, 100, 90), 160, 120) <= 0.95
        shrunk = picture.y.reshape(120, 2, 160, 2).mean(axis=(1, 3))
        assert np.abs(shrunk - picture.u)[inside].max() < 6
        assert np.abs(shrunk - (255.0 - picture.v))[inside].max() < 6

    def test_the_surroundings_flow_in(self) -> None:
        plane = np.full((120, 160), 200, np.uint8)
        box = (60, 40, 100, 90)
        plane[distance(box, 160, 120) <= 1] = 20  # a face of one colour on another
        picture = hidden(planar([plane]), box)
        assert picture.y[65, 80] > 40


class TestHider:
    def test_remembers_nothing_of_the_pictures_before(self) -> None:
        hider = Hider(Style())
        pictures = [((64, 48), (20, 14, 44, 42)), ((320, 240), (100, 60, 250, 220)), ((31, 17), (-5, 3, 18, 40))]
        for size, box in [*pictures, *pictures[::-1]]:
            planes = random_planes(*size)
            used, fresh = hidden(planar(planes), box, hider=hider), hidden(planar(planes), box)
            for name in "yuv":
                np.testing.assert_array_equal(getattr(used, name), getattr(fresh, name))

    def test_hides_one_face_after_the_other(self) -> None:
        planes, boxes = random_planes(160, 120), [(10, 10, 60, 70), (50, 30, 100, 90), (110, 60, 150, 110)]
        at_once, in_turn = hidden(planar(planes), *boxes), planar(planes)
        for box in boxes:
            hidden(in_turn, box)
        for name in "yuv":
            np.testing.assert_array_equal(getattr(at_once, name), getattr(in_turn, name))

    @pytest.mark.parametrize("times", [3, 30])
    def test_needs_memory_for_the_picture_not_for_the_box(self, times: int) -> None:
        plane = random_planes(320, 240)[0]
        box = (160 - 160 * times, 120 - 120 * times, 160 + 160 * times, 120 + 120 * times)
        picture = planar([plane])
        tracemalloc.start()
        try:
            hidden(picture, box)
            assert tracemalloc.get_traced_memory()[1] < 30 * plane.size
        finally:
            tracemalloc.stop()
        assert picture.y.std() < 0.05 * plane.std()


@pytest.fixture
def checked_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernels, which do not check it themselves, refuse scratch memory smaller than they ask for."""

    def average_cells(region: Any, cell_width: int, cell_height: int, scratch: Any, out: Any, depth: int) -> None:
        assert len(scratch) >= region.shape[1]
        assert out.shape == (-(-region.shape[0] // cell_height), -(-region.shape[1] // cell_width))
        assert region.itemsize == (1 if depth == 8 else 2)
        blur.average_cells(region, cell_width, cell_height, scratch, out, depth)

    def box_blur(picture: Any, radius_x: int, radius_y: int, passes: int, scratch: Any) -> None:
        assert 0 <= radius_x <= 2000
        assert 0 <= radius_y <= 2000
        assert len(scratch) >= picture.shape[1] + (picture.size + 1) // 2
        assert not np.shares_memory(picture, scratch)
        blur.box_blur(picture, radius_x, radius_y, passes, scratch)

    def subsample_mask(mask: Any, before_x: int, before_y: int, out: Any, across: int, down: int) -> None:
        assert out.shape == (-(-(mask.shape[0] + before_y) // down), -(-(mask.shape[1] + before_x) // across))
        assert not np.shares_memory(mask, out)
        blend.subsample_mask(mask, before_x, before_y, out, across, down)

    def blend_cells(
        region: Any, mask: Any, cells: Any, width: int, height: int, left: int, top: int, smooth: bool, scratch: Any,
        depth: int,
    ) -> None:  # fmt: skip
        assert region.shape == mask.shape
        assert cells.shape[0] * height >= top + region.shape[0]
        assert cells.shape[1] * width >= left + region.shape[1]
        assert len(scratch) >= 2 * (left + region.shape[1]) * region.itemsize + width + height
        assert scratch.ctypes.data % 2 == 0
        assert not np.shares_memory(cells, scratch)
        assert not np.shares_memory(mask, scratch)
        blend.blend_cells(region, mask, cells, width, height, left, top, smooth, scratch, depth)

    monkeypatch.setattr(hider, "blur", SimpleNamespace(average_cells=average_cells, box_blur=box_blur))
    masks = {"ellipse_mask": blend.ellipse_mask, "rectangle_mask": blend.rectangle_mask}
    checked = SimpleNamespace(**masks, subsample_mask=subsample_mask, blend_cells=blend_cells)
    monkeypatch.setattr(hider, "blend", checked)


@pytest.mark.usefixtures("checked_kernels")
@pytest.mark.parametrize(
    "style",
    [
        Style(0.05),
        Style(0.5),
        Style(4.0),
        Style(4.0, cells=5),
        *[replace(style, rectangle=True) for style in STYLES.values()],
    ],
    ids=repr,
)
@pytest.mark.parametrize("size", [(1, 1), (1, 60), (61, 1), (90, 40), (7, 7)])
def test_the_kernels_get_what_they_ask_for(size: tuple[int, int], style: Style) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        middle, half = rng.uniform(-10, 100, 2), rng.exponential(30, 2) * rng.integers(0, 2)
        x1, y1, x2, y2 = *(middle - half), *(middle + half)
        picture = planar(random_planes(*size))
        hidden(picture, (x1, y1, x2, y2), style=style)
        hidden(replace(picture, interlaced=size[1] > 1), (x1, y1, x2, y2), style=style)
        for form in ("yuv422p10le", "yuv444p12le", "yuv411p", "yuv440p", "p010le", "gray16le"):
            hidden(of_format(form, *size), (x1, y1, x2, y2), style=style)
    hidden(planar(random_planes(*size)), (0, 0, *size), style=style)


FORMATS = [
    "yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "gray", "yuv420p10le", "yuv422p10le",
    "yuv444p12le", "p010le", "gray12le",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("style", ["Med", "High", "Black", "Mosaic"])
class TestFormats:
    BOX = (21.3, 13.7, 44.6, 41.2)

    def test_nothing_is_touched_outside_and_nothing_is_left_inside(self, name: str, style: str) -> None:
        before = of_format(name, 71, 53)
        after = hidden(copied(before), self.BOX, style=STYLES[style])
        outside = distance(self.BOX, 71, 53) > 1.15 + 1e-3
        np.testing.assert_array_equal(after.y[outside], before.y[outside])
        inside = distance(self.BOX, 71, 53) < 0.99
        assert after.y[inside].std() < 0.6 * before.y[inside].std()
        for plane, untouched in ((after.u, before.u), (after.v, before.v)):
            if plane is None:
                continue
            rows, columns = np.indices((53, 71)) // np.array([[[before.down]], [[before.across]]])
            free = np.ones(plane.shape, bool)
            free[rows[~outside], columns[~outside]] = False
            np.testing.assert_array_equal(plane[free], untouched[free])
            covered = np.zeros(plane.shape, bool)
            covered[rows[inside], columns[inside]] = True
            assert plane[covered].std() < 0.8 * untouched[covered].std()


@pytest.mark.parametrize("name", ["yuv420p10le", "yuv422p10le", "yuv444p12le", "p010le", "gray12le"])
@pytest.mark.parametrize("style", ["Med", "High", "Black", "Mosaic"])
def test_deep_samples_are_hidden_as_those_of_8_bits_but_finer(name: str, style: str) -> None:
    """What samples of 8 bits become, deeper ones of the same values become within a rounding."""
    picture = of_format(name, 71, 53)
    shift = picture.depth - 8
    small = [
        None if plane is None else (plane >> shift).astype(np.uint8) for plane in (picture.y, picture.u, picture.v)
    ]
    narrow = replace(picture, y=small[0], u=small[1], v=small[2], depth=8)
    wide = [None if plane is None else plane.astype(np.uint16) << shift for plane in small]
    deep = replace(picture, y=wide[0], u=wide[1], v=wide[2])
    hidden(narrow, TestFormats.BOX, style=STYLES[style])
    hidden(deep, TestFormats.BOX, style=STYLES[style])
    for one, other in ((narrow.y, deep.y), (narrow.u, deep.u), (narrow.v, deep.v)):
        if one is not None:
            assert np.abs(one.astype(float) - other / (1 << shift)).max() < 2.1


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (40, 50)])
@pytest.mark.parametrize("style", ["Med", "High", "Black", "Mosaic"])
def test_the_fields_of_an_interlaced_picture_are_not_mixed(size: tuple[int, int], style: str) -> None:
    box = (15.5, 9.2, 40.1, 38.4)
    results = []
    for seed in (1, 2):
        planes = random_planes(*size)
        for plane, other in zip(planes, random_planes(*size, seed), strict=True):
            plane[1::2] = other[1::2]
        before = planar(planes)
        results.append(hidden(replace(copied(before), interlaced=True), box, style=STYLES[style]))
        outside = distance(box, *size) > 1.15 + 0.1
        np.testing.assert_array_equal(results[-1].y[outside], before.y[outside])
        inside = distance(box, *size) < 0.9
        for rows in (slice(0, None, 2), slice(1, None, 2)):
            assert results[-1].y[rows][inside[rows]].std() < 0.6 * before.y[rows][inside[rows]].std()
    for one, other in zip(*((p.y, p.u, p.v) for p in results), strict=True):
        np.testing.assert_array_equal(one[0::2], other[0::2])  # whatever the odd rows hold


def test_boxes_are_those_of_the_shown_picture() -> None:
    """A turned picture is hidden where it is shown, not where it is stored."""
    planes = random_planes(64, 48)
    stored = hidden(planar(planes), (10, 20, 30, 44))
    turned = Picture(*planes, "bt709", False, Orientation(True, True, False))  # type: ignore[call-arg]
    hidden(turned, (48 - 44, 10, 48 - 20, 30))
    np.testing.assert_array_equal(turned.y, stored.y)


@pytest.mark.parametrize("box", [(60, 40, 110, 100), (60.0, 41.0, 110.0, 99.0), (60, 42.5, 110, 98.5)])
def test_both_fields_are_hidden_where_the_face_is(carphone: Path, box: Box) -> None:
    """In black, every row of a decoded frame is hidden as far in either field as if there were no fields."""
    whole = copied(view(videos.decode(carphone, 1)[0]))
    fields = replace(copied(whole), interlaced=True)
    before = whole.y.copy()
    hidden(whole, box, style=STYLES["Black"])
    hidden(fields, box, style=STYLES["Black"])
    for number in (0, 1):
        rows = [np.flatnonzero((picture.y != before)[number::2].any(axis=1)) for picture in (whole, fields)]
        np.testing.assert_array_equal(rows[1], rows[0])


def touched(box: Box, style: Style, *, interlaced: bool = False) -> NDArray[np.bool_]:
    """Return which samples of luma are touched in a picture of noise, of 64 by 48."""
    before = planar(random_planes(64, 48))
    after = hidden(replace(copied(before), interlaced=interlaced), box, style=style)
    return before.y != after.y


def test_each_field_is_hidden_where_its_rows_are_in_the_picture() -> None:
    black = Style(fill=True, feather=0.0)
    for top in (10.0, 11.0, 10.5):
        box = (16.0, top, 48.0, top + 24)
        both = touched(box, black) ^ touched(box, black, interlaced=True)
        rim = np.abs(distance(box, 64, 48) - 1) < 0.08
        assert not both[~rim].any()


def test_what_is_spared_stays_bare() -> None:
    before = planar(random_planes(64, 48))
    for interlaced in (False, True):
        picture, spared = replace(copied(before), interlaced=interlaced), np.zeros((48, 64), np.bool_)
        spared[12:37, 30:50] = True
        Hider(Style(fill=True)).hide(picture, np.array([[10.0, 10, 40, 40]]), spared=spared)
        np.testing.assert_array_equal(picture.y[spared], before.y[spared])
        inside = (distance((10, 10, 40, 40), 64, 48) < 0.9) & ~spared
        assert (picture.y[inside] == 16).all()


class TestWhatIsAskedFor:
    BOX = (12.0, 8.0, 52.0, 40.0)

    def test_the_feather(self) -> None:
        narrow, wide = (touched(self.BOX, chosen_style(Options(feather=feather))) for feather in (0.01, 0.2))
        beyond = distance(self.BOX, 64, 48) > 1.05
        assert not narrow[beyond].any()
        assert wide[beyond].any()

    def test_the_shape(self) -> None:
        ellipse, rectangle = (touched(self.BOX, chosen_style(Options(shape=shape))) for shape in SHAPES)
        corner = (slice(8, 12), slice(12, 15))
        assert not ellipse[corner].any()
        assert rectangle[corner].mean() > 0.9

    def test_the_radius_of_the_blur(self) -> None:
        weak, strong = (
            hidden(planar(random_planes(64, 48)), self.BOX, style=chosen_style(Options(blur_radius=radius))).y
            for radius in (0.05, 0.5)
        )
        inside = distance(self.BOX, 64, 48) < 0.9
        assert strong[inside].std() < 0.5 * weak[inside].std()
