"""A film of ten hours: memory stays flat but for the annotations, and ids and times are right at its end."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np

import facered
import records
import videos
from facered.annotations.table import REGION_IDS
from soak.clips import looped
from soak.gauge import Gauge

HOURS = 10
LOOP = 120
OPTIONS = {"detect_size": 64, "blur": "Black"}
MOST_BYTES = {"analyze": 1500.0, "redact": 600.0}
"""Limits of growth for each frame: what is known of it and of its face is kept until the film ends; no picture is, one
of which is 38,016 bytes."""


def main() -> int:
    """Analyze, redact and do both at once; return 1 where memory grows or the end is wrong."""
    parser = argparse.ArgumentParser(prog="soak.long")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--frames", type=int, default=HOURS * 3600, help="at most; fewer are further apart")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facered-soak-") as name:
        folder = Path(name)
        trial = looped(folder / "try.mp4", LOOP, Fraction(1))
        for _ in range(2):  # the first one loads what all others find loaded
            begun = time.monotonic()
            facered.combined(trial, folder, overwrite=True, **OPTIONS)
        affordable = LOOP * options.seconds / 3 / (time.monotonic() - begun)
        frames = LOOP * max(int(min(options.frames, affordable) // LOOP), 2)
        step = Fraction(HOURS * 3600, frames)
        film = looped(folder / "foo.mp4", frames, step, time_base=step / 1000)
        done = [works(way, film, folder / "out") for way in ("analyze", "redact", "combined")]
        return not all(done)


def works(way: str, film: Path, out: Path) -> bool:
    """Work on the film in a way; return whether all is as it should be."""
    begun, gauges = time.monotonic(), defaultdict[str, Gauge](Gauge)

    def look(progress: facered.Progress) -> None:
        if progress.done % 20 == 0:
            gauges[progress.stage].sample(progress.done)

    settings = {"annotations": True} if way == "combined" else {}
    result = getattr(facered, way)(film, out, progress=look, overwrite=True, **OPTIONS, **settings)
    wrong = faults(film, result)
    for stage, gauge in gauges.items():
        flat = gauge.flat(MOST_BYTES[stage], result.frames)
        wrong += [] if flat else [f"{stage} grows"]
        counts = {"frames": result.frames, "hours": HOURS, "ids": result.people, **gauge.told("frame")}
        records.note(f"a long film, {way}, {stage}", time.monotonic() - begun, counts, ok=flat and not wrong)
    print("".join(f"  {what}\n" for what in wrong), end="")
    return not wrong


def faults(film: Path, result: facered.Result) -> list[str]:
    """Return what is wrong with the times and the ids."""
    given, wrong = videos.times(film), []
    found = facered.Annotations.read(film.parent / "out" / "foo_annotations.json")
    told = [int(ticks) * found.time_base for ticks in found.pts]
    if told != given:
        wrong.append(f"the annotations' times end with {float(told[-1])}, the film's with {float(given[-1])}")
    if not (0 < found.ids.min() <= found.ids.max() < REGION_IDS):
        wrong.append(f"there is an id {found.ids.max()}")
    if not (np.diff(found.starts) > 0).all():
        wrong.append(f"{(np.diff(found.starts) == 0).sum()} frames have no face")
    if result.video_path is not None and (written := videos.times(result.video_path)) != given:
        wrong.append(f"the redacted film has {len(written)} frames up to {float(written[-1])}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
