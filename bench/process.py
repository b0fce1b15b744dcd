"""Commands in processes of their own, and what they cost."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.clips import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

# A process begins with the peak memory of the one that started it: a small one in between keeps that out.
STARTER = """
import json, os, sys
target, cores, *command = sys.argv[1:]
if cores:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(cores)])
child = os.posix_spawn(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
with open(target, "w") as file:
    json.dump({"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}, file)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def processor_seconds(_: object) -> float:
    """Return what this process has used so far; a task for workers."""
    return time.process_time()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost: wall time; processor time and the most memory, of it or of a process that it started."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def execute(command: Sequence[str], cores: int | None = None) -> Cost:
    """Run a command to its end, perhaps on a number of cores only; what it printed is shown if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "cost.json"
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", STARTER, str(target), str(cores or ""), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            check=False,
        )
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout.decode(errors='replace')}")
        return Cost(seconds, **json.loads(target.read_text()))
