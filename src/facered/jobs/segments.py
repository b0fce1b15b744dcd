"""Pass one, segment by segment: each is found, analyzed by itself, and told of as soon as nothing in it can change."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from facered.jobs.finder import Film, Finder, Item, SegmentResult
from facered.jobs.pieces import Passed, Piece, Stored
from facered.jobs.progress import ProgressCallback, StageProgress
from facered.jobs.span import Span
from facered.runtime.ahead import Ahead, depth
from facered.runtime.profiling import timed, timed_items
from facered.runtime.stages import Stage
from facered.track.segmentation import GRID, Grid, Mark, Segment, Segmentation
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from facered.detect.detector import Detector
    from facered.jobs.pieces import Pieces
    from facered.options import Options
    from facered.video.input.file import Reader
    from facered.video.picture import VideoFrame

logger = logging.getLogger(__name__)

LATER = Fraction(1)
"""Seconds that are looked at beyond the end of the span; by hand. Longer: time. Shorter: who comes in just before the
end is bare there."""


def analyze_segments(
    reader: Reader,
    options: Options,
    progress: ProgressCallback | None = None,
    *,
    thumbnails: bool = False,
    grid: Grid = GRID,
    pieces: Pieces | None = None,
    passed: Passed | None = None,
) -> Iterator[SegmentResult]:
    """Yield what is found in each segment of a film, in order, each as soon as it is final.

    That is about 2.5 s of film behind its end. The film is decoded once.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    options : Options
    progress : callable, optional
        Told after every frame.
    thumbnails : bool
        Whether to keep a picture of each person.
    grid : Grid
        Where long shots may be divided.
    pieces : Pieces, optional
        Where results are kept; segments that are known there are not analyzed again.
    passed : Passed, optional
        What of the film's beginning somebody else has seen to: nothing is yielded of it.

    Raises
    ------
    FaceredError
        The video cannot be read, or the model is not usable.
    """
    info = reader.info
    film = Film(reader.path, info, options, thumbnails)
    running = _Running(film, film.detector(), pieces, passed)
    upcoming = Upcoming(reader, options, grid)
    stage = StageProgress("analyze", info.frames, progress)
    waiting = depth(info.width, info.height) if options.threads != 1 or reader.stalls else 0
    turned = False
    with Ahead(upcoming.marked(), waiting, "decode") as pictures:
        for picture in pictures:
            for result in running.take(picture):
                turned = told_turned(result, reader, turned)
                yield result
            stage.step()
    stage.finish()
    for result in running.finish(upcoming.last_segments):
        turned = told_turned(result, reader, turned)
        yield result


def analyze_segment(
    items: Iterable[Item], segment: Segment, film: Film, model: Detector, turn: Orientation = UPRIGHT
) -> SegmentResult:
    """Return what is found in one segment.

    Parameters
    ----------
    items : iterable of Item
        The frames from `Segment.lead` on, up to `Segment.until`.
    segment : Segment
    film : Film
    model : Detector
    turn : Orientation
        What `first_turn` gave for the film.
    """
    finder = Finder(film, model, segment.lead, turn)
    for item in items:
        finder.take(item, ends_shot=segment.ends_shot and item.number == segment.until - 1)
    finder.close()
    return finder.finish(segment)


def first_turn(items: Iterable[Item], film: Film, model: Detector) -> Orientation:
    """Return how a film's first picture, the first of some items, lies if nothing says so."""
    finder = Finder(film, model, 0)
    finder.take(next(iter(items)), ends_shot=False)
    finder.close()
    return finder.turn


def find_segments(reader: Reader, options: Options, grid: Grid = GRID) -> list[Segment]:
    """Return the segments of a film, without analyzing them; the reader is read to its end."""
    upcoming = Upcoming(reader, options, grid)
    found = [segment for picture in upcoming.marked() for segment in picture.mark.settled]
    return [*found, *upcoming.last_segments]


def frames_between(reader: Reader, options: Options, first: int, end: int) -> Iterator[Item]:
    """Yield a film's frames from one on up to another, which is not included; those before are decoded, no more."""
    shrink = Shrinker()
    begun: int | None = None
    for number, frame in enumerate(timed_items(reader.frames(), Stage.DECODE)):
        if number == end:
            break
        reader.info.check_frame(frame)
        assert frame.pts is not None
        begun = frame.pts if begun is None else begun
        if number < first:
            continue
        with timed(Stage.SHRINK):
            luma = shrink(view(frame, reader.info.orientation))
        yield item_of(number, frame, luma, (frame.pts - begun) * reader.info.time_base, options)


