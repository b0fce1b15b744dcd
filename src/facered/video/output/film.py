"""How the pictures of a film are encoded for a container: the same for whoever makes all of it, and for one part."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from facered.video.output.encoder import Conversion, encoder_apart
from facered.video.output.partfile import PartFile
from facered.video.output.pictures import PartEncoder
from facered.video.output.roi import RegionsOfInterest
from facered.video.output.settings import choose_codec, encoder_threads
from facered.video.output.tags import timecode_of, timecode_rate

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.frame import VideoFrame

    from facered.video.input.file import Reader
    from facered.video.output.settings import Encoding

logger = logging.getLogger(__name__)

ROI_CODECS = ("h264", "hevc")
"""Codecs whose encoders give more bits to some parts of a picture than to others, and can be told which."""
ROI_IGNORING_PRESET = "ultrafast"
"""Their preset that has no adaptive quantisation, and so does not look at regions of interest."""


class FilmEncoder:
    """Encodes the pictures of a film, part by part.

    Parameters
    ----------
    reader : Reader
        Where the frames come from.
    encoding : Encoding
    container_format : str
        FFmpeg's name.

    Attributes
    ----------
    codec : str
    threads : int
        Of the encoder.
    info : VideoInfo
        Of the frames, with the rate at which the container counts.
    timecode : str or None
        Of the first frame, where the container can hold it.
    conversion : Conversion
    regions : RegionsOfInterest or None
        Where hidden faces are marked for the encoder, if it takes notice.
    encoder : PartEncoder
        Of frames that are converted.

    Raises
    ------
    ConfigurationUnsupportedError
        They cannot be encoded so.
    """

    def __init__(self, reader: Reader, encoding: Encoding, container_format: str) -> None:
        info = reader.info
        self.codec = choose_codec(info, encoding)
        self.threads = encoder_threads(info, encoding, self.codec)
        self.regions: RegionsOfInterest | None = None
        self.timecode = timecode_of(reader.container)
        if self.timecode is not None and container_format != "matroska":
            rate = timecode_rate(self.timecode, (info.rate, reader.stream.base_rate))
            if rate is None:
                logger.warning(
                    "%s: the time code %s is left out: it does not fit the frame rate", reader.path, self.timecode
                )
                self.timecode = None
            else:
                info = replace(info, rate=rate)
        self.info = info
        # ProRes has no way of telling the range.
        self.conversion = Conversion(self.codec, info, encoding, reader.path, limited=self.codec == "prores")
        self.conversion.tell_format()
        if self.codec in ROI_CODECS and encoding.preset != ROI_IGNORING_PRESET and not self.conversion.converts:
            self.regions = RegionsOfInterest()
        if info.interlaced and self.codec not in ("h264", "prores"):
            logger.warning("%s: interlaced frames are encoded as progressive by %s", reader.path, self.codec)
        field_order = reader.stream.codec_context.field_order
        make = partial(
            encoder_apart, container_format, self.codec, info, encoding, field_order, reader.path, self.conversion
        )
        self.encoder = PartEncoder(make, reader.path)


class PartWriter:
    """Encodes the frames of one part into a part file; a context, at whose end the file is whole, unless by an error.

    Parameters
    ----------
    path : Path
    reader, encoding, container_format
        As for `FilmEncoder`.

    Attributes
    ----------
    regions : RegionsOfInterest or None
        Where hidden faces are marked for the encoder.
    told : dict of str to float
        What is lost, and when for the first time.
    """

    def __init__(self, path: Path, reader: Reader, encoding: Encoding, container_format: str) -> None:
        self._film = FilmEncoder(reader, encoding, container_format)
        self.regions, self.told = self._film.regions, self._film.conversion.told
        self._file = PartFile(path, self._film.encoder.extradata)

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame."""
        for picture in self._film.encoder.encode(self._film.conversion.prepare(frame)):
            self._file.write(picture)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                for picture in self._film.encoder.end_part():
                    self._file.write(picture)
                self._file.finish()
        finally:
            self._file.close()
