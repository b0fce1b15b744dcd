"""The functions that Numba compiles: whether it has done so before, and having it done in good time."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from facered.track import association, kalman, tuning

logger = logging.getLogger(__name__)

FUNCTIONS = (association.associate, kalman.smooth)
"""Those that take longest; Numba keeps each beside the package, or in the user's cache where that is read-only."""


def announce() -> None:
    """Say so if the functions are about to be compiled, which happens once and takes some seconds."""
    if not all(_is_kept(function) for function in FUNCTIONS):
        logger.info("the tracker is being compiled; that happens once and takes a few seconds")


def prepare() -> None:
    """Load what Numba has compiled, or compile it, so that the first frame does not wait for that."""
    box, mean, covariance = np.array([50.0, 50.0, 20.0, 20.0]), np.empty((4, 2)), np.empty((4, 3))
    kalman.start(box, mean, covariance)
    kalman.predict(mean, covariance)
    kalman.update(box, kalman.DETECTION_DEVIATION, mean, covariance)
    kalman.smooth(box[None], np.array([kalman.DETECTION_DEVIATION]))
    association.associate(box[None], box[None], np.array([True]), tuning.IOU_PADDING, tuning.MIN_IOU)


def _is_kept(function: object) -> bool:
    stats, name = function.stats, function.py_func.__name__  # type: ignore[attr-defined]
    return any(Path(stats.cache_path).glob(f"*.{name}-*.nbi"))
