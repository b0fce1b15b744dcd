"""Reading a video file: its picture stream frame by frame, everything else packet by packet."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.format import Flags
from av.packet import Packet
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.frame import VideoFrame

from facered.errors import (
    ConfigurationUnsupportedError,
    ContentMalformedError,
    ContentUnsupportedError,
    ServiceError,
)
from facered.runtime import cores
from facered.video import formats
from facered.video.input.timeline import Timeline
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.output.settings import Colours, light_level, mastering_display, side_data

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

MOST_THREADS = 16
"""More make decoders no faster, and each holds a picture."""
Source = str | IO[bytes]
"""What is read instead of a file: a URL, or a file-like object."""
TS_DISCONT = cast("int", Flags.ts_discont.value)
"""FFmpeg's flag of containers whose clock may break off."""
TURNS = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""The turning part of the display matrix by degrees counterclockwise."""
LONGEST_LAST = 100
"""More average frames than this the last one does not last."""
MISSING_SECONDS = 2
"""When the pictures end so much earlier than everything does, the file is probably truncated."""
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What there is to know about the picture stream once its first frame is decoded.

    Attributes
    ----------
    width, height : int
        Size of the shown picture in pixels.
    rate : Fraction
        Average frames per second.
    time_base : Fraction
        Seconds per tick of the stream's clock.
    frames : int
        Expected number of frames, for showing progress; 0 where unknown.
    pixel_format : str
        FFmpeg's name.
    orientation : Orientation
        How the stored picture is turned when it is shown.
    display_matrix : tuple of nine int
        The same as the file has it; empty where it has none.
    interlaced : bool
        Whether even and odd rows are pictures of different moments.
    colours : Colours
        Of the frames that `Reader` yields.
    sample_aspect_ratio : Fraction or None
    mastering, light : tuple of int
        See `encoding.mastering_display` and `encoding.light_level`.
    """

    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    frames: int
    pixel_format: str
    orientation: Orientation = UPRIGHT
    display_matrix: tuple[int, ...] = ()
    interlaced: bool = False
    colours: Colours = field(default_factory=Colours)
    sample_aspect_ratio: Fraction | None = None
    mastering: tuple[int, ...] = ()
    light: tuple[int, ...] = ()

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is stored."""
        return self.orientation.size(self.width, self.height)

    @property
    def working_format(self) -> str:
        """The pixel format of the frames that `Reader` yields."""
        return formats.working_format(self.pixel_format)


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
    opened : str or file-like, optional
        A URL, or an object with `read` and `seek`, that is read from its start instead of the file `path`.

    Attributes
    ----------
    info : VideoInfo
    stream : av.VideoStream
    number : int
        Which of the video streams it is.
    damaged : set of int
        The frames, counted from 0, that may not look as they should: what comes after damage up to the next key frame.

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
    ) -> None:
        self.report = report
        self.path = Path(path)
        self.number = number or 0
        self.damaged: set[int] = set()
        self._strict = strict
        self._suspect = False  # whether the next frame may be damaged
        self.container = _open(self.path, opened)
        try:
            self.stream = find_stream(self.container, self.number, self.path)
            context = self.stream.codec_context
            context.thread_type = "AUTO"  # PyAV's default, slices, leaves most decoders on one thread
            context.thread_count = threads or min(cores.available(), MOST_THREADS)
            self._count = 0
            self._converted: set[str] = set()  # pixel formats of frames seen so far
            self._last_pts: int | None = None
            self._items = self._walk()
            self._ahead = self._look_ahead()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):  # a thread that reads ahead may be amid an item
            self._items.close()
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
        ContentUnsupportedError
            The size of the picture changes.
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

    def number_of(self, stream: Stream) -> int:
        """Return which of the video streams, covers not counted, one is."""
        return pictures(self.container).index(stream)  # type: ignore[arg-type]

    def _walk(self) -> Generator[VideoFrame | Packet[Stream], None, None]:
        held: VideoFrame | None = None
        try:
            for packet in self._packets():
                if packet.stream is not self.stream:
                    if packet.size:
                        yield packet
                    continue
                for frame in self._decode(packet):
                    following = self._prepare(frame)
                    # What decoders say of durations is that of packets in another order.
                    if held is not None and held.pts is not None and following.pts is not None:
                        held.duration = following.pts - held.pts
                        yield held
                    held = following
        except MemoryError as error:
            raise ServiceError(f"{self.path}: out of memory while decoding") from error
        if held is not None:
            held.duration = self._last_duration(held)
            yield held
        if not self._count:
            raise ContentMalformedError(f"{self.path}: no frame can be decoded; the video is empty or damaged")
        if self.damaged and self.report:
            logger.warning(
                "%s: %d of %d frames are damaged; what the decoder made of them is redacted",
                self.path,
                len(self.damaged),
                self._count,
            )
        self._check_end()

    def _last_duration(self, frame: VideoFrame) -> int:
        stream, pts = self.stream, frame.pts or 0
        ticks = max(1, round(1 / (self.info.rate * self.info.time_base)))
        if stream.duration is not None and self.container.format.name.startswith("mov"):
            # Other containers tell how long everything lasts, sound included.
            left = (stream.start_time or 0) + stream.duration - pts
            if 0 < left <= LONGEST_LAST * ticks:  # a header may be wrong
                return left
        return frame.duration or ticks

    def _packets(self) -> Iterator[Packet[Stream]]:
        """Yield the packets as far as they can be read, then what makes the decoder give out its last frames."""
        # Other pictures, covers among them, are not even looked at.
        others = [stream for stream in self.container.streams if stream.type != "video"]
        timeline = Timeline() if self.container.format.flags & TS_DISCONT else None
        try:
            for packet in self.container.demux(self.stream, *others):
                if (
                    timeline is None
                    or not packet.size
                    or timeline.mend(packet, picture=packet.stream_index == self.stream.index)
                ):
                    yield packet
        except FFmpegError as error:
            self._note_damage(_reason(error))
            if self.report:
                logger.warning("%s: cannot be read after frame %d (%s)", self.path, self._count, _reason(error))
            flush: Packet[Stream] = Packet()
            flush.stream = self.stream
            yield flush
        if timeline is not None and timeline.breaks and self.report:
            logger.warning("%s: the clock breaks off %d times; the times go on instead", self.path, timeline.breaks)

    def _decode(self, packet: Packet[Stream]) -> list[VideoFrame]:
        if packet.size and packet.is_corrupt:
            self._note_damage("a part of the data is missing")
        try:
            return cast("list[VideoFrame]", packet.decode())
        except FFmpegError as error:
            self._note_damage(_reason(error))
            return []

    def _note_damage(self, reason: str) -> None:
        if self._strict:
            raise ContentMalformedError(f"{self.path}: damaged or truncated after frame {self._count} ({reason})")
        self._suspect = True

    def _check_end(self) -> None:
        """Tell, or be strict, where the pictures end before the file says that they do."""
        if self._last_pts is None:
            return
        info, stream = self.info, self.stream
        reached, tolerance = self._last_pts * info.time_base, max(1 / Fraction(4), 5 / info.rate)
        tags = {key.upper(): value for key, value in stream.metadata.items()}
        if stream.duration is not None and self.container.format.name.startswith("mov"):
            announced = ((stream.start_time or 0) + stream.duration) * info.time_base
        elif clock := _CLOCK.match(tags.get("DURATION", "")):  # Matroska's
            announced = int(clock[1]) * 3600 + int(clock[2]) * 60 + Fraction(clock[3])
        else:
            # How long everything lasts, sound included.
            announced = Fraction(self.container.duration or 0, av.time_base)
            announced += Fraction(self.container.start_time or 0, av.time_base)
            tolerance = Fraction(MISSING_SECONDS)
        if announced - reached <= tolerance:
            return
        told = f"the pictures end at {float(reached):.1f} s, but the file announces {float(announced):.1f} s"
        if self._strict:
            raise ContentMalformedError(f"{self.path}: damaged or truncated after frame {self._count} ({told})")
        if self.report:
            logger.warning("%s: %s; it may be truncated", self.path, told)

    def _prepare(self, frame: VideoFrame) -> VideoFrame:
        if not self._count:
            self.info = describe(frame, self.stream, self.container, self.path)
            self._converter = formats.Converter(self.info.working_format)
        width, height = self.info.stored_size
        if (frame.width, frame.height) != (width, height):
            raise ContentUnsupportedError(
                f"{self.path}: the picture changes from {width}x{height} to {frame.width}x{frame.height} at frame "
                f"{self._count}; split the file there"
            )
        native = self._converter.convert(frame)
        if not self._count:
            self.info = replace(self.info, colours=Colours.of(native))
        name = frame.format.name
        if native is not frame and name not in self._converted and self.report:
            logger.warning("%s: %s frames are converted to %s", self.path, name, native.format.name)
        self._converted.add(name)
        native.time_base = self.info.time_base
        native.pts = self._next_pts(frame)
        if frame.is_corrupt:
            self._note_damage("decoded in part")
        elif frame.key_frame:
            self._suspect = False
        if self._suspect:
            self.damaged.add(self._count)
        self._count += 1
        return native

    def _next_pts(self, frame: VideoFrame) -> int:
        """Return the frame's pts; where it is absent or does not grow, the least that keeps the order."""
        ticks = max(1, round(1 / (self.info.rate * self.info.time_base)))
        last = self._last_pts
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            pts = 0 if last is None else last + ticks
        if last is not None and pts <= last:
            pts = last + 1
        self._last_pts = pts
        return pts


