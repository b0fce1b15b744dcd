"""Films of any length, made of a short clip's packets over and over."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

CLIP = Path(__file__).resolve().parent.parent.parent / ".cache" / "clips" / "carphone_pristine.mp4"
TICKS = 1000
"""Ticks from frame to frame: B-frames' times need room between them."""


def looped(
    path: Path,
    frames: int,
    seconds: Fraction,
    *,
    start: int = 0,
    time_base: Fraction | None = None,
    form: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write the clip's packets until there are so many frames.

    Parameters
    ----------
    frames : int
        A multiple of the clip's 120.
    seconds : Fraction
        From frame to frame.
    start : int
        The first frame's time in ticks.
    time_base : Fraction, optional
        Seconds of a tick; by default a thousandth of `seconds`.
    form : str, optional
        FFmpeg's name of the format, where the file's name does not say it.
    options : dict, optional
        For the muxer.
    """
    base = time_base or seconds / TICKS
    with av.open(str(CLIP)) as container, av.open(str(path), "w", format=form, options=options or {}) as output:
        source = container.streams.video[0]
        copy = output.add_stream_from_template(source)
        copy.time_base = base
        rate = source.average_rate
        packets = [packet for packet in container.demux(source) if packet.size]
        step = seconds / base
        first = min(packet.pts for packet in packets)
        assert frames % len(packets) == 0
        for turn in range(frames // len(packets)):
            for packet in packets:
                new = av.Packet(bytes(packet))
                new.is_keyframe, new.stream, new.time_base = packet.is_keyframe, copy, base
                pts, dts = (
                    round((ticks - first) * source.time_base * rate + turn * len(packets))
                    for ticks in (packet.pts, packet.dts)
                )
                new.pts, new.dts, new.duration = start + round(pts * step), start + round(dts * step), round(step)
                output.mux(new)
    return path
