"""What is installed, and what importing it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files

import pytest

import facered
import facered._native


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_importing_loads_nothing_heavy() -> None:
    done = python("import sys, facered; print(*{'av', 'onnxruntime', 'numba', 'numpy', 'tqdm'} & set(sys.modules))")
    assert done.stdout.split() == []


def test_everything_public_is_there() -> None:
    for name in facered.__all__:
        assert getattr(facered, name) is not None
    assert set(facered.__all__) <= set(dir(facered))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        facered.nope  # noqa: B018


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "annotations.schema.json",
        "detect/models/centerface.onnx",
        "detect/models/centerface.int8.onnx",
        "detect/models/NOTICE.centerface.txt",
    ],
)
def test_what_the_package_carries(name: str) -> None:
    assert (files("facered") / name).is_file()


@pytest.mark.parametrize("kernel", facered._native.KERNELS)
def test_every_kernel_has_its_stub(kernel: str) -> None:
    assert (files("facered._native") / f"{kernel}.pyi").is_file()


def test_no_generated_code_is_installed() -> None:
    assert not [path.name for path in files("facered._native").iterdir() if path.name.endswith(".c")]


def test_the_instruction_set_can_be_forced() -> None:
    done = python("import facered._native as n; print(n.simd)", FACERED_SIMD="baseline")
    assert done.stdout.strip() == "baseline"
    done = python("import facered._native", FACERED_SIMD="sse9")
    assert "FACERED_SIMD is 'sse9'; it can be 'baseline' or 'avx2'" in done.stderr
