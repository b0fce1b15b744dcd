"""Films whose clocks pass 2^31, 2^32 and 2^33 ticks: each frame keeps its time, its face and its id."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import facered
import records
import videos
from soak.clips import looped

FRAMES = 240
OPTIONS = {"detect_size": 64, "blur": "Black"}
MICROS = {"video_track_timescale": "1000000"}
MICRO, BROADCAST, MILLI = Fraction(1, 1_000_000), Fraction(1, 90_000), Fraction(1, 1000)
FILMS: dict[str, tuple[str, Fraction, dict[str, Any]]] = {
    "MP4 passes 2^31 and 2^32 ticks": ("a.mp4", Fraction(20), {"time_base": MICRO, "options": MICROS}),
    "MP4 of 25 a second passes 2^31 ticks": (
        "b.mp4",
        Fraction(1, 25),
        {"time_base": Fraction(1, 10**9), "options": {"video_track_timescale": "1000000000"}},
    ),
    "a transport stream wraps": ("c.ts", Fraction(1, 25), {"time_base": BROADCAST, "start": 2**33 - 90_000 * 4}),
    "a transport stream begins just before it wraps": (
        "d.ts",
        Fraction(1, 25),
        {"time_base": BROADCAST, "start": 2**33 - 3 * 3600},
    ),
    "a transport stream passes 2^32 ticks": (
        "e.ts",
        Fraction(1, 25),
        {"time_base": BROADCAST, "start": 2**32 - 90_000 * 4},
    ),
    "Matroska begins near 2^33 / 90000 s": (
        "f.mkv",
        Fraction(1, 25),
        {"time_base": MILLI, "start": (2**33 - 90_000 * 4) // 90},
    ),
    "Matroska passes 2^31 ms": ("g.mkv", Fraction(1, 25), {"time_base": MILLI, "start": 2**31 - 4000}),
    "Matroska passes 2^32 ms": ("h.mkv", Fraction(1, 25), {"time_base": MILLI, "start": 2**32 - 4000}),
}


def main() -> int:
    """Work on the films in every way; return 1 where a time, a face or an id is wrong."""
    parser = argparse.ArgumentParser(prog="soak.clocks")
    parser.add_argument("--seconds", type=float, default=600)
    parser.parse_args()
    failed = False
    for name, (file, step, settings) in FILMS.items():
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="facered-soak-") as folder:
            film = looped(Path(folder, file), FRAMES, step, **settings)
            wrong = faults(film, Path(folder, "out"), step)
        records.note(
            f"clocks, {name}", time.monotonic() - begun, {"frames": FRAMES, "faults": len(wrong)}, ok=not wrong
        )
        print("".join(f"  {what}\n" for what in wrong), end="")
        failed |= bool(wrong)
    return failed


def faults(film: Path, out: Path, step: Fraction) -> list[str]:
    """Return what is wrong with what is made of a film."""
    wrong = []
    for way in ("analyze", "redact", "combined"):
        result = getattr(facered, way)(film, out, overwrite=True, **OPTIONS)
        found = result.annotations
        if not (np.diff(found.pts) == step / found.time_base).all() or len(found.pts) != FRAMES:
            wrong.append(f"{way}: the annotations' times are not {step} s apart, or of {len(found.pts)} frames")
        if not (np.diff(found.starts) == 1).all() or found.ids.max() > 3:
            wrong.append(f"{way}: a frame has no face, or the ids are {np.unique(found.ids)}")
        if result.missing_frames or result.damaged_frames:
            wrong.append(f"{way}: {result.missing_frames} frames are missing, {result.damaged_frames} damaged")
        if result.video_path is not None:
            apart = np.diff([float(moment) for moment in videos.times(result.video_path)])
            if len(apart) != FRAMES - 1 or np.abs(apart - float(step)).max() > 2e-3:
                wrong.append(f"{way}: the video has {len(apart) + 1} frames, {apart.min()} to {apart.max()} s apart")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
