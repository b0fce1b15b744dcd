"""How much memory, how many descriptors and threads a process has, and by how much they grow."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from pathlib import Path

import numpy as np

WARM = 0.3
"""The part of a run that does not count: caches fill, and the allocator takes what it will keep."""

_LIBC = ctypes.CDLL(None)


class Gauge:
    """Takes samples of this process along an axis, such as frames done, and fits straight lines to them."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, int, int]] = []

    def sample(self, at: float) -> None:
        """Take a sample at a place of the axis, when Python has collected and the allocator given back what is free."""
        gc.collect()
        if hasattr(_LIBC, "malloc_trim"):
            _LIBC.malloc_trim(0)
        kib = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
        self._rows.append((at, kib, len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))

    def slopes(self) -> tuple[float, float, float]:
        """Return bytes, descriptors and threads per unit of the axis: least squares, after the warm part."""
        rows = np.array(self._rows)
        rows = rows[int(WARM * len(rows)) :]
        kib, descriptors, threads = (float(np.polyfit(rows[:, 0], rows[:, column], 1)[0]) for column in (1, 2, 3))
        return kib * 1024, descriptors, threads

    def told(self, unit: str) -> dict[str, float]:
        """Return the slopes, and the most memory that there was, as counts of a record."""
        memory, descriptors, threads = self.slopes()
        return {
            f"bytes more per {unit}": round(memory, 2),
            f"descriptors more per {unit}": round(descriptors, 6),
            f"threads more per {unit}": round(threads, 6),
            "MB at most": round(max(row[1] for row in self._rows) / 1024, 1),
        }

    def flat(self, most_bytes: float, units: float) -> bool:
        """Tell whether memory grows by less than `most_bytes` a unit or 1 MiB in all, the rest by less than one."""
        memory, descriptors, threads = self.slopes()
        return memory < max(most_bytes, 2**20 / units) and descriptors * units < 1 and threads * units < 1
