"""The document of a long video: an hour at 30 frames a second with ten faces in each, written and read.

The document comes as facered writes it, indented by an editor, of a varying frame rate (two fragments for three
frames), and with a score at each face. The peak memory is that of a fresh interpreter that does nothing else. The
rivals of reading only build objects: `json.load` of the standard library, and msgspec with the whole file in memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from facered.annotations.model import Annotations

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES, FACES = 108_000, 10
# Not getrusage: its peak includes what the parent had when it forked.
PEAK = "; print([int(line.split()[1]) // 1024 for line in open('/proc/self/status') if 'VmHWM' in line][0])"
READ = "import sys, pathlib, facered; a = facered.Annotations.read(pathlib.Path(sys.argv[1]))"
RIVALS = {
    "json": "import json, sys; a = json.load(open(sys.argv[1]))",
    "msgspec": "import msgspec, pathlib, sys; a = msgspec.json.decode(pathlib.Path(sys.argv[1]).read_bytes())",
}
LIMITS = {"plain": 90, "indented": 90, "varying": 100, "scores": 550}
"""How the document comes, and MiB that reading it may take, of which an interpreter with facered takes 30."""
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
def paths(hour: Annotations, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("hour")
    paths = {name: directory / f"{name}_annotations.json" for name in LIMITS}
    hour.write(paths["plain"])
    varying = np.round(np.arange(FRAMES) * 100 / 3).astype(np.int64)
    replace(hour, time_base=Fraction(1, 1000), pts=varying).write(paths["varying"])
    scores = {row: {"score": 0.875} for row in range(len(hour.ids))}
    replace(hour, extras=replace(hour.extras, faces=scores)).write(paths["scores"])
    with paths["indented"].open("w") as file:
        json.dump(json.loads(paths["plain"].read_bytes()), file, indent=1)
    return paths


def peak_mib(program: str, path: Path) -> int:
    command = [sys.executable, "-c", program + PEAK, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.benchmark(group="annotations of an hour, written")
def test_write(benchmark: BenchmarkFixture, hour: Annotations, paths: dict[str, Path], tmp_path: Path) -> None:
    target, path = tmp_path / "again.json", paths["plain"]
    benchmark.pedantic(hour.write, (target,), rounds=3)
    assert target.stat().st_size == path.stat().st_size
    reading, writing = peak_mib(READ, path), peak_mib(READ + WRITE, path)
    benchmark.extra_info["MiB beyond the table"] = writing - reading
    assert writing - reading <= 20


@pytest.mark.benchmark(group="annotations of an hour, read")
@pytest.mark.parametrize("name", LIMITS)
def test_read(benchmark: BenchmarkFixture, paths: dict[str, Path], name: str) -> None:
    path = paths[name]
    read = benchmark.pedantic(Annotations.read, (path,), rounds=3)
    assert len(read.ids) == FRAMES * FACES
    tell(benchmark, name, path, READ)
    assert benchmark.stats.stats.median <= (5 if name != "scores" else 15)
    assert benchmark.extra_info["peak MiB"] <= LIMITS[name]


@pytest.mark.benchmark(group="annotations of an hour, read")
@pytest.mark.parametrize("rival", RIVALS)
def test_rival(benchmark: BenchmarkFixture, paths: dict[str, Path], rival: str) -> None:
    path = paths["plain"]
    decode = {"json": json.loads, "msgspec": msgspec.json.decode}[rival]
    benchmark.pedantic(lambda: len(decode(path.read_bytes())["fragments"]), rounds=3)
    tell(benchmark, rival, path, RIVALS[rival])


def tell(benchmark: BenchmarkFixture, name: str, path: Path, program: str) -> None:
    """Note the size and the peak memory beside the times, and print all three."""
    info = benchmark.extra_info
    info["MB"], info["peak MiB"] = round(path.stat().st_size / 1e6), peak_mib(program, path)
    print(f"\n{name}: {info['MB']} MB in {benchmark.stats.stats.median:.2f} s, peak {info['peak MiB']} MiB")
