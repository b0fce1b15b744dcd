"""What footage that people have costs, and what stays hidden in it, beside deface: ``python -m bench.footage``.

A still camera, a crowd, a head that turns, an easy film, all hard clips, and the *hard film*, those clips at 720p with
hard cuts between them. For each, in one session and in turn:

* ``facered bench --all``: combined at veryfast and medium with the model in floats and in 8-bit integers, wall and
  processor time over those of the floor (decoding and encoding alone), megapixels of inference and calls a frame;
* ``deface`` at veryfast with its defaults, in a process of its own, its start included;
* where there is truth, how much of the faces each hides.

Medians over the turns. Nothing here asserts a time; the targets of counts are marked with "!" where they are missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import clips, report
from bench.hard_film import hard_film
from bench.job import FACERED, deface_command, measure
from bench.process import Cost, execute
from bench.truth import Truth
from facered.options import Options
from facered.runtime import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Figures = dict[str, Any]

PRESETS = ("veryfast", "medium")
PRECISIONS = ("fp32", "int8")
EASY = ("turning_720p", "talking_face_200s")
MEGAPIXELS = {"turning_720p": 0.025, "tvnews_crowd": 0.076, "shop_above": 0.056}
"""Targets: megapixels of inference a frame, at most."""
HEADS = ["", "frames", "Mpx", "calls", *(f"{what} {preset}" for preset in PRESETS for what in ("x", "CPU"))]
HEADS += ["x deface", "recall", "run", "deface", "run"]
DEFACE_FRAMES = 300
QUICK_FRAMES = 2
NOTE = """\
Mpx, calls: inference a frame, exact. x, CPU: combined over the floor of the same preset, in wall and processor time.
x deface: how many times as fast as deface, at veryfast. recall, run: of covered face-frames, and the most frames in a
row in which one person is bare. ! misses a target."""


@dataclass(slots=True)
class Film:
    """A film, and what was measured on it.

    Attributes
    ----------
    name : str
    path : Path
    truth : Truth or None
    frames : int
    modes : dict
        What ``facered bench --all`` tells of each entry, with the runs of all turns.
    deface : list of Cost
        One entry a turn.
    deface_frames : int
        How many frames deface was given.
    hidden : dict
        What facered in each precision, and deface, hide, where that is known.
    """

    name: str
    path: Path
    truth: Truth | None
    frames: int = 0
    modes: dict[str, Figures] = field(default_factory=dict)
    deface: list[Cost] = field(default_factory=list)
    deface_frames: int = 0
    hidden: dict[str, Figures] = field(default_factory=dict)

    def run(self) -> None:
        """Run ``facered bench --all`` once and note what it tells."""
        command = [*FACERED, "bench", str(self.path), "--all", "--json", "--repeat", "1", "--quiet"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=clips.ROOT)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed")
        told = json.loads(done.stdout)
        self.frames = told["frames"]
        for name, found in told["modes"].items():
            if name in self.modes:
                for key in ("seconds", "cpu_seconds"):
                    self.modes[name][key] += found[key]
            else:
                self.modes[name] = found

    def run_deface(self, source: Path, frames: int, directory: Path) -> None:
        """Run deface once on the film, or on its beginning, and note the costs."""
        self.deface.append(execute(deface_command(PRESETS[0], Options().crf)(source, directory)))
        self.deface_frames = frames

    def combined(self, preset: str, precision: str) -> Figures:
        """Return what was told of combined at a preset in a precision."""
        wanted = ("combined", preset, precision)
        return next(mode for mode in self.modes.values() if (mode["mode"], mode["preset"], mode["precision"]) == wanted)

    def figures(self) -> Figures:
        """Return everything, for the JSON."""
        found: Figures = {"frames": self.frames, "combined": {}, "hidden": self.hidden, "modes": self.modes}
        for precision in PRECISIONS:
            for preset in PRESETS:
                ours = self.combined(preset, precision)
                floor = self.modes[ours["floor"]]
                found["combined"].setdefault(precision, {})[preset] = {
                    "floor_ratio": _ratio(ours["seconds"], floor["seconds"]),
                    "floor_cpu_ratio": _ratio(ours["cpu_seconds"], floor["cpu_seconds"]),
                    "megapixels_per_frame": ours["inference_megapixels"] / self.frames,
                    "calls_per_frame": ours["inference_calls"] / self.frames,
                    **self._beside_deface(preset, ours),
                }
        if self.deface:
            found["deface"] = {
                "frames": self.deface_frames,
                "seconds": [cost.seconds for cost in self.deface],
                "cpu_seconds": [cost.cpu_seconds for cost in self.deface],
            }
        return found

    def _beside_deface(self, preset: str, ours: Figures) -> Figures:
        """Return how many times as fast as deface a job was, in wall and processor time, a frame."""
        if not self.deface or preset != PRESETS[0]:
            return {}
        share = self.frames / self.deface_frames
        wall, cpu = [cost.seconds for cost in self.deface], [cost.cpu_seconds for cost in self.deface]
        return {
            "times_deface": _ratio(wall, ours["seconds"]) * share,
            "times_deface_cpu": _ratio(cpu, ours["cpu_seconds"]) * share,
        }


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of each turn."""
    return statistics.median(a / max(b, 1e-9) for a, b in zip(ours, others, strict=False))


