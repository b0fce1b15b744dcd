"""How many faces are hidden, for how long they are bare, and how much else is hidden: ``python -m bench.accuracy``.

Runs pass one with its defaults on every clip with truth and on the scenes made from photos. Beside it stand, fed by the
same detector: detection alone, frame by frame at deface's threshold with boxes enlarged to 1.3 times their size, as
``--mask-scale 1.3`` of deface reads; and ByteTrack as the package ``trackers`` has it, with its own defaults, whose
tracks' boxes are enlarged by facered's own margin.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import facered.detect
from bench import clips, report
from bench.scores import Coverage, Hidden, Identities
from bench.truth import enlarged
from facered.detect.detector import Detector
from facered.jobs.analyze import analyze_video
from facered.options import Options
from facered.video.input.file import Reader
from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenes import Scene

FOLDER = clips.CACHE / "detections"
MIN_SCORE = 0.1
"""Detections that ByteTrack is given have this score at least; it sorts out by itself."""
ALONE_SCORE, ALONE_SCALE = 0.2, 1.3
CROWDED = "audience"
"""The scene with more than 64 faces: judged without a cap, and then with it."""
MIN_RECALL = {"real": 0.995, "scene": 0.99}
MAX_BARE = {"real": 2, "scene": 5}
MAX_FALSE, MAX_BEYOND, MAX_IDS, MIN_IDF1 = 0.05, 1.5, 1.1, 0.95

RIVALS = ("alone", "ByteTrack", "ByteTrack x1.3")
HEADS = ["", "faces", "recall %", "alone", "ByteTr", "bare", "alone", "ByteTr", "false", "alone", "ByteTr"]
HEADS += ["beyond", "alone", "ByteTr", "ids", "ByteTr", "IDF1", "ByteTr", "frames/s"]
NOTE = """\
recall: face-frames covered. bare: longest run of frames in which a person is not covered. false: hidden boxes on
nobody, a frame. beyond: hidden area / area of the faces - 1. ids: a person. alone: detection frame by frame, boxes
x1.3. ByteTr: ByteTrack on the same detections. ! misses its target, < ByteTrack does better."""


@dataclass(frozen=True, slots=True)
class Detections:
    """The boxes in each frame of a video, by score, from `MIN_SCORE` on.

    Attributes
    ----------
    size : tuple of int
        Width and height of the picture.
    rate : float
    starts : (frames + 1,) int64
        Rows of frame i: ``starts[i]:starts[i + 1]``.
    boxes : (n, 4) float64
    scores : (n,) float32
    """

    size: tuple[int, int]
    rate: float
    starts: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]


@dataclass(slots=True)
class Row:
    """A line of the table: one clip, or the sum of several."""

    kinds: set[str] = field(default_factory=set)
    cut: bool = False
    facered: Coverage = field(default_factory=Coverage)
    identities: Identities = field(default_factory=Identities)
    rivals: dict[str, Coverage] = field(default_factory=lambda: {name: Coverage() for name in RIVALS})
    rival_identities: Identities = field(default_factory=Identities)
    seconds: float = 0.0

    def add(self, scene: Scene, hidden: Hidden, seconds: float) -> None:
        """Count what facered hides in a clip, and the time it takes."""
        self.kinds.add(scene.kind)
        self.cut |= scene.has_cut
        self.seconds += seconds
        self.facered.add(scene.truth, hidden)
        self.identities.add(scene.truth, hidden)

    def figures(self) -> dict[str, dict[str, float]]:
        """Return everything, for the JSON."""
        speed = {"frames_per_second": self.facered.frames / max(self.seconds, 1e-9)}
        rivals = {name: coverage.figures() for name, coverage in self.rivals.items()}
        rivals["ByteTrack"] |= self.rival_identities.figures()
        return {"facered": self.facered.figures() | self.identities.figures() | speed} | rivals

    def cells(self, name: str) -> list[str]:
        """Return the line as text."""
        figures = self.figures()
        own, alone, byte = (figures[key] for key in ("facered", "alone", "ByteTrack"))
        kind = "real" if self.kinds == {"real"} else "scene"

        def beside(key: str, text: str, missed: bool, worse: bool) -> list[str]:
            rivals = [text.format(rival[key]) for rival in (alone, byte) if key in rival]
            return [text.format(own[key]) + ("!" if missed else "") + ("<" if worse else ""), *rivals]

        recall, bare, ids, idf1 = (own[key] for key in ("recall", "longest_bare_run", "ids_per_person", "idf1"))
        return [
            name,
            str(own["face_frames"]),
            *beside("recall", "{:.2%}", recall < MIN_RECALL[kind], recall < byte["recall"]),
            *beside("longest_bare_run", "{}", bare > MAX_BARE[kind], bare > byte["longest_bare_run"]),
            *beside("false_boxes_per_frame", "{:.3f}", own["false_boxes_per_frame"] > MAX_FALSE, False),
            *beside("area_beyond_truth", "{:.2f}", own["area_beyond_truth"] > MAX_BEYOND, False),
            *beside("ids_per_person", "{:.2f}", not self.cut and ids > MAX_IDS, ids > byte["ids_per_person"]),
            *beside("idf1", "{:.3f}", not self.cut and idf1 < MIN_IDF1, idf1 < byte["idf1"]),
            f"{own['frames_per_second']:.0f}",
        ]


def measure(scene: Scene, rows: Sequence[Row]) -> None:
    """Analyse a clip and add it to rows of the table."""
    options = options_for(scene)
    hidden, seconds = timed(scene)
    detections = detected(scene.path, options)
    byte = byte_tracked(detections)
    rivals = {
        "alone": frame_by_frame(detections),
        "ByteTrack": replace(byte, boxes=enlarged(byte.boxes, options.margin), margin=options.margin),
        "ByteTrack x1.3": replace(byte, boxes=enlarged(byte.boxes, ALONE_SCALE), margin=ALONE_SCALE),
    }
    for row in rows:
        row.add(scene, hidden, seconds)
        row.rival_identities.add(scene.truth, rivals["ByteTrack"])
        for name, rival in rivals.items():
            row.rivals[name].add(scene.truth, rival)


def options_for(scene: Scene) -> Options:
    """Return the defaults, without the cap where there are more faces than that."""
    return Options(max_faces=None) if scene.name.startswith(CROWDED) else Options()


def timed(scene: Scene) -> tuple[Hidden, float]:
    """Return what facered hides in a clip, and the seconds that it takes."""
    begun = time.perf_counter()
    hidden = followed(scene.path, options_for(scene))
    return hidden, time.perf_counter() - begun


def followed(path: Path, options: Options) -> Hidden:
    """Return what facered hides."""
    with Reader(path, options.threads) as reader:
        found = analyze_video(reader, options).annotations
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


def frame_by_frame(detections: Detections) -> Hidden:
    """Return what detection alone hides; every box has an id of its own."""
    counted = np.repeat(np.arange(len(detections.starts) - 1), np.diff(detections.starts))
    keep = detections.scores >= ALONE_SCORE
    boxes = enlarged(detections.boxes[keep], ALONE_SCALE)
    length = len(detections.starts) - 1
    return Hidden(detections.size, length, counted[keep], np.arange(len(boxes)), boxes, ALONE_SCALE)


def byte_tracked(detections: Detections) -> Hidden:
    """Return the boxes that ByteTrack gives to tracks, as large as the detector made them."""
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=detections.rate)
    boxes: list[NDArray[np.float64]] = [np.empty((0, 4))]
    ids: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    counts: list[int] = []
    for first, last in zip(detections.starts[:-1], detections.starts[1:], strict=True):
        scores = detections.scores[first:last].astype(float)
        found = tracker.update(supervision.Detections(xyxy=detections.boxes[first:last], confidence=scores))
        numbers = np.asarray(found.tracker_id, np.int64)
        counts.append(int((numbers >= 0).sum()))
        boxes.append(np.asarray(found.xyxy, np.float64)[numbers >= 0])
        ids.append(numbers[numbers >= 0])
    rows = np.repeat(np.arange(len(counts)), counts)
    return Hidden(detections.size, len(counts), rows, np.concatenate(ids), np.concatenate(boxes), 1.0)


def detected(path: Path, options: Options) -> Detections:
    """Return what the detector finds by itself; kept in a file until the detector or the clip changes."""
    kept = FOLDER / f"{path.stem}-{_key(path)}.npz"
    if not kept.is_file():
        detector = Detector(options.model, options.threads, options.detect_size, options.precision)
        boxes, scores, counts = [], [], []
        with Reader(path, options.threads) as reader:
            for frame in reader.frames():
                found = detector.detect(view(frame), MIN_SCORE, None)
                boxes.append(found.boxes.astype(float))
                scores.append(found.scores)
                counts.append(len(found.boxes))
            size, rate = (reader.info.width, reader.info.height), reader.info.rate
        FOLDER.mkdir(parents=True, exist_ok=True)
        for stale in FOLDER.glob(f"{path.stem}-*.npz"):
            stale.unlink()
        starts = np.append(0, np.cumsum(counts))
        rates = [*size, rate.numerator, rate.denominator]
        np.savez(kept, about=rates, starts=starts, boxes=np.concatenate(boxes), scores=np.concatenate(scores))
    with np.load(kept) as file:
        width, height, numerator, denominator = file["about"].tolist()
        rate = Fraction(numerator, denominator)
        return Detections((width, height), float(rate), file["starts"], file["boxes"], file["scores"])


def _key(path: Path) -> str:
    """Return what detections depend on: the clip, the model and the code around it."""
    package = Path(facered.detect.__file__).parent
    parts = [path, *sorted(package.glob("*.py")), *sorted((package / "models").glob("*.onnx"))]
    return hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)).hexdigest()[:16]


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
    parser.add_argument("--set", choices=["real", *scenes.SETS], help="only these")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    chosen = parser.parse_args(arguments)
    rows: dict[str, Row] = {}
    totals: dict[str, Row] = {}
    notes = []
    try:
        for scene in scenes.all_scenes(chosen.set, chosen.names):
            print(f"... {scene.name}", file=sys.stderr, flush=True)
            if not rows:
                followed(scene.path, Options())  # what Numba compiles or loads is not part of the speed
            rows[scene.name] = Row()
            measure(scene, [rows[scene.name], totals.setdefault(f"all of {scene.group}", Row())])
            if scene.name.startswith(CROWDED):
                notes.append(_capped(scene))
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    rows |= totals
    print(report.table(HEADS, [row.cells(name) for name, row in rows.items()]))
    print("\n" + "\n".join([NOTE, *notes]))
    results = {name: row.figures() for name, row in rows.items()}
    if not chosen.names and not chosen.set:
        print(report.save("bench-accuracy.json", results))
    if chosen.json:
        chosen.json.write_text(json.dumps({"environment": report.environment(), "results": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
