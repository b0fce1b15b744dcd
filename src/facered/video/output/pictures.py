"""Encoded pictures of a film, part by part: each part comes from an encoder of its own, all of them set up alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from av.packet import Packet

from facered.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from av.container import OutputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.info import VideoInfo
    from facered.video.output.encoder import VideoEncoder

_MAX_LAG = 16
"""Pictures by which decoding may run ahead of showing, at most: more no codec allows."""


class EncodedPicture(NamedTuple):
    """What an encoder made of a frame; times are in its ticks.

    Marks that no decoder needs are left out, so that a picture is the same whether it comes from the encoder or from a
    file: which pictures no others depend on, and how coarsely each is quantised.
    """

    data: bytes
    pts: int
    dts: int
    duration: int
    key: bool

    @classmethod
    def of(cls, packet: Packet[VideoStream], source: object) -> EncodedPicture:
        """Return what a packet of an encoder holds; `source` is what the film is called in messages.

        Raises
        ------
        ServiceError
            It has no time.
        """
        if packet.pts is None:
            raise ServiceError(f"{source}: the encoder has lost a frame's time; choose another --codec")
        dts = packet.pts if packet.dts is None else packet.dts
        return cls(bytes(packet), packet.pts, dts, packet.duration or 0, packet.is_keyframe)

    def packet(self, stream: Stream, tick: Fraction) -> Packet[Stream]:
        """Return a packet of a stream of the output."""
        packet: Packet[Stream] = Packet(len(self.data))  # it has room behind it, into which FFmpeg may look
        packet.update(self.data)
        packet.stream, packet.time_base = stream, tick
        packet.pts, packet.dts, packet.duration = self.pts, self.dts, self.duration
        packet.is_keyframe = self.key
        return packet


class PartEncoder:
    """Encodes frames, each part by a new encoder.

    Parameters
    ----------
    make : callable
        Returns a new encoder, open, set up as the others are.
    source : object
        What the film is called in messages.

    Attributes
    ----------
    extradata : bytes
        The parameter sets that go into the header of the film.
    """

    def __init__(self, make: Callable[[], VideoEncoder], source: object) -> None:
        self._make, self._source = make, source
        self._encoder: VideoEncoder | None = make()
        self._fresh = True
        self.extradata = self._encoder.stream.codec_context.extradata or b""

    def add_to(self, container: OutputContainer, info: VideoInfo) -> VideoStream:
        """Add a stream to a container for the pictures, before the first part, and return it."""
        assert self._encoder is not None
        template = self._encoder.stream
        cast(
            "OutputContainer", template.container
        ).start_encoding()  # into memory: only now a stream has what its encoder says of it
        stream = container.add_stream_from_template(template, opaque=False)
        stream.time_base = info.time_base
        stream.codec_context.codec_tag = template.codec_context.codec_tag
        if info.display_matrix:
            stream.set_display_matrix(info.display_matrix)
        return stream

    def encode(self, frame: VideoFrame) -> list[EncodedPicture]:
        """Encode a prepared frame, and return what is ready."""
        if self._encoder is None:
            self._encoder = self._make()
            check_equal(self.extradata, self._encoder.stream.codec_context.extradata or b"", self._source)
        self._fresh = False
        return [EncodedPicture.of(packet, self._source) for packet in self._encoder.encode(frame)]

    def end_part(self) -> Iterator[EncodedPicture]:
        """Yield what is held back; what is encoded next begins anew."""
        encoder = self._encoder
        if encoder is not None and not self._fresh:
            for packet in encoder.flush():
                yield EncodedPicture.of(packet, self._source)
            self.release()  # its memory is free before the next one takes some

    def release(self) -> None:
        """Free the encoder: what comes next is encoded already, or by another one, or nothing."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            # It refers to its stream, and that to it: they would stay until the garbage collector comes.
            cast("OutputContainer", encoder.stream.container).close()


class DecodeTimes:
    """Decoding times of a film whose parts were encoded apart: they grow, and are those of a single encoder.

    An encoder that reorders pictures has each decoded when the one some places before it is shown. At the start of the
    film those before do not exist, and it makes up times; at the start of a part they are those of the part before.
    """

    def __init__(self) -> None:
        self._lag: int | None = None  # places; known when the first part is over
        self._ahead = 0  # pictures of the first part that are decoded before the first one is shown
        self._first: int | None = None
        self._latest: list[int] = []  # times at which pictures are shown, in order
        self._due: list[int] = []  # times that the first ones of a part take
        self._last: int | None = None

    def begin_part(self) -> None:
        """Be told that the next picture is of another part."""
        if self._first is None:
            return
        if self._lag is None:
            self._lag = self._ahead
        self._due = self._latest[len(self._latest) - self._lag :]

    def take(self, pts: int, dts: int) -> int:
        """Return the decoding time of the next picture, of which the encoder gave times.

        Raises
        ------
        ServiceError
            There is none.
        """
        if self._first is None:
            self._first = pts
        if self._lag is None:
            self._ahead += dts < self._first
        elif self._due:
            dts = self._due.pop(0)
        self._latest = sorted([*self._latest, pts])[-_MAX_LAG:]
        if self._lag is not None and not (self._last is not None and self._last < dts <= pts):
            raise ServiceError(f"the encoder gives times out of order ({dts} for {pts}); choose another --codec")
        self._last = dts
        return dts


def check_equal(known: bytes, given: bytes, source: object) -> None:
    """Make sure that parts have equal parameter sets: a decoder is told of one.

    Raises
    ------
    ServiceError
        They have not.
    """
    if known != given:
        raise ServiceError(
            f"{source}: parts of the film have other parameter sets than its beginning; leave out --encoder-option, or "
            "begin anew without --resume"
        )
