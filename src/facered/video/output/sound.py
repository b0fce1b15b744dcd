"""Sound: what a container takes as it is, and the rest decoded and encoded again as AAC."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.audio.resampler import AudioResampler
from av.codec import Codec, CodecContext
from av.error import FFmpegError
from av.format import ContainerFormat, Flags

from facered.video.companions import layout_name

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

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
_NO_FILE = cast("int", Flags.no_file.value)


class Resampler:
    """Brings sound to one rate and layout, whatever it changes to.

    Parameters
    ----------
    layout : str
        Of the speakers, by FFmpeg's name.
    rate : int
        Samples a second.
    """

    def __init__(self, layout: str, rate: int) -> None:
        self._layout, self._rate = layout, rate
        self._kind: tuple[object, ...] | None = None
        self._base: Fraction | None = None
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Yield what comes of a frame."""
        kind = frame.format.name, layout_name(frame.layout), frame.sample_rate
        if kind != self._kind:
            yield from self.flush()
            self._resampler, self._kind = AudioResampler("fltp", self._layout, self._rate), kind
        assert self._resampler is not None
        yield from map(self._timed, self._resampler.resample(frame))

    def flush(self) -> Iterator[AudioFrame]:
        """Yield what is left."""
        if self._resampler is not None:
            yield from (self._timed(piece) for piece in self._resampler.resample(None) if piece is not None)
        self._resampler = self._kind = None

    def _timed(self, piece: AudioFrame) -> AudioFrame:
        """Return a piece with its time in the units of the first one, which PyAV's encoder takes for those of all."""
        if self._base is None:
            self._base = piece.time_base
        elif piece.pts is not None and piece.time_base is not None and piece.time_base != self._base:
            piece.pts, piece.time_base = round(piece.pts * piece.time_base / self._base), self._base
        return piece


class Transcoder:
    """Makes AAC of a stream of sound.

    Parameters
    ----------
    source : AudioStream
        What is decoded.

    Raises
    ------
    ValueError
        It cannot be decoded, or the encoder takes nothing like it.
    """

    def __init__(self, source: AudioStream) -> None:
        self._decoder = source.codec_context
        if not self._decoder.sample_rate or not self._decoder.codec.is_decoder:
            raise ValueError("unknown sound")
        self._layout, self._rate = _settings(layout_name(self._decoder.layout), self._decoder.sample_rate)
        self._resampler = Resampler(self._layout, self._rate)

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream to a container, and return it."""
        self._stream = container.add_stream("aac", rate=self._rate)
        self._stream.codec_context.layout = self._layout
        return self._stream

    def take(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """Return what comes of a packet."""
        return self._encode(self._decoder.decode(packet))

    def finish(self) -> Iterable[Packet[Stream]]:
        """Return what is left."""
        made = self._encode(self._decoder.decode(None))
        made += [packet for piece in self._resampler.flush() for packet in self._stream.encode(piece)]
        return made + self._stream.encode(None)

    def _encode(self, frames: Iterable[AudioFrame]) -> list[Packet[Stream]]:
        pieces = (piece for frame in frames for piece in self._resampler.take(frame))
        return [packet for piece in pieces for packet in self._stream.encode(piece)]


def takes(container_format: ContainerFormat, source: Stream) -> bool:
    """Tell whether a container takes a stream as it is: some refuse rates of codecs that they have a name for."""
    if container_format.flags & _NO_FILE:
        return True  # nothing can be tried without calling somebody
    try:
        with av.open(io.BytesIO(), "w", format=container_format.name) as trial:
            trial.add_stream_from_template(source, opaque=True)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def _settings(layout: str, rate: int) -> tuple[str, int]:
    """Return layout and rate, of those that the encoder takes, that are most like the source's."""
    rates = sorted(Codec("aac", "w").audio_rates or ())
    fitting = next((known for known in rates if known >= rate), rates[-1])
    named = layout if "(" not in layout else f"{layout.split()[0]} channels"
    for name in (USUAL_LAYOUTS.get(named, named), "stereo"):
        trial = CodecContext.create("aac", "w")
        try:
            trial.sample_rate, trial.layout, trial.format = fitting, name, "fltp"
            trial.open()
        except (FFmpegError, ValueError):
            continue
        return name, fitting
    raise ValueError(f"AAC has no {layout} at {rate} Hz")
