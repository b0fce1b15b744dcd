"""Whole jobs beside their rivals, each in a process of its own, in turn: ``python -m bench.job``.

* floor: decoding and encoding alone, with the same encoder settings; every time is also given as a ratio to it.
* analyze, redact, combined: ``facered`` with its defaults; the last also on one core.
* deface: ``deface`` with its defaults, which looks at the full picture, frame by frame, and drops the sound.
* deface, small: the same, looking at a picture as large as facered's detector does.

All encode with the same preset and quality. Everything ran once before the clock does. Ratios are medians of those of
each turn. All that is claimed takes an hour or two::

    python -m bench.job --seconds 60 --sizes 720p 1080p --people 1 10 --presets veryfast medium --deface-frames 300
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import av

from bench import clips, report
from bench.process import Cost, execute
from facered.detect.detector import MAX_SIDE
from facered.options import PRESETS, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[Path, Path], list[str]]

DEFACE = (sys.executable, "-c", "from deface.deface import main; main()")
ALONE = "import sys; sys.modules['scipy'] = None; from facered.cli.main import main; sys.exit(main())"
FACERED = (sys.executable, "-c", ALONE)
"""facered as it is installed: SciPy is here for the benchmarks only, and Numba would load it."""
WARM_UP_FRAMES = 10
SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
HEADS = ("job", "frames", "seconds", "frames/s", "times floor", "CPU seconds", "peak MiB")


@dataclass(slots=True)
class Contestant:
    """A command, and how it did.

    Attributes
    ----------
    name : str
    command : callable
        Source and output directory -> the command line.
    source : Path
    frames : int
        How many frames the source has.
    repeat : int
        How many times it runs.
    cores : int or None
        On how many it runs, if not on all.
    costs : list of Cost
        One entry a run.
    """

    name: str
    command: Command
    source: Path
    frames: int
    repeat: int
    cores: int | None = None
    costs: list[Cost] = field(default_factory=list)

    def run(self, target: Path) -> None:
        """Run once and note the costs."""
        self.costs.append(execute(self.command(self.source, target), self.cores))

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return statistics.median(cost.seconds for cost in self.costs)

    def ratio(self, other: Contestant) -> float:
        """Return how many times as long a frame takes as one of another: the median over the turns."""
        pairs = zip(self.costs, other.costs, strict=False)
        return statistics.median(mine.seconds / its.seconds for mine, its in pairs) * other.frames / self.frames

    def figures(self, floor: Contestant) -> dict[str, object]:
        """Return everything, for the JSON."""
        return {
            "name": self.name,
            "frames": self.frames,
            "seconds": [cost.seconds for cost in self.costs],
            "median_seconds": self.seconds,
            "frames_per_second": self.frames / self.seconds,
            "floor_ratio": self.ratio(floor),
            "cpu_seconds": statistics.median(cost.cpu_seconds for cost in self.costs),
            "peak_bytes": max(cost.peak_bytes for cost in self.costs),
        }

    def cells(self, floor: Contestant) -> list[str]:
        """Return the line as text."""
        return [
            self.name,
            str(self.frames),
            f"{self.seconds:.2f}",
            f"{self.frames / self.seconds:.1f}",
            f"{self.ratio(floor):.2f}",
            f"{statistics.median(cost.cpu_seconds for cost in self.costs):.2f}",
            f"{max(cost.peak_bytes for cost in self.costs) / 2**20:.0f}",
        ]


def commands(preset: str, crf: float) -> dict[str, Command]:
    """Return the commands of the floor and of facered's modes; redact takes what analyze left in the directory."""
    encoding = ["--preset", preset, "--crf", str(crf)]

    def facered(mode: str, options: Sequence[str]) -> Command:
        fixed = ["--overwrite", "--quiet", *options]
        return lambda source, target: [*FACERED, mode, str(source), "-o", str(target), *fixed]

    return {
        "floor": lambda source, target: [
            *(sys.executable, "-m", "bench.floor"),
            *(str(source), str(target / "floor.mp4"), preset, str(crf)),
        ],
        "analyze": facered("analyze", []),
        "redact": facered("redact", encoding),
        "combined": facered("combined", encoding),
    }


