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
    """What was detected in a frame, the frame's number, whether it was only a part of the larger picture, its time."""

    frame: int
    detection: Detection
    part: bool = False
    seconds: float = 0.0


class LiveDetector:
    """Runs the detector for one stream after the other.

    Parameters
    ----------
    detector : Detector
        Used by nobody else.
    settings : Settings

    Attributes
    ----------
    waited : float
        Seconds that the thread beside the stream has been waited for.
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
        self._part = False
        self._dropped = False
        self._frame = 0
        self.detections = self.late = 0
        self.waited = 0.0

    @property
    def beside(self) -> bool:
        """Whether the detector works in a thread of its own."""
        return self._beside

    @property
    def inference(self) -> Inference:
        """How often the model was run, on how many pixels, and in which precision."""
        return self._detector.inference

    @property
    def counts(self) -> tuple[int, int, Inference]:
        """How many detections were completed, how many of them late, and the inference."""
        return self.detections, self.late, self.inference

    @property
    def free(self) -> bool:
        """Whether it may be given a picture."""
        return self._running is None

    def finer(self, size: tuple[int, int]) -> float | None:
        """See `Detector.finer`."""
        return self._angles.finer(size)

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
            What of it to detect.
        tiles : TileRequest or None
            A part of the larger picture to detect instead.
        until : float
            Until when by `time.monotonic` a thread beside the stream is waited for.

        Returns
        -------
        TimedDetection or None
            None if it is not ready: `collect` will return it.
        """
        look = self._angles.prepare(picture, seconds, window, tiles, keeps=self._beside)
        ready = self._run(look, frame, until, part=window is None)
        self.late += ready is None
        return ready

    def look_at_angle(self, picture: Picture, frame: int, seconds: float, *, until: float = 0.0) -> None:
        """Look at a picture at the angle that waits; parameters are those of `detect`."""
        self._run(self._angles.prepare_angle(picture, seconds, keeps=self._beside), frame, until, part=True)

    @property
    def angle_waits(self) -> bool:
        """Whether another angle is to be looked at, when there is time."""
        return self._angles.waits

    def has_turned(self) -> bool:
        """Tell, once, whether pictures are to be detected at another angle from now on."""
        turned, self._angles.turned = self._angles.turned, False
        return turned

    def _run(self, look: Look, frame: int, until: float, *, part: bool) -> TimedDetection | None:
        """Make a detection, here or in the thread; return it if it is ready and says of the picture who is there."""
        if not self._beside:
            return self._told(look, frame, look.run(), part)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "facered detect")
        self._running = self._worker.submit(copy_context().run, look.run)
        self._look, self._frame, self._part = look, frame, part
        return self.collect(until)

    def collect(self, until: float = 0.0) -> TimedDetection | None:
        """Return what the thread has detected, if anything; wait for it until a moment of `time.monotonic`."""
        running = self._running
        if running is None:
            return None
        if not running.done():
            begun = time.monotonic()
            wait([running], None if until == math.inf else max(until - begun, 0))
            self.waited += time.monotonic() - begun
        if not running.done():
            return None
        self._running = None
        if self._dropped:
            self._dropped = False
            return None
        assert self._look is not None
        return self._told(self._look, self._frame, running.result(), self._part)

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop) -> Detection:
        """Detect faces on a crop about a (4,) box, while the frame waits; see `Detector.verify`."""
        return _checked(self._angles.verify(picture, box, crop))

    def forget(self) -> None:
        """Drop the detection that is being made, when it is done, and how pictures lie: it is of another stream."""
        self._dropped = self._running is not None
        self._angles.forget()

    def wait(self) -> None:
        """Wait for the detection that is being made in the thread, which `collect` returns later."""
        if self._running is not None:
            wait([self._running])

    def finish(self, counts: tuple[int, int, Inference]) -> None:
        """Wait for what is being made, forget all that was detected, and set what is counted to `counts`."""
        self.collect(math.inf)
        self.forget()
        self.detections, self.late, self._detector.inference = counts

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _told(self, look: Look, frame: int, found: Detection, part: bool) -> TimedDetection | None:
        """Take what was found; at an angle that is only being compared it is not told."""
        self._angles.note(look, _checked(found))
        self.detections += 1
        return None if look.angle else TimedDetection(frame, found, part, look.seconds)


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
