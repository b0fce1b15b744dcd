"""Averaging over cells and box blurs."""

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
DEPTHS = st.sampled_from([8, 10, 12, 16])
moderately = settings(deadline=None, max_examples=60)


def random_samples(seed: int, shape: tuple[int, ...], depth: int) -> Any:
    return np.random.default_rng(seed).integers(0, 1 << depth, shape, np.uint8 if depth == 8 else np.uint16)


def average(
    native: SimpleNamespace, guarded: Any, region: Any, cell_width: int, cell_height: int, depth: int = 8
) -> Any:
    height, width = region.shape
    scratch, beside_scratch = guarded(width, np.uint32)
    out, beside_out = guarded((-(-height // cell_height), -(-width // cell_width)), np.uint16)
    native.blur.average_cells(region, cell_width, cell_height, scratch, out, depth)
    assert (beside_scratch == 173).all()
    assert (beside_out == 173).all()
    return out


def box_blur(native: SimpleNamespace, guarded: Any, values: Any, radius_x: int, radius_y: int, passes: int) -> Any:
    rows, columns = values.shape
    picture, beside_picture = guarded((rows, columns), np.uint16)
    scratch, beside_scratch = guarded(columns + (rows * columns + 1) // 2, np.uint32)
    picture[:] = values
    native.blur.box_blur(picture, radius_x, radius_y, passes, scratch)
    assert (beside_picture == 173).all()
    assert (beside_scratch == 173).all()
    return picture


class TestAverageCells:
    @moderately
    @given(
        width=st.integers(1, 90),
        height=st.integers(1, 40),
        cell_width=st.integers(1, 100),
        cell_height=st.integers(1, 50),
        depth=DEPTHS,
        layout=LAYOUTS,
        seed=SEEDS,
    )
    @example(width=1, height=1, cell_width=1, cell_height=1, depth=8, layout={}, seed=0)
    @example(
        width=90, height=40, cell_width=32, cell_height=16, depth=8, layout={}, seed=1
    )  # averages ending in a half
    @example(width=7, height=5, cell_width=8, cell_height=6, depth=10, layout={"upside_down": True}, seed=0)
    def test_equals_its_twin_in_any_layout(
        self,
        native: SimpleNamespace,
        lay: Any,
        guarded: Any,
        width: int,
        height: int,
        cell_width: int,
        cell_height: int,
        depth: int,
        layout: dict[str, Any],
        seed: int,
    ) -> None:
        samples = random_samples(seed, (height, width), depth)
        memory, region = lay(samples, **layout)
        out = average(native, guarded, region, cell_width, cell_height, depth)
        np.testing.assert_array_equal(out, reference.average_cells(samples, cell_width, cell_height, depth))
        np.testing.assert_array_equal(memory, lay(samples, **layout)[0])  # the region is only read

    @pytest.mark.parametrize("step", [1, 2])
    def test_a_full_hd_plane_of_white_does_not_overflow(
        self, native: SimpleNamespace, lay: Any, guarded: Any, step: int
    ) -> None:
        _, region = lay(np.full((1080, 1920), 255, np.uint8), step=step)
        assert average(native, guarded, region, 1920, 1080).tolist() == [[255 * 256]]
        _, region = lay(np.full((1080, 1920), 65535, np.uint16), step=step)
        assert average(native, guarded, region, 1920, 1080, 16).tolist() == [[65535]]


class TestBoxBlur:
    @moderately
    @given(
        columns=st.integers(1, 60),
        rows=st.integers(1, 30),
        radius_x=st.integers(0, 70),
        radius_y=st.integers(0, 70),
        passes=st.integers(0, 4),
        seed=SEEDS,
    )
    @example(columns=1, rows=1, radius_x=1, radius_y=1, passes=1, seed=0)
    @example(columns=9, rows=1, radius_x=4, radius_y=0, passes=3, seed=0)
    def test_equals_its_twin(
        self,
        native: SimpleNamespace,
        guarded: Any,
        columns: int,
        rows: int,
        radius_x: int,
        radius_y: int,
        passes: int,
        seed: int,
    ) -> None:
        picture = np.random.default_rng(seed).integers(0, 65536, (rows, columns), np.uint16)
        out = box_blur(native, guarded, picture, radius_x, radius_y, passes)
        np.testing.assert_array_equal(out, reference.box_blur(picture, radius_x, radius_y, passes))

    @pytest.mark.parametrize("radius", [1, 2, 3, 127, 128, 1023, 1024, 1999, 2000])
    def test_divides_exactly_at_every_radius(self, native: SimpleNamespace, guarded: Any, radius: int) -> None:
        # A step from nothing to the greatest value makes every total from 0 to window * 65535 in steps of 65535.
        picture = np.zeros((2, 2 * radius + 6), np.uint16)
        picture[:, radius + 3 :] = 65535
        picture[1] -= 1  # and these wrap: 65534 and, from 0, 65535
        for turned in (picture, np.ascontiguousarray(picture.T)):
            radii = (radius, 0) if turned is picture else (0, radius)
            out = box_blur(native, guarded, turned, *radii, 1)
            np.testing.assert_array_equal(out, reference.box_blur(turned, *radii, 1))

    @pytest.mark.parametrize("value", [0, 1, 65279, 65280, 65535])
    def test_leaves_a_flat_picture_as_it_is(self, native: SimpleNamespace, guarded: Any, value: int) -> None:
        out = box_blur(native, guarded, np.full((11, 13), value, np.uint16), 5, 40, 3)
        assert (out == value).all()
