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
from facered.live.angles import Angles, Look
from facered.track.step import detection_limits

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from facered.detect.detector import Detection, Detector
    from facered.live.settings import Settings
    from facered.runtime.work import Inference
    from facered.track.schedule import TileRequest
    from facered.track.verification import Crop
    from facered.track.window import Window
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
        threshold, _ = detection_limits(options.threshold, options.max_faces)
        self._detector = detector
        self._angles = Angles(detector, threshold, hasty=settings.deadline is not None)
        self._beside = settings.detect == "async" or settings.deadline is not None
        self._worker: ThreadPoolExecutor | None = None
        self._running: Future[Detection] | None = None
        self._look: Look | None = None
        self._dropped = False
        self._frame = 0
        self.detections = self.late = 0

    @property
    def beside(self) -> bool:
        """Whether the detector works in a thread of its own."""
        return self._beside

    @property
    def inference(self) -> Inference:
        """How often the model was run, on how many pixels, and in which precision."""
        return self._detector.inference

    @property
    def free(self) -> bool:
        """Whether it may be given a picture."""
        return self._running is None

    def has_finer(self, size: tuple[int, int]) -> bool:
        """See `Detector.has_finer`."""
        return self._angles.has_finer(size)

    def begin_shot(self, seconds: float) -> None:
        """Take notice that a shot seems to begin at a time: how its pictures lie is not known."""
        self._angles.begin_shot(seconds)

    def detect(
        self,
        picture: Picture,
        frame: int,
        seconds: float,
        *,
        window: Window | None,
        tiles: TileRequest | None,
        until: float = 0.0,
    ) -> TimedDetection | None:
        """Look for faces in a picture, which is not needed any more when this returns.

        Parameters
        ----------
        picture : Picture
        frame : int
            Its number.
        seconds : float
            Its time.
        window : Window or None
            What of it to detect; None where tiles are enough.
        tiles : TileRequest or None
            Tiles to detect as well.
        until : float
            Until when by `time.monotonic` a thread beside the stream is waited for.

        Returns
        -------
        TimedDetection or None
            None if it is not ready: `collect` will return it.
        """
        look = self._angles.prepare(picture, seconds, window, tiles, keeps=self._beside)
        if not self._beside:
            return TimedDetection(frame, self._taken(look, look.run()))
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "facered detect")
        running = self._worker.submit(copy_context().run, look.run)
        self._running, self._look, self._frame = running, look, frame
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
        assert self._look is not None
        return TimedDetection(self._frame, self._taken(self._look, running.result()))

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop) -> Detection:
        """Detect faces on a crop about a (4,) box, while the frame waits; see `Detector.verify`."""
        return _checked(self._angles.verify(picture, box, crop))

    def forget(self) -> None:
        """Drop the detection that is being made, when it is done, and how pictures lie: it is of another stream."""
        self._dropped = self._running is not None
        self._angles.forget()

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _taken(self, look: Look, found: Detection) -> Detection:
        self._angles.note(look, _checked(found))
        self.detections += 1
        return found


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