def describe(frame: VideoFrame, stream: VideoStream, container: InputContainer, name: object) -> VideoInfo:
    """Return what a stream's first frame, as decoded, and its container say; `name` stands in errors.

    Raises
    ------
    ContentMalformedError
        The stream has no clock.
    """
    time_base = stream.time_base
    if time_base is None:
        raise ContentMalformedError(f"{name}: the video stream has no time base")
    rate = stream.average_rate or stream.base_rate or Fraction(25)
    count = stream.frames
    if not count and stream.duration:
        count = round(stream.duration * time_base * rate)
    elif not count and container.duration:
        count = round(Fraction(container.duration, av.time_base) * rate)
    matrix = display_matrix(frame)
    orientation = Orientation.of_matrix(matrix) if matrix else UPRIGHT
    size = orientation.size(frame.width, frame.height)
    return VideoInfo(
        *size,
        rate=rate,
        time_base=time_base,
        frames=count,
        pixel_format=frame.format.name,
        orientation=orientation,
        display_matrix=matrix,
        interlaced=frame.interlaced_frame,
        sample_aspect_ratio=stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio,
        mastering=mastering_display(frame),
        light=light_level(frame),
    )


def pictures(container: InputContainer) -> list[VideoStream]:
    """Return the video streams that are no covers."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & covers]


def find_stream(container: InputContainer, number: int, name: object) -> VideoStream:
    """Return one of the video streams, by its number; `name` stands in errors.

    Raises
    ------
    ConfigurationUnsupportedError
        There are not so many.
    ContentUnsupportedError
        There is none that can be decoded.
    """
    found = pictures(container)
    if not found:
        raise ContentUnsupportedError(f"{name}: there is no video stream in this file")
    if number >= len(found):
        raise ConfigurationUnsupportedError(
            f"{name}: there is no video stream {number}; there are {len(found)}, from 0"
        )
    stream = found[number]
    # PyAV's types do not know that streams of unknown kinds have no codec context.
    if stream.codec_context is None or not stream.codec_context.pix_fmt:  # type: ignore[redundant-expr,unused-ignore]
        codec = stream.codec_context.name if stream.codec_context else "unknown"
        raise ContentUnsupportedError(f"{name}: the {codec} video cannot be decoded")
    return stream


def display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    """Return the nine numbers that say how a frame is turned when it is shown; none where it is not."""
    try:
        matrix = side_data(frame, SideDataType.DISPLAYMATRIX, "i")
    except ValueError:  # PyAV does not know what photos have beside it, and tells the angle only
        a, b, c, d = TURNS.get(frame.rotation % 360, (1, 0, 0, 1))
        return (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30) if frame.rotation else ()
    return tuple(matrix)


def _open(path: Path, opened: Source | None) -> InputContainer:
    if opened is None and path.is_dir():
        raise ConfigurationUnsupportedError(f"{path}: this is a directory; name a video file")
    try:
        if opened is not None and not isinstance(opened, str):
            opened.seek(0)
        return av.open(os.fspath(path) if opened is None else opened, mode="r", metadata_errors="replace")
    except FileNotFoundError:
        raise ConfigurationUnsupportedError(f"{path}: no such file") from None
    except PermissionError:
        raise ConfigurationUnsupportedError(f"{path}: no permission to read this file") from None
    except (FFmpegError, OSError, ValueError) as error:
        raise ContentMalformedError(f"{path}: not a readable video ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
