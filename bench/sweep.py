"""What one of the tracker's tuned numbers trades: ``python -m bench.sweep NAME VALUE ... [--clips A,B]``.

Sets ``facered.track.tuning.NAME`` to one value after the other, runs pass one anew with each on the clips and scenes of
`bench.accuracy`, and prints the totals. The present value, marked, is always among them. Numbers that only live
tracking reads change nothing here.
"""

from __future__ import annotations

import argparse
import ast
import sys
from typing import TYPE_CHECKING

from bench import clips, report
from facered.track import tuning

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADS = ("", "faces", "recall", "bare", "false", "ids", "IDF1", "frames/s")
CELLS = "{face_frames} {recall:.2%} {longest_bare_run} {false_boxes_per_frame:.3f} {ids_per_person:.2f} {idf1:.3f}"
UNFIT = (SyntaxError, TypeError, ValueError)


def parsed(text: str, present: object) -> object:
    """Return a value like the present one: a whole number, another, or a tuple of as many; or raise one of `UNFIT`."""
    value = ast.literal_eval(text)
    if isinstance(present, tuple) and len(value) != len(present):
        raise ValueError(text)
    found = tuple(map(float, value)) if isinstance(present, tuple) else type(present)(value)  # type: ignore[call-arg]
    if found != value:
        raise ValueError(text)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description="Try values of a tuned number.")
    parser.add_argument("name", help="of a number in facered.track.tuning")
    parser.add_argument("values", nargs="+", help="to try; a tuple in quotes: '(1.0, 0.4)'")
    parser.add_argument("--clips", default="", help="clips and scenes, with commas between them (default: all)")
    chosen = parser.parse_args(arguments)
    present = vars(tuning).get(chosen.name)
    if present is None or not chosen.name.isupper():
        parser.error(f"{chosen.name} is not in facered.track.tuning; see src/facered/track/tuning.py")
    try:
        values = [parsed(text, present) for text in chosen.values]
    except UNFIT:
        parser.error(f"a value of {chosen.name} must be like the present one, {present}")
    names = [name for name in chosen.clips.split(",") if name]
    try:
        from bench import accuracy, scenes

        films = list(scenes.all_scenes(names=names))
    except (ImportError, clips.MaterialMissingError) as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    if not films:
        parser.error(f"no clip or scene is called {' or '.join(names)}")
    accuracy.timed(films[0])  # what Numba compiles or loads is not part of the speed
    table = []
    for value in dict.fromkeys([present, *values]):
        setattr(tuning, chosen.name, value)
        print(f"... {chosen.name} = {value}", file=sys.stderr, flush=True)
        row = accuracy.Row()
        for film in films:
            row.add(film, accuracy.timed(film))
        figures = row.figures()["facered"]
        mark = " (present)" if value == present else ""
        table.append([f"{value}{mark}", *CELLS.format(**figures).split(), f"{figures['frames_per_second']:.0f}"])
    setattr(tuning, chosen.name, present)
    print(f"{chosen.name}\n{report.table(HEADS, table)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
