"""Pass one by workers: the film is scanned for segments here, and several of them are analyzed there at once.

What comes of it is the same, byte for byte. Where workers cannot do it, because the film is damaged, or gives other
frames from its middle than from its start, or because they die, the rest is done here, in the usual way.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING

from facered.jobs.apart import analyze_apart
from facered.jobs.finder import Film
from facered.jobs.pieces import Passed, Piece, Stored
from facered.jobs.progress import Progress, ProgressCallback, StageProgress
from facered.jobs.segments import Upcoming, analyze_segments, told_turned
from facered.jobs.workers import ANALYZE, UNLIMITED, Apart
from facered.runtime.ahead import Ahead, depth
from facered.runtime.pool import outcome
from facered.runtime.profiling import count_inference
from facered.runtime.workers import ApartError
from facered.video.orientation import UPRIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facered.jobs.finder import SegmentResult
    from facered.jobs.pieces import Pieces
    from facered.options import Options
    from facered.track.segmentation import Grid, Segment
    from facered.video.input.file import Reader

logger = logging.getLogger(__name__)


def analyze_segments_apart(
    reader: Reader,
    options: Options,
    apart: Apart,
    progress: ProgressCallback | None = None,
    *,
    thumbnails: bool = False,
    grid: Grid,
    pieces: Pieces | None = None,
) -> Iterator[SegmentResult]:
    """Yield what is found in each segment of a film, in order; see `facered.jobs.segments.analyze_segments`."""
    stage = StageProgress(ANALYZE, reader.info.frames, progress)
    scan = _Scan(reader, options, apart, grid, pieces)
    end, turn, turned, failed = 0, UPRIGHT, False, False
    with Ahead(scan.segments(), UNLIMITED, "scan") as segments:
        for segment, future in segments:
            if failed:
                continue  # the scan goes on to its end, by which all damage is known
            try:
                piece: Piece = outcome(future, lambda: stage.reach(apart.pool.frames(ANALYZE)))
            except ApartError as error:
                failed = True
                scan.give_up(error)
                continue
            if future in scan.begun:
                scan.begun.discard(future)
                count_inference(piece.result.inference)
            turned = told_turned(piece.result, reader, turned)
            end, turn = segment.end, piece.turn
            for _ in range(segment.first, segment.end):
                stage.step()
            yield piece.result
    if not failed:
        stage.finish()
        return
    apart.video.check(reader.checksum)
    known = _Onwards(progress, stage.shown)
    with apart.reopen() as again:
        for result in analyze_segments(
            again, options, known, thumbnails=thumbnails, grid=grid, pieces=pieces, passed=Passed(end, turn)
        ):
            turned = told_turned(result, reader, turned)
            yield result
        apart.video.check(again.checksum)


class _Scan:
    """Looks through a film for its segments, and has each analyzed."""

    def __init__(self, reader: Reader, options: Options, apart: Apart, grid: Grid, pieces: Pieces | None) -> None:
        self._reader, self._apart, self._pieces = reader, apart, pieces
        self._film = Film(reader.path, reader.info, options)
        self._upcoming = Upcoming(reader, options, grid, depth(reader.info.width, reader.info.height))
        self._unfit = False
        self.begun: set[Future[Piece]] = set()  # what workers do

    def give_up(self, reason: Exception) -> None:
        """Have nothing analyzed any more."""
        logger.info("%s: goes on without workers (%s)", self._reader.path, reason)
        self._unfit = True
        self._apart.pool.close()

    def segments(self) -> Iterator[tuple[Segment, Future[Piece]]]:
        """Yield the segments as they are found."""
        recording = self._apart.recording
        for picture in self._upcoming.marked():
            recording.add(picture.item.frame, picture.item.luma)
            for segment in picture.mark.settled:
                yield segment, self._analyzed(segment)
            del picture
        for segment in self._upcoming.last_segments:
            yield segment, self._analyzed(segment)

    def _analyzed(self, segment: Segment) -> Future[Piece]:
        """Return a segment's result, which may be still to come."""
        future: Future[Piece] = Future()
        known = None if self._pieces is None else self._pieces.find(segment.first)
        if known is not None:
            future.set_result(Piece(Stored(self._film, known).finish(segment), known.turn))
        elif self._unfit or self._reader.may_be_damaged:
            future.set_exception(ApartError("the film is damaged"))
        else:
            future = self._apart.pool.submit(
                analyze_apart,
                self._apart.origin,
                segment,
                self._apart.recording.run(segment.lead, segment.until),
                kind=ANALYZE,
                position=segment.first,
                then=lambda piece: None if self._pieces is None else self._pieces.keep(piece),
            )
            self.begun.add(future)
        return future


class _Onwards:
    """Passes on progress that is beyond what was told before."""

    def __init__(self, progress: ProgressCallback | None, done: int) -> None:
        self._progress, self._done = progress, done

    def __call__(self, progress: Progress) -> None:
        if self._progress is not None and (progress.done > self._done or progress.finished):
            self._progress(progress)
