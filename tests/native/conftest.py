"""What the kernels' tests share: both compiled variants, and planes as decoders lay them out."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from facered._native import KERNELS, cpu

GUARD = 173
"""What the bytes hold that no kernel may touch."""

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Lay = Callable[..., tuple[Plane, Plane]]
Guarded = Callable[..., tuple[NDArray[np.generic], NDArray[np.generic]]]


@pytest.fixture(scope="session", params=["baseline", "avx2"])
def native(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The kernels of one variant: ``native.blur.box_blur`` and so on."""
    if request.param == "avx2" and not cpu.has_avx2():
        pytest.skip("this machine has no AVX2")
    return SimpleNamespace(
        **{kernel: importlib.import_module(f"facered._native.{request.param}.{kernel}") for kernel in KERNELS}
    )


@pytest.fixture(scope="session")
def lay() -> Lay:
    """Copy samples into a plane with padding at both ends of its rows, bottom-up or with a step between samples.

    Returns the memory, whose other bytes are `GUARD`, and the plane inside it. Two calls with the same layout make
    memories that can be compared as a whole.
    """

    def build(samples: Plane, padding: int = 0, upside_down: bool = False, step: int = 1) -> tuple[Plane, Plane]:
        height, width = samples.shape
        memory = np.full((height + 2, padding + width * step + padding), GUARD, samples.dtype)
        plane = memory[1:-1, padding : padding + width * step : step]
        if upside_down:
            plane = plane[::-1]
        plane[:] = samples
        return memory, plane

    return build


@pytest.fixture(scope="session")
def guarded() -> Guarded:
    """Make a contiguous array between two runs of `GUARD`.

    Returns the array and those runs, which a kernel must leave as they are: ``(rest == GUARD).all()``.
    """

    def build(shape: int | tuple[int, ...], dtype: type) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
        size, around = int(np.prod(shape)), 64
        memory = np.full(size + 2 * around, GUARD, dtype)
        rest = np.lib.stride_tricks.as_strided(
            memory, (2, around), ((size + around) * memory.itemsize, memory.itemsize), writeable=False
        )
        return memory[around : around + size].reshape(shape), rest

    return build
