"""Writing the redacted video: pictures encoded, the other streams as they were, no file before it is complete.

Or down a pipe, as it is made.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.stream import Disposition

from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.runtime import cancellation
from facered.runtime.replace import FileSet
from facered.video.address import file_url
from facered.video.companions import layout_name
from facered.video.output import CONTAINERS, subtitles
from facered.video.output.film import FilmEncoder
from facered.video.output.filmmuxer import FilmMuxer
from facered.video.output.partfile import PartFile, PartStore, Playback, StoredPart, part_name, write_all
from facered.video.output.pictures import EncodedPicture, check_equal
from facered.video.output.raw import Descriptor
from facered.video.output.settings import ENCODERS, Encoding, choose_codec
from facered.video.output.sound import USUAL_LAYOUTS, Transcoder, takes
from facered.video.output.tags import add_tags, stream_tags

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.codeccontext import SubtitleCodecContext
    from av.video.frame import VideoFrame

    from facered.video.input.file import Reader
    from facered.video.output.roi import RegionsOfInterest

logger = logging.getLogger(__name__)
PLAYABLE = {name: {"movflags": "+faststart"} for name in ("mp4", "mov")}
"""What puts the index first, by container, so that players can start before they have everything."""
REPEATABLE = {"matroska": {"fflags": "+bitexact"}}
"""What has the same content always make the same file: Matroska files get random numbers otherwise."""
FRAGMENTS = {"mp4": {"movflags": "+frag_keyframe+delay_moov+default_base_moof", "frag_duration": "1000000"}}
"""What needs no going back: an index a second, or a key frame; the first one waits until all times are known."""


class Writer:
    """An MP4, MOV or Matroska file in the making.

    As a context, it appears under its name when the block ends without an error, by itself or with its set.

    Parameters
    ----------
    path : Path
        The file's final name.
    reader : Reader
        Where the streams come from: size, clock, colours and tags are taken over from there.
    encoding : Encoding
    stream : tuple of int and str, optional
        A file descriptor to write to instead, and one of `STREAMS`; `path` is what it is called in messages.
    files : FileSet, optional
        What the file belongs to; whoever made the set publishes it.
    store : PartStore, optional
        Where encoded parts are.

    Attributes
    ----------
    others : list of av.stream.Stream
        Streams of the reader whose packets `write_packet` takes.
    parts : int
        How many there are so far that are encoded apart.
    encoder_threads : int
        Threads of the encoder.
    regions : RegionsOfInterest or None
        Where hidden faces are marked for the encoder, if it takes notice.

    Raises
    ------
    ConfigurationUnsupportedError
        The file cannot be written there.
    ServiceError
        Writing or encoding failed.
    BrokenPipeError
        Nobody reads the descriptor any more.
    """

    def __init__(
        self,
        path: Path,
        reader: Reader,
        encoding: Encoding,
        stream: tuple[int, str] | None = None,
        files: FileSet | None = None,
        store: PartStore | None = None,
    ) -> None:
        self.path = path
        self.parts = 1
        self._store = store
        self._begun, self._number = False, 0
        self._playback: Playback | None = None
        self._copy: PartFile | None = None
        self.regions: RegionsOfInterest | None = None
        self._own: FileSet | None = None
        self._container = self._opened(stream, files)
        passed = () if stream is None else (ConnectionError,)
        self._muxer = FilmMuxer(
            self._container, path, reader.path, lead=reader.info.lead, strict=reader.strict, passed=passed
        )
        self.others = self._muxer.others
        try:
            self._add_video(reader, encoding)
            for other in reader.container.streams:
                self._add_other(other, reader, encoding)
            add_tags(self._container, reader, encoding.keep_location)
            self._muxer.start()
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

    def begin_part(self, number: int, *, stored: bool = False, keep: bool = False) -> None:
        """Write what comes from now on, from the frame of a number, as a part of its own.

        Parameters
        ----------
        number : int
        stored : bool
            Whether the part is encoded already, in the store: its frames are not looked at but for their times.
        keep : bool
            Whether it is kept in the store, if there is one.

        Raises
        ------
        ServiceError
            It is not in the store, or not one of this film.
        """
        self._end_part(over=False)
        self._muxer.begin_part()
        self.parts += self._begun
        self._number = number
        if stored:
            self._film.encoder.release()
            self._playback = self._muxer.guard(lambda: self._recalled(number))
        elif keep:
            self._copy = self._muxer.guard(lambda: self._copied(number))

    def has_part(self, number: int) -> bool:
        """Tell whether the part that begins at a frame is encoded already."""
        return self._store is not None and self._store.find(part_name(number)) is not None

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame and write what the encoder returns."""
        self._begun = True
        self._muxer.expect_picture()
        if self._playback is not None:
            self._muxer.write_picture(self._playback.take(frame.pts))
            return
        frame = self._film.conversion.prepare(frame)
        self._muxer.guard(lambda: self._write(self._film.encoder.encode(frame)))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the streams in `others`, copied bit for bit or transcoded."""
        self._muxer.write_packet(packet)

    def close(self) -> None:
        """Finish the file and give it its name."""
        try:
            self._end_part(over=True)
            self._muxer.finish_film()
            if self._own is not None:
                self._own.publish()
                self._own.release()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._copy is not None:
            self._copy.close()
        with suppress(FFmpegError, OSError, ValueError):
            self._container.close()
        if self._own is not None:
            self._own.release()

    def _end_part(self, over: bool) -> None:
        """Write what is left of a part, and keep it if that was asked for and the film is not `over`."""
        if self._playback is not None:
            self._playback.finish()
            self._playback = None
            return
        self._muxer.guard(lambda: self._write(self._film.encoder.end_part()))
        if self._copy is not None:
            copy, self._copy = self._copy, None
            self._muxer.guard(copy.close if over else lambda: self._keep(copy))

    def _copied(self, number: int) -> PartFile | None:
        draft = None if self._store is None else self._store.draft(part_name(number))
        return None if draft is None else PartFile(draft, self._film.encoder.extradata)

    def _keep(self, copy: PartFile) -> None:
        copy.finish()
        cast("PartStore", self._store).save(part_name(self._number))

    def _recalled(self, number: int) -> Playback:
        path = None if self._store is None else self._store.find(part_name(number))
        if path is None:
            raise ServiceError(f"{self.path}: a part that was encoded is gone; begin anew without --resume")
        part = StoredPart(path)
        check_equal(self._film.encoder.extradata, part.extradata, self.path)
        return Playback(part, self.path)

    def _write(self, pictures: Iterable[EncodedPicture]) -> None:
        for picture in write_all(self._copy, pictures):
            self._muxer.write_picture(picture)

    def _opened(self, stream: tuple[int, str] | None, files: FileSet | None) -> OutputContainer:
        target: str | _Pipe
        try:
            if stream is None:
                if files is None:
                    files = self._own = FileSet([self.path]).claim()
                self._format, target = CONTAINERS[self.path.suffix.lower()], file_url(files.file(self.path))
                options = PLAYABLE.get(self._format, {}) | REPEATABLE.get(self._format, {})
            else:
                self._format, target = stream[1], _Pipe(stream[0])
                options = FRAGMENTS.get(self._format, {})
            return av.open(target, "w", format=self._format, container_options=options)
        except OSError as error:
            if self._own is not None:
                self._own.release()
            raise ConfigurationUnsupportedError(
                f"{self.path}: cannot be written ({error.strerror}); choose another directory"
            ) from None

    def _add_video(self, reader: Reader, encoding: Encoding) -> None:
        codec = choose_codec(reader.info, encoding)
        if ENCODERS[codec] not in self._container.supported_codecs:
            raise ConfigurationUnsupportedError(
                f"{self.path}: {self.path.suffix or self._format} cannot hold {codec}; prores goes into .mov"
            )
        self._film = FilmEncoder(reader, encoding, self._format)
        self.regions, self.encoder_threads = self._film.regions, self._film.threads
        video = self._film.encoder.add_to(self._container, self._film.info)
        if codec == "hevc" and self._format in PLAYABLE:
            video.codec_context.codec_tag = "hvc1"  # what QuickTime asks for
        video.metadata.update(stream_tags(reader.stream, self._format))
        if self._film.timecode is not None:
            video.metadata["timecode"] = self._film.timecode
        video.disposition = reader.stream.disposition
        self._muxer.set_pictures(video, reader.info.time_base)

    def _add_other(self, stream: Stream, reader: Reader, encoding: Encoding) -> None:
        """Take over a stream, or say that it is left out."""
        name = stream.codec_context.name if stream.codec_context is not None else "unknown"
        if stream.index == reader.stream.index:
            return
        if not reader.belongs(stream):
            logger.warning(
                "%s: %s stream %d (%s) is left out; it is of another programme",
                reader.path, stream.type, stream.index, name,
            )  # fmt: skip
            return
        if stream.type == "audio" and encoding.audio == "none":
            return
        if stream.type == "audio" and stream.codec_context is not None:
            self._add_audio(cast("AudioStream", stream), reader, transcode=encoding.audio == "aac")
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

    def _add_audio(self, source: AudioStream, reader: Reader, transcode: bool) -> None:
        name, layout = source.codec_context.codec.canonical_name, layout_name(source.codec_context.layout)
        unnamed = name.startswith("pcm_") and layout.endswith(" channels") and layout not in USUAL_LAYOUTS
        holds = name in self._container.supported_codecs and not (unnamed and self._format == "mp4")
        if holds and not transcode and takes(self._container.format, source):
            if name.startswith("pcm_") and layout in USUAL_LAYOUTS:
                # MP4 wants to know which channels they are, and AVI does not tell.
                copy = cast("AudioStream", self._container.add_stream(name, rate=source.codec_context.sample_rate))
                copy.codec_context.layout = USUAL_LAYOUTS[layout]
            else:
                copy = self._container.add_stream_from_template(source, opaque=True)
            self._muxer.add_copy(source, copy)
        else:
            try:
                transcoder = Transcoder(source)
            except ValueError:
                logger.warning("%s: audio stream %d (%s) is left out", reader.path, source.index, name)
                return
            if not transcode:
                suffix = self.path.suffix.removeprefix(".") or self._format
                logger.warning("%s audio is transcoded to AAC: %s cannot hold it", name, suffix.upper())
            copy = self._muxer.add_transcoded(source, transcoder)
        copy.metadata.update(stream_tags(source, self._format))
        copy.disposition = source.disposition

    def _add_subtitles(self, source: Stream) -> bool:
        """Copy subtitles, or convert their text to what the container holds; return whether that can be done."""
        context = cast("SubtitleCodecContext", source.codec_context)
        name = context.codec.canonical_name
        if name in self._container.supported_codecs:
            copy = self._container.add_stream_from_template(source, opaque=True)
            self._muxer.add_copy(source, copy)
        elif name in subtitles.TEXT:
            target = "mov_text" if self._format in PLAYABLE else "subrip"
            copy = self._container.add_stream(target)
            convert = subtitles.converter(context, cast("SubtitleCodecContext", copy.codec_context))
            self._muxer.add(source, copy, convert, list)
        else:
            return False
        copy.metadata.update(stream_tags(source, self._format))
        copy.disposition = source.disposition
        return True


class _Pipe:
    """What is written down a file descriptor, from its start to its end; FFmpeg itself does not tell of all errors."""

    def __init__(self, number: int) -> None:
        self._descriptor = Descriptor(number)

    def write(self, data: bytes) -> int:
        """Write all of a piece; whoever reads may take their time."""
        cancellation.call(partial(self._descriptor.write, [data]))
        return len(data)
