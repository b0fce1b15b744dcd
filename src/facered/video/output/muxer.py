"""What all encoded videos have in common: other streams come along, times begin at 0, and errors are told alike.

Which streams those are is up to those who write a file or a live stream.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, cast

import av
from av.error import FFmpegError
from av.format import Flags
from av.rational import AVRational

from facered.errors import ContentMalformedError, ContentUnsupportedError, ServiceError
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.video.input.decode import reason
from facered.video.output.adts import AdtsCopy
from facered.video.output.retiming import Retimer
from facered.video.output.sound import Transcoder

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from facered.video.output.encoder import VideoEncoder

    Convert = Callable[[Packet[Stream]], Iterable[Packet[Stream]]]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_NONSTRICT = cast("int", Flags.ts_nonstrict.value)
_COUNTING = ("mp4", "mov")
"""Containers that hold how long each picture lasts, and not when it is shown."""
MAX_TICKS = 2**31 - 1
"""Most ticks for that, as FFmpeg writes it."""
_UNFIT = (av.error.InvalidDataError, av.error.ArgumentError, av.error.PatchWelcomeError)
"""What FFmpeg's containers say of packets that make no sense to them; other errors are those of the output."""


class Muxer:
    """Writes frames and packets into a container, and says in one way what goes wrong.

    Parameters
    ----------
    container : av.container.OutputContainer
    target, source : object
        What output and input are called in messages.
    lead : Fraction
        Seconds that are added to all times.
    strict : bool
        Whether damage is an error.
    passed : tuple of exception types
        Errors that are the caller's business, and stay as they are.

    Attributes
    ----------
    others : list of av.stream.Stream
        Those of the input whose packets are written.
    """

    def __init__(
        self,
        container: OutputContainer,
        target: object,
        source: object,
        *,
        lead: Fraction = Fraction(0),
        strict: bool = False,
        passed: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._container, self._target, self._source = container, target, source
        self._lead, self._strict, self._passed = lead, strict, passed
        self._tracks: dict[int, Track] = {}
        self.others: list[Stream] = []
        self._last: Fraction | None = None  # when the last picture was written
        self._missing = 0  # frames of which no packet has come yet

    def add(
        self, source: Stream, target: Stream, convert: Convert, finish: Callable[[], Iterable[Packet[Stream]]]
    ) -> None:
        """Have the packets that a function makes of those of a stream of the input written into one of the output.

        `finish` returns those that are left at the end.
        """
        strict = not self._container.format.flags & _NONSTRICT
        retimer = Retimer(source.type == "audio", strict)
        name = f"{self._source}: {source.type} stream {source.index}"
        self._tracks[source.index] = Track(name, target, convert, finish, retimer)
        self.others.append(source)

    def add_copy(self, source: Stream, target: Stream) -> None:
        """Have the packets of a stream of the input written into one of the output as they are."""
        if source.codec_context is not None and source.codec_context.name == "aac":
            copy = AdtsCopy(cast("AudioStream", source))
            self.add(source, target, copy.take, copy.finish)
        else:
            self.add(source, target, lambda packet: [packet], list)

    def add_transcoded(self, source: AudioStream, transcoder: Transcoder) -> AudioStream:
        """Have the sound of a stream of the input encoded anew, as AAC, and return the output's stream."""
        stream = transcoder.add_to(self._container)
        self.add(source, stream, transcoder.take, transcoder.finish)
        return stream

    def start(self) -> None:
        """Write the header."""
        self.guard(self._container.start_encoding)

    def write_frame(self, frame: VideoFrame, encoder: VideoEncoder) -> None:
        """Encode a frame."""
        frame = encoder.conversion.prepare(frame)
        self._missing += 1
        self.guard(lambda: self._mux_pictures(encoder.encode(frame), encoder))

    def write_packet(self, packet: Packet[Stream]) -> None:
        """Write a packet of one of the streams in `others`; those of further ones are left out."""
        track = self._tracks.get(packet.stream_index)
        if track is not None:
            self.guard(lambda: self._convert(track, lambda: track.convert(packet)))

    def finish(self, encoder: VideoEncoder) -> None:
        """Write all that encoders hold back, and the end; tell what was left out."""
        self.guard(lambda: self._mux_pictures(encoder.flush(), encoder))
        self._finish_all()

    def _finish_all(self) -> None:
        """Write the end, after all pictures; tell what was left out."""
        if self._missing:
            raise ServiceError(f"{self._target}: the encoder has lost {self._missing} frames; choose another --codec")
        for track in self._tracks.values():
            self.guard(lambda track=track: self._finish(track))  # type: ignore[misc]
        self.guard(self._container.close)
        for track in self._tracks.values():
            track.tell()

    def guard(self, step: Callable[[], T]) -> T:
        """Take a step of writing, and return what it gives.

        Raises
        ------
        ServiceError
            It failed.
        """
        try:
            return step()
        except self._passed:
            raise
        except (FFmpegError, OSError) as error:
            raise ServiceError(f"{self._target}: writing failed ({error.strerror or error})") from error

    def _mux_pictures(self, packets: Iterable[Packet[VideoStream]], encoder: VideoEncoder) -> None:
        for packet in cast("Iterable[Packet[Stream]]", packets):
            if packet.pts is None:
                raise ServiceError(f"{self._target}: the encoder has lost a frame's time; choose another --codec")
            self._mux_picture(packet, encoder.stream)

    def _mux_picture(self, packet: Packet[Stream], stream: VideoStream) -> None:
        with timed(Stage.MUX):
            self._shift(packet)
            self._check_gap(packet, stream)
            self._mux(packet, None)
            self._missing -= 1

    def _check_gap(self, packet: Packet[Stream], stream: VideoStream) -> None:
        """Make sure that the container can hold a picture's time: FFmpeg would leave it out.

        Raises
        ------
        ContentUnsupportedError
            It comes too long after the one before.
        """
        unit = stream.time_base
        if packet.dts is None or unit is None or self._container.format.name not in _COUNTING:
            return
        time = packet.dts * packet.time_base
        if self._last is not None and (time - self._last) / unit > MAX_TICKS:
            raise ContentUnsupportedError(
                f"{self._source}: a frame lasts {float(time - self._last):.0f} s, more than {self._target} can hold at "
                f"{1 / unit} ticks a second; name the result with -o, such as film.mkv"
            )
        self._last = time

    def _convert(self, track: Track, convert: Callable[[], Iterable[Packet[Stream]]]) -> None:
        try:
            made = list(convert())
        except MemoryError:
            raise
        except FFmpegError as error:  # nothing is written here
            self._leave_out(track, error)
            return
        for packet in made:
            packet.stream = track.target
            self._shift(packet)
            assert track.target.time_base is not None
            packet.rescale_ts(AVRational(track.target.time_base))
            for ready in track.retimer.take(packet):
                self._mux(ready, track)

    def _finish(self, track: Track) -> None:
        self._convert(track, track.finish)
        for packet in track.retimer.flush():
            self._mux(packet, track)

    def _shift(self, packet: Packet[Stream]) -> None:
        if self._lead:
            ticks = round(self._lead / packet.time_base)
            packet.pts = packet.pts + ticks if packet.pts is not None else None
            packet.dts = packet.dts + ticks if packet.dts is not None else None

    def _mux(self, packet: Packet[Stream], track: Track | None) -> None:
        try:
            self._container.mux_one(packet)
        except _UNFIT as error:
            # A packet waits in the container until its time has come: the error may be that of an earlier one. What
            # encoders make always fits.
            copied = [track for track in self._tracks.values() if track.retimer.taken]
            if not copied:
                raise
            self._leave_out(track or copied[0], error)

    def _leave_out(self, track: Track, error: FFmpegError) -> None:
        if self._strict:
            raise ContentMalformedError(f"{track.name} is damaged ({reason(error)})") from error
        track.damaged += 1


class Track:
    """A stream that comes along.

    Attributes
    ----------
    damaged : int
        Packets that were left out because they make no sense.
    """

    def __init__(
        self,
        name: str,
        target: Stream,
        convert: Convert,
        finish: Callable[[], Iterable[Packet[Stream]]],
        retimer: Retimer,
    ) -> None:
        self.name, self.target, self.retimer = name, target, retimer
        self.convert, self.finish = convert, finish
        self.damaged = 0

    def tell(self) -> None:
        """Warn of what is not as it was."""
        if self.damaged:
            logger.warning("%s: %d damaged packets are left out", self.name, self.damaged)
        self.retimer.tell(self.name)
