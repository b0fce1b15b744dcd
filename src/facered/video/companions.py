"""Sound, subtitles and data that come along with pictures, and which is which after a source has been called again."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import av

if TYPE_CHECKING:
    from av.audio.layout import AudioLayout
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.stream import Stream

_TYPES = ("audio", "subtitle", "data")


def companions(streams: Iterable[Stream], foreign: Iterable[int] = ()) -> list[Stream]:
    """Return those of an input's streams that come along; `foreign` are numbers of some that do not."""
    left_out = set(foreign)
    return [stream for stream in streams if stream.type in _TYPES and stream.index not in left_out]


def codec_tag(context: av.CodecContext) -> bytes:
    """Return the four bytes that name a stream's codec."""
    try:
        return context.codec_tag.encode("ascii")
    except UnicodeDecodeError as error:  # PyAV takes them for letters
        return error.object


def layout_name(layout: AudioLayout) -> str:
    """Return FFmpeg's name of a layout that a decoder or its frame has.

    PyAV frees the list of channels of layouts in an order of their own, which belongs to the decoder or the frame;
    such layouts are kept for ever.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
    name = layout.name
    if "(" not in name and not name.startswith("ambisonic"):
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(layout))
    return name


def kept(streams: Sequence[Stream]) -> list[Stream]:
    """Return copies of all streams of a container, in their order, that know what those know and outlive it.

    What FFmpeg has no decoder for becomes a stream of data. Decoders are new ones. Of tags nothing is known.
    """
    keeper = av.open(io.BytesIO(), "w", format="null")  # which holds anything, and of which nothing is ever written
    copies: list[Stream] = []
    for stream in streams:
        try:
            copy = keeper.add_stream_from_template(stream, opaque=True)
        except ValueError:
            copy = cast("Stream", keeper.add_data_stream())
        copy.metadata.update(stream.metadata)
        copies.append(copy)
    return copies


class Continuation:
    """Tells what streams of a new connection go on with, as their order may be another one.

    Parameters
    ----------
    before : sequence of av.stream.Stream
        The companions of the first connection, `kept`.
    now : sequence of av.stream.Stream
        Those of the new one.

    Attributes
    ----------
    streams : list of av.stream.Stream
        Those of the new ones that go on with one of the first.
    strangers : list of av.stream.Stream
        Those that do not.
    """

    def __init__(self, before: Sequence[Stream], now: Sequence[Stream]) -> None:
        self._before: dict[int, Stream] = {}
        left = list(before)
        for stream in now:
            likeness = {other.index: _likeness(other, stream) for other in left if _kind(other) == _kind(stream)}
            if likeness:
                best = max(likeness, key=likeness.__getitem__)
                self._before[stream.index] = next(other for other in left if other.index == best)
                left = [other for other in left if other.index != best]
        self.streams = [stream for stream in now if stream.index in self._before]
        self.strangers = [stream for stream in now if stream.index not in self._before]

    def adopt(self, packet: Packet[Stream]) -> None:
        """Have a packet of one of `streams` be one of the first connection's."""
        packet.stream = self._before[packet.stream_index]


def _likeness(one: Stream, other: Stream) -> tuple[bool, bool]:
    """Return by what streams of one kind are told apart."""
    return one.language == other.language, one.index == other.index


def _kind(stream: Stream) -> tuple[object, ...]:
    """Return what streams have in common whose packets can follow each other."""
    context = cast("av.CodecContext | None", stream.codec_context)
    if context is None:
        return (stream.type,)
    # Each packet of broadcast AAC says its rate and speakers: what changes is encoded anew where it is written.
    if stream.type != "audio" or (context.name == "aac" and not context.extradata):
        return stream.type, context.name
    sound = cast("AudioStream", stream).codec_context
    return stream.type, context.name, sound.sample_rate, layout_name(sound.layout)
