"""Raw outputs of the model families -> boxes, and their suppression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import reference

if TYPE_CHECKING:
    from types import SimpleNamespace

SEEDS = st.integers(0, 2**32 - 1)
THRESHOLDS = st.floats(0, 1, width=32)
ROOM = st.integers(0, 200)
moderately = settings(deadline=None, max_examples=60)


def scores(rng: np.random.Generator, shape: tuple[int, ...], threshold: float) -> Any:
    """Return random scores; some are not numbers, infinite, or exactly the threshold."""
    values = rng.random(shape).astype(np.float32)
    odd = rng.random(shape)
    values[odd < 0.3] = np.float32(threshold)
    values[odd < 0.2] = np.nan
    values[odd < 0.1] = -values[odd < 0.1]
    return values


def check(guarded: Any, room: int, expected: Any, decode: Any) -> None:
    """Decode into `room` rows: the first boxes stand there, and nothing behind them or around is touched."""
    out, rest = guarded((room, 5), np.float32)
    count = decode(out)
    assert count == min(len(expected), room)
    np.testing.assert_array_equal(out[:count], expected[:count])
    assert (out[count:] == 173).all()
    assert (rest == 173).all()


@moderately
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), threshold=THRESHOLDS, room=ROOM, seed=SEEDS)
@example(rows=1, columns=1, threshold=0.0, room=0, seed=0)
def test_centerface_equals_its_twin(
    native: SimpleNamespace, guarded: Any, rows: int, columns: int, threshold: float, room: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    heatmap = scores(rng, (rows, columns), threshold)
    scale, offset = rng.normal(0, 2, (2, 2, rows, columns)).astype(np.float32)
    expected = reference.centerface(heatmap, scale, offset, threshold)
    check(guarded, room, expected, lambda out: native.decode.centerface(heatmap, scale, offset, threshold, out))


@moderately
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    stride=st.sampled_from([8, 16, 32]),
    threshold=THRESHOLDS,
    room=ROOM,
    seed=SEEDS,
)
@example(rows=1, columns=1, stride=8, threshold=0.0, room=0, seed=0)
def test_yunet_equals_its_twin(
    native: SimpleNamespace, guarded: Any, rows: int, columns: int, stride: int, threshold: float, room: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    classes, objectness = (scores(rng, (rows * columns, 1), threshold) for _ in range(2))
    boxes = rng.normal(0, 2, (rows * columns, 4)).astype(np.float32)
    expected = reference.yunet(classes, objectness, boxes, columns, stride, threshold)
    check(
        guarded,
        room,
        expected,
        lambda out: native.decode.yunet(classes, objectness, boxes, columns, stride, threshold, out),
    )


@moderately
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    anchors=st.integers(1, 3),
    stride=st.sampled_from([8, 16, 32]),
    threshold=THRESHOLDS,
    room=ROOM,
    seed=SEEDS,
)
@example(rows=1, columns=1, anchors=2, stride=8, threshold=0.0, room=0, seed=0)
def test_scrfd_equals_its_twin(
    native: SimpleNamespace,
    guarded: Any,
    rows: int,
    columns: int,
    anchors: int,
    stride: int,
    threshold: float,
    room: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    values = scores(rng, (rows * columns * anchors, 1), threshold)
    distances = rng.normal(1, 2, (len(values), 4)).astype(np.float32)
    expected = reference.scrfd(values, distances, columns, anchors, stride, threshold)
    check(
        guarded,
        room,
        expected,
        lambda out: native.decode.scrfd(values, distances, columns, anchors, stride, threshold, out),
    )


def test_centerface_places_a_face_by_hand(native: SimpleNamespace) -> None:
    heatmap = np.zeros((6, 8), np.float32)
    scale, offset = np.zeros((2, 2, 6, 8), np.float32)
    heatmap[2, 5] = 0.75
    scale[:, 2, 5] = np.log(10), np.log(6)  # height 40, width 24
    offset[:, 2, 5] = 0.25, -0.25  # the middle at y = 11, x = 21
    out = np.empty((3, 5), np.float32)
    assert native.decode.centerface(heatmap, scale, offset, 0.5, out) == 1
    np.testing.assert_allclose(out[0], [9, -9, 33, 31, 0.75], rtol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_scores_that_are_not_numbers_are_no_faces(native: SimpleNamespace, threshold: float) -> None:
    nothing = np.full((4, 1), np.nan, np.float32)
    four = np.zeros((4, 4), np.float32)
    out = np.empty((8, 5), np.float32)
    assert native.decode.centerface(nothing, *np.zeros((2, 2, 4, 1), np.float32), threshold, out) == 0
    assert native.decode.yunet(nothing, nothing, four, 2, 8, threshold, out) == 0
    assert native.decode.scrfd(nothing, four, 1, 2, 8, threshold, out) == 0


class TestSuppress:
    @settings(deadline=None, max_examples=100)
    @given(
        count=st.integers(0, 40),
        limit=st.floats(0, 1),
        side=st.sampled_from([3, 10, 60]),
        whole=st.booleans(),
        seed=SEEDS,
    )
    @example(count=0, limit=0.5, side=3, whole=True, seed=0)
    def test_equals_its_twin(
        self, native: SimpleNamespace, guarded: Any, count: int, limit: float, side: int, whole: bool, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        boxes = np.zeros((count, 5), np.float32)
        boxes[:, :2] = rng.uniform(0, 40, (count, 2))
        boxes[:, 2:4] = boxes[:, :2] + rng.uniform(-1, side, (count, 2))  # a few are turned inside out
        if whole:  # many touch, coincide or have no area
            boxes = np.round(boxes)
        boxes[:, 4] = np.sort(rng.random(count))[::-1]
        keep, rest = guarded(count, np.uint8)
        native.decode.suppress(boxes, limit, keep)
        np.testing.assert_array_equal(keep, reference.suppress(boxes, limit))
        assert (rest == 173).all()

    @pytest.mark.parametrize(("limit", "kept"), [(1 / 3 - 1e-6, [1, 0, 1]), (1 / 3, [1, 1, 1])])
    def test_boxes_at_the_limit_are_both_kept(self, native: SimpleNamespace, limit: float, kept: list[int]) -> None:
        boxes = np.array([[0, 0, 4, 4, 0.9], [2, 0, 6, 4, 0.8], [4, 0, 8, 4, 0.7]], np.float32)
        keep = np.empty(3, np.uint8)
        native.decode.suppress(boxes, limit, keep)
        assert keep.tolist() == kept  # the third overlaps only the second, which may be gone
