"""What workers do for a job: they analyze a segment, or encode a part, from the middle of a film that they open anew.

What is imported here is imported by each worker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from facered.hide.style import chosen_style
from facered.jobs.feed import Feed
from facered.jobs.redact import redact_part
from facered.jobs.span import Span
from facered.video.input.excerpt import Excerpts, OtherFramesError, Recorded
from facered.video.input.file import Reader
from facered.video.output.film import PartWriter
from facered.video.output.settings import Encoding

if TYPE_CHECKING:
    from facered.annotations.model import Annotations
    from facered.detect.detector import Detector
    from facered.jobs.finder import Film, Item
    from facered.jobs.pieces import Piece
    from facered.options import Options
    from facered.track.segmentation import Segment
    from facered.video.info import VideoInfo
    from facered.video.orientation import Orientation

    Tell = Callable[[int], None]

T = TypeVar("T")

TOLD = 8
"""Frames after which a worker tells of them; by hand. More: progress comes in leaps. Fewer: messages."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The film that workers open, and what they are to find there.

    Attributes
    ----------
    path : Path
    identity : tuple of int
        Device, inode, size and time of the file.
    info : VideoInfo
    options : Options
        The threads are those of a worker.
    thumbnails : bool
        Whether pictures of the people are kept.
    """

    path: Path
    identity: tuple[int, ...]
    info: VideoInfo
    options: Options
    thumbnails: bool


def identity_of(path: Path) -> tuple[int, ...]:
    """Return what tells a file from others, and from what becomes of it."""
    about = os.stat(path)  # noqa: PTH116  (also of what is no name)
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def analyze_apart(origin: Origin, segment: Segment, recorded: Recorded, tell: Tell) -> Piece:
    """Return what is found in a segment.

    Parameters
    ----------
    origin : Origin
    segment : Segment
    recorded : Recorded
        Of its frames, from `Segment.lead` on up to `Segment.until`.
    tell : callable
        Told how many frames more are done.

    Raises
    ------
    OtherFramesError
        The film does not give these frames from its middle.
    """
    from facered.jobs.pieces import Piece
    from facered.jobs.segments import analyze_segment

    opened = _opened(origin)
    items = opened.items(segment, recorded, tell)
    return Piece(analyze_segment(items, segment, opened.film, opened.detector, opened.turn), opened.turn)


def encode_apart(
    origin: Origin,
    number: int,
    recorded: Recorded,
    known: list[tuple[int, Annotations]],
    draft: Path,
    container_format: str,
    complete: bool,
    tell: Tell,
) -> dict[str, float]:
    """Encode a part into a file; return what was lost, and when for the first time.

    Parameters
    ----------
    origin : Origin
    number : int
        Of its first frame.
    recorded : Recorded
        Of its frames.
    known : list of (int, Annotations)
        Who is hidden in it.
    draft : Path
        The file.
    container_format : str
        Of the film; FFmpeg's name.
    complete : bool
        As for `facered.jobs.redact.redact_video`.
    tell : callable
        Told how many frames more are done.

    Raises
    ------
    OtherFramesError
        The film does not give these frames from its middle.
    """
    opened, options = _opened(origin), origin.options
    frames = (frame for frame, _ in counted(opened.excerpts.frames(recorded), tell))
    with PartWriter(draft, opened.reader, Encoding.of(options), container_format) as writer:
        redact_part(
            opened.reader, frames, writer, Feed(iter(known), origin.info), chosen_style(options), number,
            recorded.begin, span=Span(options.start, options.end), complete=complete,
        )  # fmt: skip
    return writer.told


def counted(items: Iterator[T], tell: Tell) -> Iterator[T]:
    """Yield items, and tell of them now and then, when they are done."""
    count = 0
    for item in items:
        yield item
        count += 1
        if count == TOLD:
            tell(count)
            count = 0
    tell(count)


class _Opened:
    """A film that is open, for all that this worker does with it."""

    def __init__(self, origin: Origin) -> None:
        options = origin.options
        self.origin = origin
        self.reader = Reader(
            origin.path, options.threads, report=False, number=options.stream, strict=options.strict,
            container_format=options.input_format, max_pixels=options.max_pixels,
        )  # fmt: skip
        if identity_of(origin.path) != origin.identity or self.reader.info != origin.info:
            raise OtherFramesError("it is another film")
        self.excerpts = Excerpts(self.reader, options.threads)

    @cached_property
    def film(self) -> Film:
        from facered.jobs.finder import Film  # brings onnxruntime, which redaction does without

        return Film(self.origin.path, self.reader.info, self.origin.options, self.origin.thumbnails)

    @cached_property
    def detector(self) -> Detector:
        return self.film.detector()

    @cached_property
    def turn(self) -> Orientation:
        """How the film's first picture lies."""
        from facered.jobs.segments import first_turn, frames_between

        items = frames_between(self.reader, self.origin.options, 0, 1)
        return first_turn(items, self.film, self.detector)

    def items(self, segment: Segment, recorded: Recorded, tell: Tell) -> Iterator[Item]:
        """Yield what there is to analyze for a segment; tell of its own frames."""
        from facered.jobs.segments import item_of

        frames, time_base = self.excerpts.frames(recorded), self.origin.info.time_base
        told = counted(iter(range(segment.first, segment.end)), tell)
        for number, (frame, luma) in enumerate(frames, segment.lead):
            assert frame.pts is not None
            yield item_of(number, frame, luma, (frame.pts - recorded.begin) * time_base, self.origin.options)
            if segment.first <= number < segment.end:
                next(told)
        next(told, None)


_last: list[_Opened] = []


def _opened(origin: Origin) -> _Opened:
    """Return the film of a worker, open."""
    if not _last or _last[0].origin != origin:
        _last[:] = [_Opened(origin)]
    return _last[0]
