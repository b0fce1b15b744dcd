"""The detector at work for one stream: inline, or in a thread beside it whose results come when they are ready."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facered.track.schedule import DOUBTFUL, SURPLUS

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from facered.detect.detector import Detection, Detector
    from facered.live.settings import Settings
    from facered.track.schedule import FineLook
    from facered.video.picture import Picture


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was detected in a frame, by the frame's number."""

    frame: int
    detection: Detection


class Watch:
    """Runs the detector.

    Parameters
    ----------
    detector : Detector
        Used by nobody else.
    settings : Settings
    """

    def __init__(self, detector: Detector, settings: Settings) -> None:
        options = settings.options
        self._detector = detector
        self._threshold = options.threshold * DOUBTFUL
        self._limit = options.max_faces and SURPLUS * options.max_faces
        self._beside = settings.detect == "async" or settings.deadline is not None
        self._worker: ThreadPoolExecutor | None = None
        self._job: Future[Detection] | None = None
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
        return self._job is None

    def detect(self, picture: Picture, frame: int, *, fine: FineLook | None, until: float = 0.0) -> Sighting | None:
        """Look for faces in a picture, which is not needed any more when this returns.

        Parameters
        ----------
        picture : Picture
        frame : int
            Its number.
        fine : FineLook or None
            Where to look for small faces as well.
        until : float
            Until when by `time.monotonic` a thread beside the stream is waited for.

        Returns
        -------
        Sighting or None
            None if it is not ready: `collect` will return it.
        """
        run = self._detector.prepare(picture, self._threshold, self._limit, fine=fine)
        if not self._beside:
            self.detections += 1
            return Sighting(frame, run())
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "facered detect")
        self._job, self._frame = self._worker.submit(copy_context().run, run), frame
        found = self.collect(until)
        self.late += found is None
        return found

    def collect(self, until: float = 0.0) -> Sighting | None:
        """Return what has been detected, as soon as it has; wait for it until then."""
        job = self._job
        if job is None:
            return None
        if not job.done():
            wait([job], None if until == math.inf else max(until - time.monotonic(), 0))
        if not job.done():
            return None
        self._job = None
        if self._dropped:
            self._dropped = False
            return None
        self.detections += 1
        return Sighting(self._frame, job.result())

    def look(self, picture: Picture, box: NDArray[np.float64]) -> Detection:
        """Look for faces about a box again, enlarged, inline."""
        return self._detector.look(picture, box, self._threshold)

    def forget(self) -> None:
        """Drop what is being detected, when it is done: it is of another stream."""
        self._dropped = self._job is not None

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None
