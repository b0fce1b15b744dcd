"""Reading a video file: its picture stream frame by frame, everything else packet by packet."""

from __future__ import annotations

import logging
import os
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from av.error import ExitError, FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from facered.errors import ContentMalformedError, ServiceError
from facered.options import MAX_PIXELS
from facered.runtime import cores
from facered.video.address import READ_TIMEOUT
from facered.video.input.damage import Damage
from facered.video.input.decode import Normalizer, PictureStream, picture_streams, reason
from facered.video.input.decoding import Decoding
from facered.video.input.ending import announced_end
from facered.video.input.opening import Source as Source
from facered.video.input.opening import open_source
from facered.video.input.places import Places
from facered.video.input.reopening import demuxed, reopened, replayed
from facered.video.input.setback import MAX_PAUSE
from facered.video.sequence import ImageSequence

if TYPE_CHECKING:
    from av.stream import Stream

    from facered.video.info import VideoInfo

logger = logging.getLogger(__name__)

MAX_DECODER_THREADS = 16
"""Threads of the decoder, where nobody asks for more: with more it is no faster, and each holds a picture; by hand."""
MAX_LAST_DURATION = 100
"""How many average frames the last one may last. A header that says more is taken to be wrong; by hand."""
MAX_UNDATED = 16
"""Frames without times that wait for the next one with a time; by hand. Each holds a picture."""


