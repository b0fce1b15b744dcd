"""A live stream encoded as it comes, into a file or to an address."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError

from facered.errors import ConfigurationUnsupportedError
from facered.video.address import file_url, is_url, shown_address
from facered.video.companions import kept
from facered.video.output.calling import LOST
from facered.video.output.encoder import Conversion, VideoEncoder
from facered.video.output.muxer import Muxer
from facered.video.output.settings import Encoding, choose_codec
from facered.video.output.sound import Transcoder, takes
from facered.video.protocols import unknown

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

    from facered.video.input.stream import Feed

logger = logging.getLogger(__name__)

SCHEMES = {
    "http": "mpegts", "https": "mpegts", "rtmp": "flv", "rtmps": "flv", "rtp": "rtp_mpegts", "rtsp": "rtsp",
    "srt": "mpegts", "tcp": "mpegts", "udp": "mpegts", "unix": "mpegts",
}  # fmt: skip
"""FFmpeg's names for what is spoken at an address, where nobody says otherwise."""
MAX_GOP_SECONDS = 2
"""Seconds between key frames, by hand: who joins a stream waits no longer for a picture. Less would cost bits."""
ZERO_LATENCY_CODECS = ("h264", "hevc")
"""Codecs whose encoders hold frames back unless they are tuned not to."""
_MPEG_TS = frozenset(
    ("aac", "aac_latm", "ac3", "dts", "dvb_subtitle", "dvb_teletext", "eac3", "mp1", "mp2", "mp3", "opus", "truehd")
)
"""What MPEG-TS has a name for; FFmpeg would write anything, and nobody could read it."""


class EncodedSink:
    """Encodes frames without holding any back, and writes them at once.

    Parameters
    ----------
    address : str
        A file's name, or a URL where no file has that name.
    container_format : str or None
        FFmpeg's name; None takes the usual one of the address.
    feed : Feed
        Its first frame has come.
    encoding : Encoding
    tells : bool
        Whether to warn of what becomes other than it was.

    Raises
    ------
    ConfigurationUnsupportedError
        Such a file or stream cannot be written there.
    """

    def __init__(
        self, address: str, container_format: str | None, feed: Feed, encoding: Encoding, tells: bool = True
    ) -> None:
        self._url = address
        self.address = shown_address(address)
        self._level = logging.WARNING if tells else logging.DEBUG
        name, url = container_format, file_url(address)
        if is_url(address):
            name, url = name or SCHEMES.get(address.partition("://")[0].lower()), address
        try:
            self._container = av.open(url, "w", format=name, container_options={"flush_packets": "1"})
        except ValueError as error:
            raise ConfigurationUnsupportedError(
                f"{self.address}: {error}; name a format with --format, such as mpegts"
            ) from error
        except (FFmpegError, OSError) as error:
            raise self._unreachable(error) from error
        passed = LOST if is_url(address) else (ConnectionError,)  # nobody takes it any more
        self._muxer = Muxer(self._container, self.address, feed.source.name, lead=feed.info.lead, passed=passed)
        try:
            self._encoder = self._add_video(feed, encoding)
            self._add_others(feed, encoding)
            self._container.start_encoding()
        except (FFmpegError, OSError) as error:
            raise self._unreachable(error) from error

    missed = 0

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame and write what the encoder returns."""
        self._muxer.write_frame(frame, self._encoder)

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of another stream, copied or transcoded, if the container can hold that."""
        self._muxer.write_packet(packet)

    def close(self) -> None:
        """Write what the encoder has left, and the end."""
        try:
            self._muxer.finish(self._encoder)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Take notice that nobody takes it any more."""
        with suppress(FFmpegError, OSError, ValueError):
            self._container.close()

    def _unreachable(self, error: FFmpegError | OSError) -> ConfigurationUnsupportedError:
        if isinstance(error, av.error.ProtocolNotFoundError):
            return ConfigurationUnsupportedError(unknown(self._url, self.address, writes=True))
        return ConfigurationUnsupportedError(f"{self.address}: cannot be written ({error.strerror or error})")

    def _add_video(self, feed: Feed, encoding: Encoding) -> VideoEncoder:
        info = feed.info
        codec = choose_codec(info, encoding)
        try:
            name = feed.source.name
            told = None if self._level == logging.WARNING else Conversion(codec, info, encoding, name)
            encoder = VideoEncoder(self._container, codec, info, encoding, name, told)
        except ValueError:
            name = self._container.format.name
            raise ConfigurationUnsupportedError(
                f"{self.address}: {name} cannot hold {codec}; choose another --codec or --format"
            ) from None
        if codec in ZERO_LATENCY_CODECS:
            encoding = replace(encoding, encoder_options={"tune": "zerolatency", **encoding.encoder_options})
        encoder.configure(info, encoding, feed.field_order)
        context = encoder.stream.codec_context
        context.thread_type = "SLICE"  # a thread a frame would hold frames back
        context.gop_size = max(1, round(MAX_GOP_SECONDS * info.rate))
        encoder.open()
        return encoder

    def _add_others(self, feed: Feed, encoding: Encoding) -> None:
        streams = kept(feed.streams)  # their decoders are nobody else's
        for stream in (streams[other.index] for other in feed.others):
            if stream.type == "audio" and encoding.audio == "none":
                continue
            name = stream.codec_context.codec.canonical_name if stream.codec_context is not None else "unknown"
            transcoded = stream.type == "audio" and encoding.audio == "aac"
            if not transcoded and self._holds(stream, name) and takes(self._container.format, stream):
                with suppress(ValueError):  # FFmpeg knows that the container cannot hold it
                    copy = self._container.add_stream_from_template(stream, opaque=True)
                    self._muxer.add_copy(stream, copy)
                    continue
            if stream.type == "audio" and stream.codec_context is not None:
                with suppress(ValueError):  # it cannot be decoded
                    transcoder = Transcoder(cast("AudioStream", stream))
                    if not transcoded:
                        logger.log(
                            self._level, "%s: %s audio is transcoded to AAC: %s cannot hold it",
                            feed.source.name, name, self._container.format.name,
                        )  # fmt: skip
                    self._muxer.add_transcoded(cast("AudioStream", stream), transcoder)
                    continue
            logger.log(
                self._level, "%s: %s stream %d (%s) is left out", feed.source.name, stream.type, stream.index, name
            )

    def _holds(self, stream: Stream, name: str) -> bool:
        if self._container.format.name in ("mpegts", "rtp_mpegts"):
            return name in _MPEG_TS
        return stream.type in ("audio", "subtitle")


def exists(address: str) -> bool:
    """Tell whether an address is a file that is there already, and no device or pipe."""
    return not is_url(address) and os.path.isfile(address)  # noqa: PTH113  (no name makes it fail)
