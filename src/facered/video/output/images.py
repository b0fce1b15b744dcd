"""Redacted pictures as image files, one or a numbered sequence, or one behind the other down a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, cast

import numpy as np
from av.codec import CodecContext
from av.error import FFmpegError
from av.video.frame import VideoFrame

from facered.errors import ContentUnsupportedError, ServiceError
from facered.runtime import cancellation
from facered.runtime.profiling import timed
from facered.runtime.replace import FileSet
from facered.runtime.stages import Stage
from facered.video import formats
from facered.video.output.raw import Descriptor
from facered.video.picture import view
from facered.video.sequence import ImageSequence

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.codeccontext import VideoCodecContext

    from facered.video.input.file import Reader
    from facered.video.orientation import Orientation

BEST_JPEG = {"qmin": "1", "qmax": "2"}
"""FFmpeg's bounds of the quantiser, from 1, the finest, to 31; by hand. Coarser files are smaller."""


class ImageWriter:
    """A picture, or a numbered sequence of them, in the making; upright, without the source's metadata.

    As a context, the files appear under their names when the block ends without an error, by themselves or with their
    set.

    Parameters
    ----------
    path : Path
        The file, or the sequence's pattern with ``%d`` or ``%04d`` in it.
    reader : Reader
        Where the frames come from.
    sequence : ImageSequence or None, optional
        What `path` is the pattern of, None for one picture; by default found out.
    descriptor : int, optional
        Where the pictures are written instead.
    files : FileSet, optional
        What the pictures belong to; whoever made the set publishes it.

    Raises
    ------
    ContentUnsupportedError
        There are several pictures, and one name.
    ServiceError
        A file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        reader: Reader,
        sequence: ImageSequence | EllipsisType | None = ...,
        descriptor: int | None = None,
        files: FileSet | None = None,
    ) -> None:
        self.path = path
        self.others: list[Stream] = []
        self.parts = self.encoder_threads = 0
        self.regions = None  # pictures are coded as well as can be
        self._orientation = reader.info.orientation
        self._written = 0
        self._sequence = ImageSequence.of(path) if isinstance(sequence, EllipsisType) else sequence
        self._pipe = None if descriptor is None else Descriptor(descriptor)
        read = ImageSequence.of(reader.path)
        self._number = 0 if read is None else read.first_number()
        self._source = reader.path
        self._own = FileSet([path]).claim() if descriptor is None and files is None else None
        self._files = files or self._own

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
        if self._pipe is not None:
            self._write_down(self._pipe, frame)
            return
        if self._written:
            self._check_sequence()
        path = self.path if self._sequence is None else self._sequence.file(self._number)
        self._number += 1
        self._written += 1
        assert self._files is not None
        try:
            content = self._encode(frame)
            with timed(Stage.MUX):
                self._files.file(path).write_bytes(content)
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{path}: writing failed ({error.strerror or error})") from error

    def _write_down(self, pipe: Descriptor, frame: VideoFrame) -> None:
        try:
            content = self._encode(frame)
            with timed(Stage.MUX):
                cancellation.call(partial(pipe.write, [content]))
        except BrokenPipeError:
            raise
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"standard output: writing failed ({error.strerror or error})") from error

    def begin_part(self, number: int, *, stored: bool = False, keep: bool = False) -> None:
        """Do nothing: each image is encoded apart."""

    def has_part(self, number: int) -> bool:  # noqa: ARG002  (as for videos)
        """Tell that nothing is encoded already."""
        return False

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Take nothing: images have no other streams."""

    def superseded(self) -> list[Path]:
        """Return the files of an older, longer sequence of this name, which would be taken for a part of it."""
        if self._sequence is None or not self._written:
            return []
        return self._sequence.adjoining(self._number - self._written, self._number - 1)

    def close(self) -> None:
        """Give the files their names."""
        if self._own is not None:
            try:
                self._own.publish(self.superseded())
            finally:
                self._own.release()

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._own is not None:
            self._own.release()

    def _check_sequence(self) -> None:
        if self._sequence is None and self._pipe is None:
            raise ContentUnsupportedError(
                f"{self._source}: there is more than one picture; name a sequence, such as out%04d.png, or a video"
            )

    def _encode(self, frame: VideoFrame) -> bytes:
        with timed(Stage.ENCODE):
            if self.path.suffix.lower() == ".png":
                return encode_image(self._as_png(frame), "png")
            return encode_image(self._as_jpeg(frame), "mjpeg", BEST_JPEG)

    def _as_png(self, frame: VideoFrame) -> VideoFrame:
        deep, gray = formats.bits(frame.format.name) > 8, frame.format.name.startswith("gray")
        name = {(False, False): "rgb24", (True, False): "rgb48le", (False, True): "gray", (True, True): "gray16le"}
        form = name[deep, gray]
        if not self._orientation and not deep:
            return _converted(frame, form)
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


def shown(frame: VideoFrame, orientation: Orientation, width: int | None, form: str) -> VideoFrame:
    """Return a frame as it is shown, at most so many pixels wide, as ``"rgb24"`` or ``"yuvj420p"``.

    Parameters
    ----------
    frame : av.VideoFrame
        In a native format, or RGB; read only.
    orientation : Orientation
        How it is turned when it is shown.
    width : int or None
        None keeps its own.
    form : str
        FFmpeg's name of the pixel format.
    """
    across, down = orientation.size(frame.width, frame.height)
    scale = 1.0 if width is None else min(1.0, width / across)
    size = orientation.size(max(1, round(across * scale)), max(1, round(down * scale)))
    if not orientation:
        return _converted(frame, form, size)
    turned = orientation.turn(np.moveaxis(_converted(frame, "rgb24", size).to_ndarray(), 2, 0))
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(np.moveaxis(turned, 0, 2)), format="rgb24")
    return _converted(picture, form)


def _converted(frame: VideoFrame, form: str, size: tuple[int, int] | None = None) -> VideoFrame:
    """Return the frame in another format of full range, by the matrix and range that its own tags or size tell."""
    size = size or (frame.width, frame.height)
    if (frame.format.name, frame.width, frame.height) == (form, *size):
        return frame
    if frame.format.name == "rgb24":
        return frame.reformat(*size, format=form, dst_color_range="JPEG")
    picture = view(frame)
    matrix = {"bt601": "ITU601", "bt709": "ITU709", "bt2020": "bt2020"}[picture.matrix]
    same = form.startswith(("yuv", "gray"))
    return frame.reformat(
        *size,
        format=form,
        src_colorspace=matrix if matrix != "bt2020" else 9,
        dst_colorspace=(matrix if matrix != "bt2020" else 9) if same else None,
        src_color_range="JPEG" if picture.full_range else "MPEG",
        dst_color_range="JPEG",
    )
