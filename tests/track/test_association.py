"""The assignment of detections to tracks."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from facered.track import association

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = st.integers(0, 2**32 - 1)


def least_cost(cost: NDArray[np.float64]) -> float:
    """Return the least total cost over all ways to match the shorter side, found by trying them all."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    rows = np.arange(cost.shape[0])
    return min(float(cost[rows, list(columns)].sum()) for columns in permutations(range(cost.shape[1]), len(rows)))


class TestAssign:
    @settings(deadline=None, max_examples=100)
    @given(shape=st.tuples(st.integers(1, 6), st.integers(1, 6)), kind=st.sampled_from("uxs"), seed=SEEDS)
    def test_finds_the_least_total_cost(self, shape: tuple[int, int], kind: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        cost = rng.uniform(-5, 5, shape)
        if kind == "x":  # forbidden pairs
            cost[rng.random(shape) < 0.5] = association.FORBIDDEN
        if kind == "s":  # many ties
            cost = np.round(cost)
        columns = association.assign(cost)
        matched = np.flatnonzero(columns >= 0)
        assert columns.shape == (shape[0],)
        assert len(matched) == min(shape)
        assert len(set(columns[matched])) == len(matched)
        assert (columns[columns < 0] == -1).all()
        assert columns.max() < shape[1]
        assert cost[matched, columns[matched]].sum() == pytest.approx(least_cost(cost), abs=1e-6)

    @settings(deadline=None, max_examples=50)
    @given(shape=st.tuples(st.integers(1, 20), st.integers(1, 20)), seed=SEEDS)
    def test_does_not_depend_on_the_order_of_rows_or_columns(self, shape: tuple[int, int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        cost = rng.random(shape)
        columns = association.assign(cost)
        row_order, column_order = rng.permutation(shape[0]), rng.permutation(shape[1])
        np.testing.assert_array_equal(association.assign(cost[row_order]), columns[row_order])
        shuffled = association.assign(np.ascontiguousarray(cost[:, column_order]))
        np.testing.assert_array_equal(np.where(shuffled < 0, -1, column_order[shuffled]), columns)

    def test_prefers_the_best_total_to_the_best_pair(self) -> None:
        assert association.assign(np.array([[0.0, 1.0], [0.5, 9.0]])).tolist() == [1, 0]


class TestOverlap:
    @settings(deadline=None, max_examples=50)
    @given(seed=SEEDS, buffer=st.sampled_from([0.0, 0.3, 1.0]))
    def test_equals_its_twin_on_enlarged_boxes(self, seed: int, buffer: float) -> None:
        pair = np.random.default_rng(seed).uniform([0, 0, 1, 1], [60, 60, 50, 50], (2, 4))
        half = pair[:, 2:] * (1 + buffer) / 2
        corners = np.concatenate([pair[:, :2] - half, pair[:, :2] + half], axis=1)
        expected = reference.intersection_over_union(*corners)
        assert association.padded_iou(*pair, buffer) == pytest.approx(expected, rel=1e-9)


def centred(*boxes: tuple[float, float, float, float]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)


def associate(
    tracks: NDArray[np.float64],
    boxes: NDArray[np.float64],
    usable: list[bool] | None = None,
    buffer: float = 0.0,
    gate: float = 0.2,
) -> list[int]:
    allowed = np.ones(len(boxes), np.bool_) if usable is None else np.array(usable, np.bool_)
    return list(association.associate(tracks, boxes, allowed, buffer, gate).tolist())


class TestAssociate:
    tracks = centred((10, 10, 10, 10), (50, 10, 10, 10))

    def test_each_track_gets_the_box_that_lies_on_it(self) -> None:
        assert associate(self.tracks, centred((51, 11, 10, 10), (99, 99, 5, 5), (9, 10, 10, 10))) == [2, 0]

    def test_boxes_that_may_not_be_used_are_not(self) -> None:
        assert associate(self.tracks, centred((10, 10, 10, 10), (50, 10, 10, 10)), [False, True]) == [-1, 1]

    def test_two_tracks_do_not_share_a_box(self) -> None:
        two = centred((10, 10, 10, 10), (12, 10, 10, 10))
        assert associate(two, centred((11.8, 10, 10, 10))) == [-1, 0]

    def test_as_many_tracks_as_can_go_on(self) -> None:
        # The second box lies best on the first track, but it is the only one for the second.
        two = centred((10, 10, 10, 10), (14, 10, 10, 10))
        assert associate(two, centred((7, 10, 10, 10), (11, 10, 10, 10))) == [0, 1]

    @pytest.mark.parametrize(("gate", "expected"), [(1 / 3 - 1e-9, [0]), (1 / 3 + 1e-9, [-1])])
    def test_overlap_below_the_gate_is_no_match(self, gate: float, expected: list[int]) -> None:
        assert associate(centred((10, 10, 10, 10)), centred((15, 10, 10, 10)), gate=gate) == expected

    @pytest.mark.parametrize(("buffer", "expected"), [(0.0, [-1]), (0.5, [0])])
    def test_a_buffer_reaches_boxes_that_do_not_touch(self, buffer: float, expected: list[int]) -> None:
        assert associate(centred((10, 10, 10, 10)), centred((21, 10, 10, 10)), buffer=buffer, gate=0.1) == expected

    def test_boxes_apart_never_match_even_without_a_gate(self) -> None:
        assert associate(centred((10, 10, 10, 10)), centred((90, 10, 10, 10)), gate=0.0) == [-1]

    @pytest.mark.parametrize(("tracks", "boxes"), [(0, 0), (0, 3), (3, 0)])
    def test_nothing_to_match(self, tracks: int, boxes: int) -> None:
        some = centred(*[(10.0 * i, 10, 5, 5) for i in range(3)])
        assert associate(some[:tracks], some[:boxes]) == [-1] * tracks
