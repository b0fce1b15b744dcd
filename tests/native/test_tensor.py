"""Planes -> the letterboxed tensor and the small luma picture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import reference

if TYPE_CHECKING:
    from types import SimpleNamespace

OUTSIDE = 7.25
"""What the tensor holds right of and below the content."""
CHROMA = ("gray", "planar", "nv12", "nv21")
DEPTHS = st.sampled_from([8, 8, 10, 12, 16])
SEEDS = st.integers(0, 2**32 - 1)


def half(length: int) -> int:
    return (length + 1) // 2


def random_planes(
    rng: np.random.Generator, width: int, height: int, chroma: tuple[int, int], depth: int = 8
) -> list[Any]:
    kind = np.uint8 if depth == 8 else np.uint16
    return [rng.integers(0, 1 << depth, size[::-1], kind) for size in ((width, height), chroma, chroma)]


def random_colours(rng: np.random.Generator) -> tuple[Any, Any]:
    matrix = np.column_stack([rng.uniform(-2, 2, (3, 3)), rng.uniform(-300, 300, 3)]).astype(np.float32)
    limits = np.sort(rng.uniform(-100, 400, (3, 2)), axis=1).astype(np.float32)
    return matrix, limits


def laid_out(lay: Any, planes: list[Any], chroma: str, layout: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the memories and the planes in them; the two of chroma share a memory where they alternate."""
    memory, y = lay(planes[0], **layout)
    if chroma == "gray":
        return [memory], [y, None, None]
    if chroma == "planar":
        (u_memory, u), (v_memory, v) = lay(planes[1], **layout), lay(planes[2], **layout)
        return [memory, u_memory, v_memory], [y, u, v]
    pair = planes[1:] if chroma == "nv12" else planes[:0:-1]
    both_memory, both = lay(np.stack(pair, axis=2).reshape(len(pair[0]), -1), **layout)
    first, second = both[:, 0::2], both[:, 1::2]
    return [memory, both_memory], [y, *((first, second) if chroma == "nv12" else (second, first))]


def letterbox(
    native: SimpleNamespace,
    planes: list[Any],
    content: tuple[int, int],
    colours: tuple[Any, Any],
    room: int,
    depth: int = 8,
) -> tuple[Any, Any]:
    y, u, v = planes
    shape = (*y.shape[::-1], *((0, 0) if u is None else u.shape[::-1]))
    box = native.tensor.Letterbox(*shape, *content, depth)
    out = np.full((3, content[1] + room, content[0] + room), OUTSIDE, np.float32)
    luma = np.empty(content[::-1], np.uint8)
    box(y, u, v, *colours, out, luma)
    alone = np.empty_like(luma)
    box.shrink(y, alone)
    np.testing.assert_array_equal(alone, luma)
    return out, luma


