"""How much memory long videos take: ``python -m bench.memory --minutes 1 10``.

Each job runs in a process of its own on videos of several lengths; what counts is the peak of the resident set. It must
not grow with the length, and stay within `LIMITS`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import clips, job, report
from bench.process import execute

if TYPE_CHECKING:
    from collections.abc import Sequence

MEBI = 2**20
LIMITS = {"analyze": (350, False), "redact": (60, True), "combined": (300, True)}
"""Most MiB of each job, and whether that is beyond what the floor takes."""
GROWTH = 24
"""MiB by which a peak may differ between the shortest and the longest video: threads do not always meet alike."""
HEADS = ("job", "minutes", "peak MiB", "beyond the floor")


def measure(film: Path, preset: str) -> dict[str, int]:
    """Return the peak in bytes of each job."""
    with tempfile.TemporaryDirectory() as folder:
        commands = job.commands(preset, 18)
        peaks = {}
        for name in ("floor", "analyze", "redact", "combined"):
            print(f"... {name} of {film.name}", file=sys.stderr, flush=True)
            peaks[name] = execute(commands[name](film, Path(folder))).peak_bytes
    return peaks


def complaints(peaks: dict[float, dict[str, int]]) -> list[str]:
    """Return what is wrong with the peaks, by minutes."""
    found = []
    shortest, longest = min(peaks), max(peaks)
    for name, (limit, beyond) in LIMITS.items():
        taken = max((here[name] - (here["floor"] if beyond else 0)) / MEBI for here in peaks.values())
        if taken > limit:
            found.append(f"{name} takes {taken:.0f} MiB{' beyond the floor' if beyond else ''}, more than {limit}")
        growth = (peaks[longest][name] - peaks[shortest][name]) / MEBI
        if growth > GROWTH:
            found.append(f"{name} takes {growth:.0f} MiB more for {longest:g} minutes than for {shortest:g}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description="How much memory long videos take.")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 3], help="lengths (default: 1 3)")
    parser.add_argument("--size", choices=job.SIZES, default="1080p", help="of the pictures (default: %(default)s)")
    parser.add_argument("--preset", default="veryfast", help="x264's (default: %(default)s)")
    options = parser.parse_args(arguments)
    peaks: dict[float, dict[str, int]] = {}
    for minutes in options.minutes:
        try:
            film = clips.long_film(*job.SIZES[options.size], 1, 60 * minutes)
        except clips.MaterialMissingError as missing:
            print(f"skipped: {missing}", file=sys.stderr)
            return 0
        peaks[minutes] = measure(film, options.preset)
    rows = [
        (name, f"{minutes:g}", f"{peak / MEBI:.0f}", f"{(peak - here['floor']) / MEBI:.0f}")
        for minutes, here in peaks.items()
        for name, peak in here.items()
    ]
    print(report.table(HEADS, rows))
    found = complaints(peaks)
    print("\n".join(found))
    print(report.save("bench-memory.json", {"size": options.size, "preset": options.preset, "peaks": peaks}))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
