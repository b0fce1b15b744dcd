"""What a pipe, a camera or an address sends, decoded as it comes, in a thread that may be left waiting for it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError, FaceredError
from facered.video.address import MAX_PAUSE, MIN_PAUSE
from facered.video.companions import Continuation, codec_tag, companions, kept
from facered.video.input.clock import Clock
from facered.video.input.decode import Normalizer, PictureStream, reason
from facered.video.input.peek import peek, siting
from facered.video.input.source import STANDARD_INPUT, Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

    from facered.video.info import VideoInfo

logger = logging.getLogger(__name__)

MAX_WAITING = 16
"""Frames and packets that wait between the threads; by hand. Fewer would stall the decoder when redaction is slow for
a moment, more would only add to the delay."""
_HEADER = 256
"""Bytes of the standard input that are looked at before FFmpeg reads them; a header of NUT or Y4M begins in them."""
_ENDED = "it ended"
_LISTS = ("dash", "hls")
_HOPELESS = (av.error.ProtocolNotFoundError, ValueError)
"""What will not be otherwise later: protocols and formats that FFmpeg does not know."""
_POLL_SECONDS = 0.2
"""How long a thread waits before it looks whether it should stop; by hand. Less would keep the processor busy."""


class Event(Enum):
    """What happens beside frames and packets."""

    LOST = auto()
    """The source went away, and may come back: frames that are held back are due."""
    RESIZED = auto()
    """The pictures have another size from the next one on, or had it before it was fitted into that of the first."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is known of the pictures from the next one on."""

    info: VideoInfo
    field_order: int


if TYPE_CHECKING:
    Item = VideoFrame | Packet[Stream] | Event | Pictures