def assert_equals(result: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    (out, luma), (tensor, small) = result, expected
    height, width = small.shape
    np.testing.assert_array_equal(luma, small)
    np.testing.assert_array_equal(out[:, :height, :width], tensor)
    assert (out[:, height:] == OUTSIDE).all()
    assert (out[:, :, width:] == OUTSIDE).all()


@settings(deadline=None, max_examples=100)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 60),
    content=st.tuples(st.integers(1, 40), st.integers(1, 30)),
    chroma=st.sampled_from(CHROMA),
    depth=DEPTHS,
    layout=st.fixed_dictionaries({"padding": st.integers(0, 9), "upside_down": st.booleans()}),
    room=st.integers(0, 3),
    seed=SEEDS,
)
@example(width=1, height=1, content=(1, 1), chroma="planar", depth=8, layout={}, room=0, seed=0)
@example(width=1, height=1, content=(4, 3), chroma="nv12", depth=8, layout={"padding": 3}, room=0, seed=0)
@example(width=2, height=3, content=(1, 1), chroma="nv21", depth=8, layout={"upside_down": True}, room=1, seed=0)
@example(width=600, height=3, content=(1, 1), chroma="planar", depth=8, layout={}, room=0, seed=0)
def test_equals_its_twin_in_any_layout(
    native: SimpleNamespace,
    lay: Any,
    width: int,
    height: int,
    content: tuple[int, int],
    chroma: str,
    depth: int,
    layout: dict[str, Any],
    room: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    planes, colours = random_planes(rng, width, height, (half(width), half(height)), depth), random_colours(rng)
    memories, views = laid_out(lay, planes, chroma, layout)
    result = letterbox(native, views, content, colours, room, depth)
    if chroma == "gray":
        planes[1:] = None, None
    assert_equals(result, reference.letterbox(*planes, content, *colours, depth))
    for memory, before in zip(memories, laid_out(lay, planes, chroma, layout)[0], strict=True):
        np.testing.assert_array_equal(memory, before)  # the planes are only read


@settings(deadline=None, max_examples=75)
@given(
    content=st.tuples(st.integers(1, 40), st.integers(1, 12)),
    ratios=st.tuples(*[st.sampled_from([1, 1.5, 2, 3, 4, 5, 6])] * 2),
    subsampling=st.tuples(*[st.sampled_from([1, 2, 4])] * 2),
    chroma=st.sampled_from(CHROMA),
    depth=DEPTHS,
    seed=SEEDS,
)
def test_equals_its_twin_at_round_ratios_and_with_any_subsampling(
    native: SimpleNamespace,
    lay: Any,
    content: tuple[int, int],
    ratios: tuple[float, float],
    subsampling: tuple[int, int],
    chroma: str,
    depth: int,
    seed: int,
) -> None:
    width, height = (max(1, int(size * ratio)) for size, ratio in zip(content, ratios, strict=True))
    rng = np.random.default_rng(seed)
    chroma_size = -(-width // subsampling[0]), -(-height // subsampling[1])
    planes, colours = random_planes(rng, width, height, chroma_size, depth), random_colours(rng)
    _, views = laid_out(lay, planes, chroma, {})
    result = letterbox(native, views, content, colours, 0, depth)
    if chroma == "gray":
        planes[1:] = None, None
    assert_equals(result, reference.letterbox(*planes, content, *colours, depth))


@cache
def large_case(width: int, height: int, content: tuple[int, int]) -> tuple[list[Any], Any, Any]:
    rng = np.random.default_rng(width)
    planes, colours = random_planes(rng, width, height, (half(width), half(height))), random_colours(rng)
    return planes, colours, reference.letterbox(*planes, content, *colours)


@pytest.mark.parametrize("chroma", ["planar", "nv12"])
@pytest.mark.parametrize(
    ("width", "height", "content"),
    [
        pytest.param(1920, 1080, (640, 360), id="1080p", marks=pytest.mark.soak),
        pytest.param(1280, 720, (640, 360), id="720p", marks=pytest.mark.soak),
        pytest.param(1920, 108, (640, 36), id="a tenth of 1080p"),
        pytest.param(1280, 72, (640, 36), id="a tenth of 720p"),
        pytest.param(3840, 216, (640, 36), id="a tenth of 4K"),
        pytest.param(2560, 144, (640, 36), id="a tenth of 1440p"),
        pytest.param(1918, 108, (640, 36), id="no round ratio"),
        pytest.param(1000, 100, (640, 64), id="1.5625"),
        pytest.param(3000, 100, (637, 21), id="six taps"),
        pytest.param(7680, 100, (333, 4), id="two dozen taps"),
        pytest.param(500, 100, (643, 128), id="enlarged"),
    ],
)
def test_equals_its_twin_on_large_pictures(
    native: SimpleNamespace, lay: Any, width: int, height: int, content: tuple[int, int], chroma: str
) -> None:
    planes, colours, expected = large_case(width, height, content)
    _, views = laid_out(lay, planes, chroma, {"padding": 32})
    assert_equals(letterbox(native, views, content, colours, 24), expected)


def test_can_be_used_again_and_remembers_nothing(native: SimpleNamespace) -> None:
    rng = np.random.default_rng(5)
    box = native.tensor.Letterbox(33, 21, 17, 11, 20, 13)
    assert (box.width, box.height, box.chroma_width, box.chroma_height) == (33, 21, 17, 11)
    assert (box.content_width, box.content_height) == (20, 13)
    out, luma = np.full((3, 13, 20), OUTSIDE, np.float32), np.empty((13, 20), np.uint8)
    for _ in range(3):
        planes, colours = random_planes(rng, 33, 21, (17, 11)), random_colours(rng)
        box(*planes, *colours, out, luma)
        assert_equals((out, luma), reference.letterbox(*planes, (20, 13), *colours))


@pytest.mark.parametrize("value", [0, 16, 128, 235, 255])
@pytest.mark.parametrize(("size", "content"), [((37, 23), (20, 11)), ((5, 4), (37, 23)), ((64, 48), (32, 24))])
def test_a_flat_picture_stays_flat(
    native: SimpleNamespace, size: tuple[int, int], content: tuple[int, int], value: int
) -> None:
    flat = np.full(size[::-1], value, np.uint8)
    matrix = np.zeros((3, 4), np.float32)
    matrix[:, 0] = 1
    limits = np.array([[0, 255]] * 3, np.float32)
    out, luma = letterbox(native, [flat, None, None], content, (matrix, limits), 0)
    assert (luma == value).all()
    assert (out == value).all()
