"""A film's pictures for whoever reviews it: bare, with boxes, hidden, or what is about a face."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from facered.hide.style import chosen_style
from facered.review.following import follow
from facered.review.rendering import Renderer, View
from facered.video.input.frames import Frames
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from facered.options import Options
    from facered.video.info import VideoInfo
    from facered.video.picture import VideoFrame

    Boxes = Mapping[int, NDArray[np.float64]]


class Screen:
    """Shows a film; from any thread, one picture at a time.

    Parameters
    ----------
    video : Path
    options : Options

    Attributes
    ----------
    info : VideoInfo
    size : (int, int)
        Width and height of the picture as it is shown.
    """

    def __init__(self, video: Path, options: Options) -> None:
        self._lock = threading.Lock()
        self._frames = Frames(video, options.stream, options.threads)
        self.info: VideoInfo = self._frames.info
        self.size = self.info.width, self.info.height
        self._renderer, self._shrink = Renderer(chosen_style(options), self.info.orientation), Shrinker()

    def begin(self, pts: NDArray[np.int64]) -> None:
        """Take the times of all frames."""
        self._frames.pts = pts

    def array(self, number: int, boxes: Boxes, kind: View) -> NDArray[np.uint8]:
        """Return a frame with boxes, x, y, width, height as fractions, as (height, width, 3) RGB."""
        with self._lock:
            return self._renderer.array(self._drawn(number, boxes, kind))

    def jpeg(self, number: int, boxes: Boxes, kind: View, width: int | None) -> bytes:
        """Return a frame with boxes as a JPEG, at most so many pixels wide."""
        with self._lock:
            return self._renderer.jpeg(self._drawn(number, boxes, kind), width)

    def portrait(self, number: int, box: NDArray[np.float64], side: int) -> bytes:
        """Return what is about a (4,) box in a frame as a JPEG, so many pixels high."""
        with self._lock:
            return self._renderer.portrait(self._frames.frame(number), self._corners(box[None])[0], side)

    def follow(self, number: int, box: NDArray[np.float64], rate: float) -> tuple[int, NDArray[np.float64]]:
        """Follow a (4,) box from a frame both ways; return the first frame and the (n, 4) boxes from there on."""
        size = np.array(self.size, np.float64)
        middle = np.concatenate([(box[:2] + box[2:] / 2) * size, box[2:] * size])
        with self._lock:
            first, found = follow(self._luma, number, middle, len(self._frames.pts), self.size, rate)
        found /= np.tile(size, 2)
        return first, np.concatenate([found[:, :2] - found[:, 2:] / 2, found[:, 2:]], axis=1)

    def close(self) -> None:
        """Close the film."""
        with self._lock:
            self._frames.close()

    def _drawn(self, number: int, boxes: Boxes, kind: View) -> VideoFrame:
        ids = [one for one, found in boxes.items() for _ in found]
        corners = self._corners(np.concatenate([np.empty((0, 4)), *boxes.values()]))
        return self._renderer.drawn(self._frames.frame(number), corners, ids, kind)

    def _corners(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        corners: NDArray[np.float64] = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        corners *= np.tile(self.size, 2)
        return corners

    def _luma(self, number: int) -> NDArray[np.uint8]:
        return self._shrink(view(self._frames.frame(number), self.info.orientation))
