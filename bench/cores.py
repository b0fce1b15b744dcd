"""What many cores would bring: ``python -m bench.cores``.

On this machine is measured how long the main process takes to scan a film and to play back its parts, and how long a
worker of two threads takes for each segment and each part, one after the other, while nothing else runs. With these
times the schedule is simulated, by the dispatcher that jobs use: a worker for each two cores but two, which the main
process has. Memory bandwidth and clocks that fall when all cores work are not simulated.

Others may use the machine meanwhile: what counts is processor time, divided by how much of it two threads have used at
once in the best of several runs. One core is measured: a whole job as it is, but for its start.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench import clips, report
from bench.hard_film import hard_film
from bench.job import FACERED, WARM_UP_FRAMES
from bench.process import execute, processor_seconds
from facered.hide.style import chosen_style
from facered.jobs.apart import Origin, analyze_apart, encode_apart, identity_of
from facered.jobs.assembly import Assembly
from facered.jobs.finder import Film
from facered.jobs.redact import redact_video
from facered.jobs.segments import Upcoming
from facered.options import PRESETS, Options
from facered.runtime.dispatch import Dispatcher
from facered.runtime.profiling import Profile
from facered.runtime.workers import Worker
from facered.track.segmentation import GRID
from facered.video.input.excerpt import Recording
from facered.video.input.file import MAX_DECODER_THREADS, Reader
from facered.video.output.file import Writer
from facered.video.output.partfile import part_name
from facered.video.output.parts import Parts
from facered.video.output.settings import Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

CORES = (4, 8, 16, 32, 64)
HEADS = ("cores", "workers", "seconds", "frames/s", "speedup", "efficiency", "bound by")


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment, or a part: its frames, the end not included, and what a worker takes for it.

    Attributes
    ----------
    used : float
        Processor seconds that it took, where the fewest.
    overlap : float
        By how much these were more than it took, where that was the most: 2 if both threads were always busy.
    known : int
        The frame with whose scan it is known.
    """

    first: int
    end: int
    used: float
    overlap: float
    known: int = 0

    @property
    def seconds(self) -> float:
        """What it takes where nobody else uses the cores."""
        return self.used / max(1.0, self.overlap)

    def best(self, other: Piece) -> Piece:
        """Return what two measurements tell."""
        return replace(self, used=min(self.used, other.used), overlap=max(self.overlap, other.overlap))

    def later(self, frames: int) -> Piece:
        """Return the same, further on in a film."""
        return replace(self, first=self.first + frames, end=self.end + frames, known=self.known + frames)


