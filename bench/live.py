"""How long a `Redactor` takes for frames: ``python -m bench.live``.

Frames are decoded one by one between the measurements. Rows: frames in which the detector ran inline, frames in which
it did not, and frames beside which it ran in a thread. The processor time is that of the thread which gives the frames:
what they would take on an idle machine. Then eight streams at once, memory over many frames, and what is copied of
frames without faces.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from dataclasses import dataclass
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
MIN_RATE = 15.0
MAX_GROWTH = 5.0
HEADS = ("720p", "detection", "frames", "p50 ms", "p99 ms", "max ms", "cpu p50", "cpu p99", "target p99")


@dataclass(frozen=True, slots=True)
class Taken:
    """What frames took: wall time and processor time, (n, 2) milliseconds."""

    times: NDArray[np.float64]

    def row(self, people: int, name: str, target: float) -> tuple[str, ...]:
        """Return a line of the table."""
        (p50, cpu50), (p99, cpu99) = np.percentile(self.times, [50, 99], axis=0).tolist()
        faces = "1 face" if people == 1 else f"{people} faces"
        figures = f"{p50:.2f}", f"{p99:.2f}{'!' if p99 > target else ''}", f"{self.times[:, 0].max():.1f}"
        return faces, name, str(len(self.times)), *figures, f"{cpu50:.2f}", f"{cpu99:.2f}", f"{target:g}"


def latencies(path: Path, detect: int | str) -> tuple[Taken, Taken]:
    """Return what the frames of a video took during which a detection was completed, and the others."""
    took: tuple[list[tuple[float, float]], list[tuple[float, float]]] = [], []
    with facered.Redactor(detect=detect, detect_size=448, threads=1) as redactor:
        for number, frame in enumerate(clips.decoded(path)):
            before = redactor.stats.detections
            begun, begun_cpu = time.perf_counter(), time.thread_time()
            redactor.process(frame)
            ended, ended_cpu = time.perf_counter(), time.thread_time()
            if number >= WARM:
                without = redactor.stats.detections == before
                took[without].append((1e3 * (ended - begun), 1e3 * (ended_cpu - begun_cpu)))
            if detect == "async":
                time.sleep(max(0.0, 1 / clips.RATE - (ended - begun)))  # a camera's pace
    return Taken(np.array(took[0]).reshape(-1, 2)), Taken(np.array(took[1]).reshape(-1, 2))


def rows(people: int) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the table for a number of faces."""
    path = clips.long_film(1280, 720, people, SECONDS)
    detected, others = latencies(path, 3)
    yield detected.row(people, "every 3rd, inline", TARGETS["detection"])
    yield others.row(people, "none in this frame", TARGETS["no detection"])
    both = np.concatenate([taken.times for taken in latencies(path, "async")])
    yield Taken(both).row(people, "beside the stream", TARGETS["async"])


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

    def note(_: VideoFrame, faces: Sequence[facered.Face]) -> None:
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
        print(f"{STREAMS} streams at 360p, async: {min(rates):.0f} to {max(rates):.0f} frames/s; target {MIN_RATE:g}")
    if "untouched" in wanted:
        results["untouched"] = untouched()
        print(f"bytes copied of frames without faces: {results['untouched']}")
    if "memory" in wanted:
        grown = results["memory"] = {lookahead: growth(lookahead) for lookahead in (0, 15)}
        for lookahead, megabytes in grown.items():
            print(f"lookahead {lookahead}: {megabytes:+.1f} MB over {LONG - EARLY:,} frames; target {MAX_GROWTH:g}")
    print(report.save("bench-live.json", results))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
