"""What facered is compared with: its own detector alone, frame by frame, ByteTrack on the same detections, and deface.

deface hides a box enlarged by ``2 * mask_scale - 1``: 1.6 times the face's size with its default of 1.3.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import facered.detect
from bench import clips
from bench.scores import Hidden, clipped
from bench.truth import enlarged
from facered.detect.detector import Detector
from facered.video.input.file import Reader
from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.video.frame import VideoFrame

    from facered.detect.detector import Detection
    from facered.options import Options

FOLDER = clips.CACHE / "detections"
MIN_SCORE = 0.1
"""Detections that ByteTrack is given have this score at least; it sorts out by itself."""
DEFACE_SCORE, DEFACE_SCALE = 0.2, 1.6
"""deface's defaults: the threshold, and how much larger than the face a box becomes."""
ALONE = {"alone": DEFACE_SCORE, "alone 0.3": 0.3}
"""Thresholds of the detector alone, by the names of the rivals."""


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


def hidden_by_rivals(path: Path, options: Options) -> dict[str, Hidden]:
    """Return what each rival hides in a video that facered's detector is given with these options."""
    detections = detected(path, options)
    byte = byte_tracked(detections)
    return {name: frame_by_frame(detections, score) for name, score in ALONE.items()} | {
        "ByteTrack": _rescaled(byte, options.margin),
        f"ByteTrack x{DEFACE_SCALE:g}": _rescaled(byte, DEFACE_SCALE),
    }


def frame_by_frame(detections: Detections, score: float) -> Hidden:
    """Return what detection alone hides from a score on, as deface enlarges boxes; each box has an id of its own."""
    length = len(detections.starts) - 1
    counted = np.repeat(np.arange(length), np.diff(detections.starts))
    keep = detections.scores >= score
    boxes = enlarged(detections.boxes[keep], DEFACE_SCALE)
    return Hidden(detections.size, length, counted[keep], np.arange(len(boxes)), boxes, DEFACE_SCALE)


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


def defaced(path: Path) -> Hidden:
    """Return what deface hides with its defaults; its ellipses are inscribed in the parts of boxes within the picture.

    Raises
    ------
    ImportError
        deface is not installed.
    """
    version = importlib.metadata.version("deface")
    found = _kept(FOLDER / "deface", path, _digest(path, version.encode()), _deface_detections)
    keep = found.scores >= DEFACE_SCORE
    counted = np.repeat(np.arange(len(found.starts) - 1), np.diff(found.starts))[keep]
    boxes = clipped(np.round(enlarged(found.boxes[keep], DEFACE_SCALE)), found.size)
    return Hidden(found.size, len(found.starts) - 1, counted, np.arange(len(boxes)), boxes, DEFACE_SCALE)


def detected(path: Path, options: Options) -> Detections:
    """Return what the detector finds by itself; kept in a file until the detector or the clip changes."""
    package = Path(facered.detect.__file__).parent
    code = [*sorted(package.glob("*.py")), *sorted((package / "models").glob("*.onnx"))]

    def search(path: Path) -> Detections:
        detector = Detector(options.model, options.threads, options.detect_size, options.precision)

        def rows(found: Detection) -> NDArray[np.float64]:
            return np.column_stack([found.boxes, found.scores]).astype(float)

        with Reader(path, options.threads) as reader:
            found = [rows(detector.detect(view(frame), MIN_SCORE)) for frame in reader.frames()]
            return _detections((reader.info.width, reader.info.height), reader.info.rate, found)

    return _kept(FOLDER, path, _digest(path, *(part.read_bytes() for part in code)), search)


def _deface_detections(path: Path) -> Detections:
    from deface.centerface import CenterFace

    with contextlib.redirect_stdout(io.StringIO()):  # it prints which processor it runs on
        model = CenterFace(backend="onnxrt")
    frames: Iterator[VideoFrame] = clips.decoded(path)
    found, size = [], (0, 0)
    for frame in frames:
        size = frame.width, frame.height
        found.append(np.asarray(model(frame.to_ndarray(format="rgb24"), threshold=DEFACE_SCORE)[0], np.float64))
    return _detections(size, Fraction(clips.RATE), found)


def _detections(size: tuple[int, int], rate: Fraction, found: list[NDArray[np.float64]]) -> Detections:
    """Return (n, 5) rows of each frame, boxes and scores, as one table."""
    rows = np.concatenate([np.empty((0, 5)), *(some.reshape(-1, 5) for some in found)])
    starts = np.append(0, np.cumsum([len(some) for some in found]))
    return Detections(size, float(rate), starts, rows[:, :4], rows[:, 4].astype(np.float32))


def _kept(folder: Path, path: Path, digest: str, search: Callable[[Path], Detections]) -> Detections:
    """Return detections from a folder, where they are kept by a digest of what they depend on, or search for them."""
    kept = folder / f"{path.stem}-{digest}.npz"
    if not kept.is_file():
        found = search(path)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"{path.stem}-*.npz"):
            stale.unlink()
        about = [*found.size, found.rate]
        np.savez(kept, about=about, starts=found.starts, boxes=found.boxes, scores=found.scores)
    with np.load(kept) as file:
        width, height, rate = file["about"].tolist()
        return Detections((int(width), int(height)), rate, file["starts"], file["boxes"], file["scores"])


def _digest(path: Path, *parts: bytes) -> str:
    """Return what detections depend on: the clip and whatever finds them."""
    every = (path.read_bytes(), *parts)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in every)).hexdigest()[:16]


def _rescaled(hidden: Hidden, factor: float) -> Hidden:
    boxes = enlarged(hidden.boxes, factor)
    return Hidden(hidden.size, hidden.length, hidden.frames, hidden.ids, boxes, factor)
