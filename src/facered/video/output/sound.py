"""Sound, decoded and encoded again as AAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
from av.audio.resampler import AudioResampler

if TYPE_CHECKING:
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


class Transcoder:
    """Adds a stream of AAC to a container, and fills it.

    Parameters
    ----------
    source : AudioStream
        What is decoded.
    container : OutputContainer

    Attributes
    ----------
    stream : AudioStream
        What is written.
    """

    def __init__(self, source: AudioStream, container: OutputContainer) -> None:
        decoder = self._decoder = source.codec_context
        self._container = container
        self.stream = container.add_stream("aac", rate=decoder.sample_rate)
        # Some containers tell the number of channels only; AAC wants to know which they are.
        layout = USUAL_LAYOUTS.get(decoder.layout.name, decoder.layout.name)
        self.stream.codec_context.layout = layout
        self._resampler = AudioResampler("fltp", layout, decoder.sample_rate)

    def write(self, packet: Packet[Stream] | None) -> None:
        """Transcode a packet; None: what the decoder has left."""
        for frame in packet.decode() if packet else self._decoder.decode(None):
            for piece in self._resampler.resample(cast("av.AudioFrame", frame)):
                self._container.mux(self.stream.encode(piece))

    def finish(self) -> None:
        """Write what is left."""
        self.write(None)
        for piece in self._resampler.resample(None):
            self._container.mux(self.stream.encode(piece))
        self._container.mux(self.stream.encode(None))
