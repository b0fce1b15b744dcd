"""When a file says that its pictures end."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from facered.video.info import VideoInfo

MAX_MISSING_SECONDS = 2
"""Where pictures end so many seconds before the longest stream, the file is taken to be truncated; by hand. With less,
sound that goes on for a moment would be called damage."""
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)


def announced_end(container: InputContainer, stream: VideoStream, info: VideoInfo) -> tuple[Fraction, Fraction]:
    """Return when in seconds the pictures are said to end, and how much earlier the last one may begin."""
    tolerance = max(1 / Fraction(4), 5 / info.rate)
    tags = {key.upper(): value for key, value in stream.metadata.items()}
    if stream.duration is not None and container.format.name.startswith("mov"):
        return ((stream.start_time or 0) + stream.duration) * info.time_base, tolerance
    if clock := _CLOCK.match(tags.get("DURATION", "")):  # Matroska's
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + Fraction(clock[3]), tolerance
    # How long everything lasts, sound included.
    announced = Fraction(container.duration or 0, av.time_base) + Fraction(container.start_time or 0, av.time_base)
    return announced, Fraction(MAX_MISSING_SECONDS)
