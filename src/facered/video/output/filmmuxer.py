"""The streams of a film written side by side, in an order that does not depend on when the encoder gives out what."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from facered.errors import ServiceError
from facered.video.output.muxer import Muxer, Track
from facered.video.output.pictures import DecodeTimes, EncodedPicture

if TYPE_CHECKING:
    from fractions import Fraction

    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream


class FilmMuxer(Muxer):
    """Writes encoded pictures and packets into a file.

    An encoder holds pictures back, as many as it likes. What comes of the other streams meanwhile waits: the packets
    are written as if each picture, in the order of decoding, had come at once for the frame of its number.
    """

    _stream: VideoStream
    _tick: Fraction

    def set_pictures(self, stream: VideoStream, tick: Fraction) -> None:
        """Have pictures written into a stream; `tick` is the unit of their times, in seconds."""
        self._stream, self._tick = stream, tick
        self._times = DecodeTimes()
        self._waiting: deque[tuple[Packet[Stream], Track | None] | None] = deque()  # None: the place of a picture

    def begin_part(self) -> None:
        """Be told that the next picture is of another part; all of the one before are written."""
        self._times.begin_part()

    def expect_picture(self) -> None:
        """Be told that a frame has come: the next picture that is not expected yet has its place."""
        self._waiting.append(None)
        self._missing += 1

    def write_picture(self, picture: EncodedPicture) -> None:
        """Write the next picture, and what has waited for it."""
        if not self._waiting:
            raise ServiceError(f"{self._target}: there are more pictures than frames; choose another --codec")
        self.guard(lambda: self._write(picture))

    def finish_film(self) -> None:
        """Write the end, after all pictures; tell what was left out."""
        self._finish_all()

    def _write(self, picture: EncodedPicture) -> None:
        self._waiting.popleft()
        packet = picture.packet(self._stream, self._tick)
        packet.dts = self._times.take(picture.pts, picture.dts)
        self._mux_picture(packet, self._stream)
        while self._waiting and (item := self._waiting[0]) is not None:
            self._waiting.popleft()
            super()._mux(*item)

    def _mux(self, packet: Packet[Stream], track: Track | None) -> None:
        if track is not None and self._waiting:
            self._waiting.append((packet, track))
        else:
            super()._mux(packet, track)
