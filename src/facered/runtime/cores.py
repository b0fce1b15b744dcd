"""The processors that this process may run on, less where its container has a quota, and what they can do."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

from facered._native import cpu
from facered.runtime.cgroups import groups

INSTRUCTION_SETS = (
    *("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"),
    *("amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve"),
)
"""Those that decide how fast inference and the kernels are, as Linux calls them."""


def available(root: Path = Path("/")) -> int:
    """Return how many processors the process can keep busy, at least 1; a part of one counts as one.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # Linux only
        count = os.cpu_count() or 1
    quota = _quota(root)
    return count if quota is None else max(1, min(count, ceil(quota)))


def instruction_sets(root: Path = Path("/")) -> list[str]:
    """Return which of `INSTRUCTION_SETS` the processor has; elsewhere than on Linux, what the kernels ask for alone.

    Parameters
    ----------
    root : Path
        Where ``proc`` is.
    """
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [name for name, has in (("avx2", cpu.has_avx2()), ("vnni", cpu.has_vnni())) if has]
    told = {line.split(":")[0].strip(): line for line in lines}
    words = (told.get("flags") or told.get("Features") or "").split()
    return [name for name in INSTRUCTION_SETS if name in words]


def _quota(root: Path) -> float | None:
    """Return the least processor time a second that the control groups of the process allow it, in processors."""
    quotas = (_read_quota(group) for group in groups(root, "cpu"))
    return min((found for found in quotas if found is not None), default=None)


def _read_quota(group: Path) -> float | None:
    """Return the quota of one control group, of version 2 or 1, in processors."""
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except (OSError, ValueError):  # no such group, or "max"
        return None
