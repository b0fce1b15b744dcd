"""What boxes share with each other."""

from __future__ import annotations

import numpy as np
import pytest

from facered.track.boxes import centred, containment, iou, union

BOX = np.array([10.0, 20, 8, 6])


@pytest.mark.parametrize(
    ("other", "overlap", "inside"),
    [
        ([10, 20, 8, 6], 1, 1),
        ([14, 20, 8, 6], 1 / 3, 1 / 2),
        ([10, 20, 16, 12], 1 / 4, 1),
        ([10, 20, 4, 3], 1 / 4, 1 / 4),
        ([18, 20, 8, 6], 0, 0),
        ([10, 40, 8, 6], 0, 0),
    ],
)
def test_iou_and_containment(other: list[float], overlap: float, inside: float) -> None:
    others = np.array([other, [99.0, 99, 1, 1]])
    np.testing.assert_allclose(iou(BOX, others), [overlap, 0])
    np.testing.assert_allclose(containment(BOX, others), [inside, 0])


def test_a_union_holds_both_of_each_pair_and_no_more() -> None:
    found = union(np.array([BOX, BOX]), np.array([[20.0, 10, 4, 4], [10, 20, 2, 2]]))
    np.testing.assert_allclose(found, [[14, 15.5, 16, 15], BOX])


def test_corners_become_boxes_that_have_some_size() -> None:
    found = centred(np.array([[6, 17, 14, 23], [5, 5, 5, 5]], np.float32))
    np.testing.assert_allclose(found[0], BOX)
    assert (found[1, 2:] > 0).all()
