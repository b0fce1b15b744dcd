"""What other kernels are compared with from run to run: work that is not ours, so that the machine's speed cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


@pytest.mark.benchmark(group="calibration")
def test_calibration(benchmark: BenchmarkFixture) -> None:
    """Branches and memory, about half each."""
    numbers = np.random.default_rng(0).integers(0, 2**31, 40_000).astype(np.int32)
    picture = np.zeros((1080, 1920), np.uint8)

    def work() -> None:
        np.sort(numbers, kind="heapsort")
        for _ in range(8):
            np.add(picture, 1, out=picture)

    benchmark(work)
