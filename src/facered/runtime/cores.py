"""How many processors there are for this process: those it may run on, less where its container has a quota."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path


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


def _quota(root: Path) -> float | None:
    """Return the least processor time a second that the control groups of the process allow it, in processors."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            bases = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif "cpu" in controllers.split(","):
            bases = [root / "sys/fs/cgroup" / controllers, root / "sys/fs/cgroup/cpu"]
        else:
            continue
        # Inside a container the path may be the host's, of which only the mounted part is seen: look there too.
        group = Path(path.lstrip("/"))
        for base in bases:
            quotas += [found for part in (group, *group.parents) if (found := _read_quota(base / part)) is not None]
    return min(quotas, default=None)


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
