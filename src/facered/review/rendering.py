"""Frames as a person sees them: upright, bare or with the masks drawn by the kernels that draw them in the result."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from facered.hide.hider import Hider
from facered.hide.style import STYLES
from facered.video.orientation import UPRIGHT
from facered.video.output.images import encode_image, shown
from facered.video.picture import VideoFrame, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.hide.style import Style
    from facered.video.orientation import Orientation

JPEG_OPTIONS = {"qmin": "4", "qmax": "4"}
"""FFmpeg's scale of quantisers, on which 1 is the best; by hand. Larger: blocks show. Smaller: bytes."""
SURROUNDINGS = 1.6
"""Sides of a face's picture in multiples of its box."""
MIN_SIDE = 16


class View(Enum):
    """What is drawn into a frame."""

    SOURCE = "source"
    BOXES = "boxes"
    REDACTED = "redacted"


class Renderer:
    """Draws frames; keeps scratch memory, so one a thread.

    Parameters
    ----------
    style : Style
    orientation : Orientation
        How the film's pictures are turned when they are shown.
    """

    def __init__(self, style: Style, orientation: Orientation) -> None:
        self._hiders = {View.REDACTED: Hider(style), View.BOXES: Hider(STYLES["Box"])}
        self._orientation = orientation

    def drawn(self, frame: VideoFrame, boxes: NDArray[np.float64], ids: list[int], kind: View) -> VideoFrame:
        """Return a frame with boxes, (n, 4), x1, y1, x2, y2 in pixels of the shown picture, drawn or hidden in it."""
        if kind is View.SOURCE or not len(boxes):
            return frame
        source, copy = view(frame, self._orientation), VideoFrame(frame.width, frame.height, frame.format.name)
        target = view(copy, self._orientation)
        for into, plane in ((target.y, source.y), (target.u, source.u), (target.v, source.v)):
            if into is not None and plane is not None:
                into[:] = plane
        copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
        meaning = replace(target, matrix=source.matrix, full_range=source.full_range, interlaced=source.interlaced)
        self._hiders[kind].hide(meaning, boxes, ids)
        return copy

    def array(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return it as it is shown, (height, width, 3) RGB."""
        return np.ascontiguousarray(shown(frame, self._orientation, None, "rgb24").to_ndarray())

    def jpeg(self, frame: VideoFrame, width: int | None = None) -> bytes:
        """Return it as it is shown, as a JPEG file's content, at most so many pixels wide."""
        return encode_image(shown(frame, self._orientation, width, "yuvj420p"), "mjpeg", JPEG_OPTIONS)

    def portrait(self, frame: VideoFrame, box: NDArray[np.float64], side: int) -> bytes:
        """Return what is about a box, x1, y1, x2, y2 in pixels of the shown picture, as a JPEG of a height."""
        picture = self.array(frame)
        x1, y1, x2, y2 = box.tolist()
        half = max(x2 - x1, y2 - y1, MIN_SIDE) * SURROUNDINGS / 2
        left, top = max(floor((x1 + x2) / 2 - half), 0), max(floor((y1 + y2) / 2 - half), 0)
        right, bottom = ceil((x1 + x2) / 2 + half), ceil((y1 + y2) / 2 + half)
        left, top = min(left, picture.shape[1] - MIN_SIDE), min(top, picture.shape[0] - MIN_SIDE)
        part = np.ascontiguousarray(picture[max(top, 0) : bottom, max(left, 0) : right])
        small = VideoFrame.from_ndarray(part, format="rgb24")
        width = max(1, round(side * part.shape[1] / part.shape[0]))
        return encode_image(shown(small, UPRIGHT, width, "yuvj420p"), "mjpeg", JPEG_OPTIONS)
