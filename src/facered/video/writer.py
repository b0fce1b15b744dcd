"""Writing the redacted video: pictures encoded, the other streams as they were, no file before it is complete."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from av.video.frame import PictureType

from facered._native import cpu
from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.outputs import CONTAINERS

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

    from facered.video.reader import Reader

logger = logging.getLogger(__name__)

KEPT_TAGS = frozenset({"album", "artist", "comment", "copyright", "creation_time", "date", "description", "title"})
"""Tags of the file that are carried over; others (places, cover pictures) might give someone away."""

USUAL_LAYOUTS = {
    "1 channels": "mono",
    "2 channels": "stereo",
    "3 channels": "3.0",
    "4 channels": "4.0",
    "5 channels": "5.0",
    "6 channels": "5.1",
    "8 channels": "7.1",
}
"""Speaker layouts for channels that no one named, by FFmpeg's names."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures are encoded: x264's `preset` and `crf` (0 to 51), and `threads` (0: as many as it likes)."""

    preset: str = "veryfast"
    crf: float = 18
    threads: int = 0


class Writer:
    """An MP4 or MOV file in the making; as a context, it appears under its name when the block ends without an error.

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
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._copied: dict[int, Callable[[Packet[Stream]], None]] = {}
        self._finishing: list[Callable[[], None]] = []
        self.audio: list[Stream] = []
        try:
            self._container: OutputContainer = av.open(
                os.fspath(self._partial), "w", format=CONTAINERS[path.suffix.lower()]
            )
        except OSError as error:
            raise ConfigurationUnsupportedError(
                f"{path}: cannot be written ({error.strerror}); choose another directory"
            ) from None
        try:
            self._add_video(reader, encoding)
            for stream in reader.container.streams.audio:
                self._add_audio(stream)
            tags = {k: v for k, v in reader.container.metadata.items() if k.lower() in KEPT_TAGS}
            self._container.metadata.update(tags)
            self._container.set_chapters(reader.container.chapters())
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
            frame = frame.reformat(format=self._conversion)
            frame.pts, frame.duration, frame.time_base = pts, duration, self._video.codec_context.time_base
        self._guarded(lambda: self._container.mux(self._video.encode(frame)))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the streams in `audio`, copied bit for bit or transcoded."""
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

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        for finish in self._finishing:
            finish()
        self._container.close()

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{self.path}: writing failed ({error.strerror or error})") from error

    def _add_video(self, reader: Reader, encoding: Encoding) -> None:
        info, source = reader.info, reader.stream.codec_context
        pixel_format = info.working_format
        self._conversion = None
        width, height = info.stored_size
        if (width % 2 or height % 2) and pixel_format != "gray":
            # H.264 has no odd sizes with subsampled chroma; the size is kept and the chroma enlarged instead.
            self._conversion = pixel_format = "yuvj444p" if pixel_format.startswith("yuvj") else "yuv444p"
            logger.warning("%s: %dx%d is odd, so chroma is encoded at full resolution", reader.path, width, height)
        options = {"preset": encoding.preset, "crf": str(encoding.crf)}
        if width % 128 and cpu.has_avx2():
            # At such widths x264's AVX-512 code reads memory that it never wrote, and the same frames give other bytes
            # with every run (found by filling fresh memory with different values).
            options["x264-params"] = "asm=avx2"
        video = self._video = self._container.add_stream("libx264", rate=info.rate, options=options)
        context = video.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixel_format
        context.time_base = info.time_base
        context.thread_type = "FRAME"  # PyAV's default, slices, makes x264 slower and its files larger
        context.thread_count = encoding.threads
        for tag in ("color_range", "color_primaries", "color_trc", "colorspace", "sample_aspect_ratio"):
            if getattr(source, tag):
                setattr(context, tag, getattr(source, tag))
        if info.display_matrix:
            video.set_display_matrix(info.display_matrix)
        video.metadata.update(_language(reader.stream))

    def _add_audio(self, source: AudioStream) -> None:
        # PyAV's types do not know that streams of unknown kinds have no codec context.
        if source.codec_context is None:  # type: ignore[redundant-expr,unused-ignore]
            logger.warning("an audio stream of an unknown kind is left out")  # type: ignore[unreachable]
            return
        name = source.codec_context.codec.canonical_name
        if name in self._container.supported_codecs:
            copy = self._container.add_stream_from_template(source, opaque=True)
            self._copied[source.index] = lambda packet: self._copy(packet, copy)
        else:
            logger.warning("%s audio is transcoded to AAC: MP4 cannot hold it", name)
            copy = self._transcode(source)
        copy.metadata.update(_language(source))
        copy.disposition = source.disposition
        self.audio.append(source)

    def _copy(self, packet: Packet[Stream], stream: Stream) -> None:
        packet.stream = stream
        self._container.mux_one(packet)

    def _transcode(self, source: AudioStream) -> AudioStream:
        decoder = source.codec_context
        target = self._container.add_stream("aac", rate=decoder.sample_rate)
        # Some containers tell the number of channels only; AAC wants to know which they are.
        layout = USUAL_LAYOUTS.get(decoder.layout.name, decoder.layout.name)
        target.codec_context.layout = layout
        resampler = AudioResampler("fltp", layout, decoder.sample_rate)

        def write(packet: Packet[Stream] | None) -> None:
            for frame in packet.decode() if packet else decoder.decode(None):
                for piece in resampler.resample(cast("av.AudioFrame", frame)):
                    self._container.mux(target.encode(piece))

        def finish() -> None:
            write(None)
            for piece in resampler.resample(None):
                self._container.mux(target.encode(piece))
            self._container.mux(target.encode(None))

        self._copied[source.index] = write
        self._finishing.append(finish)
        return target


def _language(stream: Stream) -> dict[str, str]:
    return {key: stream.metadata[key] for key in ("language", "title") if key in stream.metadata}
