"""The tables of docs/figures.md, out of the figures that the benchmarks keep.

``python -m bench.markdown .cache/bench-{footage,accuracy,steadiness,leaks}.json`` prints a table for each
file; what is in it, the figures tell.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Figures = dict[str, Any]
    Columns = dict[str, Callable[[Figures], str]]


def _of(who: str, key: str, text: str) -> Callable[[Figures], str]:
    return lambda row: text.format(row[who][key])


def _share(who: str) -> Callable[[Figures], str]:
    return lambda row: _percent(row[who]["recall"])


def _percent(share: float) -> str:
    return "100 %" if share == 1 else f"{share:.2%}".replace("%", " %")


def _where_known(hidden: Figures, key: str) -> str:
    if key not in hidden:
        return ""
    return _percent(hidden[key]) if key == "recall" else str(hidden[key])


ACCURACY: Columns = {
    "face-frames": _of("facered", "face_frames", "{}"),
    "recall": _share("facered"),
    "tight": lambda row: _percent(row["facered"]["tight"]),
    "bare run": _of("facered", "longest_bare_run", "{}"),
    "false a frame": _of("facered", "false_boxes_per_frame", "{:.3f}"),
    "beyond": _of("facered", "area_beyond_truth", "{:.2f}"),
    "ids a person": _of("facered", "ids_per_person", "{:.2f}"),
    "IDF1": _of("facered", "idf1", "{:.3f}"),
    "Mpx a frame": _of("facered", "inference_megapixels_per_frame", "{:.3f}"),
    "alone: recall": _share("alone"),
    "run": _of("alone", "longest_bare_run", "{}"),
    "false": _of("alone", "false_boxes_per_frame", "{:.3f}"),
    "alone at 0.3: recall": _share("alone 0.3"),
    "run ": _of("alone 0.3", "longest_bare_run", "{}"),
    "false ": _of("alone 0.3", "false_boxes_per_frame", "{:.3f}"),
    "ByteTrack: recall": _share("ByteTrack"),
    "IDF1 ": _of("ByteTrack", "idf1", "{:.3f}"),
}
LEAKS: Columns = {
    "face-frames": _of("facered", "face_frames", "{}"),
    "facered: bare": _of("facered", "bare_face_frames", "{}"),
    "recall": _share("facered"),
    "bare run": _of("facered", "longest_bare_run", "{}"),
    "false a frame": _of("facered", "false_boxes_per_frame", "{:.3f}"),
    "deface: bare": _of("deface", "bare_face_frames", "{}"),
    "recall ": _share("deface"),
    "bare run ": _of("deface", "longest_bare_run", "{}"),
    "false a frame ": _of("deface", "false_boxes_per_frame", "{:.3f}"),
}
FOOTAGE: Columns = {
    "frames": lambda row: str(row["frames"]),
    "Mpx a frame": lambda row: f"{row['veryfast']['megapixels_per_frame']:.3f}",
    "calls a frame": lambda row: f"{row['veryfast']['calls_per_frame']:.2f}",
    "veryfast: times the floor": _of("veryfast", "floor_ratio", "{:.2f}"),
    "CPU": _of("veryfast", "floor_cpu_ratio", "{:.2f}"),
    "medium: times the floor": _of("medium", "floor_ratio", "{:.2f}"),
    "CPU ": _of("medium", "floor_cpu_ratio", "{:.2f}"),
    "times as fast as deface": lambda row: (
        f"{row['veryfast']['times_deface']:.1f}" if "times_deface" in row["veryfast"] else ""
    ),
    "recall": lambda row: _where_known(row["hidden"], "recall"),
    "bare run": lambda row: _where_known(row["hidden"], "longest_bare_run"),
    "deface: recall": lambda row: _where_known(row["deface"], "recall"),
    "bare run ": lambda row: _where_known(row["deface"], "longest_bare_run"),
}
"""Columns of the tables by their headings; those of one name differ by a space."""


def steadiness(row: Figures) -> Columns:
    """Return the columns of the table of variants like those of a row."""

    def bare(name: str) -> Callable[[Figures], str]:
        return lambda row: str(row["variants"][name]["bare_face_frames"])

    return {
        **{name: bare(name) for name in row["variants"]},
        "median": lambda row: f"{row['median_bare']:g}",
        "worst": lambda row: f"{row['worst_bare']}",
        "longest bare run": lambda row: str(max(one["longest_bare_run"] for one in row["variants"].values())),
    }


def by_precision(results: Figures) -> Figures:
    """Return the figures of films as rows, one a precision."""
    return {
        f"{name}, {precision}": {
            "frames": row["frames"],
            **presets,
            "hidden": row["hidden"].get(precision, {}),
            "deface": row["hidden"].get("deface", {}),
        }
        for name, row in results.items()
        for precision, presets in row["combined"].items()
    }


def table(results: Figures) -> str:
    """Return the figures of one benchmark as a table; totals, which come last, are bold."""
    first = next(iter(results.values()))
    columns = steadiness(first) if "variants" in first else ACCURACY if "alone" in first else LEAKS
    if "combined" in first:
        columns, results = FOOTAGE, by_precision(results)
    lines = [f"| clip | {' | '.join(head.strip() for head in columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, row in results.items():
        words = name.replace("_", " ")
        label = f"**{words}**" if words.partition(" ")[0] == "all" else words
        lines.append(f"| {label} | {' | '.join(cell(row) for cell in columns.values())} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.markdown", description="Tables for docs/figures.md.")
    parser.add_argument("files", nargs="+", type=Path, help="what bench.footage, accuracy, steadiness or leaks kept")
    for path in parser.parse_args(arguments).files:
        print(f"{table(json.loads(path.read_text())['results'])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
