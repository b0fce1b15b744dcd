"""Raw pictures on a file descriptor, as NUT or Y4M: what is written is out, and nothing else in the picture changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, cast

import av
import numpy as np
from av.rational import AVRational

from facered.errors import ContentUnsupportedError
from facered.video import formats
from facered.video.companions import codec_tag
from facered.video.output.nut import AUDIO, SUBTITLE, VIDEO, NutStream, NutWriter
from facered.video.output.retiming import Retimer
from facered.video.picture import rows

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

    from facered.video.info import VideoInfo
    from facered.video.output.nut import Buffer

FORMATS = ("nut", "y4m")
_PIPE_BYTES = 1 << 20
"""How much a pipe holds, if the system allows it: with less, writer and reader wait for each other more often."""
_MAX_PIECES = 256
"""Pieces that are written by one call of the system, at most; the system takes 1,024."""
_KINDS = {"audio": AUDIO, "subtitle": SUBTITLE}
_Y4M_CHROMA = {(2, 2): "420", (2, 1): "422", (1, 1): "444", (4, 1): "411"}
_FIELDS = {1: "p", 2: "t", 3: "b", 4: "t", 5: "b"}
"""How Y4M calls FFmpeg's orders of fields."""
_KEPT_TAGS = ("language", "title")


