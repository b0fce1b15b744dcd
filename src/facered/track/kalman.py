"""A constant-velocity Kalman filter for boxes, and its Rauch-Tung-Striebel smoother.

A box is (centre x, centre y, width, height). Each of the four is filtered by itself, with a state of value and
velocity a frame, so that a covariance is three numbers: the value's variance, the cross term, the velocity's variance.
Noise is relative to the face's size.

All functions are compiled when the package is built (`facered.runtime.compilation`), with the numbers below in them,
which cannot be changed while the program runs. These were set by hand, as those in `tuning`. "Larger" and "smaller"
tell what becomes worse then. What is so much a frame does not follow the video's rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facered.runtime.compilation import compiled

DETECTION_DEVIATION = 0.05
"""Standard deviation of a detected box, as a part of the face's size. Larger: boxes lag. Smaller: they jitter.
Detections are told from other boxes by this very value (==), so it must differ from PATCH_DEVIATION."""
PATCH_DEVIATION = 0.15
"""The same of a box found by its patch: more, because errors add up. Larger: following counts for little. Smaller:
drift is believed. It must differ from DETECTION_DEVIATION."""
ACCELERATION = 0.02
"""Standard deviation of the change of velocity each frame, as a part of the face's size a frame. Larger: boxes jitter.
Smaller: they lag behind sudden motion."""
START_VELOCITY = 0.1
"""Standard deviation of the velocity of a face first seen, as a part of its size a frame. Larger: first predictions
jump. Smaller: fast newcomers are lost."""


@compiled("void(float64[:], float64[:,:], float64[:,:])")
def start(box: NDArray[np.float64], mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> None:
    """Begin a track: fill `mean`, (4, 2), and `covariance`, (4, 3), from a box, (4,)."""
    size = 0.5 * (box[2] + box[3])
    deviation, velocity_deviation = DETECTION_DEVIATION * size, START_VELOCITY * size
    for i in range(4):
        mean[i, 0], mean[i, 1] = box[i], 0.0
        covariance[i, 0], covariance[i, 1] = deviation * deviation, 0.0
        covariance[i, 2] = velocity_deviation * velocity_deviation


@compiled("void(float64[:,:], float64[:,:])")
def predict(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> None:
    """Advance one track by a frame, in place."""
    deviation = ACCELERATION * 0.5 * (mean[2, 0] + mean[3, 0])
    noise = deviation * deviation  # not ** 2, which outside of Numba is the C library's pow
    for i in range(4):
        mean[i, 0] += mean[i, 1]
        value, cross, velocity = covariance[i, 0], covariance[i, 1], covariance[i, 2]
        covariance[i, 0] = value + 2 * cross + velocity + noise / 4
        covariance[i, 1] = cross + velocity + noise / 2
        covariance[i, 2] = velocity + noise


@compiled("void(float64[:], float64, float64[:,:], float64[:,:])")
def update(
    box: NDArray[np.float64], deviation: float, mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> None:
    """Correct one track by a measured box, in place; its standard deviation is a part of the face's size."""
    noise = deviation * 0.5 * (box[2] + box[3])
    noise *= noise
    for i in range(4):
        value, cross, velocity = covariance[i, 0], covariance[i, 1], covariance[i, 2]
        gain, velocity_gain = value / (value + noise), cross / (value + noise)
        difference = box[i] - mean[i, 0]
        mean[i, 0] += gain * difference
        mean[i, 1] += velocity_gain * difference
        covariance[i, 0] = (1 - gain) * value
        covariance[i, 1] = (1 - gain) * cross
        covariance[i, 2] = velocity - velocity_gain * cross


@compiled("void(float64[:,:], float64[:,:], float64[:,:], float64[:,:])")
def _copy(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    other_mean: NDArray[np.float64],
    other_covariance: NDArray[np.float64],
) -> None:
    # Assigning slices would do, and takes Numba four times as long to compile.
    for i in range(4):
        other_mean[i, 0], other_mean[i, 1] = mean[i, 0], mean[i, 1]
        for j in range(3):
            other_covariance[i, j] = covariance[i, j]


@compiled("float64[:,:](float64[:,:], float64[:])")
def smooth(boxes: NDArray[np.float64], deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the likeliest box in every frame of a track, given all its measurements.

    Parameters
    ----------
    boxes : (frames, 4) float64
        Measured boxes; rows of frames without one are ignored.
    deviations : (frames,) float64
        Standard deviation of each, as a part of the face's size; 0 where there is none. There is one in the first
        and in the last frame.

    Returns
    -------
    (frames, 4) float64
    """
    n = len(boxes)
    means, covariances = np.empty((n, 4, 2)), np.empty((n, 4, 3))
    before, before_covariances = np.empty((n, 4, 2)), np.empty((n, 4, 3))
    start(boxes[0], means[0], covariances[0])
    for k in range(1, n):
        _copy(means[k - 1], covariances[k - 1], before[k], before_covariances[k])
        predict(before[k], before_covariances[k])
        _copy(before[k], before_covariances[k], means[k], covariances[k])
        if deviations[k] > 0:
            update(boxes[k], deviations[k], means[k], covariances[k])
    for k in range(n - 2, -1, -1):
        for i in range(4):
            value, cross, velocity = covariances[k, i, 0], covariances[k, i, 1], covariances[k, i, 2]
            p, q, r = before_covariances[k + 1, i, 0], before_covariances[k + 1, i, 1], before_covariances[k + 1, i, 2]
            determinant = p * r - q * q
            # gain = covariance @ transition.T @ inverse(predicted covariance)
            a, c = value + cross, cross + velocity
            g00, g01 = (a * r - cross * q) / determinant, (cross * p - a * q) / determinant
            g10, g11 = (c * r - velocity * q) / determinant, (velocity * p - c * q) / determinant
            dx, dv = means[k + 1, i, 0] - before[k + 1, i, 0], means[k + 1, i, 1] - before[k + 1, i, 1]
            means[k, i, 0] += g00 * dx + g01 * dv
            means[k, i, 1] += g10 * dx + g11 * dv
    smoothed = np.empty((n, 4))
    for k in range(n):
        for i in range(4):
            smoothed[k, i] = means[k, i, 0]
    return smoothed
