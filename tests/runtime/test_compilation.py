"""The three back ends of the tracker's inner loops: the same bits, and which one is chosen."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backends
import facered
from facered.runtime import compilation

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

SEEDS = st.integers(0, 2**32 - 1)
OTHERS = [name for name in backends.BACKENDS if name != "python"]
WITHOUT_AOT = "import sys; sys.modules['facered._native.tracking'] = None; "
TELL = "import facered.track; print(facered.track.backend)"

module = cache(backends.load)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    around = {name: value for name, value in os.environ.items() if name != compilation.JIT_VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**around, **environment}
    )


def same_bits(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


def boxes_of(rng: np.random.Generator, count: int, size: float = 300) -> NDArray[np.float64]:
    return np.column_stack([rng.uniform(0, size, (count, 2)), rng.uniform(5, 80, (count, 2))])


@pytest.mark.parametrize("backend", OTHERS)
class TestTheSameBits:
    def both(self, name: str, backend: str) -> tuple[ModuleType, ModuleType]:
        return module(name, backend), module(name, "python")

    @settings(deadline=None, max_examples=40)
    @given(shape=st.tuples(st.integers(1, 24), st.integers(1, 24)), seed=SEEDS, ties=st.booleans())
    def test_assign(self, backend: str, shape: tuple[int, int], seed: int, ties: bool) -> None:
        cost = np.random.default_rng(seed).uniform(-5, 5, shape)
        cost = np.round(cost) if ties else cost
        ours, plain = self.both("association", backend)
        for given_cost in (cost, cost.T, np.repeat(cost, 2, 1)[:, ::2], cost[::-1, ::-1]):
            assert same_bits(ours.assign(given_cost), plain.assign(given_cost))

    @settings(deadline=None, max_examples=40)
    @given(counts=st.tuples(st.integers(0, 24), st.integers(0, 24)), seed=SEEDS, padding=st.sampled_from([0.0, 0.3, 1]))
    def test_associate(self, backend: str, counts: tuple[int, int], seed: int, padding: float) -> None:
        rng = np.random.default_rng(seed)
        tracks, found = boxes_of(rng, counts[0]), boxes_of(rng, counts[1])
        usable = rng.random(counts[1]) < 0.9
        ours, plain = self.both("association", backend)
        assert same_bits(
            ours.associate(tracks, found, usable, padding, 0.1), plain.associate(tracks, found, usable, padding, 0.1)
        )
        for a, b in zip(tracks, found, strict=False):
            assert ours.padded_iou(a, b, padding) == plain.padded_iou(a, b, padding)

    @settings(deadline=None, max_examples=40)
    @given(frames=st.integers(1, 60), seed=SEEDS)
    def test_smooth(self, backend: str, frames: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        boxes = boxes_of(rng, frames)
        deviations = rng.choice([0, 0.05, 0.15], frames)
        deviations[[0, -1]] = 0.05
        ours, plain = self.both("kalman", backend)
        assert same_bits(ours.smooth(boxes, deviations), plain.smooth(boxes, deviations))
        strided = np.repeat(boxes, 2, 1)[:, ::2]
        assert same_bits(ours.smooth(strided, deviations), plain.smooth(boxes, deviations))

    @settings(deadline=None, max_examples=20)
    @given(seed=SEEDS)
    def test_filter(self, backend: str, seed: int) -> None:
        results = []
        for kalman in self.both("kalman", backend):
            rng = np.random.default_rng(seed)
            mean, covariance = np.empty((4, 2)), np.empty((4, 3))
            kalman.start(boxes_of(rng, 1)[0], mean, covariance)
            for box in boxes_of(rng, 5):
                kalman.predict(mean, covariance)
                kalman.update(box, 0.05, mean, covariance)
            results.append((mean, covariance))
        assert all(same_bits(a, b) for a, b in zip(*results, strict=True))


class TestChoice:
    def test_the_wheel_brings_what_was_compiled_ahead_of_time(self) -> None:
        done = python(TELL)
        assert (done.stdout, done.stderr) == ("aot\n", "")

    def test_neither_numba_nor_its_compiler_is_loaded(self) -> None:
        code = "import facered.track.offline, sys; print(sorted({'numba', 'llvmlite', 'scipy'} & set(sys.modules)))"
        assert python(code).stdout == "[]\n"

    @pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed")
    def test_numba_compiles_where_that_is_asked_for(self, tmp_path: Path) -> None:
        done = python(TELL, FACERED_JIT="1", NUMBA_CACHE_DIR=str(tmp_path))
        assert (done.stdout, done.stderr) == ("jit\n", "")

    def test_python_is_what_is_left(self) -> None:
        done = python(WITHOUT_AOT + TELL)
        assert (done.stdout, done.stderr) == ("python\n", "")

    @pytest.mark.parametrize(("without", "left"), [("", "aot"), (WITHOUT_AOT, "python")])
    def test_to_ask_for_numba_where_there_is_none_is_told(self, without: str, left: str) -> None:
        done = python(f"import sys; sys.modules['numba'] = None; {without}{TELL}", FACERED_JIT="1")
        assert done.stdout == f"{left}\n"
        assert "FACERED_JIT is 1, but Numba cannot be imported" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_what_cannot_be_loaded_is_told(self, tmp_path: Path) -> None:
        broken = tmp_path / "tracking.so"
        broken.write_bytes(b"\x7fELF")
        code = f"""
