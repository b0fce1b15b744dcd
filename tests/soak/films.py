"""Many short films in one process: memory, descriptors and threads stay as they are."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import facered
import records
import videos
from soak.gauge import Gauge

CLIP = Path(__file__).resolve().parent.parent.parent / ".cache" / "clips" / "carphone_pristine.mp4"
MOST_BYTES = 400.0
"""Limit of growth for each film. Python and the libraries keep a little for the first thousands."""
EVERY = 10


def main() -> int:
    """Redact films; return 1 where something grows."""
    parser = argparse.ArgumentParser(prog="soak.films")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--films", type=int, default=10_000)
    options = parser.parse_args()
    begun, gauge, done = time.monotonic(), Gauge(), 0
    with tempfile.TemporaryDirectory(prefix="facered-soak-") as name:
        folder = Path(name)
        frames = [videos.enlarge(frame, 64, 64) for frame in videos.decode(CLIP, 4)]
        film, out = videos.encode(folder / "foo.mp4", frames), folder / "out"
        ways = (facered.analyze, facered.redact, facered.combined)
        while done < options.films and time.monotonic() - begun < options.seconds:
            assert ways[done % 3](film, out, overwrite=True).frames == 4
            done += 1
            if done % EVERY == 0:
                gauge.sample(done)
        names = {path.name for path in out.iterdir()}
    left = {name for name in names if "thumb" not in name} - {"foo_annotations.json", "foo_redacted.mp4"}
    ok = gauge.flat(MOST_BYTES, done) and not left
    records.note("short films in one process", time.monotonic() - begun, {"films": done, **gauge.told("film")}, ok=ok)
    return not ok


if __name__ == "__main__":
    sys.exit(main())
