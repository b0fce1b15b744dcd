"""A live stream encoded as it comes, into a file or to an address."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.video.frame import PictureType

from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.runtime.profiling import timed
from facered.video.output.settings import ENCODERS, Encoding, choose_codec, choose_format, configure
from facered.video.output.sound import Transcoder

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.input.stream import Feed

logger = logging.getLogger(__name__)

SCHEMES = {
    "http": "mpegts", "https": "mpegts", "rtmp": "flv", "rtmps": "flv", "rtp": "rtp_mpegts", "rtsp": "rtsp",
    "srt": "mpegts", "tcp": "mpegts", "udp": "mpegts", "unix": "mpegts",
}  # fmt: skip
"""FFmpeg's names for what is spoken at an address, where nobody says otherwise."""
KEY_SECONDS = 2
"""Who joins a stream waits no longer than this for a picture to begin with."""
_TUNED = ("h264", "hevc")
_MPEG_TS = frozenset(
    ("aac", "aac_latm", "ac3", "dts", "dvb_subtitle", "dvb_teletext", "eac3", "mp1", "mp2", "mp3", "opus", "truehd")
)
"""What MPEG-TS has a name for; FFmpeg would write anything, and nobody could read it."""
_FULL = 2


class EncodedSink:
    """Encodes frames without holding any back, and writes them at once.

    Parameters
    ----------
    address : str
        A file or an address, as FFmpeg names them.
    container_format : str or None
        FFmpeg's name; None takes the usual one of the address.
    feed : Feed
        Its first frame has come.
    encoding : Encoding

    Raises
    ------
    ConfigurationUnsupportedError
        Such a file or stream cannot be written there.
    """

    def __init__(self, address: str, container_format: str | None, feed: Feed, encoding: Encoding) -> None:
        self.address = address
        name = container_format or SCHEMES.get(address.partition("://")[0] if "://" in address else "")
        try:
            self._container = av.open(address, "w", format=name, container_options={"flush_packets": "1"})
        except ValueError as error:
            raise ConfigurationUnsupportedError(
                f"{address}: {error}; name a format with --format, such as mpegts"
            ) from error
        except (FFmpegError, OSError) as error:
            raise self._unreachable(error) from error
        self._others: dict[int, Callable[[Packet[Stream]], None]] = {}
        self._finishing: list[Callable[[], None]] = []
        try:
            self._video = self._add_video(feed, encoding)
            self._add_others(feed, encoding)
            self._container.start_encoding()
        except (FFmpegError, OSError) as error:
            raise self._unreachable(error) from error

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame and write what the encoder returns."""
        frame.pict_type = PictureType.NONE
        if self._conversion:
            pts, duration, base = frame.pts, frame.duration, frame.time_base
            frame = frame.reformat(format=self._conversion, src_color_range=self._range, dst_color_range=self._range)
            frame.pts, frame.duration, frame.time_base = pts, duration, base
        self._guarded(lambda: self._encode(frame))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of another stream, copied or transcoded, if the container can hold that."""
        write = self._others.get(packet.stream_index)
        if write is not None:
            self._guarded(lambda: write(packet))

    def close(self) -> None:
        """Write what the encoder has left, and the end."""
        try:
            self._guarded(lambda: self._encode(None))
            for finish in self._finishing:
                self._guarded(finish)
            self._guarded(self._container.close)
        except BaseException:
            with suppress(FFmpegError, OSError, ValueError):
                self._container.close()
            raise

    def _encode(self, frame: VideoFrame | None) -> None:
        with timed("encode"):
            packets = self._video.encode(frame)
        with timed("mux"):
            self._container.mux(packets)

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (BrokenPipeError, ConnectionError):
            raise
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{self.address}: writing failed ({error.strerror or error})") from error

    def _unreachable(self, error: FFmpegError | OSError) -> ConfigurationUnsupportedError:
        return ConfigurationUnsupportedError(f"{self.address}: cannot be written ({error.strerror or error})")

    def _add_video(self, feed: Feed, encoding: Encoding) -> VideoStream:
        info = feed.info
        codec = choose_codec(info, encoding)
        pixel_format = choose_format(info, encoding, codec)
        self._conversion = pixel_format if pixel_format != info.working_format else None
        self._range = "JPEG" if info.colours.range == _FULL or info.working_format.startswith("yuvj") else "MPEG"
        if codec in _TUNED:
            encoding = replace(encoding, encoder_options={"tune": "zerolatency", **encoding.encoder_options})
        try:
            video = cast("VideoStream", self._container.add_stream(ENCODERS[codec], rate=info.rate))
        except ValueError:
            name = self._container.format.name
            raise ConfigurationUnsupportedError(
                f"{self.address}: {name} cannot hold {codec}; choose another --codec or --format"
            ) from None
        if self._conversion:
            logger.warning("%s: %s frames are encoded as %s", feed.source.name, info.working_format, pixel_format)
        configure(video, info, encoding, codec, pixel_format)
        context = video.codec_context
        context.thread_type = "SLICE"  # a thread a frame would hold frames back
        context.gop_size = max(1, round(KEY_SECONDS * info.rate))
        if info.interlaced:
            context.field_order = feed.stream.codec_context.field_order
        if info.display_matrix:
            video.set_display_matrix(info.display_matrix)
        try:
            context.open()
        except FFmpegError as error:
            raise ConfigurationUnsupportedError(
                f"{feed.source.name}: {codec} cannot encode {pixel_format} of {info.stored_size[0]}x"
                f"{info.stored_size[1]} with these options ({error.strerror}); choose another --codec or other options"
            ) from None
        return video

    def _add_others(self, feed: Feed, encoding: Encoding) -> None:
        for stream in feed.others:
            if stream.type == "audio" and encoding.audio == "none":
                continue
            name = stream.codec_context.codec.canonical_name if stream.codec_context is not None else "unknown"
            if self._holds(stream, name) and not (stream.type == "audio" and encoding.audio == "aac"):
                with suppress(ValueError):  # FFmpeg knows that the container cannot hold it
                    copy = self._container.add_stream_from_template(stream, opaque=True)
                    self._others[stream.index] = partial(self._copy, stream=copy)
                    continue
            if stream.type == "audio" and stream.codec_context is not None:
                if encoding.audio != "aac":
                    form = self._container.format.name
                    logger.warning("%s: %s audio is transcoded to AAC: %s cannot hold it", feed.source.name, name, form)
                transcoder = Transcoder(cast("AudioStream", stream), self._container)
                self._others[stream.index] = transcoder.write
                self._finishing.append(transcoder.finish)
            else:
                logger.warning("%s: %s stream %d (%s) is left out", feed.source.name, stream.type, stream.index, name)

    def _holds(self, stream: Stream, name: str) -> bool:
        if self._container.format.name in ("mpegts", "rtp_mpegts"):
            return name in _MPEG_TS
        return stream.type in ("audio", "subtitle")

    def _copy(self, packet: Packet[Stream], stream: Stream) -> None:
        packet.stream = stream
        self._container.mux_one(packet)


def exists(address: str) -> bool:
    """Tell whether an address is a file that is there already, and no device or pipe."""
    return "://" not in address and Path(address).is_file()