class Sink(Protocol):
    """Where frames and packets go.

    Attributes
    ----------
    missed : int
        Frames that nobody took, although all is well.
    """

    missed: int

    def write_frame(self, frame: VideoFrame) -> None:
        """Write a frame."""

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of another stream."""

    def close(self) -> None:
        """Finish what is written."""


class Descriptor:
    """A file descriptor that takes everything that it is given.

    Parameters
    ----------
    number : int
    """

    def __init__(self, number: int) -> None:
        self._number = number
        with suppress(OSError):  # not a pipe, or a larger one than is allowed
            fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def write(self, pieces: Sequence[Buffer]) -> None:
        """Write pieces one behind the other.

        Raises
        ------
        BrokenPipeError
            Nobody reads any more.
        """
        left = [memoryview(piece) for piece in pieces if len(piece)]
        while left:
            count = os.writev(self._number, left[:_MAX_PIECES])
            while left and count >= len(left[0]):
                count -= len(left.pop(0))
            if count:
                left[0] = left[0][count:]


def nut_streams(others: Sequence[Stream], tags: Mapping[int, bytes]) -> dict[int, NutStream]:
    """Return what NUT says of those streams of a NUT file that can be passed on, by their indices."""
    found: dict[int, NutStream] = {}
    for stream in others:
        context = stream.codec_context
        if stream.type not in _KINDS or context is None or stream.time_base is None:
            continue
        sound = cast("av.AudioCodecContext", context) if stream.type == "audio" else None
        found[stream.index] = NutStream(
            _KINDS[stream.type],
            tags[stream.index],
            stream.time_base,
            context.extradata or b"",
            sample_rate=sound.sample_rate if sound else 0,
            channels=sound.layout.nb_channels if sound else 0,
            tags={key: stream.metadata[key] for key in _KEPT_TAGS if key in stream.metadata},
        )
    return found


class NutSink:
    """Raw pictures and other streams as NUT.

    Parameters
    ----------
    descriptor : Descriptor
    info : VideoInfo
    others : sequence of av.stream.Stream
        Of a NUT file; those that cannot be passed on are left out.
    tags : mapping of int to bytes
        How that file names their codecs, by their indices.

    Raises
    ------
    ContentUnsupportedError
        NUT has no name for the pixel format.
    """

    def __init__(
        self, descriptor: Descriptor, info: VideoInfo, others: Sequence[Stream], tags: Mapping[int, bytes]
    ) -> None:
        name = info.working_format
        tag = raw_tag(name)
        if tag is None:
            name = planar(name)
            tag = raw_tag(name)
        if tag is None:
            raise ContentUnsupportedError(f"NUT cannot hold {info.working_format} frames")
        self._converter = formats.Converter(name)
        pictures = NutStream(
            VIDEO,
            tag,
            info.time_base,
            width=info.stored_size[0],
            height=info.stored_size[1],
            sample_aspect_ratio=info.sample_aspect_ratio,
            tags={"r_frame_rate": f"{info.rate.numerator}/{info.rate.denominator}"},
        )
        passed = nut_streams(others, tags)
        self._numbers = {index: number for number, index in enumerate(passed, 1)}
        self._bases = {index: stream.time_base for index, stream in passed.items()}
        self._retimers = {index: Retimer(stream.kind == AUDIO, strict=False) for index, stream in passed.items()}
        self._base, self._lead = info.time_base, info.lead
        self._writer = NutWriter(descriptor.write, [pictures, *passed.values()])

    missed = 0

    def write_frame(self, frame: VideoFrame) -> None:
        """Write a frame."""
        assert frame.pts is not None
        assert frame.time_base is not None
        pts = _ticks(frame.pts, frame.time_base, self._base, self._lead)
        self._writer.write_packet(0, pts, planes(self._converter.convert(frame)))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the other streams, if that is passed on."""
        index = packet.stream_index
        if index in self._numbers:
            packet.rescale_ts(AVRational(self._bases[index]))
            self._write(index, self._retimers[index].take(packet))

    def close(self) -> None:
        """Write the packets that wait; NUT ends with the last one."""
        for index, retimer in self._retimers.items():
            self._write(index, retimer.flush())
            retimer.tell(f"stream {index}")

    def _write(self, index: int, packets: Sequence[Packet[Stream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            pts = _ticks(packet.pts, packet.time_base, self._bases[index], self._lead)
            self._writer.write_packet(self._numbers[index], pts, [memoryview(packet)], packet.is_keyframe)


class Y4mSink:
    """Raw pictures as Y4M, which has a frame rate and no times.

    Parameters
    ----------
    descriptor : Descriptor
    info : VideoInfo
    field_order : int
        As FFmpeg numbers it.
    siting : str
        What another Y4M file says of its chroma, such as 420mpeg2.

    Raises
    ------
    ContentUnsupportedError
        Y4M has no name for the pixel format.
    """

    def __init__(self, descriptor: Descriptor, info: VideoInfo, field_order: int = 0, siting: str = "") -> None:
        form = formats.layout(info.working_format)
        assert form is not None
        family = _Y4M_CHROMA.get((form.across, form.down)) if form.chroma != "none" else None
        bits = formats.bits(info.working_format)
        if form.chroma != "none" and family is None:
            raise ContentUnsupportedError(f"Y4M cannot hold {info.working_format} frames; use --format nut")
        space = (family or "mono") + (f"{'p' if family else ''}{bits}" if bits > 8 else "")
        if space == "420":
            space = siting if siting.startswith("420") else "420jpeg"
        # What Y4M has not, such as NV12, is brought to planes: the same samples in another order.
        self._converter = formats.Converter(planar(info.working_format))
        (width, height), rate = info.stored_size, info.rate
        aspect = info.sample_aspect_ratio.as_integer_ratio() if info.sample_aspect_ratio else (0, 0)
        header = (
            f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} I{_FIELDS.get(field_order, 'p')} "
            f"A{aspect[0]}:{aspect[1]} C{space}"
        )
        header += f" XYSCSS={space.upper()}" if form.chroma != "none" else ""
        full = info.full_range
        if full or info.colours.range:
            header += f" XCOLORRANGE={'FULL' if full else 'LIMITED'}"
        self._descriptor = descriptor
        descriptor.write([header.encode() + b"\n"])

    missed = 0

    def write_frame(self, frame: VideoFrame) -> None:
        """Write a frame."""
        if frame.format.name != self._converter.name and not frame.format.name.startswith("yuvj"):
            frame = self._converter.convert(frame)
        self._descriptor.write([b"FRAME\n", *planes(frame)])

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Do nothing: Y4M has pictures only."""

    def close(self) -> None:
        """Do nothing: Y4M ends with its last frame."""


def planes(frame: VideoFrame) -> list[memoryview]:
    """Return the samples of a frame in a native format, row by row without padding; copied only where there is some."""
    form = formats.layout(frame.format.name)
    assert form is not None
    size = 1 if form.depth == 8 else 2
    pieces = []
    chroma = -(-frame.width // form.across) * (2 if form.chroma in ("uv", "vu") else 1), -(-frame.height // form.down)
    for plane, (width, height) in zip(frame.planes, ((frame.width, frame.height), chroma, chroma), strict=False):
        samples = rows(plane, width * size, height, np.uint8)
        pieces.append(np.ascontiguousarray(samples).data.cast("B"))
    return pieces


def planar(name: str) -> str:
    """Return the planar format that holds the samples of a native one; its own where it is planar."""
    form = formats.layout(name)
    assert form is not None
    return name if form.chroma == "none" else formats.planar_name(form.across, form.down, formats.bits(name))


def raw_tag(name: str) -> bytes | None:
    """Return FFmpeg's four bytes for pictures of a format laid out one sample behind the other, if there are any."""
    context = av.CodecContext.create("rawvideo", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 16, 16, name, Fraction(1)
    context.open()
    tag = codec_tag(context)
    return tag if any(tag) else None


def _ticks(pts: int, time_base: Fraction, target: Fraction, lead: Fraction) -> int:
    ticks = pts if time_base == target and not lead else round((pts * time_base + lead) / target)
    return max(ticks, 0)  # NUT begins at 0
