"""Redact a camera's pictures, which are NumPy arrays in BGR.

    python examples/camera.py                 # a made-up camera; 100 frames into camera.mp4
    python examples/camera.py --opencv 0      # the first real one, by OpenCV: pip install opencv-python

The faces are hidden in the arrays themselves; no other sample changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

import facered

RATE = 25
Picture = np.ndarray


def made_up(count: int, width: int = 640, height: int = 360) -> Iterator[Picture]:
    """Yield pictures of a disc that wanders over a gradient."""
    y, x = np.mgrid[:height, :width]
    back = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], axis=2).astype(np.uint8)
    for number in range(count):
        picture = back.copy()
        picture[(x - 3 * number % width) ** 2 + (y - height // 2) ** 2 < 50**2] = (140, 170, 220)
        yield picture


def opencv(device: int, count: int) -> Iterator[Picture]:
    """Yield pictures of a real camera."""
    import cv2

    camera = cv2.VideoCapture(device)
    try:
        for _ in range(count):
            there, picture = camera.read()
            if not there:
                raise SystemExit(f"camera {device} sends nothing")
            yield picture
    finally:
        camera.release()


def record(pictures: Iterator[Picture], target: str) -> int:
    """Redact pictures, encode them, and return how many there were."""
    frames = 0
    with av.open(target, "w") as output, facered.Redactor(rate=RATE) as redactor:
        encoder = output.add_stream("libx264", rate=RATE, options={"tune": "zerolatency"})
        for number, picture in enumerate(pictures):
            if not number:
                encoder.height, encoder.width, encoder.pix_fmt = *picture.shape[:2], "yuv420p"
            for clean in redactor.process(picture, "bgr24", pts=number / RATE):
                frame = av.VideoFrame.from_ndarray(clean, format="bgr24")
                frame.pts, frame.time_base = frames, Fraction(1, RATE)
                output.mux(encoder.encode(frame))
                frames += 1
        output.mux(encoder.encode(None))
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?", default="camera.mp4")
    parser.add_argument("--opencv", metavar="DEVICE", type=int, help="a real camera, by its number")
    parser.add_argument("--frames", type=int, default=100)
    given = parser.parse_args()
    seen = made_up(given.frames) if given.opencv is None else opencv(given.opencv, given.frames)
    print(record(seen, given.target), "frames in", given.target)