def deface_command(preset: str, crf: float, *options: str) -> Command:
    """Return deface's, with onnxruntime, which is its faster backend."""
    # "quality" is imageio's own scale, which would set another crf.
    encoder = {"codec": "libx264", "quality": None, "output_params": ["-preset", preset, "-crf", str(crf)]}
    fixed = ["--backend", "onnxrt", "--ffmpeg-config", json.dumps(encoder), *options]
    return lambda source, target: [*DEFACE, str(source), "-o", str(target / "deface.mp4"), *fixed]


def measure(path: Path) -> tuple[int, int, int]:
    """Return a video's width, height and number of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, sum(1 for _ in container.decode(stream))


def contestants(clip: Path, preset: str, options: argparse.Namespace, directory: Path) -> list[Contestant]:
    """Return who takes part, floor first."""
    width, height, count = measure(clip)
    repeat, crf = options.repeat, options.crf
    ours = [Contestant(name, command, clip, count, repeat) for name, command in commands(preset, crf).items()]
    ours.append(Contestant("combined, one core", ours[-1].command, clip, count, repeat, 1))
    if not options.deface_repeat:
        return ours
    if find_spec("deface") is None:
        print("without deface: it is not installed; install the bench group", file=sys.stderr)
        return ours
    source, shorter = clip, min(options.deface_frames or count, count)
    if shorter < count:
        source = clips.beginning(clip, shorter, directory / "beginning.mp4")
    scale = min(1.0, MAX_SIDE / max(width, height))
    small = deface_command(preset, crf, "--scale", f"{round(width * scale)}x{round(height * scale)}")
    return [
        *ours,
        Contestant("deface", deface_command(preset, crf), source, shorter, options.deface_repeat),
        Contestant("deface, small", small, source, shorter, options.deface_repeat),
    ]


def race(runners: Sequence[Contestant], directory: Path) -> None:
    """Warm everything up on a few frames, then let all run in turn until each has run as often as it should."""
    warm_up = clips.beginning(runners[0].source, WARM_UP_FRAMES, directory / "warm-up.mp4")
    for runner in runners:
        execute(runner.command(warm_up, directory))
    for turn in range(max(runner.repeat for runner in runners)):
        for runner in runners:
            if turn < runner.repeat:
                print(f"... {runner.name}, run {turn + 1} of {runner.repeat}", file=sys.stderr, flush=True)
                runner.run(directory)


def one_clip(clip: Path, preset: str, options: argparse.Namespace) -> dict[str, object]:
    """Measure all on one clip, print the table and return the figures."""
    with tempfile.TemporaryDirectory() as directory:
        runners = contestants(clip, preset, options, Path(directory))
        race(runners, Path(directory))
    floor = runners[0]
    by_name = {runner.name: runner for runner in runners}
    speedup = by_name["combined, one core"].ratio(by_name["combined"])
    print(f"{clip.name}, preset {preset}, crf {options.crf:g}")
    print(report.table(HEADS, [runner.cells(floor) for runner in runners]))
    print(f"combined on all cores is {speedup:.2f} times as fast as on one\n", flush=True)
    figures = [runner.figures(floor) for runner in runners]
    return {"clip": clip.name, "preset": preset, "crf": options.crf, "speedup": speedup, "jobs": figures}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m bench.job", description="Whole jobs beside their rivals.")
    parser.add_argument("--clip", type=Path, help="a video (default: made of what there is, as the next three say)")
    parser.add_argument("--seconds", type=float, default=8, help="length (default: %(default)s)")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["720p"], help="(default: 720p)")
    parser.add_argument("--people", nargs="+", type=int, choices=clips.GRIDS, default=[1], help="(default: 1)")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=[Options().preset], help="x264's")
    parser.add_argument("--crf", type=float, default=Options().crf, help="x264's (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of floor and facered (default: %(default)s)")
    parser.add_argument("--deface-repeat", type=int, default=1, help="runs of deface; 0: none (default: %(default)s)")
    parser.add_argument("--deface-frames", type=int, help="give deface only so many frames (default: all)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and keep the figures."""
    options = parse(arguments)
    try:
        films = [
            clips.long_film(*SIZES[size], n, options.seconds) for size, n in product(options.sizes, options.people)
        ]
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    films = films if options.clip is None else [options.clip.resolve()]
    found = [one_clip(film, preset, options) for film, preset in product(films, options.presets)]
    print(report.save("bench-job.json", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
