"""Redacted pictures as image files: one, or a numbered sequence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from av.codec import CodecContext
from av.error import FFmpegError
from av.video.frame import VideoFrame

from facered.errors import ContentUnsupportedError, ServiceError
from facered.runtime.replace import Replacement
from facered.video import formats
from facered.video.picture import view

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext

    from facered.video.input.file import Reader

BEST_JPEG = {"qmin": "1", "qmax": "2"}
"""FFmpeg's bounds of the quantiser, from 1, the finest, to 31; by hand. Coarser files are smaller."""
FIRST_NUMBERS = range(5)
"""Where FFmpeg looks for the first picture of a sequence."""


class ImageWriter:
    """A picture, or a numbered sequence of them, in the making; upright, without the source's metadata.

    As a context, the files appear under their names when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file, or the sequence's pattern with ``%d`` or ``%04d`` in it.
    reader : Reader
        Where the frames come from.

    Raises
    ------
    ContentUnsupportedError
        There are several, and one name.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        self.path = path
        self.others: list[Stream] = []
        self.regions = None  # pictures are coded as well as can be
        self._orientation = reader.info.orientation
        self._written: list[Replacement] = []
        self._number = first_number(reader.path)
        self._source = reader.path
        if reader.info.frames > 1:
            self._check_pattern()

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write_frame(self, frame: VideoFrame) -> None:
        """Encode a frame into a file of its own.

        Raises
        ------
        ContentUnsupportedError
            It is the second, and there is one name.
        """
        if self._written:
            self._check_pattern()
        name = self.path.name % self._number if "%" in self.path.name else self.path.name
        image = Replacement(self.path.with_name(name))
        self._number += 1
        self._written.append(image)
        try:
            image.partial.write_bytes(self._encode(frame))
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{image.path}: writing failed ({error.strerror or error})") from error

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Take nothing: images have no other streams."""

    def close(self) -> None:
        """Give the files their names."""
        try:
            for image in self._written:
                image.commit()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave nothing behind."""
        for image in self._written:
            image.discard()

    def _check_pattern(self) -> None:
        if "%" not in self.path.name:
            raise ContentUnsupportedError(
                f"{self._source}: this is a video with the name of an image; rename it, to .mp4 for example"
            )

    def _encode(self, frame: VideoFrame) -> bytes:
        if self.path.suffix.lower() == ".png":
            return encode_image(self._as_png(frame), "png")
        return encode_image(self._as_jpeg(frame), "mjpeg", BEST_JPEG)

    def _as_png(self, frame: VideoFrame) -> VideoFrame:
        deep, gray = formats.bits(frame.format.name) > 8, frame.format.name.startswith("gray")
        name = {(False, False): "rgb24", (True, False): "rgb48le", (False, True): "gray", (True, True): "gray16le"}
        form = name[deep, gray]
        samples = _converted(frame, form).to_ndarray()
        planes = np.moveaxis(samples, 2, 0) if samples.ndim == 3 else samples
        turned = self._orientation.turn(planes)
        turned = np.ascontiguousarray(np.moveaxis(turned, 0, 2) if samples.ndim == 3 else turned)
        picture = VideoFrame.from_ndarray(turned, format=form)
        return picture.reformat(format=form.replace("le", "be")) if deep else picture

    def _as_jpeg(self, frame: VideoFrame) -> VideoFrame:
        form = formats.layout(frame.format.name)
        assert form is not None
        chroma = {(2, 2): "420", (2, 1): "422"}.get((form.across, form.down), "444")
        if not self._orientation:
            return _converted(frame, f"yuvj{chroma}p")
        stored = view(_converted(frame, "yuvj444p"), self._orientation)
        upright = stored.upright()
        picture = VideoFrame(*stored.shown_size, "yuvj444p")
        target = view(picture)
        for into, plane in ((target.y, upright.y), (target.u, upright.u), (target.v, upright.v)):
            assert into is not None
            assert plane is not None
            into[:] = plane
        return picture


def encode_image(picture: VideoFrame, codec: str, options: Mapping[str, str] | None = None) -> bytes:
    """Return the content of an image file.

    Parameters
    ----------
    picture : av.VideoFrame
        In a pixel format of the codec's; its pts is set.
    codec : str
        FFmpeg's name: ``"mjpeg"`` or ``"png"``.
    options : mapping of str to str, optional
        Of the encoder.
    """
    context = cast("VideoCodecContext", CodecContext.create(codec, "w"))
    context.width, context.height, context.pix_fmt = picture.width, picture.height, picture.format.name
    context.time_base, context.options = 1, dict(options or {})  # type: ignore[assignment]
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])


def _converted(frame: VideoFrame, form: str) -> VideoFrame:
    """Return the frame in another format of full range, by the matrix and range that its own tags or size tell."""
    picture = view(frame)
    matrix = {"bt601": "ITU601", "bt709": "ITU709", "bt2020": "bt2020"}[picture.matrix]
    if frame.format.name == form:
        return frame
    same = form.startswith(("yuv", "gray"))
    return frame.reformat(
        format=form,
        src_colorspace=matrix if matrix != "bt2020" else 9,
        dst_colorspace=(matrix if matrix != "bt2020" else 9) if same else None,
        src_color_range="JPEG" if picture.full_range else "MPEG",
        dst_color_range="JPEG",
    )


def first_number(path: Path) -> int:
    """Return the number of the first picture of a sequence that exists, as FFmpeg looks for it; 0 for one picture."""
    if "%" not in path.name:
        return 0
    return next((number for number in FIRST_NUMBERS if path.with_name(path.name % number).exists()), 0)
