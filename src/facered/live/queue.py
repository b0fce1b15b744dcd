"""Frames on their way through a `Redactor`: in order, none lost, none bare."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from facered.errors import ConfigurationUnsupportedError
from facered.hide.style import chosen_style
from facered.live.crowd import NOBODY
from facered.live.face import Stats
from facered.live.failure import raise_as_facered
from facered.live.lag import Lag
from facered.live.masks import Masks
from facered.live.selection import Selection
from facered.live.stream import DEFAULT_RATE, Stream
from facered.live.waiting import Waiting
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from facered.live.detection import LiveDetector
    from facered.live.face import Face
    from facered.live.input import Given
    from facered.live.settings import Settings

logger = logging.getLogger(__name__)

COSTS = 25
"""Frames of which the dearest tells how long the next one takes beside waiting, where there is a deadline; by hand.
More: after a frame that took long, the detector is waited for less, for longer. Fewer: more frames overrun."""
WARM_UP_FRAMES = 12
"""Pictures that a stream is warmed up with: as many as have all parts of the larger picture of 1080p detected, and the
other angles; by hand. More: time. Fewer: later frames take longer than others."""


class FrameQueue:
    """Takes frames, has streams find who is in them, and hands them out when all is hidden.

    A frame knows its stream and its number there. When anything fails, the stream ends and no frame that waits knows it
    any more: it is hidden whole. The next frame begins a new stream, of which frames are hidden whole until something
    has been detected.

    Parameters
    ----------
    settings : Settings
    detector : LiveDetector
    selection : Selection

    Attributes
    ----------
    faces : tuple of Face
        Those of the last frame taken, by what was known then.
    """

    def __init__(self, settings: Settings, detector: LiveDetector, selection: Selection) -> None:
        self._settings, self._detector, self._selection = settings, detector, selection
        self._masks = Masks(chosen_style(settings.options))
        self._stream: Stream | None = None
        self._next_key = 0
        self._waiting: deque[Waiting] = deque()
        self.faces: tuple[Face, ...] = ()
        self._stats = Stats()
        self._failures = self._overruns = 0
        self._failing = False
        self._lag = Lag()
        self._costs: deque[float] = deque(maxlen=COSTS)  # seconds that frames took, beside waiting for the detector

    @property
    def stats(self) -> Stats:
        """What has happened so far."""
        detector = self._detector
        return replace(
            self._stats,
            detections=detector.detections,
            late=detector.late,
            inference_calls=detector.inference.calls,
            inference_megapixels=detector.inference.megapixels,
            failures=self._failures,
            overruns=self._overruns,
            detection_age=None if self._stream is None else self._stream.detection_age,
        )

    def push(self, given: Given) -> list[Any]:
        """Take a frame, and return those that are ready; see `Redactor.process`."""
        deadline, begun, waited = self._settings.deadline, time.monotonic(), self._detector.waited
        due = math.inf if deadline is None else begun + deadline
        until = due - max(self._costs, default=0.0)  # the rest of the work has to be done in time, too
        waiting = Waiting(given)
        waiting.hurried = self._is_late(given)
        self._waiting.append(waiting)
        try:
            return self._ready(partial(self._take, waiting, until), self._settings.lookahead)
        finally:
            ended = time.monotonic()
            self._overruns += ended > due
            self._costs.append(ended - begun - (self._detector.waited - waited))

    def flush(self) -> list[Any]:
        """Return the frames that are left; see `Redactor.flush`."""
        return self._ready(self._end, 0)

    def warm_up(self, make: Callable[[], Given]) -> None:
        """Take pictures of nothing as a stream of their own, of which nobody is told and nothing is counted.

        Parameters
        ----------
        make : callable
            Makes one; it is done with each of them what may be done with any.

        Raises
        ------
        ConfigurationUnsupportedError
            A stream is under way.
        """
        if self._stream is not None or self._waiting:
            raise ConfigurationUnsupportedError("a stream is under way; warm up before its first frame, or after flush")
        counts = self._detector.counts
        unheard = replace(self._settings, on_faces=None, select=None)
        trial = FrameQueue(unheard, self._detector, Selection(unheard))
        try:
            for _ in range(WARM_UP_FRAMES):
                trial.push(make())
                self._detector.wait()
            trial.flush()
            self._masks.warm_up(make().writable()[0])
        finally:
            self._detector.finish(counts)

    def close(self) -> None:
        """Drop the frames that wait."""
        self._waiting.clear()
        self._stream = None

    def _ready(self, step: Callable[[], None], least: int) -> list[Any]:
        """Do a step, and return the frames that are ready; `least` go on waiting.

        Whatever is raised on the way, no frame is lost, and none comes out in which somebody may be bare.
        """
        try:
            step()
            self._finish(least)
            self._failing = False
        except BaseException as error:
            self._forget()
            failing, self._failing = self._failing, True
            # If every call raised, nothing would ever come out.
            if not failing or not isinstance(error, Exception):
                raise_as_facered(error)
            logger.debug("a frame fails like the one before", exc_info=True)
            self._finish_whole(least)
        ready = []
        while self._waiting and self._waiting[0].hidden:
            ready.append(self._count(self._waiting.popleft()))
        return ready

    def _is_late(self, given: Given) -> bool:
        """Tell whether a frame is of a stream that comes too late to be looked at as usual."""
        seconds, most = given.seconds, self._settings.max_lag
        return seconds is not None and self._lag.is_late(seconds, math.inf if most is None else most)

    def _take(self, waiting: Waiting, until: float) -> None:
        """Find the faces of a frame, the last that waits."""
        given = waiting.given
        if self._stream is not None and not self._stream.fits(given.picture):
            self._finish(1)
            self._end()
        stream = self._stream or self._begin(given)
        seconds = None if self._settings.rate else given.seconds
        spare = 0.0 if self._settings.max_lag is None or waiting.hurried else time.monotonic() + self._lag.spare
        waiting.number = stream.take(given.picture, until, seconds, spare=spare, hurried=waiting.hurried)
        waiting.faces = self.faces = self._selection.of(stream.present, given.picture)
        waiting.stream = stream

    def _begin(self, given: Given) -> Stream:
        seconds = given.duration
        rate = self._settings.rate or (1 / seconds if 0.001 <= seconds <= 1 else DEFAULT_RATE)
        self._stream = Stream(given.picture, rate, self._settings, self._detector, self._next_key)
        return self._stream

    def _end(self) -> None:
        """End the stream, if there is one; the frames that wait know it still."""
        if self._stream is not None:
            self._detector.forget()
            self._next_key = self._stream.next_key
        self._stream, self.faces = None, ()

    def _forget(self) -> None:
        """End the stream after a failure: nobody knows any more who is in the frames that wait."""
        self._failures += 1
        self._end()
        for waiting in self._waiting:
            waiting.forget()

    def _finish(self, least: int) -> None:
        """Hide what is to be hidden in all frames but the last `least`, and tell of them."""
        for waiting in list(self._waiting)[: max(len(self._waiting) - least, 0)]:
            if not waiting.hidden:
                self._redact(waiting)
            self._tell(waiting)

    def _finish_whole(self, least: int) -> None:
        """Do as `_finish` where nobody knows who is in the frames, and whatever a function does that is told."""
        for waiting in list(self._waiting)[: max(len(self._waiting) - least, 0)]:
            try:
                self._redact(waiting)
            except Exception as error:
                raise_as_facered(error)
            try:
                self._tell(waiting)
            except Exception:
                self._failures += 1

    def _redact(self, waiting: Waiting) -> None:
        """Hide the faces of a frame; all of it if nobody knows where they are."""
        stream, number = waiting.stream, waiting.number
        whole, beyond = stream is None, NOBODY
        if stream is not None:
            found = stream.past(number)
            if not stream.is_last(number):
                waiting.faces = self._selection.of(found, waiting.given.picture)
            beyond = self._selection.beyond(found, stream.beyond(number))
            waiting.crowded, waiting.watched = len(beyond) > 0, stream.is_watched(number)
            whole = stream.is_blind(number) or (self._settings.on_overload == "hide" and not waiting.watched)
            whole |= waiting.hurried and not waiting.watched
            whole |= self._settings.on_new_shot == "hide" and not stream.is_detected(number)
        faces = [face for face in waiting.faces if face.hidden]
        waiting.touched = bool(whole or faces or len(beyond) or (stream is not None and stream.areas))
        if waiting.touched:
            with timed(Stage.COPY):
                picture, copied = waiting.given.writable()
            waiting.copied += copied
            with timed(Stage.HIDE):
                if not whole:
                    assert stream is not None
                    self._masks.hide(picture, faces, beyond, stream)
                elif not self._masks.hide_whole(picture):
                    self._failures += 1
        waiting.hidden = True

    def _tell(self, waiting: Waiting) -> None:
        told, waiting.told = waiting.told, True
        if self._settings.on_faces is not None and not told:
            self._settings.on_faces(waiting.given.result, waiting.faces)

    def _count(self, waiting: Waiting) -> Any:
        """Count a frame that is returned."""
        stats, seconds = self._stats, waiting.given.seconds
        self._stats = replace(
            stats,
            hurried=stats.hurried + waiting.hurried,
            lag=None if seconds is None else self._lag.leave(seconds),
            frames=stats.frames + 1,
            hidden=stats.hidden + waiting.touched,
            overloaded=stats.overloaded + (not waiting.watched),
            crowded=stats.crowded + waiting.crowded,
            copied=stats.copied + bool(waiting.copied),
            bytes_copied=stats.bytes_copied + waiting.copied,
        )
        return waiting.given.result
