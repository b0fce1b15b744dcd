"""What frames of the hard film cost in a `Redactor`, and what stays hidden for it: ``python -m bench.live_hard``.

The film is 1280 × 720; the detector has one thread, and all else is as it is by default. Beside the stream, and with a
deadline, frames come at a camera's pace. Without the folder of hard clips the film is made of the clip with one face,
and recall is left out. Processor time is of the whole process and of the thread that gives the frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

import facered
from bench import clips, report
from bench.hard_film import hard_film
from bench.live_accuracy import redacted
from bench.scores import Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.truth import Truth

WAYS: dict[str, dict[str, Any]] = {
    "sync": {},
    "async": {"detect": "async"},
    "deadline_ms=20": {"deadline_ms": 20},
}
LOOKAHEADS = (0, 5, 15)
BUSY = 0.15
"""Part of all cores that others may take; by hand. With more, times tell of them."""
HEADS = (
    "hard film, 720p",
    "process p50",
    "p99",
    "max",
    "own thread p50",
    "p99",
    "max",
    "wall p50",
    "p99",
    "max",
    "first",
)


def costs(path: Path, settings: dict[str, Any], most: int | None) -> NDArray[np.float64]:
    """Return (n, 3) milliseconds a frame: of the process, of the stream's own thread, and by the wall."""
    took = []
    paced = bool(settings)
    with facered.Redactor(threads=1, **settings) as redactor:
        redactor.warm_up(1280, 720)
        for frame in islice(clips.decoded(path), most):
            clocks = (time.process_time, time.thread_time, time.perf_counter)
            begun = [clock() for clock in clocks]
            redactor.process(frame)
            spent = [1e3 * (clock() - before) for clock, before in zip(clocks, begun, strict=True)]
            if paced:
                time.sleep(max(0.0, 1 / clips.RATE - spent[2] / 1e3))
                spent[0] = 1e3 * (time.process_time() - begun[0])  # the detector's thread goes on meanwhile
            took.append(spent)
    return np.array(took)


def row(name: str, took: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a line of the table."""
    cells = [name]
    for column in took[1:].T:  # the first one is told by itself
        cells += [f"{value:.1f}" for value in (*np.percentile(column, [50, 99]), column.max())]
    return *cells, f"{took[0, 2]:.0f}"


def recalls(path: Path, truth: Truth) -> list[tuple[str, ...]]:
    """Return the lines of the table of what is hidden, by lookahead, without and with a deadline."""
    lines = []
    for lookahead in LOOKAHEADS:
        cells = []
        for deadline in (None, 20):
            found = redacted(path, threads=1, lookahead=lookahead, deadline_ms=deadline)
            figures = Coverage().add(truth, found).figures()
            cells += [f"{figures['recall']:.2%}", str(figures["longest_bare_run"])]
        lines.append((f"lookahead {lookahead}", *cells))
    return lines


def busy(seconds: float = 2.0) -> float:
    """Return which part of all cores is used by others meanwhile."""

    def times() -> tuple[int, int]:
        with open("/proc/stat") as file:  # noqa: PTH123
            parts = list(map(int, file.readline().split()[1:9]))
        return sum(parts), parts[3] + parts[4]

    before = times()
    time.sleep(seconds)
    whole, idle = (after - early for after, early in zip(times(), before, strict=True))
    return 1 - idle / max(whole, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.live_hard", description="The hard film through a Redactor.")
    parser.add_argument("parts", nargs="*", help="costs, recall (default: both)")
    parser.add_argument("--frames", type=int, help="only so many frames of it for the costs")
    given = parser.parse_args(arguments)
    truth = None
    try:
        path, truth = hard_film()
    except clips.MaterialMissingError as missing:
        print(f"one face instead of the hard film: {missing}", file=sys.stderr)
        path = clips.long_film(1280, 720, 1, 20)
    others = busy()
    if others > BUSY:
        print(f"the machine is busy with other things ({others:.0%} of it): times tell of them too", file=sys.stderr)
    results: dict[str, object] = {"busy": others}
    if "costs" in (given.parts or ["costs"]):
        table = [row(name, costs(path, settings, given.frames)) for name, settings in WAYS.items()]
        print(report.table(HEADS, table))
        results["costs"] = table
    if truth is not None and "recall" in (given.parts or ["recall"]):
        heads = ("hard film", "recall", "longest bare", "recall, deadline_ms=20", "longest bare")
        table = recalls(path, truth)
        print(report.table(heads, table))
        results["recall"] = table
    print(report.save("bench-live-hard.json", results))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
