"""Writing the redacted video: pictures encoded, the other streams as they were, no file before it is complete."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import PictureType

from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.jobs.outputs import CONTAINERS
from facered.runtime.profiling import timed
from facered.video.output import subtitles
from facered.video.output.roi import RegionsOfInterest
from facered.video.output.settings import ENCODERS, Encoding, choose_codec, choose_format, configure
from facered.video.output.sound import USUAL_LAYOUTS, Transcoder

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.codeccontext import SubtitleCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.input.file import Reader

logger = logging.getLogger(__name__)

# fmt: off
KEPT_TAGS = frozenset((
    "album", "album_artist", "artist", "comment", "composer", "copyright", "creation_time", "date", "description",
    "episode_id", "genre", "network", "show", "synopsis", "title", "track",
))
# fmt: on
"""Tags of the file that are carried over; others (places, devices) might give someone away."""
STREAM_TAGS = ("language", "title", "creation_time")
"""Tags of a stream that are carried over."""
HEEDING, UNHEEDING = ("h264", "hevc"), "ultrafast"
"""Codecs whose encoders spend their bits by what is in a picture, and the preset that does not."""
_FULL, _LIMITED = 2, 1


class Writer:
    """An MP4, MOV or Matroska file in the making.

    As a context, it appears under its name when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file's final name. Until it is complete, it is written beside it under another.
    reader : Reader
        Where the streams come from: size, clock, colours and tags are taken over from there.
    encoding : Encoding

    Raises
    ------
    ConfigurationUnsupportedError
        The file cannot be written there.
    ServiceError
        Writing or encoding failed.
    """

    def __init__(self, path: Path, reader: Reader, encoding: Encoding) -> None:
        self.path = path
        self._source = reader.path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._copied: dict[int, Callable[[Packet[Stream]], None]] = {}
        self._finishing: list[Callable[[], None]] = []
        self.others: list[Stream] = []  # whose packets `write_packet` takes
        self.regions: RegionsOfInterest | None = None  # to mark hidden faces with, where the encoder heeds that
        self._format = CONTAINERS[path.suffix.lower()]
        # The index goes first, so that players can start before they have everything.
        options = {"movflags": "+faststart"} if self._format != "matroska" else {}
        try:
            self._container: OutputContainer = av.open(
                os.fspath(self._partial), "w", format=self._format, container_options=options
            )
        except OSError as error:
            raise ConfigurationUnsupportedError(
                f"{path}: cannot be written ({error.strerror}); choose another directory"
            ) from None
        try:
            self._add_video(reader, encoding)
            for stream in reader.container.streams:
                self._add_other(stream, reader, encoding)
            self._add_tags(reader, encoding)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame and write what the encoder returns."""
        # Decoded frames carry the type that the source's encoder gave them; x264 would take it as an order.
        frame.pict_type = PictureType.NONE
        if self._conversion:
            pts, duration = frame.pts, frame.duration
            # Without the ranges swscale would stretch full-range samples where the names of the formats differ.
            frame = frame.reformat(
                format=self._conversion, src_color_range=self._ranges[0], dst_color_range=self._ranges[1]
            )
            frame.pts, frame.duration, frame.time_base = pts, duration, self._video.codec_context.time_base
        self._guarded(lambda: self._encode(frame))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the streams in `others`, copied bit for bit or transcoded."""
        self._guarded(lambda: self._copied[packet.stream_index](packet))

    def close(self) -> None:
        """Finish the file and give it its name."""
        try:
            self._guarded(self._finish)
            self._partial.replace(self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(FFmpegError, OSError, ValueError):
            self._container.close()
        self._partial.unlink(missing_ok=True)

    def _encode(self, frame: VideoFrame | None) -> None:
        with timed("encode"):
            packets = self._video.encode(frame)
        with timed("mux"):
            self._container.mux(packets)

    def _finish(self) -> None:
        self._encode(None)
        for finish in self._finishing:
            finish()
        self._container.close()

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{self.path}: writing failed ({error.strerror or error})") from error

    def _add_video(self, reader: Reader, encoding: Encoding) -> None:
        info = reader.info
        codec = choose_codec(info, encoding)
        if ENCODERS[codec] not in self._container.supported_codecs:
            raise ConfigurationUnsupportedError(
                f"{self.path}: {self.path.suffix} cannot hold {codec}; prores goes into .mov"
            )
        pixel_format = choose_format(info, encoding, codec)
        self._conversion = pixel_format if pixel_format != info.working_format else None
        if codec in HEEDING and encoding.preset != UNHEEDING and not self._conversion:
            self.regions = RegionsOfInterest()
        full_range = info.colours.range == _FULL or info.working_format.startswith("yuvj")
        if full_range and codec == "prores":  # which has no way of telling
            info = replace(info, colours=replace(info.colours, range=_LIMITED))
        self._ranges = ("JPEG" if full_range else "MPEG"), ("JPEG" if full_range and codec != "prores" else "MPEG")
        if self._conversion:
            logger.warning("%s: %s frames are encoded as %s", reader.path, info.working_format, pixel_format)
        if info.interlaced and codec not in ("h264", "prores"):
            logger.warning("%s: interlaced frames are encoded as progressive by %s", reader.path, codec)
        video = self._video = cast("VideoStream", self._container.add_stream(ENCODERS[codec], rate=info.rate))
        configure(video, info, encoding, codec, pixel_format)
        if info.interlaced:
            video.codec_context.field_order = reader.stream.codec_context.field_order
        if codec == "hevc" and self._format != "matroska":
            video.codec_context.codec_tag = "hvc1"  # what QuickTime asks for
        if info.display_matrix:
            video.set_display_matrix(info.display_matrix)
        video.metadata.update(self._tags(reader.stream))
        timecode = _timecode(reader.container)
        if timecode is not None:
            video.metadata["timecode"] = timecode
        video.disposition = reader.stream.disposition
        try:
            video.codec_context.open()
        except FFmpegError as error:
            raise ConfigurationUnsupportedError(
                f"{reader.path}: {codec} cannot encode {pixel_format} of {info.stored_size[0]}x{info.stored_size[1]} "
                f"with these options ({error.strerror}); choose another --codec or other options"
            ) from None

    def _add_other(self, stream: Stream, reader: Reader, encoding: Encoding) -> None:
        """Take over a stream, or say that it is left out."""
        name = stream.codec_context.name if stream.codec_context is not None else "unknown"
        if stream.index == reader.stream.index:
            return
        if stream.type == "audio" and encoding.audio == "none":
            return
        if stream.type == "audio" and stream.codec_context is not None:
            self._add_audio(cast("AudioStream", stream), transcode=encoding.audio == "aac")
        elif stream.type == "subtitle" and stream.codec_context is not None and self._add_subtitles(stream):
            return
        elif stream.type == "data" and "timecode" in stream.metadata:
            return  # made anew from the tag
        elif stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            logger.warning("%s: a cover picture is left out; it may show a bare face", reader.path)
        elif stream.type == "video":
            logger.warning(
                "%s: only video stream %d is redacted; stream %d is left out", reader.path, reader.number,
                reader.number_of(stream),
            )  # fmt: skip
        elif stream.type != "data" or not reader.container.chapters():  # QuickTime has chapters as a track of text
            logger.warning("%s: %s stream %d (%s) is left out", reader.path, stream.type, stream.index, name)

    def _add_tags(self, reader: Reader, encoding: Encoding) -> None:
        tags = reader.container.metadata
        kept = {key: value for key, value in tags.items() if key.lower() in KEPT_TAGS}
        places = {key: value for key, value in tags.items() if "location" in key.lower()}
        if places and encoding.keep_location:
            kept["location"] = next(iter(places.values()))
        elif places:
            logger.warning("%s: the place of recording is left out; --keep-location keeps it", reader.path)
        self._container.metadata.update(kept)
        self._container.set_chapters(reader.container.chapters())

    def _add_audio(self, source: AudioStream, transcode: bool) -> None:
        name = source.codec_context.codec.canonical_name
        if name in self._container.supported_codecs and not transcode:
            layout = source.codec_context.layout.name
            if name.startswith("pcm_") and layout in USUAL_LAYOUTS:
                # MP4 wants to know which channels they are, and AVI does not tell.
                copy = cast("AudioStream", self._container.add_stream(name, rate=source.codec_context.sample_rate))
                copy.codec_context.layout = USUAL_LAYOUTS[layout]
            else:
                copy = self._container.add_stream_from_template(source, opaque=True)
            self._copied[source.index] = lambda packet: self._copy(packet, copy)
        else:
            if not transcode:
                suffix = self.path.suffix.removeprefix(".").upper()
                logger.warning("%s audio is transcoded to AAC: %s cannot hold it", name, suffix)
            transcoder = Transcoder(source, self._container)
            self._copied[source.index] = transcoder.write
            self._finishing.append(transcoder.finish)
            copy = transcoder.stream
        copy.metadata.update(self._tags(source))
        copy.disposition = source.disposition
        self.others.append(source)

    def _add_subtitles(self, source: Stream) -> bool:
        """Copy subtitles, or convert their text to what the container holds; return whether that can be done."""
        context = cast("SubtitleCodecContext", source.codec_context)
        name = context.codec.canonical_name
        if name in self._container.supported_codecs:
            copy = self._container.add_stream_from_template(source, opaque=True)
            self._copied[source.index] = lambda packet: self._copy(packet, copy)
        elif name in subtitles.TEXT:
            target = "subrip" if self._format == "matroska" else "mov_text"
            copy = self._container.add_stream(target)
            convert = subtitles.converter(context, cast("SubtitleCodecContext", copy.codec_context))
            self._copied[source.index] = lambda packet: self._convert(packet, copy, convert)
        else:
            return False
        copy.metadata.update(self._tags(source))
        copy.disposition = source.disposition
        self.others.append(source)
        return True

    def _convert(
        self, packet: Packet[Stream], stream: Stream, convert: Callable[[Packet[Stream]], list[Packet[Stream]]]
    ) -> None:
        for converted in convert(packet):
            self._copy(converted, stream)

    def _tags(self, stream: Stream) -> dict[str, str]:
        tags = {key.lower(): value for key, value in stream.metadata.items()}
        if "name" in tags:  # what MP4 calls it
            tags.setdefault("title", tags["name"])
        if self._format == "mov" and tags.get("language") == "fre":
            tags["language"] = "fra"  # the only one of the two that QuickTime's list of languages has
        return {key: tags[key] for key in STREAM_TAGS if key in tags}

    def _copy(self, packet: Packet[Stream], stream: Stream) -> None:
        packet.stream = stream
        self._container.mux_one(packet)


def _timecode(container: InputContainer) -> str | None:
    for tags in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, value in tags.items():
            if key.lower() == "timecode":
                return value
    return None
