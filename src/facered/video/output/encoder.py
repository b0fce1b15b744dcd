"""Pictures encoded; what the encoder is told beside the caller's wishes is up to those who write a file or a stream."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import av
from av.error import FFmpegError
from av.video.frame import PictureType

from facered.errors import ConfigurationUnsupportedError
from facered.runtime.cancellation import call
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.video.formats import LIMITED_RANGE
from facered.video.info import has_captions
from facered.video.output.settings import ENCODERS, choose_format, configure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.info import VideoInfo
    from facered.video.output.settings import Encoding

logger = logging.getLogger(__name__)

CAPTIONED_CODECS = ("h264", "hevc")
"""Codecs whose encoders take closed captions over."""
CAPTIONS = "closed captions are lost; h264 and hevc keep them"


def tell_lost(source: object, what: str, seconds: float) -> None:
    """Warn of what is lost from a time on."""
    logger.warning("%s: from %.2f s on %s", source, seconds, what)


class Conversion:
    """What frames become before they are encoded; tells, once, of what is lost by that.

    Parameters
    ----------
    codec, info, encoding, source, limited
        See `VideoEncoder`.

    Attributes
    ----------
    pixel_format : str
        Of what is encoded.
    converts : bool
        Whether that is another than the frames'.
    told : dict of str to float
        What was told of frames, and of when.
    limits : bool
        Whether full range becomes limited range.

    Raises
    ------
    ConfigurationUnsupportedError
        The pixel format asked for is none of the codec's.
    """

    def __init__(self, codec: str, info: VideoInfo, encoding: Encoding, source: object, limited: bool = False) -> None:
        self._codec, self._source = codec, source
        self._interlaced = info.interlaced
        self.told: dict[str, float] = {}
        self.pixel_format = choose_format(info, encoding, codec)
        self.converts = self.pixel_format != info.working_format
        self.limits = limited and info.full_range
        # Without the ranges swscale would stretch full-range samples where the names of the formats differ.
        self._source_range = "JPEG" if info.full_range else "MPEG"
        self._target_range = "MPEG" if self.limits else self._source_range
        self._working_format = info.working_format

    def tell_format(self) -> None:
        """Warn where the frames are in another pixel format."""
        if self.converts:
            logger.warning("%s: %s frames are encoded as %s", self._source, self._working_format, self.pixel_format)

    def prepare(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame as it is encoded: itself, or a copy in the pixel format of the stream."""
        # Decoded frames carry the type that the source's encoder gave them; x264 would take it as an order.
        frame.pict_type = PictureType.NONE
        if frame.interlaced_frame and not self._interlaced:
            self._tell(frame, "interlaced frames are encoded as progressive, as the first one is")
        if self._codec not in CAPTIONED_CODECS and CAPTIONS not in self.told and has_captions(frame):
            self._tell(frame, CAPTIONS)
        if not self.converts:
            return frame
        converted = frame.reformat(
            format=self.pixel_format, src_color_range=self._source_range, dst_color_range=self._target_range
        )
        converted.pts, converted.duration, converted.time_base = frame.pts, frame.duration, frame.time_base
        return converted

    def _tell(self, frame: VideoFrame, what: str) -> None:
        """Warn once of what is lost from a frame on."""
        if what not in self.told:
            self.told[what] = frame.time or 0
            tell_lost(self._source, what, self.told[what])


class VideoEncoder:
    """Adds a stream of pictures to a container, and makes its packets.

    It is set up in three steps: made, `configure`, `open`. Between them its `stream` may be told more.

    Parameters
    ----------
    container : av.container.OutputContainer
    codec : str
        One of `facered.options.CODECS`.
    info : VideoInfo
        Of the frames that will come.
    encoding : Encoding
    source : object
        What the input is called in messages.
    conversion : Conversion, optional
        What frames become before, where somebody else tells of it; made anew by default.

    Attributes
    ----------
    stream : av.VideoStream
    conversion : Conversion

    Raises
    ------
    ConfigurationUnsupportedError
        The pixel format asked for is none of the codec's.
    ValueError
        The container cannot hold the codec.
    """

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        info: VideoInfo,
        encoding: Encoding,
        source: object,
        conversion: Conversion | None = None,
    ) -> None:
        self._codec, self._source = codec, source
        self._size = info.stored_size
        self.conversion = conversion or Conversion(codec, info, encoding, source)
        self.stream = cast("VideoStream", container.add_stream(ENCODERS[codec], rate=info.rate))
        if conversion is None:
            self.conversion.tell_format()

    def configure(self, info: VideoInfo, encoding: Encoding, field_order: int) -> None:
        """Tell the encoder of the pictures and of the caller's wishes; `field_order` is that of interlaced ones."""
        if self.conversion.limits:
            info = replace(info, colours=replace(info.colours, range=LIMITED_RANGE))
        configure(self.stream, info, encoding, self._codec, self.conversion.pixel_format)
        if info.interlaced:
            self.stream.codec_context.field_order = field_order
        if info.display_matrix:
            self.stream.set_display_matrix(info.display_matrix)

    def open(self) -> None:
        """Begin.

        Raises
        ------
        ConfigurationUnsupportedError
            The encoder does not take what it was told.
        """
        try:
            self.stream.codec_context.open()
        except FFmpegError as error:
            width, height = self._size
            raise ConfigurationUnsupportedError(
                f"{self._source}: {self._codec} cannot encode {self.conversion.pixel_format} of {width}x{height} with "
                f"these options ({error.strerror}); choose another --codec or other options"
            ) from None

    def encode(self, frame: VideoFrame) -> list[Packet[VideoStream]]:
        """Encode a prepared frame, and return what the encoder gives out."""
        with timed(Stage.ENCODE):
            return self.stream.encode(frame)

    def flush(self) -> Iterator[Packet[VideoStream]]:
        """Yield what the encoder holds back, each when it is ready: it may take long for all."""
        packets = cast("Any", self.stream.codec_context).encode_lazy(None)
        while (packet := self._next(packets)) is not None:
            packet.stream = self.stream
            yield packet

    def _next(self, packets: Iterator[Packet[VideoStream]]) -> Packet[VideoStream] | None:
        with timed(Stage.ENCODE):
            return cast("Packet[VideoStream] | None", call(partial(next, packets, None)))


def encoder_apart(
    container_format: str,
    codec: str,
    info: VideoInfo,
    encoding: Encoding,
    field_order: int,
    source: object,
    conversion: Conversion,
) -> VideoEncoder:
    """Return an encoder, open, of pictures for a container of a format, in a container in memory of its own."""
    container = av.open(io.BytesIO(), "w", format=container_format)
    encoder = VideoEncoder(container, codec, info, encoding, source, conversion)
    encoder.configure(info, encoding, field_order)
    encoder.open()
    return encoder
