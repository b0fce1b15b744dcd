"""Whether Numba has compiled the tracker's functions before."""

from __future__ import annotations

import logging
from pathlib import Path

from facered.track import association, kalman

logger = logging.getLogger(__name__)

FUNCTIONS = (association.associate, kalman.smooth)
"""Those that take longest; each is kept by Numba beside the package, or in the user's cache where that is read-only."""


def announce() -> None:
    """Say so if the functions are about to be compiled, which happens once and takes some seconds."""
    if not all(_is_kept(function) for function in FUNCTIONS):
        logger.info("the tracker is being compiled; that happens once and takes a few seconds")


def _is_kept(function: object) -> bool:
    stats, name = function.stats, function.py_func.__name__  # type: ignore[attr-defined]
    return any(Path(stats.cache_path).glob(f"*.{name}-*.nbi"))