def item_of(number: int, frame: VideoFrame, luma: NDArray[np.uint8], elapsed: Fraction, options: Options) -> Item:
    """Return a frame as it is analyzed; `elapsed` is the time since the film's first frame."""
    span = Span(options.start, options.end)
    wanted = span.holds(elapsed)
    # Who is seen for certain a moment later is followed back.
    looked_at = wanted or span.holds(max(elapsed - LATER, Fraction(0)))
    return Item(number, frame, luma, float(elapsed), wanted, looked_at)


def told_turned(result: SegmentResult, reader: Reader, told: bool) -> bool:
    """Say once that a picture lies."""
    if result.turned and not told:
        logger.warning("%s: the picture is turned, and nothing says so; faces are found at another angle", reader.path)
    return told or result.turned


@dataclass(frozen=True, slots=True)
class Marked:
    """A frame, what is known with it, and whether it ends a shot."""

    item: Item
    mark: Mark
    ends_shot: bool


class Upcoming:
    """The frames as they are decoded, shrunk, and with the segments found.

    It runs ahead in a thread of its own; `last_segments` may be read when that has ended. With `waiting`, frames are
    decoded and shrunk in another one, so many ahead.
    """

    def __init__(self, reader: Reader, options: Options, grid: Grid, waiting: int = 0) -> None:
        self._reader, self._options, self._waiting = reader, options, waiting
        self._segmentation = Segmentation(float(reader.info.rate), grid)
        self.last_segments: tuple[Segment, ...] = ()

    def marked(self) -> Iterator[Marked]:
        """Yield all frames, each as soon as it is known whether the next one begins a shot: some frames late."""
        held: tuple[Item, Mark] | None = None
        for item, mark in self._judged():
            if held is not None:
                yield Marked(*held, ends_shot=mark.cut)
            held = item, mark
        if held is not None:
            yield Marked(*held, ends_shot=True)

    def _judged(self) -> Iterator[tuple[Item, Mark]]:
        """Yield all frames, each as soon as it is known whether it begins a shot."""
        waiting: deque[Item] = deque()
        with Ahead(frames_between(self._reader, self._options, 0, -1), self._waiting, "decode") as items:
            for item in items:
                waiting.append(item)
                del item
                with timed(Stage.CUTS):
                    mark = self._segmentation.push(waiting[-1].luma, waiting[-1].seconds)
                if mark is not None:
                    yield waiting.popleft(), mark
        for mark in self._segmentation.flush():
            yield waiting.popleft(), mark
        self.last_segments = self._segmentation.finish()


class _Running:
    """The segments that are being analyzed: one, and about a seam the one behind it too."""

    def __init__(self, film: Film, model: Detector, pieces: Pieces | None, passed: Passed | None) -> None:
        self._film, self._model, self._pieces = film, model, pieces
        self._turn: Orientation | None = None
        self._passed = passed
        self._current: Finder | Stored | Passed | None = None
        self._ahead: dict[int, Finder | Stored | Passed] = {}  # by the seams where they may begin
        self._closed: deque[Finder | Stored | Passed] = deque()

    def take(self, picture: Marked) -> Iterator[SegmentResult]:
        """Take the next frame; yield what is final with it."""
        mark, item = picture.mark, picture.item
        dropped = [self._ahead.pop(seam) for seam in mark.drops]
        if mark.seam is not None:
            self._close()
            self._current = self._ahead.pop(mark.seam)
        elif mark.cut or self._current is None:
            self._close()
            self._current = self._finder(item.number, item.number)
        assert self._current is not None
        for finder in dropped:
            self._current.inference += finder.inference  # it was done, and has to be counted somewhere
        self._ahead |= {seam: self._finder(item.number, seam) for seam in mark.opens}
        self._current.take(item, ends_shot=picture.ends_shot)
        for finder in self._ahead.values():
            finder.take(item, ends_shot=False)
        if self._turn is None:
            self._turn = self._current.turn
        for segment in mark.settled:
            yield from self._finished(segment)

    def finish(self, segments: Iterable[Segment]) -> Iterator[SegmentResult]:
        """Yield what is left; no further frame can be taken."""
        if self._current is not None:
            for finder in self._ahead.values():
                self._current.inference += finder.inference
        self._close()
        for segment in segments:
            yield from self._finished(segment)

    def _finished(self, segment: Segment) -> Iterator[SegmentResult]:
        finder = self._closed.popleft()
        if isinstance(finder, Passed):
            return
        result = finder.finish(segment)
        if self._pieces is not None and isinstance(finder, Finder):
            self._pieces.keep(Piece(result, self._turn or UPRIGHT))
        yield result

    def _finder(self, lead: int, first: int) -> Finder | Stored | Passed:
        if self._passed is not None and first < self._passed.end:
            return self._passed
        known = None if self._pieces is None else self._pieces.find(first)
        if known is not None:
            return Stored(self._film, known)
        return Finder(self._film, self._model, lead, self._turn or UPRIGHT)

    def _close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._closed.append(self._current)
        self._current = None
