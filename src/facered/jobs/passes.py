"""Both passes side by side: while one segment is analyzed, the one before it is hidden and encoded."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facered.errors import JobCanceledError
from facered.jobs.analyze import analyzed
from facered.jobs.feed import Feed
from facered.jobs.workers import UNLIMITED
from facered.runtime.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facered.annotations.model import Annotations
    from facered.jobs.analyze import Analysis
    from facered.jobs.partstore import PartsApart
    from facered.jobs.pieces import Pieces
    from facered.jobs.progress import Progress, ProgressCallback
    from facered.jobs.unchanged import Unchanged
    from facered.jobs.workers import Apart
    from facered.options import Options
    from facered.video.input.file import Reader

SEGMENTS_AHEAD = 16
"""Segments by which pass one may be ahead of pass two; by hand. More: memory. Fewer: it waits where encoding is slow.
"""

MAX_PIXELS_BESIDE = 10_000_000
"""Pixels of a picture up to which both passes have a decoder at once; by hand. More: the memory of two. Fewer: what is
finished is encoded later."""


class FirstPass:
    """Pass one, which yields each segment's first frame and the annotations of those who are hidden in it.

    Parameters
    ----------
    reader : Reader
        Read to its end, and closed then.
    options : Options
    video : Unchanged
        Of the input.
    progress : callable or None
        Told of both passes: of the second one only when the first is over, as stages follow one another.
    pieces : Pieces, optional
        Where results of segments are kept, and taken from.
    apart : Apart, optional
        Workers by which segments are analyzed.
    parts : PartsApart, optional
        Told of the segments, to have parts encoded.

    Attributes
    ----------
    analysis : Analysis
        Known when all segments have been yielded.
    """

    analysis: Analysis

    def __init__(
        self,
        reader: Reader,
        options: Options,
        video: Unchanged,
        progress: ProgressCallback | None = None,
        pieces: Pieces | None = None,
        apart: Apart | None = None,
        parts: PartsApart | None = None,
    ) -> None:
        self._pieces, self._apart, self._parts = pieces, apart, parts
        self._reader, self._options, self._video, self._progress = reader, options, video, progress
        self._lock, self._over = threading.Lock(), False
        self._error: BaseException | None = None  # what it ended with
        self._unwanted = False

    def segments(self) -> Iterator[tuple[int, Annotations]]:
        """Yield them."""
        try:
            yield from self._found()
        except Exception as error:
            self._error = error
            raise
        finally:
            if self._parts is not None:
                self._parts.end()

    def _found(self) -> Iterator[tuple[int, Annotations]]:
        hidden = self._options.doubtful != "show"
        steps = analyzed(self._reader, self._options, self._tell_first, pieces=self._pieces, apart=self._apart)
        while True:
            try:
                first, annotations = next(steps)
            except StopIteration as end:
                self.analysis = end.value
                break
            chosen = annotations if hidden else annotations.without_doubtful()
            if self._parts is not None:
                self._parts.add(first, chosen)
            yield first, chosen
        if self._parts is not None:
            self._parts.finish()
        self._video.check(self._reader.checksum)
        self._reader.close()  # its memory is free while the rest is encoded

    @contextmanager
    def feed(self, *, together: bool, threads: int) -> Iterator[Feed]:
        """Return, as a context, what pass two takes.

        Parameters
        ----------
        together : bool
            Whether both passes may read at once; else this one is over before the other begins.
        threads : int
            1 does one thing after the other: each segment is analyzed when pass two asks for it.
        """
        info = self._reader.info
        if not together or info.width * info.height > MAX_PIXELS_BESIDE:
            yield Feed(iter(list(self.segments())), info)
            return
        ahead = UNLIMITED if self._parts is not None else SEGMENTS_AHEAD  # workers take them long before
        with Ahead(self.segments(), ahead if threads != 1 else 0, "analyze") as segments:
            try:
                yield Feed(segments, info)
            finally:
                self._unwanted = True

    def tell_second(self, progress: Progress) -> None:
        """Pass on how far pass two is; raise what pass one has failed with, as segments before that may still wait."""
        if self._error is not None:
            raise self._error
        self._tell(progress, self._over)

    def _tell_first(self, progress: Progress) -> None:
        if self._unwanted:  # its next segment may be a minute away
            raise JobCanceledError(f"{self._reader.path}: the job has ended meanwhile")
        self._tell(progress, True)
        self._over = progress.finished

    def _tell(self, progress: Progress, due: bool) -> None:
        if self._progress is not None and due:
            with self._lock:
                self._progress(progress)