class Reader:
    """A video file, open for one walk from its start to its end.

    Parameters
    ----------
    path : path-like
    threads : int
        Decoder threads; 0 takes as many as there are cores, within reason.
    report : bool
        Whether to warn of what is odd about the file; a second walk need not say it again.
    number : int, optional
        Which of several video streams, covers not counted, from 0; by default the first.
    strict : bool
        Whether damage is an error.
    opened : str, Path or file-like, optional
        A URL, another file, or an object with `read` and `seek`, that is read from its start instead of `path`.
    container_format : str, optional
        FFmpeg's name of the input's format; by default it finds out, and takes none that names other files.
    max_pixels : int
        Most pixels of a picture.

    Attributes
    ----------
    stream : av.VideoStream
    reopen : callable
        Returns the same pictures once more, from a container of their own, for a decoder of so many threads.
    number : int
        Which of the video streams it is.
    strict : bool
        Whether damage is an error.
    checksum : int
        Of the packets of the pictures that have been read.
    normalizer : Normalizer
        Brings decoded frames into the working format.
    stalls : bool
        Whether reading may wait for long: for the network, or for whoever gave an object.
    damaged : set of int
        The frames, counted from 0, that may not look as they should: what comes after damage up to the next key frame.
        Known when all have been read.

    Raises
    ------
    ConfigurationUnsupportedError
        The file is missing or cannot be read.
    ContentMalformedError
        It is not a video, or broken.
    ContentUnsupportedError
        It holds no video stream that can be decoded.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        threads: int = 0,
        *,
        report: bool = True,
        number: int | None = None,
        strict: bool = False,
        opened: Source | None = None,
        container_format: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.report = report
        self.path = Path(path)
        self.number = number or 0
        self.damaged: set[int] = set()
        self.checksum = 0
        self.strict = strict
        self.stalls = opened is not None and not isinstance(opened, Path)
        self._open = partial(open_source, self.path, opened, container_format, max_pixels)
        self.container = self._open()
        try:
            self._pictures = PictureStream(
                self.container,
                self.number,
                self.path,
                thread_type="AUTO",  # PyAV's default, slices, leaves most decoders on one thread
                threads=threads or min(cores.available(), MAX_DECODER_THREADS),
                max_pixels=max_pixels,
            )
            self.stream = self._pictures.stream
            self._damage = Damage(self.stream.codec_context)
            # No method of this reader: then it would stay in memory, and its decoder's pictures with it.
            self.reopen = partial(reopened, self._open, self.number, self.path, max_pixels)
            reopen = partial(replayed, self.reopen)
            self._decoding = Decoding(
                self.stream, self._damage, None if self.stalls else reopen, self.path if report else None
            )
            self.normalizer = Normalizer(self.path, report)
            self._count = 0
            self._dated = False  # whether any frame has a time of its own
            self._undated: list[VideoFrame] = []  # they wait for the next one that has
            self._last_pts: int | None = None
            self._items = self._walk()
            self._ahead = self._look_ahead()
        except BaseException:
            self.container.close()
            raise

    @property
    def info(self) -> VideoInfo:
        """What the file and its first frame say of the pictures."""
        return self.normalizer.info

    @property
    def seems_damaged(self) -> bool:
        """Whether damage has been seen so far."""
        return self._damage.known

    @property
    def may_be_damaged(self) -> bool:
        """Whether damage has been seen so far, or frames are missing of which the decoder says nothing."""
        return self._damage.known or self._damage.lost

    @property
    def is_image(self) -> bool:
        """Whether the file is an image, or a sequence of them, and not a film."""
        name = self.container.format.name
        return name == "image2" or name.endswith("_pipe")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless a thread still reads it."""
        try:
            self._items.close()
        except ValueError:  # a thread still waits for an item, and the container goes with it
            return
        self._decoding.close()
        self.container.close()

    def frames(self) -> Iterator[VideoFrame]:
        """Yield the frames in order of time, each with a pts; formats that are not native are converted."""
        for item in self.demux():
            assert isinstance(item, VideoFrame)
            yield item

    def demux(self, *others: Stream) -> Iterator[VideoFrame | Packet[Stream]]:
        """Yield the frames of the picture stream and the packets of `others`, as the file interleaves them.

        What is damaged is passed over or comes as the decoder mended it; see `damaged`.

        Raises
        ------
        ContentMalformedError
            There is damage, and the reader is strict.
        """
        wanted = {stream.index for stream in others}
        while self._ahead:
            item = self._ahead.popleft()
            if isinstance(item, VideoFrame) or item.stream_index in wanted:
                yield item
        for item in self._items:
            if isinstance(item, VideoFrame) or item.stream_index in wanted:
                yield item

    def _look_ahead(self) -> deque[VideoFrame | Packet[Stream]]:
        """Return all that comes up to the first frame, which knows more about the picture than the file's header."""
        ahead: deque[VideoFrame | Packet[Stream]] = deque()
        for item in self._items:
            ahead.append(item)
            if isinstance(item, VideoFrame):
                break
        return ahead

    def belongs(self, stream: Stream) -> bool:
        """Tell whether a stream is of the same programme as the pictures, where there are several."""
        return stream.index not in self._pictures.foreign

    def number_of(self, stream: Stream) -> int:
        """Return which of the video streams, covers not counted, one is."""
        return picture_streams(self.container).index(stream)  # type: ignore[arg-type]

    def _walk(self) -> Generator[VideoFrame | Packet[Stream], None, None]:
        held: VideoFrame | None = None
        places = Places()
        try:
            for packet in self._packets():
                if not self._pictures.holds(packet):
                    if packet.size:
                        yield from places.packet(packet)
                    continue
                if packet.size:
                    yield from places.expect()
                frames = [dated for frame in self._decode(packet) for dated in self._date(self._prepare(frame))]
                for following in frames if packet.size else [*frames, *self._date(None)]:
                    # What decoders say of durations is that of packets in another order.
                    if held is not None and held.pts is not None and following.pts is not None:
                        held.duration = following.pts - held.pts
                        yield from places.frame(held)
                    held = following
        except MemoryError as error:
            raise ServiceError(f"{self.path}: out of memory while decoding") from error
        if held is not None:
            held.duration = self._last_duration(held)
            yield from places.frame(held)
        yield from places.rest()
        if not self._count:
            raise ContentMalformedError(f"{self.path}: no frame can be decoded; the video is empty or damaged")
        self.damaged = self._damage.frames()
        self._check_sequence()
        if self.damaged and self.report:
            logger.warning(
                "%s: %d of %d frames are damaged; what the decoder made of them is redacted",
                self.path,
                len(self.damaged),
                self._count,
            )
        self._check_end()

    def _check_sequence(self) -> None:
        """Make sure that no picture of a sequence is left out: those after it would be called by other numbers."""
        sequence = ImageSequence.of(self.path)
        count = len(sequence.files()) if sequence is not None and self.is_image else self._count
        if count != self._count:
            raise ContentMalformedError(
                f"{self.path}: only {self._count} of {count} pictures can be read; mend the others or take them away"
            )

    def _last_duration(self, frame: VideoFrame) -> int:
        stream, pts = self.stream, frame.pts or 0
        ticks = max(1, round(1 / (self.info.rate * self.info.time_base)))
        if stream.duration is not None and self.container.format.name.startswith("mov"):
            # Other containers tell how long everything lasts, sound included.
            left = (stream.start_time or 0) + stream.duration - pts
            if 0 < left <= MAX_LAST_DURATION * ticks:  # a header may be wrong
                return left
        return min(frame.duration or ticks, max(ticks, int(MAX_PAUSE / self.info.time_base)))

    def _packets(self) -> Iterator[Packet[Stream]]:
        """Yield the packets as far as they can be read, then what makes the decoder give out its last frames."""
        try:
            yield from demuxed(self._pictures)
        except ExitError:
            raise ContentMalformedError(f"{self.path}: nothing has come for {READ_TIMEOUT:.0f} s; try again") from None
        except FFmpegError as error:
            self._be_strict(reason(error))
            self._damage.note_end()
            if self.report:
                logger.warning("%s: cannot be read after frame %d (%s)", self.path, self._count, reason(error))
            flush: Packet[Stream] = Packet()
            flush.stream = self.stream
            yield flush
        breaks = self._pictures.timeline.breaks
        if breaks and self.report:
            logger.warning("%s: the clock breaks off %d times; the times go on instead", self.path, breaks)

    def _decode(self, packet: Packet[Stream]) -> list[VideoFrame]:
        if packet.size:
            self.checksum = zlib.crc32(packet, self.checksum)
            self._damage.note_packet(packet, damaged=packet.is_corrupt)
            if packet.is_corrupt:
                self._be_strict("a part of the data is missing")
        return self._pictures.decode(packet, self._note_failure, self._decoding)

    def _note_failure(self, reason: str) -> None:
        self._be_strict(reason)
        self._damage.note_failure()

    def _be_strict(self, reason: str) -> None:
        if self.strict:
            raise ContentMalformedError(f"{self.path}: damaged or truncated after frame {self._count} ({reason})")

    def _check_end(self) -> None:
        """Tell, or be strict, where the pictures end before the file says that they do."""
        if self._last_pts is None or self._pictures.timeline.breaks:
            return
        reached = self._last_pts * self.info.time_base
        announced, tolerance = announced_end(self.container, self.stream, self.info)
        if announced - reached <= tolerance:
            return
        told = f"the pictures end at {float(reached):.1f} s, but the file announces {float(announced):.1f} s"
        if self.strict:
            raise ContentMalformedError(f"{self.path}: damaged or truncated after frame {self._count} ({told})")
        if self.report:
            logger.warning("%s: %s; it may be truncated", self.path, told)

    def _prepare(self, frame: VideoFrame) -> VideoFrame:
        native = self.normalizer.convert(frame, self._pictures)
        native.time_base = self.info.time_base
        native.pts = frame.pts if frame.pts is not None else frame.dts
        if frame.is_corrupt:
            self._be_strict("decoded in part")
        self._damage.note_frame(frame)
        self._count += 1
        return native

    def _date(self, frame: VideoFrame | None) -> list[VideoFrame]:
        """Return the frames whose times are known now, times growing; None is the end.

        Frames without a time are spread between those that have one; where there is none, they keep the rate.
        """
        if frame is not None and frame.pts is None and self._last_pts is not None and self._dated:
            self._undated.append(frame)
            if len(self._undated) <= MAX_UNDATED:
                return []
            frame = None
        undated, self._undated = self._undated, []
        if frame is None and not undated:
            return []
        ticks = Fraction(max(1, round(1 / (self.info.rate * self.info.time_base))))
        last = self._last_pts
        if frame is not None and frame.pts is not None:
            self._dated = True
            if last is not None:
                ticks = Fraction(max(frame.pts - last, 0), len(undated) + 1)
        for number, waiting in enumerate(undated, 1):
            assert last is not None
            self._set_pts(waiting, round(last + number * ticks))
        if frame is not None:
            pts = frame.pts
            if pts is None:
                pts = 0 if last is None else last + int(ticks)
            self._set_pts(frame, pts)
            undated.append(frame)
        return undated

    def _set_pts(self, frame: VideoFrame, pts: int) -> None:
        """Give a frame a time, or the least that keeps the order."""
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        self._last_pts = frame.pts = pts
