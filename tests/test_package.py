"""What is installed, and what importing it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import requires, version
from importlib.resources import files
from pathlib import Path

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


def test_nothing_that_is_compiled_at_run_time_is_required() -> None:
    needed = {requirement.split()[0] for requirement in requires("facered") or [] if "extra ==" not in requirement}
    assert not {name for name in needed if name.startswith(("numba", "llvmlite", "scipy", "opencv"))}


HEAVY = {"av", "msgspec", "numba", "numpy", "onnxruntime", "tqdm"}


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], set()),
        (["combined", "--help"], set()),
        (["bench", "--help"], set()),
        (["combined", "--no-such-option"], set()),
        (["redact", "VIDEO", "-o", "OUT", "--annotations", "NOBODY"], {"av", "msgspec", "numpy"}),
    ],
)
def test_each_command_loads_what_it_needs(
    arguments: list[str], loaded: set[str], carphone: Path, tmp_path: Path
) -> None:
    info = {"timescale": 12800, "offset": 0, "width": 176, "height": 144, "fragments": []}
    (tmp_path / "nobody.json").write_text(json.dumps({"version": 1, **info}))
    named = {"VIDEO": str(carphone), "OUT": str(tmp_path), "NOBODY": str(tmp_path / "nobody.json")}
    code = f"""
import sys
from facered.cli.main import main
try:
    main({[named.get(argument, argument) for argument in arguments]})
except SystemExit:
    pass
print(*{HEAVY} & set(sys.modules))
"""
    assert set(python(code).stdout.splitlines()[-1].split()) == loaded


def test_nothing_is_told_to_anybody(tmp_path: Path) -> None:
    """The telemetry of onnxruntime begins by writing files."""
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(tmp_path))
    done = python("from facered.detect.detector import Detector; Detector()", **places)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.iterdir())


def test_telemetry_that_was_on_already_is_switched_off() -> None:
    code = """
import onnxruntime
told = onnxruntime.disable_telemetry_events
onnxruntime.disable_telemetry_events = lambda: (told(), print("off"))
import facered.live.redactor
"""
    assert (python(code).stdout, python(code).stderr) == ("off\n", "")


def test_there_is_one_version() -> None:
    assert facered.__version__ == version("facered")


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
        "annotations/schema.json",
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
