"""Live, with a look-ahead: who is in a frame some time ago, beside making all of everybody's track for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import instants
from facered.track.instant import Person, people_in

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES = 75
"""As many as are looked at: those before the frame that are smoothed with it, and the look-ahead."""
BACK = 25
MIN_GAIN = 3.0
"""How many times as fast as by whole tracks it has to be at least, the calls of both taken in turn."""
TURNS = 20

Ask = Callable[..., list[Any]]


def people(count: int) -> tuple[int, Sequence[Person], Any, float, Any]:
    """Return what is asked: who of those who are followed is in the frame `BACK` before the last."""
    found = instants.wanderers(np.random.default_rng(1), count, FRAMES, gaps=False, apart=True)
    return FRAMES - BACK, found, instants.clock(FRAMES), instants.PIXEL, instants.path()


@pytest.mark.parametrize("count", [10, 60])
@pytest.mark.benchmark(group="who is in a frame")
def test_facered(benchmark: BenchmarkFixture, count: int) -> None:
    assert len(benchmark(people_in, *people(count))) >= count // 2


@pytest.mark.parametrize("count", [10, 60])
@pytest.mark.benchmark(group="who is in a frame")
def test_whole_tracks_in_numpy(benchmark: BenchmarkFixture, count: int) -> None:
    assert len(benchmark(instants.people_by_tracks, *people(count))) >= count // 2


@pytest.mark.benchmark(group="who is in a frame: how much faster than by whole tracks")
def test_the_gain(benchmark: BenchmarkFixture) -> None:
    asked = people(10)

    def milliseconds(ask: Ask) -> float:
        begun = time.thread_time()
        ask(*asked)
        return 1e3 * (time.thread_time() - begun)

    turns = [(milliseconds(people_in), milliseconds(instants.people_by_tracks)) for _ in range(TURNS)]
    ours, theirs = (min(times) for times in zip(*turns, strict=True))
    benchmark.extra_info |= {"milliseconds": ours, "by whole tracks": theirs, "gain": theirs / ours}
    benchmark.pedantic(people_in, asked)
    assert theirs > MIN_GAIN * ours