def films(names: Sequence[str], quick: bool) -> Iterator[Film]:
    """Yield the hard film, the easy ones and the hard clips; of those that are named, or, quickly, the first.

    Raises
    ------
    MaterialMissingError
    """
    if not names or "hard_film" in names:
        path, truth = hard_film(QUICK_FRAMES if quick else None)
        yield Film("hard_film", path, truth)
    hard = [(path, Truth.read(truth)) for path, truth in clips.with_truth("hard")]
    for path, truth in hard[: 1 if quick else None]:
        if not names or path.stem in names:
            yield Film(path.stem, path, truth)
    for name in EASY:
        beside = clips.media() / f"{name}.csv"
        easy = clips.film(beside)
        if easy is not None and not quick and (not names or name in names):
            yield Film(name, easy, Truth.read(beside) if beside.is_file() else None)


def judge(film: Film) -> None:
    """Note how much of a film's faces facered hides in each precision, and deface, where it is installed."""
    from bench.accuracy import followed
    from bench.rivals import defaced
    from bench.scores import Coverage

    if film.truth is None:
        return
    hidden = {precision: followed(film.path, Options(precision=precision)) for precision in PRECISIONS}
    if film.deface:
        hidden["deface"] = defaced(film.path)
    film.hidden = {who: Coverage().add(film.truth, what).figures() for who, what in hidden.items()}


def race(film: Film, repeat: int, deface_repeat: int, deface_frames: int) -> None:
    """Let all run on a film in turn."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        source, shorter = film.path, measure(film.path)[2]
        if deface_repeat and shorter > deface_frames:
            source, shorter = clips.beginning(film.path, deface_frames, directory / "beginning.mp4"), deface_frames
        for turn in range(max(repeat, deface_repeat)):
            print(f"... {film.name}, turn {turn + 1}", file=sys.stderr, flush=True)
            if turn < repeat:
                film.run()
            if turn < deface_repeat:
                film.run_deface(source, shorter, directory)


def lines(film: Film) -> list[list[str]]:
    """Return a film's lines as text, one a precision."""
    figures = film.figures()
    found = []
    for precision in PRECISIONS:
        fast, slow = (figures["combined"][precision][preset] for preset in PRESETS)
        missed = "!" if fast["megapixels_per_frame"] > MEGAPIXELS.get(film.name, float("inf")) else ""
        line = [f"{film.name}, {precision}", str(film.frames)]
        line += [f"{fast['megapixels_per_frame']:.3f}{missed}", f"{fast['calls_per_frame']:.2f}"]
        line += [f"{each[key]:.2f}" for each in (fast, slow) for key in ("floor_ratio", "floor_cpu_ratio")]
        line += [f"{fast['times_deface']:.1f}" if "times_deface" in fast else ""]
        found.append([*line, *_hidden(figures, precision), *_hidden(figures, "deface")])
    return found


def _hidden(figures: Figures, who: str) -> tuple[str, str]:
    if who not in figures["hidden"]:
        return "", ""
    hidden = figures["hidden"][who]
    return f"{hidden['recall']:.2%}", str(hidden["longest_bare_run"])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m bench.footage", description="What people's footage costs.")
    parser.add_argument("names", nargs="*", help="hard_film, or clips (default: all)")
    parser.add_argument("--repeat", type=int, default=5, help="turns of facered (default: %(default)s)")
    parser.add_argument("--deface-repeat", type=int, help="turns of deface; 0: none (default: as many)")
    parser.add_argument(
        "--deface-frames",
        type=int,
        default=DEFACE_FRAMES,
        help="give deface only so many frames (default: %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="a turn of a few frames, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures there instead of into .cache")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    options = parse(arguments)
    repeat = 1 if options.quick else options.repeat
    deface_repeat = repeat if options.deface_repeat is None else options.deface_repeat
    if deface_repeat and find_spec("deface") is None:
        print("without deface: it is not installed; install the bench group", file=sys.stderr)
        deface_repeat = 0
    judged = find_spec("motmetrics") is not None
    if not judged:
        print("without recall: motmetrics is missing; install the bench group", file=sys.stderr)
    found: list[Film] = []
    try:
        for film in films(options.names, options.quick):
            race(film, repeat, deface_repeat, QUICK_FRAMES if options.quick else options.deface_frames)
            if judged:
                judge(film)
            found.append(film)
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    if not found:
        print(f"no film is named {' or '.join(options.names)}", file=sys.stderr)
        return 2
    print(report.table(HEADS, [line for film in found for line in lines(film)]))
    print(f"\n{NOTE}\n{cores.available()} processors with {' '.join(cores.instruction_sets())}")
    results = {film.name: film.figures() for film in found}
    if options.json:
        about = {"environment": report.environment(), "results": results}
        options.json.write_text(json.dumps(about, indent=1) + os.linesep)
    else:
        print(report.save("bench-footage.json", results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
