"""Masks, and blending through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import reference

if TYPE_CHECKING:
    from types import SimpleNamespace

LAYOUTS = st.fixed_dictionaries(
    {"padding": st.integers(0, 9), "upside_down": st.booleans(), "step": st.sampled_from([1, 2, 3])}
)
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.tuples(st.integers(1, 80), st.integers(1, 50))
FACTORS = [(2, 2), (2, 1), (1, 2), (4, 1), (4, 4), (1, 4)]
"""Luma samples a chroma sample, across and down."""
moderately = settings(deadline=None, max_examples=75)


def draw(
    native: SimpleNamespace,
    guarded: Any,
    kernel: str,
    size: tuple[int, int],
    centre: tuple[float, float],
    semi: tuple[float, float],
    feather: float,
) -> Any:
    mask, rest = guarded(size[::-1], np.uint8)
    getattr(native.blend, kernel)(mask, *centre, *semi, feather)
    assert (rest == 173).all()
    return mask


@pytest.mark.parametrize("kernel", ["ellipse_mask", "rectangle_mask"])
class TestShapes:
    @moderately
    @given(
        size=SIZES,
        centre=st.tuples(*[st.floats(-100, 150)] * 2),
        semi=st.tuples(*[st.floats(0.5, 200)] * 2),
        feather=st.floats(0.01, 2),
    )
    @example(size=(1, 1), centre=(0.5, 0.5), semi=(0.5, 0.5), feather=0.15)
    def test_equals_its_twin(
        self,
        native: SimpleNamespace,
        guarded: Any,
        kernel: str,
        size: tuple[int, int],
        centre: tuple[float, float],
        semi: tuple[float, float],
        feather: float,
    ) -> None:
        mask = draw(native, guarded, kernel, size, centre, semi, feather)
        np.testing.assert_array_equal(mask, getattr(reference, kernel)(size, centre, semi, feather))

    @pytest.mark.parametrize("feather", [0.05, 0.15, 0.5])
    @pytest.mark.parametrize(("centre", "semi"), [((30, 25), (20, 12)), ((30.3, 24.9), (9.5, 17)), ((3, 2), (40, 9))])
    def test_is_opaque_inside_and_nothing_beyond_the_feather(
        self,
        native: SimpleNamespace,
        guarded: Any,
        kernel: str,
        centre: tuple[float, float],
        semi: tuple[float, float],
        feather: float,
    ) -> None:
        mask = draw(native, guarded, kernel, (64, 48), centre, semi, feather)
        x, y = np.arange(64) + 0.5, np.arange(48)[:, None] + 0.5
        dx, dy = abs(x - centre[0]) / semi[0], abs(y - centre[1]) / semi[1]
        distance = np.hypot(dx, dy) if kernel == "ellipse_mask" else np.maximum(dx, dy)
        assert (mask[distance <= 0.999] == 128).all()
        assert (mask[distance >= 1.001 + feather] == 0).all()
        rim = mask[(distance > 1.1 * (1 + feather) / (1.1 + feather)) & (distance < 1 + feather / 2)]
        assert rim.size or min(semi) * feather < 1  # a straight rim may lie between two samples
        assert ((rim > 0) & (rim < 128)).all()

    def test_is_symmetric(self, native: SimpleNamespace, guarded: Any, kernel: str) -> None:
        mask = draw(native, guarded, kernel, (41, 30), (20.5, 15), (17, 11), 0.2)
        np.testing.assert_array_equal(mask, mask[::-1])
        np.testing.assert_array_equal(mask, mask[:, ::-1])


class TestSubsampleMask:
    @moderately
    @given(size=SIZES, factors=st.sampled_from(FACTORS), before=st.tuples(*[st.integers(0, 3)] * 2), seed=SEEDS)
    @example(size=(1, 1), factors=(2, 2), before=(1, 1), seed=0)
    @example(size=(1, 1), factors=(2, 2), before=(0, 0), seed=0)
    @example(size=(1, 1), factors=(4, 4), before=(3, 3), seed=0)
    def test_equals_its_twin(
        self,
        native: SimpleNamespace,
        guarded: Any,
        size: tuple[int, int],
        factors: tuple[int, int],
        before: tuple[int, int],
        seed: int,
    ) -> None:
        (width, height), (across, down) = size, factors
        before_x, before_y = before[0] % across, before[1] % down
        mask = np.random.default_rng(seed).integers(0, 129, (height, width), np.uint8)
        out, rest = guarded((-(-(height + before_y) // down), -(-(width + before_x) // across)), np.uint8)
        native.blend.subsample_mask(mask, before_x, before_y, out, across, down)
        np.testing.assert_array_equal(out, reference.subsample_mask(mask, before_x, before_y, across, down))
        assert (rest == 173).all()

    @pytest.mark.parametrize("odd_x", [False, True])
    @pytest.mark.parametrize("odd_y", [False, True])
    def test_no_masked_luma_sample_keeps_its_chroma(self, native: SimpleNamespace, odd_x: bool, odd_y: bool) -> None:
        for y, x in np.ndindex(5, 7):
            mask = np.zeros((5, 7), np.uint8)
            mask[y, x] = 128
            out = np.zeros(((5 + odd_y + 1) // 2, (7 + odd_x + 1) // 2), np.uint8)
            native.blend.subsample_mask(mask, odd_x, odd_y, out)
            assert np.argwhere(out).tolist() == [[(y + odd_y) // 2, (x + odd_x) // 2]]


def blend(
    native: SimpleNamespace,
    guarded: Any,
    region: Any,
    mask: Any,
    cells: Any,
    cell: tuple[int, int],
    corner: tuple[int, int],
    smooth: bool,
    depth: int = 8,
) -> None:
    scratch, rest = guarded(2 * (corner[0] + region.shape[1]) * region.itemsize + sum(cell), np.uint8)
    native.blend.blend_cells(region, mask, cells, *cell, *corner, smooth, scratch, depth)
    assert (rest == 173).all()


class TestBlendCells:
    @settings(deadline=None, max_examples=125)
    @given(
        size=SIZES,
        cell=st.tuples(st.integers(1, 30), st.integers(1, 30)),
        corner=st.tuples(st.integers(0, 40), st.integers(0, 40)),
        spare=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        smooth=st.booleans(),
        depth=st.sampled_from([8, 10, 12, 16]),
        layout=LAYOUTS,
        seed=SEEDS,
    )
    @example(size=(1, 1), cell=(1, 1), corner=(0, 0), spare=(0, 0), smooth=True, depth=8, layout={}, seed=0)
    @example(size=(8, 6), cell=(1, 1), corner=(3, 2), spare=(0, 0), smooth=True, depth=10, layout={"step": 2}, seed=0)
    @example(size=(9, 7), cell=(40, 41), corner=(0, 0), spare=(0, 0), smooth=True, depth=8, layout={}, seed=0)
    @example(size=(9, 7), cell=(3, 3), corner=(30, 30), spare=(0, 0), smooth=False, depth=8, layout={}, seed=0)
    def test_equals_its_twin_in_any_layout(
        self,
        native: SimpleNamespace,
        lay: Any,
        guarded: Any,
        size: tuple[int, int],
        cell: tuple[int, int],
        corner: tuple[int, int],
        spare: tuple[int, int],
        smooth: bool,
        depth: int,
        layout: dict[str, Any],
        seed: int,
    ) -> None:
        rng, shift = np.random.default_rng(seed), 16 - depth
        columns, rows = (-(-(c + n) // k) + more for c, n, k, more in zip(corner, size, cell, spare, strict=True))
        cells = rng.integers(0, (65535 >> shift << shift) + 1, (rows, columns), np.uint16)
        mask = rng.integers(0, 129, size[::-1], np.uint8)
        mask[rng.random(mask.shape) < 0.3] = 0
        samples = rng.integers(0, 1 << depth, size[::-1], np.uint8 if depth == 8 else np.uint16)
        memory, region = lay(samples, **layout)
        blend(native, guarded, region, mask, cells, cell, corner, smooth, depth)
        expected = reference.blend_cells(samples, mask, cells, *cell, *corner, smooth, depth)
        np.testing.assert_array_equal(memory, lay(expected, **layout)[0])
        np.testing.assert_array_equal(region[mask == 0], samples[mask == 0])

    @pytest.mark.parametrize("smooth", [False, True])
    @pytest.mark.parametrize("step", [1, 2])
    def test_nothing_of_the_region_shows_through_an_opaque_mask(
        self, native: SimpleNamespace, lay: Any, guarded: Any, step: int, smooth: bool
    ) -> None:
        rng = np.random.default_rng(3)
        cells = rng.integers(0, 65281, (5, 7), np.uint16)
        mask = np.full((20, 31), 128, np.uint8)
        results = []
        for seed in (1, 2):
            _, region = lay(np.random.default_rng(seed).integers(0, 256, mask.shape, np.uint8), step=step)
            blend(native, guarded, region, mask, cells, (5, 5), (2, 3), smooth)
            results.append(region)
        np.testing.assert_array_equal(*results)

    @pytest.mark.parametrize("smooth", [False, True])
    @pytest.mark.parametrize("value", [0, 1, 127, 128, 254, 255])
    def test_flat_cells_come_out_as_their_value(
        self, native: SimpleNamespace, guarded: Any, value: int, smooth: bool
    ) -> None:
        region = np.full((17, 23), 255 - value, np.uint8)
        cells = np.full((4, 5), 256 * value, np.uint16)
        blend(native, guarded, region, np.full(region.shape, 128, np.uint8), cells, (6, 7), (2, 5), smooth)
        assert (region == value).all()

    @pytest.mark.parametrize("cell", [3, 4])
    def test_smooth_cells_show_their_value_in_their_middle_and_lie_between_elsewhere(
        self, native: SimpleNamespace, guarded: Any, cell: int
    ) -> None:
        region = np.zeros((1, 5 * cell), np.uint8)
        ramp = np.array([[0, 50, 100, 150, 200]], np.uint16)
        blend(native, guarded, region, np.full(region.shape, 128, np.uint8), ramp * 256, (cell, 1), (0, 0), True)
        middles = region[0, cell // 2 :: cell].astype(int)
        assert (np.diff(region[0].astype(int)) >= 0).all()
        if cell % 2:
            assert middles.tolist() == ramp[0].tolist()
        else:  # the middle lies between two samples
            before = region[0, cell // 2 - 1 :: cell].astype(int)
            np.testing.assert_allclose((middles + before)[1:-1] / 2, ramp[0, 1:-1], atol=0.5)