class Feed:
    """Reads a source in a thread of its own.

    Parameters
    ----------
    source : Source

    Attributes
    ----------
    streams : list of av.stream.Stream
        Those of the first connection, `kept`.
    others : list of av.stream.Stream
        Those of them whose packets come along.
    tags : dict of int to bytes
        How its container named their codecs, by their indices.
    info : VideoInfo
        What is known of the pictures from the first frame on.
    field_order : int
        Of interlaced ones, as FFmpeg numbers it.
    container_format : str
        FFmpeg's name.
    siting : str
        What the header of Y4M says of its chroma.
    damaged : int
        How often something could not be decoded.
    """

    container_format: str
    siting: str
    info: VideoInfo
    field_order: int

    def __init__(self, source: Source) -> None:
        self.source = source
        self.streams: list[Stream] = []
        self.others: list[Stream] = []
        self.tags: dict[int, bytes] = {}
        self.damaged = 0
        self._begun = False
        self._size = 0, 0
        self._items: queue.Queue[Item | BaseException | None] = queue.Queue(MAX_WAITING)
        self._stopped = threading.Event()
        self._clock = Clock() if source.live else None
        self._normalizer = Normalizer(source.name)
        self._last: Fraction | None = None
        self._thread = threading.Thread(target=self._run, name="facered feed", daemon=True)

    @property
    def stopped(self) -> bool:
        """Whether it is to end."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Have `items` end with what has come; the thread is left behind where it waits for its source."""
        self._stopped.set()

    def items(self) -> Iterator[Item]:
        """Yield frames in a native format, packets of `others` and events, as they come.

        Raises
        ------
        FaceredError
            The source cannot be opened or decoded, or was lost for good.
        """
        self._thread.start()
        while True:
            stopped = self._stopped.is_set()
            try:
                item = self._items.get(timeout=0 if stopped else _POLL_SECONDS)  # signals come through between
            except queue.Empty:
                if stopped:
                    return
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Pictures):
                self.info, self.field_order = item.info, item.field_order
            else:
                yield item

    def _put(self, item: Item | BaseException | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._items.put(item, timeout=_POLL_SECONDS)
                return

    def _run(self) -> None:
        try:
            self._follow()
            if not self._begun and not self._stopped.is_set():
                raise ContentMalformedError(f"{self.source.name}: no frame can be decoded; it is empty or damaged")
        except BaseException as error:
            self._put(error)
        else:
            self._put(None)

    def _follow(self) -> None:
        """Read one connection after the other."""
        beginning = self._look_ahead() if self.source.address == STANDARD_INPUT else b""
        self.siting = siting(beginning)
        container = self._call(beginning)
        while container is not None and not self._stopped.is_set():
            try:
                self._read(container)
                why = _ENDED
            except (FFmpegError, OSError) as error:
                why = "silence" if isinstance(error, av.error.ExitError) else reason(error)
                if not self.source.live:
                    self.damaged += 1
                    logger.warning("%s: cannot be read to its end (%s)", self.source.name, why)
            # Of what is live FLV says that it lasts no time.
            finite = not self.source.live or bool(container.duration)
            grew = why == _ENDED and container.format.name in _LISTS
            container.close()
            if finite or self._stopped.is_set():
                return
            if grew and self._is_over():
                return
            container = self._reconnect(why)

    def _is_over(self) -> bool:
        """Tell whether a list that grew says by now that it has ended: called again, it would begin from its start."""
        try:
            with self._open() as container:
                return bool(container.duration)
        except FaceredError:  # it is lost
            return False

    def _call(self, beginning: bytes) -> InputContainer | None:
        """Open it for the first time; what is live may not be there yet."""
        try:
            return self._open(beginning)
        except FaceredError as error:
            if not self.source.live or not self.source.reconnect or isinstance(error.__cause__, _HOPELESS):
                raise
            logger.warning("%s; trying again for %g s", error, self.source.reconnect)
            return self._try_again(f"not there within {self.source.reconnect:g} s", "there")

    def _open(self, beginning: bytes = b"") -> InputContainer:
        # What comes while FFmpeg finds out what it is counts, too.
        self._began = time.monotonic()
        return self.source.open(beginning)

    def _look_ahead(self) -> bytes:
        """Return what the standard input begins with, where that can be seen."""
        try:
            beginning = peek(0, _HEADER)
        except OSError as error:
            raise ConfigurationUnsupportedError(f"standard input: cannot be read ({error.strerror})") from error
        if beginning == b"":
            raise ContentMalformedError("standard input: it is empty; see what should have written into it")
        return beginning or b""

    def _reconnect(self, why: str) -> InputContainer | None:
        if self._stopped.is_set():
            return None
        self._put(Event.LOST)
        if not self.source.reconnect:
            if why != _ENDED:
                logger.warning("%s: lost (%s)", self.source.name, why)
            return None
        logger.warning("%s: lost (%s); trying again for %g s", self.source.name, why, self.source.reconnect)
        return self._try_again(f"lost, and not back within {self.source.reconnect:g} s", "back again")

    def _try_again(self, failure: str, success: str) -> InputContainer | None:
        until, pause = time.monotonic() + self.source.reconnect, MIN_PAUSE
        while not self._stopped.wait(min(pause, max(until - time.monotonic(), 0))):
            try:
                container = self._open()
            except FaceredError as error:
                if time.monotonic() >= until:
                    raise ContentMalformedError(f"{self.source.name}: {failure} ({error})") from error
                pause = min(2 * pause, MAX_PAUSE)
            else:
                logger.warning("%s: %s", self.source.name, success)
                return container
        return None

    def _read(self, container: InputContainer) -> None:
        # Threads a frame would hold frames back.
        pictures = PictureStream(container, self.source.number, self.source.name, thread_type="SLICE")
        others = companions(container.streams, pictures.foreign)
        if not self._begun:
            self.streams, self.container_format = kept(list(container.streams)), container.format.name
            self.others = [self.streams[other.index] for other in others]
            self.tags = {other.index: codec_tag(other.codec_context) for other in others if other.codec_context}
        continuation = Continuation(self.others, others)
        for stranger in continuation.strangers if self._begun else ():  # what the sink does not know it cannot take
            logger.warning(
                "%s: %s stream %d is other than those at the beginning, and left out",
                self.source.name, stranger.type, stranger.index,
            )  # fmt: skip
        if self._clock is not None:
            start = container.start_time
            self._clock.connect(None if start is None else Fraction(start, av.time_base), self._began)
        for packet in pictures.demux(continuation.streams):
            if self._stopped.is_set():
                return
            if packet.size and self._clock is not None:
                self._clock.mend(packet)
            if pictures.holds(packet):
                for frame in pictures.decode(packet, self._count_damage):
                    self._take(frame, pictures)
            elif packet.size:
                continuation.adopt(packet)
                self._put(packet)

    def _count_damage(self, why: str) -> None:
        self.damaged += 1
        if self.damaged == 1:
            logger.warning("%s: a frame cannot be decoded and is left out (%s)", self.source.name, why)

    def _take(self, frame: VideoFrame, pictures: PictureStream) -> None:
        """Pass a frame on, and first what it begins."""
        before, self._size = self._size, (frame.width, frame.height)
        resized = self._begun and self._size != before
        first = None
        if resized and self.source.restarts:
            first = self._normalizer.info
            self._normalizer = Normalizer(self.source.name, report=False)
        begins = not self._normalizer.begun
        native = self._normalizer.convert(frame, pictures)
        self._normalizer.report = False  # the first frame tells; what comes after it may change at any time
        info = self._normalizer.info
        if first is not None:  # as rate and times go on
            info = replace(info, time_base=first.time_base, rate=first.rate, lead=first.lead)
        self._time(native, info)
        if resized:
            self._put(Event.RESIZED)
        if begins:
            self._begun = True
            self._put(Pictures(info, pictures.stream.codec_context.field_order))
        self._put(native)

    def _time(self, native: VideoFrame, info: VideoInfo) -> None:
        """Make sure that a frame has a time, which is later than that of the one before."""
        base = native.time_base or info.time_base
        native.time_base = base
        if native.pts is None:
            native.pts = 0 if self._last is None else round((self._last + 1 / info.rate) / base)
        if self._last is not None and native.pts * base <= self._last:  # neither encoders nor containers take that
            native.pts = int(self._last / base) + 1
        self._last = native.pts * base
