"""The detector of a stream: inline, or in a thread beside it whose detections come when they are ready."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.errors import ServiceError
from facered.track.step import detection_limits

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from facered.detect.detector import Detection, Detector
    from facered.live.settings import Settings
    from facered.track.schedule import TileRequest
    from facered.video.picture import Picture


@dataclass(frozen=True, slots=True)
class TimedDetection:
    """What was detected in a frame, and the frame's number."""

    frame: int
    detection: Detection


class LiveDetector:
    """Runs the detector for one stream after the other.

    Parameters
    ----------
    detector : Detector
        Used by nobody else.
    settings : Settings
    """

    def __init__(self, detector: Detector, settings: Settings) -> None:
        options = settings.options
        self._detector = detector
        self._threshold, _ = detection_limits(options.threshold, options.max_faces)
        self._beside = settings.detect == "async" or settings.deadline is not None
        self._worker: ThreadPoolExecutor | None = None
        self._running: Future[Detection] | None = None
        self._dropped = False
        self._frame = 0
        self.detections = self.late = 0

    @property
    def beside(self) -> bool:
        """Whether the detector works in a thread of its own."""
        return self._beside

    @property
    def free(self) -> bool:
        """Whether it may be given a picture."""
        return self._running is None

    def detect(
        self, picture: Picture, frame: int, *, tiles: TileRequest | None, until: float = 0.0
    ) -> TimedDetection | None:
        """Look for faces in a picture, which is not needed any more when this returns.

        Parameters
        ----------
        picture : Picture
        frame : int
            Its number.
        tiles : TileRequest or None
            Tiles to detect as well.
        until : float
            Until when by `time.monotonic` a thread beside the stream is waited for.

        Returns
        -------
        TimedDetection or None
            None if it is not ready: `collect` will return it.
        """
        run = self._detector.prepare(picture, self._threshold, tiles=tiles)
        if not self._beside:
            found = _checked(run())
            self.detections += 1
            return TimedDetection(frame, found)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "facered detect")
        self._running, self._frame = self._worker.submit(copy_context().run, run), frame
        ready = self.collect(until)
        self.late += ready is None
        return ready

    def collect(self, until: float = 0.0) -> TimedDetection | None:
        """Return what the thread has detected, if anything; wait for it until a moment of `time.monotonic`."""
        running = self._running
        if running is None:
            return None
        if not running.done():
            wait([running], None if until == math.inf else max(until - time.monotonic(), 0))
        if not running.done():
            return None
        self._running = None
        if self._dropped:
            self._dropped = False
            return None
        found = _checked(running.result())
        self.detections += 1
        return TimedDetection(self._frame, found)

    def verify(self, picture: Picture, box: NDArray[np.float64]) -> Detection:
        """Detect faces on an enlarged crop about a (4,) box, while the frame waits."""
        return _checked(self._detector.verify(picture, box, self._threshold))

    def forget(self) -> None:
        """Drop the detection that is being made, when it is done: it is of another stream."""
        self._dropped = self._running is not None

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None


def _checked(found: Detection) -> Detection:
    """Return what a detector has found.

    Raises
    ------
    ServiceError
        It says of no place, or of no score, that a face is there: nobody knows where the faces are.
    """
    boxes, scores = found.boxes, found.scores
    fits = boxes.ndim == 2 and boxes.shape[1] == 4 and scores.shape == boxes.shape[:1]
    if not fits or not np.isfinite(boxes).all() or not np.isfinite(scores).all():
        raise ServiceError(
            f"the detector gave boxes of {boxes.shape} and scores of {scores.shape} that are not all finite numbers; "
            "the model is not fit, or damaged"
        )
    return found
