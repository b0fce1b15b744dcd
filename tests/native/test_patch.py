"""Patches of faces: how they are taken from a picture, and found again in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import reference
from facered._native.patch import RADIUS, SIDE

if TYPE_CHECKING:
    from types import SimpleNamespace

SEEDS = st.integers(0, 2**32 - 1)
NO_SCALES = np.empty(0)
KINDS = st.sampled_from(["noise", "texture", "flat"])
moderately = settings(deadline=None, max_examples=60)


def texture(width: int, height: int, seed: int = 0, x: float = 0, y: float = 0, zoom: float = 1) -> Any:
    """Return waves of many directions and of 9 to 40 pixels, moved by (x, y) and enlarged about the middle."""
    rng = np.random.default_rng(seed)
    across = (np.arange(width) + 0.5 - x - width / 2) / zoom
    down = (np.arange(height)[:, None] + 0.5 - y - height / 2) / zoom
    picture = np.zeros((height, width))
    for n, length in enumerate((9, 28, 13, 40, 19)):
        angle, phase = n * np.pi / 5, rng.uniform(0, 2 * np.pi)
        picture += np.sin(2 * np.pi / length * (np.cos(angle) * across + np.sin(angle) * down) + phase)
    return np.clip(np.round(127 + 25 * picture), 0, 255).astype(np.uint8)


def picture_of(kind: str, width: int, height: int, seed: int) -> Any:
    if kind == "texture":
        return texture(width, height, seed)
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256 if kind == "noise" else 2, (height, width), np.uint8)


def random_boxes(rng: np.random.Generator, count: int, width: int, height: int) -> Any:
    """Return boxes of which some are partly or wholly outside, tiny, or much larger than the picture."""
    size = [width, height]
    middles = rng.uniform(-0.5, 1.5, (count, 2)) * size
    far = rng.random(count) < 0.1
    middles[far] *= 1e5
    sizes = np.exp(rng.uniform(np.log(0.05), np.log(1000), (count, 1))) * np.exp(rng.uniform(-0.7, 0.7, (count, 2)))
    return np.hstack([middles, sizes])


def pyramid_of(native: SimpleNamespace, picture: Any) -> Any:
    pyramid = native.patch.Pyramid(picture.shape[1], picture.shape[0])
    pyramid.fill(picture)
    return pyramid


def sample(native: SimpleNamespace, guarded: Any, picture: Any, boxes: Any) -> Any:
    patches, beside = guarded((len(boxes), SIDE, SIDE), np.uint8)
    native.patch.sample(pyramid_of(native, picture), boxes, patches)
    assert (beside == 173).all()
    return patches


def search(
    native: SimpleNamespace,
    guarded: Any,
    picture: Any,
    patches: Any,
    boxes: Any,
    radius: int = RADIUS,
    scales: Any = NO_SCALES,
) -> Any:
    found, beside = guarded((len(boxes), 5), np.float64)
    native.patch.search(pyramid_of(native, picture), patches, boxes, radius, scales, found)
    assert (beside == 173).all()
    return found


class TestPyramid:
    @pytest.mark.parametrize("size", [(0, 9), (9, 0), (-1, 5)])
    def test_pictures_without_samples_are_refused(self, native: SimpleNamespace, size: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match="no samples"):
            native.patch.Pyramid(*size)

    @pytest.mark.parametrize("shape", [(20, 30), (31, 20), (30, 21), (1, 600)])
    def test_pictures_of_another_size_are_refused(self, native: SimpleNamespace, shape: tuple[int, int]) -> None:
        pyramid = native.patch.Pyramid(20, 30)
        assert (pyramid.width, pyramid.height) == (20, 30)
        with pytest.raises(ValueError, match=f"{shape[1]} x {shape[0]}, not 20 x 30"):
            pyramid.fill(np.zeros(shape, np.uint8))

    def test_pictures_of_another_type_are_refused(self, native: SimpleNamespace) -> None:
        with pytest.raises(ValueError, match="dtype"):
            native.patch.Pyramid(20, 30).fill(np.zeros((30, 20), np.uint16))

    def test_can_be_filled_again_and_remembers_nothing(self, native: SimpleNamespace, guarded: Any) -> None:
        boxes = random_boxes(np.random.default_rng(3), 30, 150, 90)
        pyramid = native.patch.Pyramid(150, 90)
        for seed in range(3):
            picture = picture_of("noise", 150, 90, seed)
            pyramid.fill(picture)
            patches = np.empty((30, SIDE, SIDE), np.uint8)
            native.patch.sample(pyramid, boxes, patches)
            np.testing.assert_array_equal(patches, sample(native, guarded, picture, boxes))


class TestSample:
    @moderately
    @given(width=st.integers(1, 150), height=st.integers(1, 100), kind=KINDS, seed=SEEDS)
    @example(width=1, height=1, kind="noise", seed=0)
    @example(width=150, height=1, kind="noise", seed=0)
    @example(width=32, height=32, kind="noise", seed=0)  # the least picture with two levels
    @example(width=511, height=300, kind="noise", seed=0)
    def test_equals_its_twin(
        self, native: SimpleNamespace, guarded: Any, width: int, height: int, kind: str, seed: int
    ) -> None:
        picture = picture_of(kind, width, height, seed)
        boxes = random_boxes(np.random.default_rng(seed), 8, width, height)
        levels = reference.pyramid(picture)
        expected = [reference.sample(levels, box) for box in boxes]
        np.testing.assert_array_equal(sample(native, guarded, picture, boxes), expected)

    def test_a_box_of_as_many_samples_is_copied(self, native: SimpleNamespace, guarded: Any) -> None:
        picture = picture_of("noise", 70, 50, 1)
        (patch,) = sample(native, guarded, picture, np.array([[10.0 + SIDE / 2, 5.0 + SIDE / 2, SIDE, SIDE]]))
        np.testing.assert_array_equal(patch, picture[5 : 5 + SIDE, 10 : 10 + SIDE])

    def test_a_large_box_is_averaged(self, native: SimpleNamespace, guarded: Any) -> None:
        picture = picture_of("noise", 8 * SIDE, 8 * SIDE, 2)
        (patch,) = sample(native, guarded, picture, np.array([[4.0 * SIDE, 4.0 * SIDE, 8 * SIDE, 8 * SIDE]]))
        cells = picture.reshape(SIDE, 8, SIDE, 8).mean(axis=(1, 3))
        np.testing.assert_allclose(patch, cells, atol=2)

    @pytest.mark.parametrize(
        ("middle", "corner"),
        [((-500, -500), (0, 0)), ((500, -500), (-1, 0)), ((-500, 500), (0, -1)), ((1e6, 1e6), (-1, -1))],
    )
    def test_outside_there_is_the_nearest_edge(
        self, native: SimpleNamespace, guarded: Any, middle: tuple[float, float], corner: tuple[int, int]
    ) -> None:
        picture = picture_of("noise", 40, 30, 3)
        (patch,) = sample(native, guarded, picture, np.array([[*middle, SIDE, SIDE]], np.float64))
        assert (patch == picture[corner[::-1]]).all()

    def test_no_boxes_no_patches(self, native: SimpleNamespace, guarded: Any) -> None:
        assert sample(native, guarded, picture_of("noise", 9, 9, 0), np.empty((0, 4))).shape == (0, SIDE, SIDE)


class TestSearch:
    @settings(deadline=None, max_examples=30)
    @given(
        width=st.integers(1, 150),
        height=st.integers(1, 100),
        kind=KINDS,
        patch_kind=st.sampled_from(["same", "noise", "flat"]),
        radius=st.integers(0, RADIUS),
        scales=st.lists(st.sampled_from([0.5, 0.9, 0.97, 1.0, 1.05, 1.3]), max_size=3),
        seed=SEEDS,
    )
    @example(width=1, height=1, kind="noise", patch_kind="noise", radius=0, scales=[], seed=0)
    @example(width=1, height=1, kind="noise", patch_kind="noise", radius=RADIUS, scales=[0.9], seed=0)
    @example(width=300, height=200, kind="texture", patch_kind="same", radius=RADIUS, scales=[0.97, 1.05], seed=1)
    def test_equals_its_twin(
        self,
        native: SimpleNamespace,
        guarded: Any,
        width: int,
        height: int,
        kind: str,
        patch_kind: str,
        radius: int,
        scales: list[float],
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        picture, sizes = picture_of(kind, width, height, seed), np.array(scales)
        boxes = random_boxes(rng, 3, width, height)
        levels = reference.pyramid(picture)
        if patch_kind == "same":
            near = boxes + rng.uniform(-0.2, 0.2, boxes.shape) * np.tile(boxes[:, 2:], 2)
            patches = np.array([reference.sample(levels, box) for box in near])
        else:
            patches = rng.integers(0, 256 if patch_kind == "noise" else 4, (3, SIDE, SIDE), np.uint8)
        found = search(native, guarded, picture, patches, boxes, radius, sizes)
        expected = [
            reference.search(levels, patch, box, radius, sizes) for patch, box in zip(patches, boxes, strict=True)
        ]
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).all()
        assert (np.abs(found[:, 4]) <= 1 + 1e-12).all()

    @pytest.mark.parametrize("size", [20.0, 24.0, 61.3, 140.0])
    def test_a_shift_is_found_to_a_fraction_of_a_sample(
        self, native: SimpleNamespace, guarded: Any, size: float
    ) -> None:
        rng = np.random.default_rng(int(size))
        unit = size / SIDE
        patches = sample(native, guarded, texture(320, 240, zoom=unit), np.array([[160.0, 120.0, size, size]]))
        for _ in range(10):
            dx, dy = rng.uniform(1 - RADIUS, RADIUS - 1, 2) * unit
            moved = texture(320, 240, x=dx, y=dy, zoom=unit)
            ((x, y, width, height, score),) = search(
                native, guarded, moved, patches, np.array([[160.0, 120.0, size, size]])
            )
            assert (x, y) == pytest.approx((160 + dx, 120 + dy), abs=0.25 * unit)
            assert (width, height) == (size, size)
            assert score > 0.97

    @pytest.mark.parametrize("zoom", [0.9, 0.95, 1.0, 1.05, 1.1])
    def test_of_several_sizes_the_right_one_is_found(self, native: SimpleNamespace, guarded: Any, zoom: float) -> None:
        box = np.array([[160.0, 120.0, 60, 72]])
        patches = sample(native, guarded, texture(320, 240, zoom=3), box)
        enlarged = texture(320, 240, x=3, y=-4, zoom=3 * zoom)
        scales = np.array([0.9, 0.95, 1.05, 1.1])
        ((x, y, width, height, score),) = search(native, guarded, enlarged, patches, box, scales=scales)
        assert (width, height) == pytest.approx((60 * zoom, 72 * zoom))
        assert (x, y) == pytest.approx((163, 116), abs=1)
        assert score > 0.98

    @pytest.mark.parametrize(("gain", "offset"), [(0.4, 20), (0.4, 140), (1, 20)])
    def test_the_light_does_not_matter(self, native: SimpleNamespace, guarded: Any, gain: float, offset: float) -> None:
        box = np.array([[160.0, 120.0, 60, 60]])
        dim = np.clip(np.round(texture(320, 240) * 0.6), 0, 255)
        patches = sample(native, guarded, dim.astype(np.uint8), box)
        other = np.clip(np.round(np.roll(dim, (3, 5), (0, 1)) * gain + offset), 0, 255).astype(np.uint8)
        ((x, y, _, _, score),) = search(native, guarded, other, patches, box)
        assert (x, y) == pytest.approx((165, 123), abs=0.5)
        assert score > 0.98

    def test_what_is_there_as_it_was_correlates_fully_and_its_negative_fully_not(
        self, native: SimpleNamespace, guarded: Any
    ) -> None:
        box = np.array([[50.0, 40.0, SIDE, SIDE]])
        picture = picture_of("noise", 100, 80, 4)
        patches = sample(native, guarded, picture, box)
        np.testing.assert_allclose(search(native, guarded, picture, patches, box, 0), [[50, 40, SIDE, SIDE, 1]])
        np.testing.assert_allclose(search(native, guarded, 255 - picture, patches, box, 0)[:, 4], -1)

    @pytest.mark.parametrize("value", [0, 1, 128, 255])
    @pytest.mark.parametrize("flat", ["picture", "patch", "both"])
    def test_what_has_no_texture_is_not_found(
        self, native: SimpleNamespace, guarded: Any, value: int, flat: str
    ) -> None:
        picture, patches = texture(120, 90), np.ascontiguousarray(texture(SIDE, SIDE)[None])
        if flat != "patch":
            picture[:] = value
        if flat != "picture":
            patches[:] = value
        found = search(native, guarded, picture, patches, np.array([[60.0, 45, 30, 30]]), scales=np.array([0.9, 1.1]))
        assert found[0, 4] == 0
        assert (np.abs(found[0, :2] - [60, 45]) <= RADIUS / SIDE * 30).all()
        assert (found[0, 2:4] == 30).all()

    @pytest.mark.parametrize("radius", [-1, RADIUS + 1, 10**6])
    def test_a_radius_out_of_bounds_is_refused(self, native: SimpleNamespace, guarded: Any, radius: int) -> None:
        picture = picture_of("noise", 50, 50, 0)
        with pytest.raises(ValueError, match=f"the radius is {radius}; it can be 0 to {RADIUS}"):
            search(native, guarded, picture, np.zeros((1, SIDE, SIDE), np.uint8), np.ones((1, 4)), radius)

    @pytest.mark.parametrize("radius", [0, 1, RADIUS])
    def test_nothing_is_found_farther_than_the_radius(self, native: SimpleNamespace, guarded: Any, radius: int) -> None:
        boxes = np.tile([[160.0, 120.0, 48, 48]], (20, 1))
        patches = np.random.default_rng(6).integers(0, 256, (20, SIDE, SIDE), np.uint8)
        found = search(native, guarded, texture(320, 240), patches, boxes, radius)
        assert (np.abs(found[:, :2] - [160, 120]) <= radius * 48 / SIDE).all()

    def test_pictures_patches_and_boxes_are_only_read(self, native: SimpleNamespace) -> None:
        picture, boxes = picture_of("noise", 60, 60, 7), np.full((2, 4), 30.0)
        patches = np.random.default_rng(7).integers(0, 256, (2, SIDE, SIDE), np.uint8)
        scales, found = np.array([0.9, 1.1]), np.empty((2, 5))
        before = [array.copy() for array in (picture, patches, boxes, scales)]
        for array in (picture, patches, boxes, scales):
            array.flags.writeable = False
        native.patch.search(pyramid_of(native, picture), patches, boxes, RADIUS, scales, found)
        assert all(map(np.array_equal, before, (picture, patches, boxes, scales)))
