"""How long frames take on their way through a `Redactor`: ``python -m bench.live``.

Frames are decoded one by one between the measurements. Rows: frames in which the detector ran inline, frames in which it
did not, and frames beside which it ran in a thread; then eight streams at once, memory over many frames, and what is
copied of frames without faces.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

import numpy as np

import facered
from bench import clips, report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

SECONDS = 20
WARM = 25
"""Frames that are not measured: the model sets itself up in the first ones."""
STREAMS = 8
STREAM_SECONDS = 12
LONG, EARLY = 100_000, 10_000
"""Frames over which memory is watched, and how many of them it may take to settle."""
TARGETS = {"detection": 33.0, "no detection": 4.0, "async": 6.0}
"""Most milliseconds at the 99th percentile."""
LEAST_RATE = 15.0
MOST_GROWTH = 5.0
HEADS = ("720p", "detection", "frames", "p50 ms", "p99 ms", "max ms", "target p99")


def latencies(path: Path, **settings: object) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how many milliseconds each frame of a video took, and whether the detector was done with one meanwhile."""
    took, detected = [], []
    with facered.Redactor(**settings) as redactor:  # type: ignore[arg-type]
        for frame in clips.decoded(path):
            before = redactor.stats.detections
            begun = time.perf_counter()
            redactor.process(frame)
            took.append(1e3 * (time.perf_counter() - begun))
            detected.append(redactor.stats.detections > before)
            if settings["detect"] == "async":  # a camera's pace
                time.sleep(max(0.0, 1 / clips.RATE - (time.perf_counter() - begun)))
    return np.array(took[WARM:]), np.array(detected[WARM:])


def rows(people: int) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the table for a number of faces."""
    path = clips.long_film(1280, 720, people, SECONDS)
    took, detected = latencies(path, detect=3, detect_size=448, threads=1)
    yield _row(people, "every 3rd, inline", took[detected], TARGETS["detection"])
    yield _row(people, "none in this frame", took[~detected], TARGETS["no detection"])
    took, _ = latencies(path, detect="async", detect_size=448, threads=1)
    yield _row(people, "beside the stream", took, TARGETS["async"])


def _row(people: int, name: str, took: NDArray[np.float64], target: float) -> tuple[str, ...]:
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    missed = "!" if p99 > target else ""
    faces = "1 face" if people == 1 else f"{people} faces"
    return faces, name, str(len(took)), f"{p50:.2f}", f"{p99:.2f}{missed}", f"{took.max():.1f}", f"{target:g}"


def streams() -> list[float]:
    """Return the frames a second of eight streams in threads, each as fast as it can."""
    path = clips.long_film(640, 360, 1, SECONDS)
    rates = [0.0] * STREAMS

    def run(number: int) -> None:
        with facered.Redactor(detect="async") as redactor:
            begun, count = time.perf_counter(), 0
            for frame in chain.from_iterable(map(clips.decoded, repeat(path))):
                redactor.process(frame)
                count += 1
                if time.perf_counter() - begun > STREAM_SECONDS:
                    break
            rates[number] = count / (time.perf_counter() - begun)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rates


def growth(lookahead: int) -> float:
    """Return by how many megabytes the process grows over many small frames, when it has settled."""
    settled = 0.0
    endless = chain.from_iterable(map(clips.decoded, repeat(clips.carphone())))
    with facered.Redactor(detect=10, lookahead=lookahead, rate=30) as redactor:
        for number, frame in enumerate(islice(endless, LONG)):
            redactor.process(frame)
            if number == EARLY:
                settled = _resident()
        return _resident() - settled


def _resident() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def untouched() -> int:
    """Return how many bytes of frames without faces are copied."""
    copied = 0

    def note(frame: VideoFrame, faces: Sequence[facered.Face]) -> None:
        nonlocal copied
        copied += 0 if faces else redactor.stats.bytes_copied - before

    with facered.Redactor(on_faces=note) as redactor:
        for frame in clips.decoded(clips.CLIPS / "bigbuckbunny.mp4"):
            before = redactor.stats.bytes_copied
            redactor.process(frame)
    return copied


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.live", description="Latency and memory of a Redactor.")
    parser.add_argument("parts", nargs="*", help="latency, streams, untouched, memory (default: all)")
    wanted = parser.parse_args(arguments).parts or ["latency", "streams", "untouched", "memory"]
    results: dict[str, object] = {}
    if "latency" in wanted:
        table = [row for people in clips.GRIDS for row in rows(people)]
        print(report.table(HEADS, table))
        results["latency"] = [dict(zip(HEADS, row, strict=True)) for row in table]
    if "streams" in wanted:
        rates = results["streams"] = streams()
        print(f"{STREAMS} streams at 360p, async: {min(rates):.0f} to {max(rates):.0f} frames/s; target {LEAST_RATE:g}")
    if "untouched" in wanted:
        results["untouched"] = untouched()
        print(f"bytes copied of frames without faces: {results['untouched']}")
    if "memory" in wanted:
        grown = results["memory"] = {lookahead: growth(lookahead) for lookahead in (0, 15)}
        for lookahead, megabytes in grown.items():
            print(f"lookahead {lookahead}: {megabytes:+.1f} MB over {LONG - EARLY:,} frames; target {MOST_GROWTH:g}")
    print(report.save("bench-live.json", results))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
