"""The picture stream of a container, packet by packet: decoded, and in a format that the kernels work on.

This is what files and live sources have in common. What is done about damage, and which time a frame has that brings
none of its own, is up to them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from av.error import FFmpegError
from av.format import Flags
from av.packet import Packet as Packet
from av.stream import Disposition
from av.stream import Stream as Stream
from av.video.frame import VideoFrame as VideoFrame

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError, ContentUnsupportedError
from facered.options import MAX_PIXELS
from facered.video.formats import Converter, picture_bits
from facered.video.info import NO_TIMES, Colours, VideoInfo, describe
from facered.video.input.dates import Dates
from facered.video.input.local import MAX_PADDING
from facered.video.input.preview import Preview
from facered.video.input.programme import foreign
from facered.video.input.rate import believable
from facered.video.input.setback import SetBack
from facered.video.input.timeline import Timeline
from facered.video.letterbox import letterbox
from facered.video.picture import has_stray_bits

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from facered.video.input.decoding import Decoding

logger = logging.getLogger(__name__)

_TS_DISCONT = cast("int", Flags.ts_discont.value)
"""FFmpeg's flag of containers whose clock may break off."""

UNCHECKED = ("rawvideo",)
"""Decoders that give any samples that a file holds."""
MAX_DECODER_BYTES = 256 << 20
"""Bytes that the pictures of a decoder's threads may take; by hand: sixteen threads have room for 4K of 8 bits. More:
memory. Fewer: films of 8K are decoded slowly."""


