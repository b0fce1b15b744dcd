"""The document of a long video: an hour at 30 frames a second with ten faces in each, written and read.

The peak memory is that of a fresh interpreter that does nothing else. The rival of reading is the standard library's
`json.load`, which only builds objects and checks nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.annotations.model import Annotations

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES, FACES = 108_000, 10
# Not getrusage: its peak includes what the parent had when it forked.
PEAK = "; print([int(line.split()[1]) // 1024 for line in open('/proc/self/status') if 'VmHWM' in line][0])"
READ = "import sys, pathlib, facered; a = facered.Annotations.read(pathlib.Path(sys.argv[1]))"
LOAD = "import json, sys; a = json.load(open(sys.argv[1]))"
WRITE = "; a.write(pathlib.Path(sys.argv[1] + '.again'))"


@pytest.fixture(scope="module")
def hour() -> Annotations:
    rng = np.random.default_rng(1)
    return Annotations(
        time_base=Fraction(1, 30),
        rate=Fraction(30),
        width=1920,
        height=1080,
        margin=1.4,
        pts=np.arange(FRAMES),
        last_duration=1,
        starts=np.arange(FRAMES + 1) * FACES,
        ids=np.tile(np.arange(1, FACES + 1), FRAMES),
        boxes=np.round(rng.uniform(0.01, 0.9, (FRAMES * FACES, 4)), 6),
    )


@pytest.fixture(scope="module")
def path(hour: Annotations, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hour") / "hour_annotations.json"
    hour.write(path)
    return path


def peak_mib(program: str, path: Path) -> int:
    command = [sys.executable, "-c", program + PEAK, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.benchmark(group="annotations of an hour, written")
def test_write(benchmark: BenchmarkFixture, hour: Annotations, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "again.json"
    benchmark.pedantic(hour.write, (target,), rounds=3)
    assert target.stat().st_size == path.stat().st_size
    reading, writing = peak_mib(READ, path), peak_mib(READ + WRITE, path)
    benchmark.extra_info["MiB beyond the table"] = writing - reading
    assert writing - reading <= 20


@pytest.mark.benchmark(group="annotations of an hour, read")
def test_read(benchmark: BenchmarkFixture, path: Path) -> None:
    read = benchmark.pedantic(Annotations.read, (path,), rounds=3)
    assert len(read.ids) == FRAMES * FACES
    benchmark.extra_info["peak MiB"] = peak_mib(READ, path)
    assert benchmark.stats.stats.median <= 5
    assert benchmark.extra_info["peak MiB"] <= 600


@pytest.mark.benchmark(group="annotations of an hour, read")
def test_json_load(benchmark: BenchmarkFixture, path: Path) -> None:
    benchmark.pedantic(lambda: len(json.loads(path.read_bytes())["fragments"]), rounds=3)
    benchmark.extra_info["peak MiB"] = peak_mib(LOAD, path)
