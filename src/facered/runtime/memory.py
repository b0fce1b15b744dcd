"""How much memory is free, less where the container of this process has a limit."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from facered.runtime.cgroups import groups


def free(root: Path = Path("/")) -> int:
    """Return how many bytes the process may still take; 0 where nobody can tell.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    rooms = [_left(group) for group in groups(root, "memory")]
    return max(0, min([_of_machine(root), *(room for room in rooms if room is not None)]))


def _of_machine(root: Path) -> int:
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return int(rest.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    try:  # elsewhere than on Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError):
        return 0


def _left(group: Path) -> int | None:
    """Return what one control group, of version 2 or 1, leaves; what it can give back at once counts as left."""
    for limit, usage, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            left = int((group / limit).read_text()) - int((group / usage).read_text())
        except (OSError, ValueError):  # no such group, or "max"
            continue
        with suppress(OSError, ValueError):
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            left += int(stat.get(cached, 0))
        return left
    return None
