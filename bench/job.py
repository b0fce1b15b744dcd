"""The whole job beside its rivals, each in a process of its own, in turn: ``python -m bench.job``.

* floor: decoding and encoding alone, with the same encoder settings; every time is also given as a ratio to it.
* facered: ``facered combined`` with its defaults.
* deface: ``deface`` with its defaults, which looks at the full picture, frame by frame, and drops the sound.
* deface, small: the same, looking at a picture as large as facered's detector does.

Rivals encode with the same preset and quality. Everything ran once before the clock does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import av

from bench import clips, report
from facered.detect.detector import LARGEST
from facered.options import PRESETS, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BIN = Path(sys.executable).parent
WARM_UP_FRAMES = 10
HEADS = ("job", "frames", "seconds", "frames/s", "times floor", "CPU seconds", "peak MiB")


@dataclass(slots=True)
class Contestant:
    """A command, and how it did.

    Attributes
    ----------
    name : str
    command : callable
        Source and target -> the command line.
    source : Path
    frames : int
        How many frames the source has.
    repeat : int
        How many times it runs.
    seconds, cpu_seconds, peak_bytes : list
        One entry a run: wall time; processor time and the most memory, of the process or of one that it started.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    source: Path
    frames: int
    repeat: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)

    def run(self, target: Path) -> None:
        """Run once and note the costs."""
        begun = time.perf_counter()
        usage = execute(self.command(self.source, target))
        self.seconds.append(time.perf_counter() - begun)
        self.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
        self.peak_bytes.append(usage.ru_maxrss * 1024)

    @property
    def frame_seconds(self) -> float:
        """Median wall time a frame."""
        return statistics.median(self.seconds) / self.frames

    def figures(self, floor: Contestant) -> dict[str, object]:
        """Return everything, for the JSON."""
        return {
            "name": self.name,
            "frames": self.frames,
            "seconds": self.seconds,
            "median_seconds": statistics.median(self.seconds),
            "frames_per_second": 1 / self.frame_seconds,
            "floor_ratio": self.frame_seconds / floor.frame_seconds,
            "cpu_seconds": statistics.median(self.cpu_seconds),
            "peak_bytes": max(self.peak_bytes),
        }

    def cells(self, floor: Contestant) -> list[str]:
        """Return the line as text."""
        return [
            self.name,
            str(self.frames),
            f"{statistics.median(self.seconds):.2f}",
            f"{1 / self.frame_seconds:.1f}",
            f"{self.frame_seconds / floor.frame_seconds:.2f}",
            f"{statistics.median(self.cpu_seconds):.2f}",
            f"{max(self.peak_bytes) / 2**20:.0f}",
        ]


def execute(command: list[str]) -> os._RUsage:  # type: ignore[name-defined]
    """Run a command to its end and return what it used; what it printed is shown if it failed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=clips.ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            printed = output.read().decode(errors="replace")
            raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}:\n{printed}")
    return usage


def floor_command(preset: str, crf: float) -> Callable[[Path, Path], list[str]]:
    """Return the command of `bench.floor`."""
    return lambda source, target: [sys.executable, "-m", "bench.floor", str(source), str(target), preset, str(crf)]


def facered_command(preset: str, crf: float) -> Callable[[Path, Path], list[str]]:
    """Return facered's."""
    options = ["--overwrite", "--quiet", "--preset", preset, "--crf", str(crf)]
    return lambda source, target: [str(BIN / "facered"), "combined", str(source), "-o", str(target), *options]


def deface_command(preset: str, crf: float, *options: str) -> Callable[[Path, Path], list[str]]:
    """Return deface's, with onnxruntime, which is its faster backend."""
    # "quality" is imageio's own scale, which would set another crf.
    encoder = {"codec": "libx264", "quality": None, "output_params": ["-preset", preset, "-crf", str(crf)]}
    fixed = ["--backend", "onnxrt", "--ffmpeg-config", json.dumps(encoder), *options]
    return lambda source, target: [str(BIN / "deface"), str(source), "-o", str(target), *fixed]


def default_clip() -> Path:
    """Return the 720p clip of the material folder, or one made from what there is."""
    try:
        path = clips.media() / "turning_720p.mp4"
        return path if path.is_file() else clips.film_of_size(1280, 720)
    except clips.MaterialMissingError:
        return clips.film_of_size(1280, 720)


def measure(path: Path) -> tuple[int, int, int]:
    """Return a video's width, height and number of frames."""
    with av.open(os.fspath(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, sum(1 for _ in container.decode(stream))


def contestants(options: argparse.Namespace, directory: Path) -> list[Contestant]:
    """Return who takes part, floor first."""
    preset, crf = options.preset, options.crf
    width, height, count = measure(options.clip)
    ours = [
        Contestant("floor", floor_command(preset, crf), options.clip, count, options.repeat),
        Contestant("facered", facered_command(preset, crf), options.clip, count, options.repeat),
    ]
    if not options.deface_repeat:
        return ours
    if not (BIN / "deface").is_file():
        print(f"without deface: {BIN / 'deface'} is missing; install the bench group", file=sys.stderr)
        return ours
    source, shorter = options.clip, min(options.deface_frames or count, count)
    if shorter < count:
        source = clips.beginning(options.clip, shorter, directory / "beginning.mp4")
    scale = min(1.0, LARGEST / max(width, height))
    small = deface_command(preset, crf, "--scale", f"{round(width * scale)}x{round(height * scale)}")
    return [
        *ours,
        Contestant("deface", deface_command(preset, crf), source, shorter, options.deface_repeat),
        Contestant("deface, small", small, source, shorter, options.deface_repeat),
    ]


def race(runners: Sequence[Contestant], directory: Path) -> None:
    """Warm everything up on a few frames, then let all run in turn until each has run as often as it should."""
    warm_up = clips.beginning(runners[0].source, WARM_UP_FRAMES, directory / "warm-up.mp4")
    target = directory / "redacted.mp4"
    for runner in runners:
        execute(runner.command(warm_up, target))
    for turn in range(max(runner.repeat for runner in runners)):
        for runner in runners:
            if turn < runner.repeat:
                print(f"... {runner.name}, run {turn + 1} of {runner.repeat}", file=sys.stderr, flush=True)
                runner.run(target)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m bench.job", description="Whole jobs beside their rivals.")
    parser.add_argument("--clip", type=Path, help="the video (default: about 180 frames of 720p with a face)")
    parser.add_argument("--preset", choices=PRESETS, default=Options().preset, help="x264's (default: %(default)s)")
    parser.add_argument("--crf", type=float, default=Options().crf, help="x264's (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of floor and facered (default: %(default)s)")
    parser.add_argument("--deface-repeat", type=int, default=1, help="runs of deface; 0: none (default: %(default)s)")
    parser.add_argument("--deface-frames", type=int, help="give deface only so many frames (default: all)")
    options = parser.parse_args(arguments)
    options.clip = (options.clip or default_clip()).resolve()
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    try:
        options = parse(arguments)
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        runners = contestants(options, Path(directory))
        race(runners, Path(directory))
    floor = runners[0]
    print(f"{options.clip.name}, preset {options.preset}, crf {options.crf:g}")
    print(report.table(HEADS, [runner.cells(floor) for runner in runners]))
    settings = {"clip": options.clip.name, "preset": options.preset, "crf": options.crf}
    print(report.save("bench-job.json", settings | {"jobs": [runner.figures(floor) for runner in runners]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
