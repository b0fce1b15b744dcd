"""One JPEG a person: the best picture of each face while a video is analysed.

The numbers below were set by hand. "Larger" and "smaller" tell what becomes worse then.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from facered.video.orientation import UPRIGHT, Orientation
from facered.video.output.images import encode_image
from facered.video.picture import VideoFrame, view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from facered.video.picture import Picture

MAX_THUMBNAIL_SIDE = 512
"""Most pixels along the longer side of a thumbnail. Larger: bytes. Smaller: people cannot be told apart."""
THUMBNAIL_SCALE = 1.6
"""Sides of the thumbnail in multiples of the detected face's. Larger: a small face. Smaller: no hair, nothing around
it."""
MIN_IMPROVEMENT = 1.15
"""Factor by which a new thumbnail must be better than the last. Larger: a worse one stays. Smaller: time, for
encoding."""
SYMMETRY_SAMPLES = 24
"""Samples across a face, about, on which its symmetry is judged; sharpness is judged on every one. Larger: time.
Smaller: symmetry is judged coarsely."""
MAX_USEFUL_WIDTH = 200.0
"""Width of a face in pixels beyond which a larger one is not better. Larger: near faces win over sharp ones. Smaller:
small ones count as large."""
JPEG_OPTIONS = {"qmin": "3", "qmax": "3"}
"""FFmpeg's scale of quantisers, on which 1 is the best. Larger: blocks show. Smaller: bytes."""


class Thumbnails:
    """Keeps the best picture of each track as JPEG, so that memory grows with people, not with frames.

    Parameters
    ----------
    orientation : Orientation
        How the pictures are turned when they are shown.
    """

    def __init__(self, orientation: Orientation = UPRIGHT) -> None:
        self._orientation = orientation
        self._best: dict[int, tuple[float, bytes]] = {}

    def offer(self, key: int, frame: VideoFrame, box: NDArray[np.float32], score: float) -> None:
        """Take a picture of a face if it is better than what there is.

        Parameters
        ----------
        key : int
            Whose face it is.
        frame : av.VideoFrame
            In a native format; read only.
        box : (4,) float32
            x1, y1, x2, y2 of the face in pixels of the picture as it is shown.
        score : float
            The detector's.
        """
        width = float(box[2] - box[0])
        best = self._best.get(key, (0.0, b""))[0]
        # The face's own quality is 1 at most: it is measured only where that would be enough.
        limit = score**2 * min(width / MAX_USEFUL_WIDTH, 1.0)
        if limit < best * MIN_IMPROVEMENT:
            return
        picture = view(frame, self._orientation)
        quality = limit * face_quality(picture.upright(), box)
        if quality >= best * MIN_IMPROVEMENT and quality > 0:
            self._best[key] = quality, encode(crop(frame, box, self._orientation))

    def best(self, keys: Iterable[int]) -> tuple[float, bytes] | None:
        """Return how good the best picture of a person is, known by some keys, and a JPEG file's content, if any."""
        return max((self._best[key] for key in keys if key in self._best), default=None)


def face_quality(picture: Picture, box: NDArray[np.float32]) -> float:
    """Return how well a face is seen, 0 to 1: sharp, frontal (as symmetric as can be), not cut by the border."""
    x1, y1, x2, y2 = box.tolist()
    left, right = max(floor(x1), 0), min(ceil(x2), picture.width)
    top, bottom = max(floor(y1), 0), min(ceil(y2), picture.height)
    if right - left < 4 or bottom - top < 4:
        return 0.0
    visible = (right - left) * (bottom - top) / max((x2 - x1) * (y2 - y1), 1.0)
    step = max(1, (right - left) // SYMMETRY_SAMPLES)
    scale = np.float32(1 / (1 << (picture.depth - 8)))
    face = picture.y[top:bottom:step, left:right:step] * scale
    face -= face.mean()
    energy = float((face * face).mean())
    if energy < 1:
        return 0.0
    symmetry = float((face * face[:, ::-1]).mean()) / energy
    sharpness = (
        float(np.abs(np.diff(picture.y[top:bottom, left:right].astype(np.int32), axis=1)).mean() * scale) / energy**0.5
    )
    quality: float = min(visible, 1.0) ** 4 * (1.2 + symmetry) / 2.2 * sharpness / (sharpness + 0.1)
    return quality


def crop(frame: VideoFrame, box: NDArray[np.float32], orientation: Orientation = UPRIGHT) -> VideoFrame:
    """Return the face with its surroundings, upright and in full range, of `MAX_THUMBNAIL_SIDE` pixels at most.

    The box is that of the face in the picture as it is shown.
    """
    source = view(frame, orientation).upright()
    x1, y1, x2, y2 = box.tolist()
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    half_x, half_y = THUMBNAIL_SCALE * (x2 - x1) / 2, THUMBNAIL_SCALE * (y2 - y1) / 2
    # Even corners keep chroma aligned.
    left, top = max(floor(centre_x - half_x), 0) & ~1, max(floor(centre_y - half_y), 0) & ~1
    width, height = min(ceil(centre_x + half_x), source.width) - left, min(ceil(centre_y + half_y), source.height) - top
    halved = (source.across, source.down) == (2, 2)
    part = VideoFrame(width, height, "gray" if source.u is None else "yuv420p" if halved else "yuv444p")
    target, excess = view(part), source.depth - 8
    target.y[:] = source.y[top : top + height, left : left + width] >> excess
    for into, plane in ((target.u, source.u), (target.v, source.v)):
        if into is not None and plane is not None:
            across, down = (1, 1) if halved else (source.across, source.down)
            # Other subsampling than by two each way is undone: such a part may have no format of its own when turned.
            y, x = (np.arange(n) for n in into.shape)
            first_x, first_y = (left // 2, top // 2) if halved else (left, top)
            rows, columns = (y + first_y) // down, (x + first_x) // across
            into[:] = plane[np.ix_(rows, columns)] >> excess
    part.color_range = 2 if source.full_range else 1
    scale = min(1.0, MAX_THUMBNAIL_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return part.reformat(
        *size, format="yuvj420p", src_color_range="JPEG" if source.full_range else "MPEG", dst_color_range="JPEG"
    )


def encode(picture: VideoFrame) -> bytes:
    """Return a JPEG file's content."""
    return encode_image(picture, "mjpeg", JPEG_OPTIONS)
