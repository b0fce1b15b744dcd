"""The native kernels: pointers, strides and sizes, nothing else.

Each kernel is compiled once for every processor of the architecture (`baseline`) and, on x86-64, once for those with
AVX2. The best that the machine can run is picked here, at import; ``FACERED_SIMD=baseline`` or ``FACERED_SIMD=avx2``
forces one. Both give the same bytes.
"""

import importlib
import os
import sys

from . import cpu

KERNELS = ("blend", "blur", "decode", "patch", "tensor")


def _choose() -> str:
    forced = os.environ.get("FACERED_SIMD", "")
    if forced not in ("", "baseline", "avx2"):
        raise ImportError(f"FACERED_SIMD is {forced!r}; it can be 'baseline' or 'avx2'")
    if forced == "avx2" and not cpu.has_avx2():
        raise ImportError("FACERED_SIMD is 'avx2', but this machine has no AVX2; unset it")
    return forced or ("avx2" if cpu.has_avx2() else "baseline")


simd: str = _choose()
"""The variant in use, ``"avx2"`` or ``"baseline"``."""

for _kernel in KERNELS:
    _module = importlib.import_module(f"{__name__}.{simd}.{_kernel}")
    globals()[_kernel] = sys.modules[f"{__name__}.{_kernel}"] = _module
