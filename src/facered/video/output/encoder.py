"""What all encoded videos have in common: pictures are encoded, other streams copied or transcoded, errors told alike.

Which streams come along, and what the encoder is told beside the caller's wishes, are up to those who write a file or a
live stream.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from av.error import FFmpegError
from av.video.frame import PictureType

from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.runtime.profiling import timed
from facered.video.formats import LIMITED_RANGE
from facered.video.output.settings import ENCODERS, choose_format, configure
from facered.video.output.sound import Transcoder

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.info import VideoInfo
    from facered.video.output.settings import Encoding

logger = logging.getLogger(__name__)


class VideoEncoder:
    """Adds a stream of pictures to a container, and fills it.

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
    limited : bool
        Whether samples of full range are brought to limited range, for codecs that cannot tell which it is.

    Attributes
    ----------
    stream : av.VideoStream
    pixel_format : str
        Of what is encoded.
    converts : bool
        Whether that is another than the frames'.

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
        *,
        limited: bool = False,
    ) -> None:
        self._container, self._codec, self._source = container, codec, source
        self._size = info.stored_size
        self.pixel_format = choose_format(info, encoding, codec)
        self.converts = self.pixel_format != info.working_format
        self._limited = limited and info.full_range
        # Without the ranges swscale would stretch full-range samples where the names of the formats differ.
        self._source_range = "JPEG" if info.full_range else "MPEG"
        self._target_range = "MPEG" if self._limited else self._source_range
        self.stream = cast("VideoStream", container.add_stream(ENCODERS[codec], rate=info.rate))
        if self.converts:
            logger.warning("%s: %s frames are encoded as %s", source, info.working_format, self.pixel_format)

    def configure(self, info: VideoInfo, encoding: Encoding, field_order: int) -> None:
        """Tell the encoder of the pictures and of the caller's wishes; `field_order` is that of interlaced ones."""
        if self._limited:
            info = replace(info, colours=replace(info.colours, range=LIMITED_RANGE))
        configure(self.stream, info, encoding, self._codec, self.pixel_format)
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
                f"{self._source}: {self._codec} cannot encode {self.pixel_format} of {width}x{height} with these "
                f"options ({error.strerror}); choose another --codec or other options"
            ) from None

    def prepare(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame as it is encoded: itself, or a copy in the pixel format of the stream."""
        # Decoded frames carry the type that the source's encoder gave them; x264 would take it as an order.
        frame.pict_type = PictureType.NONE
        if not self.converts:
            return frame
        converted = frame.reformat(
            format=self.pixel_format, src_color_range=self._source_range, dst_color_range=self._target_range
        )
        converted.pts, converted.duration, converted.time_base = frame.pts, frame.duration, frame.time_base
        return converted

    def encode(self, frame: VideoFrame | None) -> None:
        """Encode a prepared frame, and write what the encoder gives out; None has it give out what it holds back."""
        with timed("encode"):
            packets = self.stream.encode(frame)
        with timed("mux"):
            self._container.mux(packets)


class Muxer:
    """Writes frames and packets into a container, and says in one way what goes wrong.

    Parameters
    ----------
    container : av.container.OutputContainer
    target : object
        What the output is called in errors.
    passed : tuple of exception types
        Errors that are the caller's business, and stay as they are.

    Attributes
    ----------
    others : list of av.stream.Stream
        Those of the input whose packets are written.
    """

    def __init__(
        self, container: OutputContainer, target: object, passed: tuple[type[BaseException], ...] = ()
    ) -> None:
        self._container, self._target, self._passed = container, target, passed
        self._write: dict[int, Callable[[Packet[Stream]], None]] = {}
        self._finishing: list[Callable[[], None]] = []
        self.others: list[Stream] = []

    def add(self, source: Stream, write: Callable[[Packet[Stream]], None]) -> None:
        """Have the packets of a stream of the input written by a function."""
        self._write[source.index] = write
        self.others.append(source)

    def add_copy(self, source: Stream, target: Stream) -> None:
        """Have the packets of a stream of the input written into one of the output as they are."""
        self.add(source, partial(self.copy, stream=target))

    def add_transcoded(self, source: AudioStream) -> AudioStream:
        """Have the sound of a stream of the input encoded anew, as AAC, and return the output's stream."""
        transcoder = Transcoder(source, self._container)
        self.add(source, transcoder.write)
        self._finishing.append(transcoder.finish)
        return transcoder.stream

    def copy(self, packet: Packet[Stream], stream: Stream) -> None:
        """Write a packet into a stream of the output."""
        packet.stream = stream
        self._container.mux_one(packet)

    def write_frame(self, frame: VideoFrame, encoder: VideoEncoder) -> None:
        """Encode a frame."""
        frame = encoder.prepare(frame)
        self.guard(lambda: encoder.encode(frame))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the streams in `others`; those of further ones are left out."""
        write = self._write.get(packet.stream_index)
        if write is not None:
            self.guard(lambda: write(packet))

    def finish(self, encoder: VideoEncoder) -> None:
        """Write all that encoders hold back, and the end."""
        for finish in (lambda: encoder.encode(None), *self._finishing, self._container.close):
            self.guard(finish)

    def guard(self, step: Callable[[], object]) -> None:
        """Take a step of writing.

        Raises
        ------
        ServiceError
            It failed.
        """
        try:
            step()
        except self._passed:
            raise
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{self._target}: writing failed ({error.strerror or error})") from error
