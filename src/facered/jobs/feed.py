"""What pass two is told of who is where: all at once, or segment by segment while pass one still goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from facered.errors import ServiceError
from facered.video.output.parts import MIN_PART_FRAMES, Parts, usual_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facered.annotations.model import Annotations
    from facered.video.info import VideoInfo


class Known(Protocol):
    """Who is where in a film."""

    def until(self, pts: int) -> Annotations:
        """Return annotations in which there is a frame of a time, if there is one at all; times are to grow."""

    def begins_segment(self, number: int) -> bool:
        """Tell whether a segment begins at a frame; to be asked after `until` for that frame."""

    def part_follows(self, number: int) -> bool:
        """Tell whether another part may begin after the one that begins at a frame."""


class Document:
    """All of it, in a document.

    Parameters
    ----------
    annotations : Annotations
    info : VideoInfo
        Of the film.
    """

    def __init__(self, annotations: Annotations, info: VideoInfo) -> None:
        self._annotations, self._rate = annotations, info.rate
        known = annotations.segments
        self._begins = usual_segment if known is None else frozenset(known).__contains__

    def until(self, pts: int) -> Annotations:  # noqa: ARG002
        """See `Known.until`."""
        return self._annotations

    def begins_segment(self, number: int) -> bool:
        """See `Known.begins_segment`."""
        return self._begins(number)

    def part_follows(self, number: int) -> bool:
        """See `Known.part_follows`."""
        parts = Parts(self._rate, number)
        following = range(number + 1, len(self._annotations.pts))
        return any(self._begins(frame) and parts.begins(frame) for frame in following)


class Feed:
    """What has become known so far; asked for more, it waits for the next segment.

    Parameters
    ----------
    segments : iterator of (int, Annotations)
        The first frame of each segment and its annotations, in order.
    info : VideoInfo
        Of the film.

    Attributes
    ----------
    faces : int
        How many there are in all segments that came.
    """

    def __init__(self, segments: Iterator[tuple[int, Annotations]], info: VideoInfo) -> None:
        self._segments, self._frames = segments, info.frames
        self._begun: set[int] = set()
        self._current: Annotations | None = None
        self.faces = 0

    def until(self, pts: int) -> Annotations:
        """See `Known.until`."""
        while (self._current is None or self._current.pts[-1] < pts) and self._next():
            pass
        if self._current is None:
            raise ServiceError("no segment of the film has been analyzed; please report it")
        return self._current

    def begins_segment(self, number: int) -> bool:
        """See `Known.begins_segment`."""
        return number in self._begun

    def part_follows(self, number: int) -> bool:
        """See `Known.part_follows`."""
        return not self._frames or number + MIN_PART_FRAMES < self._frames

    def exhaust(self) -> None:
        """Wait for all that is left."""
        while self._next():
            pass

    def _next(self) -> bool:
        following = next(self._segments, None)
        if following is None:
            return False
        first, self._current = following
        self._begun.add(first)
        self.faces += len(self._current.ids)
        return True
