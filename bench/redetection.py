"""Whether a hidden face is still found: ``python -m bench.redetection``.

All faces of the photos, at several sizes and mirrored, and of a clip, enlarged by the default margin, are hidden in
every style; then two detectors, at two sizes, look for them again. Black through the same mask is what the others are
held to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from bench import clips, report
from bench.truth import Truth, enlarged, overlaps
from facered.detect.detector import Detector
from facered.hide.hider import Hider
from facered.hide.style import STYLES
from facered.options import Options
from facered.video.picture import Picture, view

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (640, 1280)
SCORE = 0.5
SAME_FACE = 0.3
SCALES = (1.0, 0.8, 0.6, 0.45)
"""Scales of the photos."""
CLIP_STEP = 4
"""Every so many frames of the clip count."""

Boxes = NDArray[np.float64]
Hide = Callable[[Picture, Boxes], None]
Shown = tuple[Picture, Boxes]


def photos() -> Iterator[Shown]:
    """Yield each photo at each scale, plain and mirrored, writable, with the true boxes of its faces."""
    for path in clips.photos():
        with av.open(os.fspath(path)) as container:
            photo = next(container.decode(video=0))
        truth = Truth.read(path.with_suffix(".csv")).boxes
        for scale in SCALES:
            width, height = round(photo.width * scale), round(photo.height * scale)
            pixels = photo.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray()
            boxes = truth * ([width / photo.width, height / photo.height] * 2)
            yield _writable(VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuvj420p")), boxes
            mirrored = np.ascontiguousarray(pixels[:, ::-1])
            boxes = np.column_stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]])
            yield _writable(VideoFrame.from_ndarray(mirrored, "rgb24").reformat(format="yuvj420p")), boxes


def clip() -> Iterator[Shown]:
    """Yield every `CLIP_STEP`-th frame of the clip, likewise."""
    truth = Truth.read(clips.media() / "carphone_pristine.csv")
    with av.open(os.fspath(clips.carphone())) as container:
        for number, frame in islice(enumerate(container.decode(video=0)), 0, None, CLIP_STEP):
            yield _writable(frame), truth.boxes[truth.at(number)]


def _writable(frame: VideoFrame) -> Picture:
    frame.make_writable()
    return view(frame)


def detectors() -> dict[str, Detector]:
    """Return CenterFace and, where it is at hand, YuNet, each at each size."""
    models: dict[str, Path | None] = {"CenterFace": None}
    try:
        models["YuNet"] = clips.models() / "yunet_n_dynamic.onnx"
    except clips.MaterialMissingError as missing:
        print(f"without YuNet: {missing}", file=sys.stderr)
    return {f"{name} {size}": Detector(model, 0, size) for name, model in models.items() for size in SIZES}


def found_again(shown: Iterator[Shown], hide: Hide | None, finders: dict[str, Detector]) -> dict[str, float]:
    """Return the share of the faces that each detector finds, and under ``"faces"`` how many there are."""
    faces, found = 0, dict.fromkeys(finders, 0)
    for picture, boxes in shown:
        if hide is not None:
            hide(picture, enlarged(boxes, Options().margin))
        faces += len(boxes)
        for name, detector in finders.items():
            detected = detector.detect(picture, SCORE).boxes.astype(float)
            found[name] += int((overlaps(boxes, detected) > SAME_FACE).any(axis=1).sum())
    return {"faces": faces} | {name: count / max(faces, 1) for name, count in found.items()}


def main() -> int:
    """Print the table and keep the figures."""
    styles: dict[str, Hide | None] = {"untouched": None}
    styles |= {name: Hider(style).hide for name, style in STYLES.items() if not style.outlined}
    results: dict[str, dict[str, float]] = {}
    try:
        finders = detectors()
        for material, show in (("photos", photos), ("carphone", clip)):
            for style, hide in styles.items():
                results[f"{material}, {style}"] = found_again(show(), hide, finders)
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    rows = [
        [name, str(shares["faces"]), *(f"{100 * shares[finder]:.1f}" for finder in finders)]
        for name, shares in results.items()
    ]
    print(report.table(["still found, %", "faces", *finders], rows))
    print(report.save("bench-redetection.json", results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
