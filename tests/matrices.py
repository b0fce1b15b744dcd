"""The Kalman filter and its smoother as textbooks have them: in matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import kalman

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TRANSITION = np.array([[1.0, 1.0], [0.0, 1.0]])
OBSERVATION = np.array([[1.0, 0.0]])
ACCELERATED = np.array([0.5, 1.0])
"""What a unit of acceleration, held for a frame, adds to value and velocity."""


def matrices(covariance: Array) -> Array:
    """Return (..., 2, 2) matrices of covariances stored as three numbers."""
    value, both, velocity = np.moveaxis(covariance, -1, 0)
    return np.stack([np.stack([value, both], -1), np.stack([both, velocity], -1)], -2)


class MatrixFilter:
    """A textbook Kalman filter of the four values of a box, each with its velocity."""

    def __init__(self, box: Array) -> None:
        size = (box[2] + box[3]) / 2
        variances = (kalman.DETECTION_DEVIATION * size) ** 2, (kalman.START_VELOCITY * size) ** 2
        self.mean = np.stack([box, np.zeros(4)], 1)
        self.covariance = np.tile(np.diag(variances), (4, 1, 1))

    def predict(self) -> None:
        deviation = kalman.ACCELERATION * (self.mean[2, 0] + self.mean[3, 0]) / 2
        noise = deviation**2 * np.outer(ACCELERATED, ACCELERATED)
        self.mean = self.mean @ TRANSITION.T
        self.covariance = TRANSITION @ self.covariance @ TRANSITION.T + noise

    def update(self, box: Array, deviation: float) -> None:
        noise = (deviation * (box[2] + box[3]) / 2) ** 2
        for i in range(4):
            innovation = OBSERVATION @ self.covariance[i] @ OBSERVATION.T + noise
            gain = self.covariance[i] @ OBSERVATION.T @ np.linalg.inv(innovation)
            self.mean[i] += gain @ (box[i] - OBSERVATION @ self.mean[i])
            self.covariance[i] = (np.eye(2) - gain @ OBSERVATION) @ self.covariance[i]


def smooth_with_matrices(boxes: Array, deviations: Array) -> Array:
    """Return the boxes after a Rauch-Tung-Striebel smoother."""
    state = MatrixFilter(boxes[0])
    predicted, filtered = [], [(state.mean.copy(), state.covariance.copy())]
    for box, deviation in zip(boxes[1:], deviations[1:], strict=True):
        state.predict()
        predicted.append((state.mean.copy(), state.covariance.copy()))
        if deviation:
            state.update(box, deviation)
        filtered.append((state.mean.copy(), state.covariance.copy()))
    means = [filtered[-1][0]]
    for (mean, covariance), (ahead, ahead_covariance) in zip(filtered[-2::-1], predicted[::-1], strict=True):
        gain = covariance @ TRANSITION.T @ np.linalg.inv(ahead_covariance)
        means.append(mean + (gain @ (means[-1] - ahead)[..., None])[..., 0])
    return np.array(means[::-1])[:, :, 0]
