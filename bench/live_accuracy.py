"""What a `Redactor` hides, by how far it looks ahead, beside pass one: ``python -m bench.live_accuracy``.

Each cell: face-frames covered, longest bare run in frames, false boxes a frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import facered
from bench import clips, report
from bench.accuracy import followed
from bench.scores import Coverage, Hidden
from facered.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.scenes import Scene

DEFAULT_SCENES = ("leave", "emerge", "cuts", "flash", "fast", "covered")
"""Scenes that are measured unless others are asked for."""
SETTINGS: dict[str, dict[str, Any]] = {
    "0": {},
    "15": {"lookahead": 15},
    "60": {"lookahead": 60},
    "0, every 3rd, 448": {"detect": 3, "detect_size": 448},
    "0, async": {"detect": "async"},
}
"""Settings by the names of the columns."""


def redacted(path: Path, **settings: Any) -> Hidden:
    """Return what a redactor hides; beside the stream, frames come at a camera's pace."""
    options, told, size = Options(), [], (0, 0)
    with facered.Redactor(on_faces=lambda _, faces: told.append(faces), **settings) as redactor:
        for frame in clips.decoded(path):
            begun = time.perf_counter()
            size = frame.width, frame.height
            redactor.process(frame)
            if settings.get("detect") == "async" or settings.get("deadline_ms") is not None:
                time.sleep(max(0.0, 1 / clips.RATE - (time.perf_counter() - begun)))
        redactor.flush()
    faces = [(number, face) for number, found in enumerate(told) for face in found if face.hidden]
    corners = np.array([[f.x, f.y, f.x + f.width, f.y + f.height] for _, f in faces]).reshape(-1, 4)
    return Hidden(
        size=size,
        length=len(told),
        frames=np.array([number for number, _ in faces], np.int64),
        ids=np.array([face.id for _, face in faces], np.int64),
        boxes=corners * [*size, *size],
        margin=options.margin,
    )


def measure(scene: Scene) -> dict[str, Coverage]:
    """Return what is hidden of a clip with each of the settings."""
    found = {"offline": Coverage().add(scene.truth, followed(scene.path, Options()))}
    for name, settings in SETTINGS.items():
        found[name] = Coverage().add(scene.truth, redacted(scene.path, **settings))
    return found


def _cell(coverage: Coverage) -> str:
    figures = coverage.figures()
    bare, false = figures["longest_bare_run"], figures["false_boxes_per_frame"]
    return f"{figures['recall']:.2%} {bare:3d} {false:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    try:
        from bench import scenes
    except ImportError as missing:
        print(f"skipped: OpenCV, which draws the scenes, cannot be loaded ({missing})", file=sys.stderr)
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench.live_accuracy", description="Recall of a Redactor.")
    parser.add_argument("names", nargs="*", help="clips and scenes (default: the real clips and a few scenes)")
    names = parser.parse_args(arguments).names
    results: dict[str, dict[str, dict[str, float]]] = {}
    table = []
    try:
        chosen = [scenes.all_scenes(names=names)] if names else [
            scenes.all_scenes("real"),
            scenes.all_scenes("first", DEFAULT_SCENES),
        ]  # fmt: skip
        for scene in (scene for group in chosen for scene in group):
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            found = measure(scene)
            results[scene.name] = {name: coverage.figures() for name, coverage in found.items()}
            table.append([scene.name, *map(_cell, found.values())])
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    print(report.table(["", "offline", *(f"lookahead {name}" for name in SETTINGS)], table))
    print(report.save("bench-live-accuracy.json", results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