@dataclass(frozen=True, slots=True)
class Times:
    """What was measured: seconds of all of a film, and of each segment and part.

    Attributes
    ----------
    frames : int
    decoding : float
        One thread decodes it.
    scan, playback : float
        What the main process does of each in threads that are not the decoder's.
    segments, parts : tuple of Piece
    """

    frames: int
    decoding: float
    scan: float
    playback: float
    segments: tuple[Piece, ...]
    parts: tuple[Piece, ...]

    def repeated(self, times: int) -> Times:
        """Return those of a film that shows the same so many times over."""
        shifts = range(0, times * self.frames, self.frames)
        segments, parts = (
            tuple(piece.later(shift) for shift in shifts for piece in pieces) for pieces in (self.segments, self.parts)
        )
        seconds = (times * each for each in (self.decoding, self.scan, self.playback))
        return Times(times * self.frames, *seconds, segments, parts)

    def on(self, cores: int) -> Times:
        """Return the same for so many cores: the decoder has a thread for two of them, up to its most."""
        decoding = self.decoding / min(max(1, cores // 2), MAX_DECODER_THREADS)
        return replace(self, scan=max(self.scan, decoding), playback=max(self.playback, decoding))

    def least(self, other: Times) -> Times:
        """Return the lesser times of two measurements."""
        segments, parts = (
            tuple(one.best(another) for one, another in zip(*both, strict=True))
            for both in ((self.segments, other.segments), (self.parts, other.parts))
        )
        seconds = (getattr(self, name) for name in ("decoding", "scan", "playback"))
        others = (getattr(other, name) for name in ("decoding", "scan", "playback"))
        return Times(self.frames, *map(min, seconds, others), segments, parts)


class _Clock:
    """Takes the time of what a worker does."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.taken()

    def taken(self) -> tuple[float, float]:
        """Return processor seconds since it was asked last, and how many times as much as seconds that is."""
        self._used, used = self._worker.call(processor_seconds, (), lambda _: None), getattr(self, "_used", 0.0)
        self._at, at = time.perf_counter(), getattr(self, "_at", 0.0)
        return self._used - used, (self._used - used) / (self._at - at)


class _Folder:
    """Part files in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, name: str) -> Path | None:
        return self._path / name if (self._path / name).exists() else None

    def draft(self, name: str) -> Path:
        return self._path / f"{name}.new"

    def save(self, name: str) -> None:
        """Do nothing."""


def measure(film: Path, options: Options, folder: Path) -> Times:
    """Measure everything of a film."""
    begun = time.process_time()
    with Reader(film, 1) as reader:
        info = reader.info
        for _ in reader.frames():
            pass
    decoding = time.process_time() - begun
    recording, found = Recording(), []
    with Profile() as profile, Reader(film) as reader:
        upcoming = Upcoming(reader, options, GRID)
        for picture in upcoming.marked():
            recording.add(picture.item.frame, picture.item.luma)
            found += [(segment, len(recording)) for segment in picture.mark.settled]
        found += [(segment, len(recording)) for segment in upcoming.last_segments]
    shrinking = sum(profile.durations()["shrink"])  # beside the rest
    scan = max(shrinking, profile.seconds - sum(profile.durations()["decode"]) - shrinking)
    origin = Origin(film.resolve(), identity_of(film), info, replace(options, threads=2), thumbnails=False)
    worker, segments, results = Worker(), [], []
    clock = _Clock(worker)
    for segment, known in [found[0], *found]:  # the first one twice: a worker begins with it
        print(f"... segment {segment.first} to {segment.end}", file=sys.stderr, flush=True)
        clock.taken()
        piece = worker.call(
            analyze_apart, (origin, segment, recording.run(segment.lead, segment.until)), lambda _: None
        )
        segments.append(Piece(segment.first, segment.end, *clock.taken(), known))
        results.append(piece.result)
    assembly = Assembly(Film(film, info, options))
    annotations = [assembly.add(result) for result in results[1:]]
    parts, begins = [], Parts(info.rate)
    ends = [0, *(segment.end for segment, _ in found if begins.begins(segment.end)), len(recording)]
    for first, end in zip(ends, dict.fromkeys(ends[1:]), strict=False):
        print(f"... part {first} to {end}", file=sys.stderr, flush=True)
        clock.taken()
        known = [
            (segment.first, found_there)
            for (segment, _), found_there in zip(found, annotations, strict=True)
            if first <= segment.first < end
        ]
        arguments = origin, first, recording.run(first, end), known, folder / part_name(first), "mp4", True
        worker.call(encode_apart, arguments, lambda _: None)
        parts.append(Piece(first, end, *clock.taken()))
    worker.close()
    with (
        Profile() as profile,
        Reader(film) as reader,
        Writer(folder / "film.mp4", reader, Encoding.of(options), store=_Folder(folder)) as writer,
    ):
        shown = assembly.finish(())[0]
        redact_video(reader, writer, shown, chosen_style(options), threads=1, complete=True)
    playback = profile.seconds - sum(profile.durations()["decode"])
    return Times(len(recording), decoding, scan, playback, tuple(segments[1:]), tuple(parts))


def whole(film: Path, preset: str, folder: Path) -> float:
    """Return how many seconds a whole job takes on one core that nobody else uses, its start left out."""
    command = [*FACERED, "combined", "-o", str(folder), "--overwrite", "-q", "--preset", preset]
    begin = clips.beginning(film, WARM_UP_FRAMES, folder / "begin.mp4")
    start, job = (execute([*command, str(path)], 1).cpu_seconds for path in (begin, film))
    return job - start


def simulated(times: Times, workers: int) -> tuple[float, str]:
    """Return how long a job takes with so many workers, and what keeps it from being done sooner."""
    dispatcher: Dispatcher[tuple[bool, int]] = Dispatcher(workers, 1 << 60, 1)
    order = count()
    events = [
        (times.scan * piece.known / times.frames, next(order), "scanned", number)
        for number, piece in enumerate(times.segments)
    ]
    heapq.heapify(events)
    idle, told, begun, over, played = workers, 0, 0, 0.0, 0
    analyzed, encoded = [False] * len(times.segments), [False] * len(times.parts)
    while events:
        now, _, what, number = heapq.heappop(events)
        if what == "scanned":
            dispatcher.add(times.segments[number].first, (True, number))
        elif what == "analyzed":
            idle, analyzed[number] = idle + 1, True
            while told < len(analyzed) and analyzed[told]:
                told += 1
            reached = times.segments[told - 1].end if told else 0
            while begun < len(encoded) and times.parts[begun].end <= reached:
                dispatcher.add(times.parts[begun].first, (False, begun))
                begun += 1
        else:
            idle, encoded[number] = idle + 1, True
            while played < len(encoded) and encoded[played]:
                part = times.parts[played]
                over = max(over, now) + times.playback * (part.end - part.first) / times.frames
                played += 1
        while idle and len(dispatcher):
            segment, number = dispatcher.take()
            idle -= 1
            piece = (times.segments if segment else times.parts)[number]
            heapq.heappush(events, (now + piece.seconds, next(order), "analyzed" if segment else "encoded", number))
    return over, _bound(times, workers, over)


def _bound(times: Times, workers: int, seconds: float) -> str:
    """Return which of what a job cannot be faster than is most of what it takes."""
    pieces = [*times.segments, *times.parts]
    last = times.parts[-1]
    bounds = {
        "work": sum(piece.seconds for piece in pieces) / workers,
        "scan": times.scan + times.segments[-1].seconds + last.seconds,
        "playback": times.playback,
        "longest segment and part": max(piece.seconds for piece in times.segments)
        + max(piece.seconds for piece in times.parts),
    }
    name = max(bounds, key=lambda name: bounds[name])
    return f"{name} ({bounds[name] / seconds:.0%})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.cores", description="What many cores would bring.")
    parser.add_argument("--film", type=Path, help="a film (default: all hard clips, one after the other)")
    parser.add_argument("--times", type=int, default=10, help="simulate it so many times over (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="measurements; the least counts (default: %(default)s)")
    parser.add_argument("--preset", choices=PRESETS, default=Options().preset, help="x264's (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        film = given.film or hard_film()[0]
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    options = Options(preset=given.preset)
    with tempfile.TemporaryDirectory() as folder:
        alone = min(whole(film, given.preset, Path(folder)) for _ in range(given.repeat))
        once = measure(film, options, Path(folder))
        for _ in range(given.repeat - 1):
            once = once.least(measure(film, options, Path(folder)))
    times = once.repeated(given.times)
    one = alone * given.times
    rows, found = [], []
    for cores in (1, *CORES):
        workers = max(2, cores // 2 - 1)
        if cores == 1:
            seconds, bound, shown = one, "measured", "none"
        else:
            (seconds, bound), shown = simulated(times.on(cores), workers), str(workers)
        speedup = one / seconds
        figures = f"{seconds:.1f}", f"{times.frames / seconds:.1f}", f"{speedup:.1f}", f"{speedup / cores:.0%}"
        rows.append((str(cores), shown, *figures, bound))
        found.append({"cores": cores, "seconds": seconds, "speedup": speedup, "bound": bound})
    print(f"{film.name}, {given.times} times over, {times.frames} frames, preset {given.preset}")
    for name, pieces in (("segments", times.segments), ("parts", times.parts)):
        seconds = [piece.seconds for piece in pieces]
        print(f"{len(pieces)} {name}: {sum(seconds):.1f} s of a worker, the longest {max(seconds):.2f} s")
    print(f"scan {times.scan:.1f} s, playback {times.playback:.1f} s, and decoding for each {times.decoding:.1f} s")
    print(report.table(HEADS, rows))
    print(report.save("bench-cores.json", {"film": film.name, "times": given.times, "cores": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
