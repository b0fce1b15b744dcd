"""Make the README's picture: a frame of a real clip before and after, side by side.

``python tools/make_pictures.py`` redacts carphone_pristine.mp4 and writes ``docs/before_after.jpg``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np

import facered
from fetch_clips import fetch

ROOT = Path(__file__).resolve().parent.parent
FRAMES = (20, 80)
SCALE = 2


def picture(path: Path, number: int) -> np.ndarray:
    """Return one frame of a video, enlarged, as (height, width, 3) uint8."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                size = {"width": frame.width * SCALE, "height": frame.height * SCALE}
                return frame.reformat(**size, format="rgb24", interpolation="LANCZOS").to_ndarray()
    raise ValueError(f"{path} has no frame {number}")


def save(pixels: np.ndarray, path: Path) -> None:
    """Write an RGB picture as JPEG."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj444p")
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream("mjpeg", rate=1, options={"qmin": "2", "qmax": "2"})
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuvj444p"
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def main() -> None:
    """Redact the clip and put frames of both side by side."""
    clips = ROOT / ".cache" / "clips"
    fetch(clips)
    source = clips / "carphone_pristine.mp4"
    with tempfile.TemporaryDirectory() as directory:
        redacted = facered.combined(source, directory).video_path
        pairs = [np.hstack([picture(source, n), picture(redacted, n)]) for n in FRAMES]
    save(np.hstack(pairs), ROOT / "docs" / "before_after.jpg")


if __name__ == "__main__":
    main()
