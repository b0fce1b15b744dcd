"""Frames leave nothing behind that only a full collection frees: that would stop a stream for a tenth of a second."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import av
import pytest

import facered
import videos
from thinned import thinned

SETTINGS: list[dict[str, Any]] = [{}, {"detect": "async"}, {"deadline_ms": 5}, {"lookahead": 9}]
BEFORE, COUNT = 60, 100


@pytest.fixture
def collected_by_nobody() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def pictures(first: Path, second: Path) -> Iterator[av.VideoFrame]:
    """Yield frames without end: somebody, a cut, nobody, a cut, and so on."""
    shots = videos.decode(first, 20), [videos.enlarge(frame, 176, 144) for frame in videos.decode(second, 20)]
    yield from chain.from_iterable(chain.from_iterable(repeat(shots)))


@pytest.mark.usefixtures("collected_by_nobody")
@pytest.mark.parametrize("as_arrays", thinned([False, True], 2))
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_is_left_for_the_garbage_collector(
    carphone: Path, rabbit: Path, settings: dict[str, Any], as_arrays: bool
) -> None:
    with facered.Redactor(**settings) as redactor:
        for number, frame in enumerate(pictures(carphone, rabbit)):
            if number == BEFORE:
                gc.collect()
            elif number == BEFORE + COUNT:
                break
            if as_arrays:
                redactor.process(frame.to_ndarray(format="bgr24"), "bgr24", pts=number / 25)
            else:
                redactor.process(frame)
        assert gc.collect() == 0
