"""How long a fresh interpreter takes: `import facered` beside `import numpy`, and each mode on one second of video."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import facered
from bench import clips

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


@pytest.mark.benchmark(group="start")
@pytest.mark.parametrize("mode", ["analyze", "redact", "combined"])
def test_one_second(benchmark: BenchmarkFixture, mode: str, tmp_path: Path) -> None:
    try:
        film = clips.beginning(clips.film_of_size(640, 360), 30, tmp_path / "one.mp4")
    except clips.MaterialMissingError as missing:
        pytest.skip(str(missing))
    facered.analyze(film, tmp_path)
    command = [str(Path(sys.executable).parent / "facered"), mode, str(film), "-o", str(tmp_path), "--overwrite"]
    start(benchmark, command)