class PictureStream:
    """One of the picture streams of an open container.

    Parameters
    ----------
    container : av.container.InputContainer
    number : int
        Which of several, covers not counted, from 0.
    name : object
        What the input is called in errors.
    thread_type : str
        What the decoder's threads share: ``"SLICE"``, parts of a frame, or ``"AUTO"``, whole frames where it can, which
        is faster but holds as many frames back.
    threads : int, optional
        How many, by default as FFmpeg has it.
    max_pixels : int
        Most pixels of a picture.

    Attributes
    ----------
    container : av.container.InputContainer
    stream : av.VideoStream
    rate : Fraction
        Frames a second; as the container tells, until somebody knows better.
    timeline : Timeline or SetBack
        Mends the times, where the clock breaks off.
    foreign : set of int
        Indices of streams that belong to other programmes.

    Raises
    ------
    ConfigurationUnsupportedError
        There are not so many.
    ContentUnsupportedError
        There is none that can be decoded, or the pictures are too large.
    """

    def __init__(
        self,
        container: InputContainer,
        number: int,
        name: object,
        *,
        thread_type: str,
        threads: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.container = container
        self.stream = find_stream(container, number, name, max_pixels)
        # Decoders count the columns in which their rows are padded.
        most = max_pixels + MAX_PADDING * self.stream.codec_context.height
        self.stream.codec_context.options = {"max_pixels": str(most)}
        self.stream.codec_context.thread_type = thread_type
        if threads is not None:
            context = self.stream.codec_context
            context.thread_count = min(threads, affordable_threads(context.width, context.height, context.pix_fmt))
        self.rate = believable(told_rate(self.stream))
        breaking = container.format.flags & _TS_DISCONT
        self.timeline = Timeline(self.stream) if breaking else SetBack(self.stream)
        self._dates = Dates(container, self.stream)
        self.foreign = foreign(container, self.stream)

    def demux(self, others: Sequence[Stream], pictures: int = 0) -> Iterator[Packet[Stream]]:
        """Yield the packets of the pictures and of `others` in the container's order, their times mended.

        Empty ones come last, and have the decoders give out what they hold back. Sound that has no place where the
        clock breaks off is left out. So many `pictures` are read ahead for their rate, at least.
        """
        mended = self.timeline.mend(self.container.demux(self.stream, *others))
        preview = Preview(mended, self.stream, max(pictures, self._dates.wanted))
        self.rate = preview.rate(told_rate(self.stream), self.stream.time_base or Fraction(1))
        self._dates.begin(preview, self.rate)
        yield from preview

    def holds(self, packet: Packet[Stream]) -> bool:
        """Tell whether a packet is of the pictures."""
        return packet.stream is self.stream  # the packets that flush decoders have no other mark

    def decode(
        self, packet: Packet[Stream], failed: Callable[[str], None], decoding: Decoding | None = None
    ) -> list[VideoFrame]:
        """Return the frames that come of a packet; none if it cannot be decoded, and `failed` is told why.

        They come from `decoding`, or else from the stream's own decoder.
        """
        self._dates.note(packet)
        try:
            frames = decoding.decode(packet, failed) if decoding else cast("list[VideoFrame]", packet.decode())
        except FFmpegError as error:
            failed(reason(error))
            return []
        for frame in frames:
            if not frame.time_base and self.stream.time_base:  # it was held back to the end
                frame.time_base = self.stream.time_base
            self._dates.mend(frame)
        return frames


class Normalizer:
    """Brings decoded frames into the working format and the size of the first one.

    Parameters
    ----------
    name : object
        What the input is called in messages.
    report : bool
        Whether to warn, once a pixel format, of frames that are converted, and once that some are scaled.
    """

    def __init__(self, name: object, report: bool = True) -> None:
        self.name, self.report = name, report
        self._info: VideoInfo | None = None
        self._reported: set[str] = set()
        self._says_scaled = report

    @property
    def begun(self) -> bool:
        """Whether there was a frame."""
        return self._info is not None

    @property
    def info(self) -> VideoInfo:
        """What the first frame and its stream say."""
        assert self._info is not None
        return self._info

    def convert(self, frame: VideoFrame, source: PictureStream) -> VideoFrame:
        """Return a frame of `source` in the working format and size: itself where it has those, else a copy.

        Raises
        ------
        ContentMalformedError
            The stream has no clock, or samples that its pixel format does not have: nobody would be found.
        """
        if source.stream.codec_context.name in UNCHECKED and has_stray_bits(frame):
            raise ContentMalformedError(
                f"{self.name}: samples are larger than those of {frame.format.name} can be; the file tells another "
                "pixel format than it holds"
            )
        if self._info is None:
            native = self._begin(frame, source)
        else:
            size = self._info.stored_size
            if (frame.width, frame.height) != size:
                self._report_scaled(frame, size)
                native = letterbox(frame, _aspect(source) / self._aspect, size, self._converter)
            else:
                native = self._converter.convert(frame)
        name = frame.format.name
        if name != native.format.name and self.report and name not in self._reported:
            self._reported.add(name)
            logger.warning("%s: %s frames are converted to %s", self.name, name, native.format.name)
        return native

    def _report_scaled(self, frame: VideoFrame, size: tuple[int, int]) -> None:
        if self._says_scaled:
            logger.warning(
                "%s: the picture changes from %dx%d to %dx%d in the middle; it is fitted into the first size",
                self.name, *size, frame.width, frame.height,
            )  # fmt: skip
        self._says_scaled = False

    def _begin(self, frame: VideoFrame, source: PictureStream) -> VideoFrame:
        info = describe(frame, source.stream, source.container, self.name, _rate(source))
        self._converter, self._aspect = Converter(info.working_format), _aspect(source)
        native = self._converter.convert(frame)
        self._info = replace(info, colours=Colours.of(native))
        return native


def _rate(source: PictureStream) -> Fraction:
    """Return how many frames a second there are; where there are no times, by the pictures' own header."""
    header = source.stream.codec_context.framerate
    # What FFmpeg tells otherwise is its default.
    return believable(header) if source.container.format.flags & NO_TIMES and header else source.rate


def _aspect(source: PictureStream) -> Fraction:
    """Return width by height of the samples, as the decoder has it from the pictures themselves."""
    return source.stream.codec_context.sample_aspect_ratio or Fraction(1)


def picture_streams(container: InputContainer) -> list[VideoStream]:
    """Return the video streams that are no covers."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & covers]


def find_stream(container: InputContainer, number: int, name: object, max_pixels: int = MAX_PIXELS) -> VideoStream:
    """Return one of the video streams, by its number; `name` stands in errors.

    Raises
    ------
    ConfigurationUnsupportedError
        There are not so many.
    ContentUnsupportedError
        There is none that can be decoded.
    """
    found = picture_streams(container)
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
        raise ContentUnsupportedError(
            f"{name}: the {codec} video cannot be decoded, or has more than --max-pixels {max_pixels}"
        )
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise ContentUnsupportedError(
            f"{name}: pictures of {width}x{height} pixels are larger than --max-pixels {max_pixels}; raise that if "
            "there is memory for them"
        )
    return stream


def affordable_threads(width: int, height: int, pixel_format: str | None) -> int:
    """Return how many threads a decoder may have at most: each holds a picture."""
    return max(1, MAX_DECODER_BYTES // max(1, width * height * picture_bits(pixel_format) // 8))


def told_rate(stream: VideoStream) -> Fraction | None:
    """Return how many frames a second a container says that a stream has."""
    return stream.average_rate or stream.base_rate


def reason(error: Exception) -> str:
    """Return what an error of FFmpeg or of the system says went wrong."""
    return getattr(error, "strerror", None) or str(error)
