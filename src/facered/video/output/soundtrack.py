"""A film's first sound, small, for browsers: Opus in WebM, its times counted from the film's first picture."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, BITS = 48_000, 64_000


def soundtrack(
    path: str | os.PathLike[str], begin: Fraction, stopped: Callable[[], bool] = lambda: False
) -> bytes | None:
    """Return the sound as the content of a WebM file; None where there is none that can be decoded.

    Parameters
    ----------
    path : path-like
    begin : Fraction
        When the film's first picture is shown, in seconds of the file's clock.
    stopped : callable
        Tells whether nobody wants it any more.
    """
    made = io.BytesIO()
    try:
        with av.open(os.fspath(path)) as container, av.open(made, "w", format="webm") as output:
            if not container.streams.audio:
                return None
            source = container.streams.audio[0]
            target = output.add_stream("libopus", rate=RATE)
            target.bit_rate = BITS
            target.codec_context.layout = "stereo"
            resampler = av.AudioResampler(format=target.codec_context.format, layout="stereo", rate=RATE)
            next_pts = 0
            for packet in container.demux(source):
                if stopped():
                    return None
                try:
                    decoded = packet.decode()
                except FFmpegError:
                    continue
                for frame in decoded:
                    if frame.pts is None or frame.time_base is None:
                        continue
                    for piece in resampler.resample(frame):
                        if piece.pts is None or piece.time_base is None:
                            continue
                        at = round((piece.pts * piece.time_base - begin) * RATE)
                        if at < 0:  # before the first picture
                            continue
                        at = max(at, next_pts)
                        piece.pts, piece.time_base, next_pts = at, Fraction(1, RATE), at + piece.samples
                        output.mux(target.encode(piece))
            output.mux(target.encode(None))
    except (FFmpegError, OSError, ValueError):
        return None
    return made.getvalue()
