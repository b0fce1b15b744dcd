"""Tags, chapters and time codes: what is told about a film and its streams."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    from facered.video.input.file import Reader

logger = logging.getLogger(__name__)

# fmt: off
KEPT_TAGS = frozenset((
    "album", "album_artist", "artist", "comment", "composer", "copyright", "creation_time", "date", "description",
    "episode_id", "genre", "network", "show", "synopsis", "title", "track",
))
# fmt: on
"""Tags of the file that are carried over; others (places, devices) might give someone away."""
DROP_FRAME_RATE = Fraction(30000, 1001)
"""Frames a second of American television, for which time codes that drop numbers are made."""
MAX_TIMECODE_RATE = 255
"""Frames a second that the time code of an MP4 or MOV file can count."""
STREAM_TAGS = ("language", "title", "creation_time")
"""Tags of a stream that are carried over."""


def stream_tags(stream: Stream, container_format: str) -> dict[str, str]:
    """Return the tags of a stream that are carried over into a container, by FFmpeg's name of its format."""
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if "name" in tags:  # what MP4 calls it
        tags.setdefault("title", tags["name"])
    if container_format == "mov" and tags.get("language") == "fre":
        tags["language"] = "fra"  # the only one of the two that QuickTime's list of languages has
    return {key: tags[key] for key in STREAM_TAGS if key in tags}


def add_tags(container: OutputContainer, reader: Reader, keep_location: bool) -> None:
    """Carry over the tags and chapters of a film."""
    tags = reader.container.metadata
    kept = {key: value for key, value in tags.items() if key.lower() in KEPT_TAGS}
    places = {key: value for key, value in tags.items() if "location" in key.lower()}
    if places and keep_location:
        kept["location"] = next(iter(places.values()))
    elif places:
        logger.warning("%s: the place of recording is left out; --keep-location keeps it", reader.path)
    container.metadata.update(kept)
    chapters = reader.container.chapters()
    for chapter in chapters if reader.info.lead else ():
        assert chapter["time_base"] is not None
        ticks = round(reader.info.lead / chapter["time_base"])
        chapter["start"] += ticks
        chapter["end"] += ticks
    container.set_chapters(chapters)


def timecode_rate(timecode: str, rates: Iterable[Fraction | None]) -> Fraction | None:
    """Return the first of some rates at which a time code can count, or a usual one; None where there is none."""
    drop = ";" in timecode or "." in timecode  # it leaves numbers out, to keep up with the clock
    known = [*rates, *((DROP_FRAME_RATE,) if drop else ())]
    fitting = (rate for rate in known if rate and 0 < round(rate) <= MAX_TIMECODE_RATE)
    return next((rate for rate in fitting if not drop or round(rate) % 30 == 0), None)


def timecode_of(container: InputContainer) -> str | None:
    """Return the time code of the first frame of a film, None where there is none."""
    for tags in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, value in tags.items():
            if key.lower() == "timecode":
                return value
    return None
