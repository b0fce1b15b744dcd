"""The filter and the smoother, beside the same in matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import kalman
from matrices import MatrixFilter, matrices, smooth_with_matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def measured(seen: NDArray[np.bool_], deviation: float = kalman.DETECTION_DEVIATION) -> Array:
    """Return the deviations of boxes that were measured in these frames alone."""
    return np.where(seen, deviation, 0.0)


def walk(rng: np.random.Generator, frames: int) -> Array:
    """Return boxes that move and grow steadily: middle, width and height."""
    start = [*rng.uniform(0, 1000, 2), *rng.uniform(10, 300, 2)]
    steps = np.array([*rng.uniform(-9, 9, 2), *rng.uniform(-0.05, 0.3, 2)])
    return start + np.arange(frames)[:, None] * steps


@pytest.mark.parametrize("seed", range(5))
def test_the_filter_equals_one_of_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = walk(rng, 40) + rng.normal(0, 2, (40, 4))
    mean, covariance = np.empty((4, 2)), np.empty((4, 3))
    kalman.start(boxes[0], mean, covariance)
    expected = MatrixFilter(boxes[0])
    for box in boxes[1:]:
        kalman.predict(mean, covariance)
        expected.predict()
        np.testing.assert_allclose(mean, expected.mean, rtol=1e-9)
        np.testing.assert_allclose(matrices(covariance), expected.covariance, rtol=1e-9)
        if rng.random() < 0.7:
            deviation = float(rng.choice([kalman.DETECTION_DEVIATION, kalman.PATCH_DEVIATION]))
            kalman.update(box, deviation, mean, covariance)
            expected.update(box, deviation)
            np.testing.assert_allclose(mean, expected.mean, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(matrices(covariance), expected.covariance, rtol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3, 60])
@pytest.mark.parametrize("share_seen", [0.2, 0.7, 1.0])
def test_the_smoother_equals_one_of_matrices(frames: int, share_seen: float) -> None:
    rng = np.random.default_rng(frames)
    boxes = walk(rng, frames) + rng.normal(0, 3, (frames, 4))
    seen = rng.random(frames) < share_seen
    seen[[0, -1]] = True
    deviations = np.where(seen, rng.choice([kalman.DETECTION_DEVIATION, kalman.PATCH_DEVIATION], frames), 0.0)
    np.testing.assert_allclose(kalman.smooth(boxes, deviations), smooth_with_matrices(boxes, deviations), rtol=1e-7)


def test_rows_without_a_measurement_do_not_count() -> None:
    rng = np.random.default_rng(1)
    boxes = walk(rng, 30)
    seen = np.ones(30, np.bool_)
    seen[10:17] = False
    other = boxes.copy()
    other[~seen] = np.nan
    np.testing.assert_array_equal(kalman.smooth(boxes, measured(seen)), kalman.smooth(other, measured(seen)))


def test_what_is_measured_better_counts_for_more() -> None:
    boxes = np.tile([100.0, 50, 30, 40], (21, 1))
    boxes[10, 0] += 10
    everywhere = np.ones(21, np.bool_)
    exact, poor = measured(everywhere), measured(everywhere)
    poor[10] = kalman.PATCH_DEVIATION
    assert kalman.PATCH_DEVIATION > kalman.DETECTION_DEVIATION
    assert 0 < kalman.smooth(boxes, poor)[10, 0] - 100 < kalman.smooth(boxes, exact)[10, 0] - 100 < 10


@pytest.mark.parametrize("seed", range(5))
def test_a_steady_walk_with_a_gap_is_found_again_under_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = walk(rng, 60)
    noise = rng.normal(0, kalman.DETECTION_DEVIATION, (60, 4)) * truth[:, 2:].mean(axis=1, keepdims=True)
    seen = np.ones(60, np.bool_)
    seen[25:40] = False
    smoothed = kalman.smooth(truth + noise, measured(seen))
    error = np.abs(smoothed - truth)
    assert error[seen].mean() < 0.7 * np.abs(noise[seen]).mean()
    assert (error[~seen] < 0.15 * truth[~seen, 2:].mean(axis=1, keepdims=True)).all()


def test_an_exact_track_stays_as_it_is() -> None:
    still = np.tile([100.0, 50, 30, 40], (20, 1))
    seen = np.ones(20, np.bool_)
    seen[5:9] = False
    np.testing.assert_allclose(kalman.smooth(still, measured(seen)), still, rtol=1e-12)


def test_the_input_is_left_alone() -> None:
    boxes, deviations = walk(np.random.default_rng(2), 9), measured(np.ones(9, np.bool_))
    before = boxes.copy()
    kalman.smooth(boxes, deviations)
    np.testing.assert_array_equal(boxes, before)
    assert (deviations == kalman.DETECTION_DEVIATION).all()


def test_a_box_that_was_followed_counts_less_than_one_that_was_detected() -> None:
    moved = []
    for deviation in (kalman.DETECTION_DEVIATION, kalman.PATCH_DEVIATION):
        mean, covariance = np.empty((4, 2)), np.empty((4, 3))
        kalman.start(np.array([100.0, 100, 40, 40]), mean, covariance)
        kalman.update(np.array([110.0, 100, 40, 40]), deviation, mean, covariance)
        moved.append(mean[0, 0] - 100)
    assert moved[0] == pytest.approx(5)
    assert moved[1] == pytest.approx(1)
