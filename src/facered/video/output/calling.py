"""A server that takes a stream, and is called again where it is lost, by a thread that may be left waiting for it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Protocol

import av
from av.error import FFmpegError

from facered.errors import FaceredError, ServiceError
from facered.video.address import MAX_PAUSE, MIN_PAUSE, READ_TIMEOUT
from facered.video.input.decode import reason
from facered.video.output.raw import Sink
from facered.video.picture import VideoFrame

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

    Item = VideoFrame | Packet[Stream] | None

logger = logging.getLogger(__name__)

MAX_WAITING = 16
"""Frames and packets that wait for the thread that sends; by hand. Fewer: the stream waits when the network is slow for
a moment. More: only delay."""
LOST = (OSError, av.error.EOFError, av.error.HTTPError)
"""What FFmpeg says where a server takes no more."""
_HOPELESS = (av.error.ProtocolNotFoundError, ValueError)
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 1.0
"""How long the end waits for a thread that calls; by hand."""


class AddressSink(Sink, Protocol):
    """A sink that nobody may take any more."""

    def drop(self) -> None:
        """Take notice of that."""


class _Turn:
    """A thread's turn at sending: who is stuck for too long has it no more."""

    def __init__(self) -> None:
        self.since: float | None = None  # when it began to write what it is writing
        self.over = False


class CallingSink:
    """Sends frames and packets, and calls again who takes them no more.

    Parameters
    ----------
    call : callable
        Calls, and returns the sink; told whether that is to say what it does not do.
    name : str
        Whom, in messages.
    seconds : float
        For how long to call again.
    live : bool
        Whether the stream goes on while nobody takes it, and is left out and counted; otherwise it waits.
    stopped : callable
        Tells whether the stream is to end soon.

    Attributes
    ----------
    missed : int
        Frames that nobody took.
    """

    def __init__(
        self,
        call: Callable[[bool], AddressSink],
        name: str,
        seconds: float,
        *,
        live: bool,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._call, self._name, self._seconds, self._live, self._stopped = call, name, seconds, live, stopped
        self._items: queue.Queue[Item] = queue.Queue(MAX_WAITING)
        self._counting = threading.Lock()
        self._given = self.missed = 0
        self._away = False
        self._error: BaseException | None = None
        self._ends_at: float | None = None
        self._begin(None)

    def write_frame(self, frame: VideoFrame) -> None:
        """Have a frame encoded and sent.

        Raises
        ------
        FaceredError
            It cannot be sent, nor could the ones before.
        """
        self._given += 1
        self._put(frame)

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Have a packet of another stream sent."""
        self._put(packet)

    def close(self) -> None:
        """Send all that waits, and the end."""
        self._put(None)
        while self._thread.is_alive() and not self._turn.over:
            self._thread.join(_POLL_SECONDS)
            self._give_up_if_stuck()
        if self._error is not None:
            raise self._error
        if self.missed:
            logger.warning("%s: %d of %d frames were not sent", self._name, self.missed, self._given)

    def _put(self, item: Item) -> None:
        while True:
            if self._error is not None:
                raise self._error
            if self._away and self._live and item is not None:
                self._miss(item)
                return
            with suppress(queue.Full):
                self._items.put(item, timeout=_POLL_SECONDS)
                return
            self._give_up_if_stuck()

    def _miss(self, item: Item) -> None:
        with self._counting:
            self.missed += isinstance(item, VideoFrame)

    def _begin(self, why: str | None) -> None:
        """Send from a new thread; where `why` somebody was lost is given, call first."""
        self._turn = _Turn()
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run, self._turn, why), name="facered sink", daemon=True)
        self._thread.start()

    def _give_up_if_stuck(self) -> None:
        """Leave a thread behind that has waited for the network for too long; none calls any more at the end."""
        since, now = self._turn.since, time.monotonic()
        if since is None and self._stopped():
            self._ends_at = self._ends_at or now + _GRACE_SECONDS
            if now > self._ends_at and self._error is None:
                self._turn.over, self._error = True, self._lost("no answer")
            return
        if since is not None and now - since > READ_TIMEOUT:
            self._turn.over = True
            self._begin("silence")

    def _run(self, turn: _Turn, why: str | None) -> None:
        try:
            self._send(turn, self._first() if why is None else self._again(why))
        except BaseException as error:
            if not turn.over:
                self._error = error

    def _send(self, turn: _Turn, sink: AddressSink) -> None:
        """Send what waits until the end."""
        item: Item = None
        again = False
        while True:
            try:
                item = item if again else self._items.get()
                again = False
                turn.since = time.monotonic()
                if item is None:
                    sink.close()
                    return
                if isinstance(item, VideoFrame):
                    sink.write_frame(item)
                else:
                    sink.write_packet(item)
            except LOST as error:
                if item is None and not turn.over:
                    raise self._lost(reason(error)) from error
                sink.drop()
                again = not self._live and isinstance(item, VideoFrame)
                if not again or turn.over:
                    self._miss(item)
                if turn.over:
                    return
                turn.since = None
                sink = self._again(reason(error))
            turn.since = None
            if turn.over:
                sink.drop()
                return

    def _first(self) -> AddressSink:
        """Call for the first time; where the stream is live, who is called may not be there yet."""
        try:
            return self._call(True)
        except FaceredError as error:
            cause = error.__cause__
            if not isinstance(cause, (FFmpegError, OSError)) or isinstance(cause, _HOPELESS):
                raise
            if not self._live or not self._seconds:
                raise
            return self._again(reason(cause))

    def _again(self, why: str) -> AddressSink:
        """Call until somebody answers.

        Raises
        ------
        ServiceError
            Nobody does for too long, or the stream is to end.
        """
        if not self._seconds or self._stopped():
            raise self._lost(why)
        self._away, missed = True, self.missed
        logger.warning("%s: takes no more (%s); trying again for %g s", self._name, why, self._seconds)
        until, pause = time.monotonic() + self._seconds, MIN_PAUSE
        while not self._wait(min(pause, max(until - time.monotonic(), 0))):
            try:
                sink = self._call(False)
            except FaceredError as error:
                if time.monotonic() >= until:
                    raise self._lost(f"{why}, and not back within {self._seconds:g} s") from error
                pause = min(2 * pause, MAX_PAUSE)
            else:
                if self._live:
                    self._leave_out_waiting()
                self._away = False
                logger.warning("%s: there again; %d frames were not sent", self._name, self.missed - missed)
                return sink
        raise self._lost(why)

    def _wait(self, seconds: float) -> bool:
        """Wait for some seconds, and tell whether the stream is to end."""
        until = time.monotonic() + seconds
        while not self._stopped():
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _POLL_SECONDS))
        return True

    def _leave_out_waiting(self) -> None:
        """Leave out what has waited meanwhile: it is late."""
        with suppress(queue.Empty):
            while (item := self._items.get_nowait()) is not None:
                self._miss(item)
            self._items.put_nowait(None)  # the end

    def _lost(self, why: str) -> ServiceError:
        with suppress(queue.Empty):  # nothing of it will be sent
            while True:
                self._miss(self._items.get_nowait())
        return ServiceError(f"{self._name}: takes no more ({why}); {self._given - self.missed} frames were sent")
