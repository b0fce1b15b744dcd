"""How long it takes until something happens: fresh interpreters, `import facered` beside `import numpy`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

PROGRAMS = {
    "nothing": "pass",
    "numpy": "import numpy",
    "facered": "import facered",
    "facered.combined": "import facered; facered.combined",
}


def start(benchmark: BenchmarkFixture, command: list[str]) -> None:
    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    benchmark.pedantic(run, rounds=10, warmup_rounds=1)


@pytest.mark.benchmark(group="start")
@pytest.mark.parametrize("name", PROGRAMS)
def test_import(benchmark: BenchmarkFixture, name: str) -> None:
    start(benchmark, [sys.executable, "-c", PROGRAMS[name]])


@pytest.mark.benchmark(group="start")
def test_help(benchmark: BenchmarkFixture) -> None:
    start(benchmark, [str(Path(sys.executable).parent / "facered"), "--help"])
