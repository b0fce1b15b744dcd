"""Whether a hidden face is still found: ``python -m bench.redetection``.

All faces of the photos and of a clip, enlarged by the default margin, are hidden with the default blur and, beside it,
in black through the same mask; then two detectors, at two sizes, look for them again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from math import ceil, floor
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from bench import clips, report
from bench.truth import Truth, enlarged, overlaps
from facered._native import blend
from facered.detect.detector import Detector
from facered.options import Options
from facered.styles import Blur, Hider
from facered.video import frames
from facered.video.frames import Picture

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.frame import VideoFrame

SIZES = (640, 1280)
SCORE = 0.5
SAME_FACE = 0.3
CLIP_STEP = 4
"""Every so many frames of the clip are looked at."""

Boxes = NDArray[np.float64]
Hide = Callable[[Picture, Boxes], None]
Shown = tuple[Picture, Boxes]


def blacken(picture: Picture, boxes: Boxes) -> None:
    """Fill the ellipses in (n, 4) boxes with black, feathered as `Blur` does."""
    feather = Blur().feather
    reach = enlarged(boxes, 1 + feather)
    for (x1, y1, x2, y2), outer in zip(boxes.tolist(), reach.tolist(), strict=True):
        left, top = max(floor(outer[0]), 0), max(floor(outer[1]), 0)
        right, bottom = min(ceil(outer[2]), picture.width), min(ceil(outer[3]), picture.height)
        if left >= right or top >= bottom:
            continue
        mask = np.empty((bottom - top, right - left), np.uint8)
        centre = (x1 + x2) / 2 - left, (y1 + y2) / 2 - top
        blend.ellipse_mask(mask, *centre, (x2 - x1) / 2, (y2 - y1) / 2, feather)
        _fill(picture.y[top:bottom, left:right], mask, 0 if picture.full_range else 16)
        if picture.u is not None and picture.v is not None:
            x, y = left // 2, top // 2
            small = np.empty(((bottom + 1) // 2 - y, (right + 1) // 2 - x), np.uint8)
            blend.subsample_mask(mask, left % 2 == 1, top % 2 == 1, small)
            for plane in (picture.u, picture.v):
                _fill(plane[y : y + small.shape[0], x : x + small.shape[1]], small, 128)


def _fill(region: NDArray[np.uint8], mask: NDArray[np.uint8], value: int) -> None:
    """Blend one value into a region through a mask: a single cell as large as the region."""
    height, width = region.shape
    cell = np.full((1, 1), 256 * value, np.uint16)
    blend.blend_cells(region, mask, cell, width, height, 0, 0, False, np.empty(3 * width + height, np.uint8))


def photos() -> Iterator[Shown]:
    """Yield each photo, writable, with the true boxes of its faces."""
    for path in clips.photos():
        with av.open(os.fspath(path)) as container:
            frame = next(container.decode(video=0))
        yield _writable(frame.reformat(format="yuvj420p")), Truth.read(path.with_suffix(".csv")).boxes


def clip() -> Iterator[Shown]:
    """Yield every `CLIP_STEP`-th frame of the clip, likewise."""
    truth = Truth.read(clips.media() / "carphone_pristine.csv")
    with av.open(os.fspath(clips.carphone())) as container:
        for number, frame in islice(enumerate(container.decode(video=0)), 0, None, CLIP_STEP):
            yield _writable(frame), truth.boxes[truth.at(number)]


def _writable(frame: VideoFrame) -> Picture:
    frame.make_writable()
    return frames.view(frame)


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
            detected = detector.detect(picture, SCORE, None).boxes.astype(float)
            found[name] += int((overlaps(boxes, detected) > SAME_FACE).any(axis=1).sum())
    return {"faces": faces} | {name: count / max(faces, 1) for name, count in found.items()}


def main() -> int:
    """Print the table and keep the figures."""
    ways: dict[str, Hide | None] = {
        "untouched": None,
        "default blur": Hider(Blur(Options().blur_radius)).hide,
        "black": blacken,
    }
    results: dict[str, dict[str, float]] = {}
    try:
        finders = detectors()
        for material, show in (("photos", photos), ("carphone", clip)):
            for way, hide in ways.items():
                results[f"{material}, {way}"] = found_again(show(), hide, finders)
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