import facered._native, importlib.machinery, importlib.util, sys
class Finder:
    def find_spec(name, path, target=None):
        if name == "facered._native.tracking":
            return importlib.util.spec_from_file_location(name, {str(broken)!r})
sys.meta_path.insert(0, Finder)
{TELL}
"""
        done = python(code)
        assert done.stdout == "python\n"
        assert "facered._native.tracking cannot be loaded" in done.stderr

    @pytest.mark.parametrize("prefix", ["", WITHOUT_AOT])
    def test_a_job_finds_the_same_in_each(self, prefix: str, carphone: Path, tmp_path: Path) -> None:
        expected = facered.analyze(carphone, tmp_path / "expected", end=1).annotations_path
        done = python(f"{prefix}import facered; facered.analyze({str(carphone)!r}, {str(tmp_path / 'other')!r}, end=1)")
        assert expected is not None
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "other" / expected.name).read_bytes() == expected.read_bytes()

    @pytest.mark.parametrize("jit", ["0", "1"])
    @pytest.mark.parametrize("without", ["", "numba", "facered._native.tracking"])
    def test_what_is_expected_is_what_comes(self, jit: str, without: str, tmp_path: Path) -> None:
        code = f"""
import importlib.util, sys
class Finder:
    def find_spec(name, path, target=None):
        if name == {without!r}:
            raise ModuleNotFoundError(name=name)
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == {without!r} else found(name)
sys.meta_path.insert(0, Finder)
from facered.runtime import compilation
print(compilation.expected(), "numpy" in sys.modules, compilation.backend())
"""
        expected, loaded, came = python(code, FACERED_JIT=jit, NUMBA_CACHE_DIR=str(tmp_path)).stdout.split()
        assert expected == came
        assert loaded == "False"

    def test_the_version_tells_it(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "facered", "--version"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"facered {facered.__version__} (kernels: ")
        assert done.stdout.endswith("tracking: aot)\n")


def test_nothing_kept_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba refuses to keep what it compiles where neither the package nor the home can be written."""
    numba = pytest.importorskip("numba", reason="Numba is not installed")
    compile_it, asked = numba.njit, []

    def refusing(*arguments: object, **options: object) -> object:
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'f': no locator available")
        return compile_it(*arguments, **options)

    monkeypatch.setattr(numba, "njit", refusing)
    monkeypatch.setattr(compilation, "backend", lambda: "jit")

    def double(value: float) -> float:
        return 2 * value

    assert compilation.compiled("float64(float64)")(double)(1.5) == 3
    assert [bool(options.get("cache")) for options in asked] == [True, False]


def test_the_licence_of_what_is_compiled_in_is_there() -> None:
    assert "Anaconda" in (files("facered._native") / "NOTICE.numba.txt").read_text()
