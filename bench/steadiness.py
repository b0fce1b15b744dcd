"""Whether chance decides what stays bare: ``python -m bench.steadiness``.

Pass one runs on each hard clip as it is, begun 1, 2, 3 and 4 frames later, and mirrored. A cell is the number of
face-frames left bare. What differs by the frames that are detected in alone should differ little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import clips, report
from bench.accuracy import followed, options_for
from bench.scores import Coverage
from bench.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPREAD = 2
"""How many times as many face-frames as in the median variant may be bare in the worst."""
HEADS = [
    "",
    "faces",
    *(variant.name for variant in VARIANTS),
    "median",
    "worst",
    "run",
    "recall %",
    "to",
    "false",
    "to",
]
NOTE = f"""\
face-frames left bare, in each variant. run: longest of any. recall, false boxes a frame: worst to best. faces: of the
clip as it is; where it begins later, those of its beginning are missing. ! more than {SPREAD} times the median."""


def figures(found: Mapping[str, Coverage]) -> dict[str, object]:
    """Return what the variants of a clip, by name, give, for the JSON."""
    each = {name: coverage.figures() for name, coverage in found.items()}
    bare = [one["bare_face_frames"] for one in each.values()]
    return {"variants": each, "median_bare": statistics.median(bare), "worst_bare": max(bare)}


def cells(name: str, found: Mapping[str, Coverage]) -> list[str]:
    """Return a line as text."""
    each = [coverage.figures() for coverage in found.values()]
    bare = [int(one["bare_face_frames"]) for one in each]
    recall, false = ([one[key] for one in each] for key in ("recall", "false_boxes_per_frame"))
    median = statistics.median(bare)
    return [
        name,
        f"{each[0]['face_frames']}",
        *map(str, bare),
        f"{median:g}",
        f"{max(bare)}" + ("!" if max(bare) > SPREAD * median else ""),
        f"{max(one['longest_bare_run'] for one in each)}",
        *(f"{value:.2%}" for value in (min(recall), max(recall))),
        *(f"{value:.3f}" for value in (max(false), min(false))),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and keep the figures."""
    try:
        from bench import scenes
    except ImportError as missing:
        print(f"skipped: OpenCV, which draws the scenes, cannot be loaded ({missing})", file=sys.stderr)
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench.steadiness", description="What shifted clips leave bare.")
    parser.add_argument("names", nargs="*", help="clips and scenes (default: all hard clips)")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    chosen = parser.parse_args(arguments)
    rows: dict[str, dict[str, Coverage]] = {}
    total = {variant.name: Coverage() for variant in VARIANTS}
    try:
        for scene in scenes.all_scenes(None if chosen.names else "hard", chosen.names):
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            rows[scene.name] = {variant.name: Coverage() for variant in VARIANTS}
            for variant in VARIANTS:
                path, truth = variant.of(scene.path, scene.truth)
                hidden = followed(path, options_for(scene))
                for row in (rows[scene.name], total):
                    row[variant.name].add(truth, hidden)
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    rows["all"] = total
    print(report.table(HEADS, [cells(name, found) for name, found in rows.items()]))
    print(f"\n{NOTE}")
    results = {name: figures(found) for name, found in rows.items()}
    if not chosen.names:
        print(report.save("bench-steadiness.json", results))
    if chosen.json:
        chosen.json.write_text(json.dumps({"environment": report.environment(), "results": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
