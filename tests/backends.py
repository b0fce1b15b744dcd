"""The tracker's compiled functions in a back end of choice, beside those of the process."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from facered.runtime import compilation

if TYPE_CHECKING:
    from types import ModuleType

BACKENDS = ("aot", "jit", "python")


def load(name: str, backend: str) -> ModuleType:
    """Return a module of `facered.track`, made anew with its functions in a back end."""
    if backend == "jit":
        pytest.importorskip("numba", reason="Numba is not installed")
    spec = importlib.util.find_spec(f"facered.track.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation, "backend", lambda: backend)
        spec.loader.exec_module(module)
    return module
