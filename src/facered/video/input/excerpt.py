"""Runs of frames from the middle of a film: decoded from a key frame on, and compared with what a walk has recorded.

Whoever begins to decode in the middle may see other frames than whoever has come from the start: containers seek
inexactly, and what they call a key frame may still look back. So a walk records each frame's time and a checksum of
its small luma, and an excerpt gives exactly these frames, or none.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from av.error import FFmpegError

from facered.video.input.nal import begins_anew
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from facered.video.input.file import Reader

FIRST_STEP = Fraction(1)
"""Seconds to go back further where a container has sought too far; twice as many each time; by hand. More: more is
decoded in vain. Fewer: it seeks more often."""
MAX_SEEKS = 16
"""How often to seek; by hand. By then it has gone back a day."""


class OtherFramesError(Exception):
    """The frames are not those that were recorded, or cannot be had from the middle of the film."""


class Recorded(NamedTuple):
    """What was recorded of a run of frames.

    Attributes
    ----------
    pts, durations : (frames,) int64
    checksums : (frames,) uint32
        Of the small luma of each.
    begin : int
        The time of the film's first frame.
    """

    pts: NDArray[np.int64]
    durations: NDArray[np.int64]
    checksums: NDArray[np.uint32]
    begin: int


class Recording:
    """What there is to record of a film's frames: 20 bytes each. One thread adds to it, others may ask."""

    def __init__(self) -> None:
        self._pts, self._durations, self._checksums = array("q"), array("q"), array("I")

    def __len__(self) -> int:
        return len(self._checksums)

    def add(self, frame: VideoFrame, luma: NDArray[np.uint8]) -> None:
        """Record the next frame, of which the small luma is given."""
        assert frame.pts is not None
        self._pts.append(frame.pts)
        self._durations.append(frame.duration or 0)
        self._checksums.append(_checksum(luma))

    def run(self, first: int, end: int) -> Recorded:
        """Return what was recorded of the frames from one up to another, which is not included."""
        return Recorded(
            np.array(self._pts[first:end], np.int64),
            np.array(self._durations[first:end], np.int64),
            np.array(self._checksums[first:end], np.uint32),
            self._pts[0],
        )


def _checksum(luma: NDArray[np.uint8]) -> int:
    return zlib.crc32(luma.data)


class Excerpts:
    """Gives frames of a film from anywhere in it.

    Parameters
    ----------
    reader : Reader
        Open, at its start.
    threads : int
        Of the decoder.
    """

    def __init__(self, reader: Reader, threads: int) -> None:
        self._reader, self._threads = reader, threads
        self._open()

    def close(self) -> None:
        """Close the file."""
        self._pictures.container.close()

    def _open(self) -> None:
        self._pictures = self._reader.reopen(self._threads)
        self._stream = self._pictures.stream

    def frames(self, recorded: Recorded) -> Iterator[tuple[VideoFrame, NDArray[np.uint8]]]:
        """Yield the frames that were recorded, each with its small luma.

        Raises
        ------
        OtherFramesError
            They are not there, or damaged.
        """
        info, shrink = self._reader.info, Shrinker()
        for place, native in enumerate(self.natives(int(recorded.pts[0]), recorded.begin)):
            native.duration = int(recorded.durations[place])
            luma = shrink(view(native, info.orientation))
            if native.pts != recorded.pts[place] or _checksum(luma) != recorded.checksums[place]:
                raise OtherFramesError(f"another frame at {native.pts}")
            yield native, luma
            if place + 1 == len(recorded.pts):
                return
        raise OtherFramesError("the film ends")

    def natives(self, first: int, begin: int) -> Iterator[VideoFrame]:
        """Yield the frames from a time on, in a native format.

        Parameters
        ----------
        first : int
            The time of the first one wanted.
        begin : int
            The time of the film's first frame.

        Raises
        ------
        OtherFramesError
            One has no time, or is damaged, or there is no key frame to begin with.
        """
        for packet in self._packets(first, begin):
            decoded: list[VideoFrame] = []
            with suppress(FFmpegError):  # what looks back beyond the beginning; that others are there is compared
                decoded = packet.decode()
            for frame in decoded:
                pts = frame.pts if frame.pts is not None else frame.dts
                if pts is not None and pts < first:
                    continue
                if pts is None or frame.is_corrupt:
                    raise OtherFramesError("a frame without a time, or a damaged one")
                native = self._reader.normalizer.convert(frame, self._pictures)
                native.time_base, native.pts = self._reader.info.time_base, pts
                yield native

    def _packets(self, first: int, begin: int) -> Iterator[Packet[VideoStream]]:
        """Yield the packets from a key frame on with which all that is shown from a time on can be decoded.

        Where it is not certain that nothing behind a key frame looks back beyond it, that is the key frame before it.
        """
        step = round(FIRST_STEP / (self._stream.time_base or Fraction(1)))
        latest = target = first
        for _ in range(MAX_SEEKS):
            if target < begin:  # some containers do not seek there
                self.close()
                self._open()
            else:
                self._pictures.container.seek(target, stream=self._stream)
            packets = self._pictures.container.demux(self._stream)
            key = next((packet for packet in packets if packet.is_keyframe), None)
            pts = None if key is None else key.pts
            if key is not None and pts is not None:
                at_start = target < begin and pts <= first
                if at_start or (pts <= latest and (latest < first or begins_anew(key, self._stream))):
                    yield key
                    # What is shown before the key frame may look back.
                    yield from (packet for packet in packets if not packet.size or (packet.pts or pts) >= pts)
                    return
                if pts <= latest:
                    latest = target = pts - 1
                    continue
            target, step = target - step, 2 * step
        raise OtherFramesError("no key frame is found")
