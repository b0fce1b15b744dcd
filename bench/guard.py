"""Whether a kernel became slower since the last run: ``python -m bench.guard``, after the benchmarks.

Times are compared as multiples of `test_calibration`, the least of each run, so that the speed of the machine and most
of its noise cancel. A run in which nothing became slower replaces the last; with ``--accept`` any run does.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.clips import CACHE
from facered.runtime.table import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN = CACHE / "bench.json"
LAST = CACHE / "bench-last.json"
CALIBRATION = "test_calibration"
THRESHOLD = 1.25
HEADS = ("kernel", "last", "now", "times")
RIVALS = ("json_load", "numpy", "opencv", "swscale", CALIBRATION)
"""What has one of these in its name may become slower as it likes."""
PROGRAMS = "start"
"""The group of whole programs, which are too noisy to tell."""


def multiples(path: Path) -> dict[str, float]:
    """Return the time of each benchmark of a run as a multiple of the calibration's."""
    run = json.loads(path.read_text())
    watched = [entry for entry in run["benchmarks"] if entry["group"] != PROGRAMS]
    times = {entry["fullname"]: float(entry["stats"]["min"]) for entry in watched}
    base = next((seconds for name, seconds in times.items() if name.endswith(CALIBRATION)), None)
    if base is None:
        raise SystemExit(f"{path}: {CALIBRATION} did not run; run the benchmarks as a whole")
    return {name: seconds / base for name, seconds in times.items() if not any(rival in name for rival in RIVALS)}


def slower(last: Mapping[str, float], now: Mapping[str, float], threshold: float) -> list[str]:
    """Return those that take more than `threshold` times as long as they did, slowest first."""
    ratios = {name: now[name] / last[name] for name in now.keys() & last.keys()}
    return sorted((name for name, ratio in ratios.items() if ratio > threshold), key=lambda name: -ratios[name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what became slower; return 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description="Whether a kernel became slower.")
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help="how much slower (default: %(default)s)")
    parser.add_argument("--accept", action="store_true", help="take this run for the last one, whatever it says")
    parser.add_argument("--run", type=Path, default=RUN, help="what pytest-benchmark wrote (default: %(default)s)")
    parser.add_argument("--last", type=Path, default=LAST, help="the run before (default: %(default)s)")
    options = parser.parse_args(arguments)
    now = multiples(options.run)
    if options.last.is_file() and not options.accept:
        last = multiples(options.last)
        found = slower(last, now, options.threshold)
        if found:
            rows = [(name, f"{last[name]:.3f}", f"{now[name]:.3f}", f"{now[name] / last[name]:.2f}") for name in found]
            print(f"slower than in the last run, times as multiples of {CALIBRATION}:\n{table(HEADS, rows)}")
            print("run it again; if it is meant to be so: python -m bench.guard --accept")
            return 1
        print(f"nothing became slower: {len(now.keys() & last.keys())} kernels compared with the last run")
    else:
        print(f"{len(now)} kernels saved for the next run to compare with")
    options.last.write_bytes(options.run.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
