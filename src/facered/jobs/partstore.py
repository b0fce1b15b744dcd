"""Parts that workers encode: each is kept in the job's state when it is whole, and taken from there by the writer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facered.jobs.apart import encode_apart
from facered.jobs.feed import Document
from facered.jobs.workers import ENCODE, UNLIMITED, Apart
from facered.runtime import cancellation
from facered.runtime.ahead import Ahead
from facered.runtime.pool import outcome
from facered.runtime.workers import ApartError
from facered.video.output import CONTAINERS
from facered.video.output.encoder import tell_lost
from facered.video.output.partfile import part_name
from facered.video.output.parts import Parts
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from facered.annotations.model import Annotations
    from facered.jobs.outputs import Outputs
    from facered.jobs.state import State


class PartsApart:
    """Has the parts of a film encoded as soon as it is known who is in them, and gives them to the writer.

    Whoever adds segments does so in another thread than the one that asks for parts, or before.

    Parameters
    ----------
    apart : Apart
    state : State
    container_format : str
        Of the film; FFmpeg's name.
    source : Path
        What the film is called in messages.
    document : Annotations, optional
        Who is hidden, where all of it is known.

    Attributes
    ----------
    tell : callable
        Told how many frames are encoded while somebody waits for a part.
    """

    def __init__(
        self, apart: Apart, state: State, container_format: str, source: Path, document: Annotations | None = None
    ) -> None:
        self._apart, self._state, self._source = apart, state, source
        self._format, self._document = container_format, document
        self._parts = Parts(apart.origin.info.rate)
        self._known: list[tuple[int, Annotations]] = []  # of the part that is not closed
        self._first: int | None = None  # its first frame
        self._futures: dict[str, Future[dict[str, float]]] = {}
        self._changed = threading.Condition()
        self._over = False
        self._lost: set[str] = set()
        self.tell: Callable[[int], object] = lambda _: None

    def begin_segment(self, number: int) -> None:
        """Take it that a segment begins at a frame, or the film ends before it; may be told again."""
        if not number or self._parts.begins(number):
            self._submit(number)
            self._first = number
            if self._document is not None:
                self._known = [(number, self._document)]

    def add(self, number: int, annotations: Annotations) -> None:
        """Take the annotations of the next segment, which begins at a frame."""
        self.begin_segment(number)
        self._known.append((number, annotations))
        self.begin_segment(number + len(annotations.pts))  # its part may be over

    def finish(self) -> None:
        """Take it that the film is over."""
        self._submit(len(self._apart.recording))
        self.end()

    def end(self) -> None:
        """Take it that no further part will be encoded; may be called again."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def find(self, name: str) -> Path | None:
        """See `PartStore.find`; wait for it, if somebody encodes it."""
        while (found := self._state.find(name)) is None:
            with self._changed:
                if self._changed.wait_for(lambda: self._over or name in self._futures, cancellation.POLL_SECONDS):
                    break
            cancellation.check()
            self._tell()
        future = self._futures.get(name)
        if found is not None or future is None:
            return found
        try:
            lost = outcome(future, self._tell)
        except ApartError:
            return None
        for what, seconds in lost.items():
            if what not in self._lost:
                self._lost.add(what)
                tell_lost(self._source, what, seconds)
        return self._state.find(name)

    def draft(self, name: str) -> Path | None:
        """See `PartStore.draft`."""
        return self._state.draft(name)

    def save(self, name: str) -> None:
        """See `PartStore.save`."""
        self._state.save(name)

    def _tell(self) -> None:
        self.tell(self._apart.pool.frames(ENCODE))

    def _submit(self, end: int) -> None:
        """Have the part encoded that ends before a frame."""
        first, known, self._known = self._first, self._known, []
        if first is None or not known or self._state.find(name := part_name(first)) is not None:
            return
        draft = self._state.draft(name)
        if draft is None:
            self.end()
            return
        recorded = self._apart.recording.run(first, end)
        known = [(begin, _between(found, recorded.pts[[0, -1]])) for begin, found in known]
        future = self._apart.pool.submit(
            encode_apart,
            self._apart.origin,
            first,
            recorded,
            known,
            draft,
            self._format,
            self._document is None,
            kind=ENCODE,
            position=first,
            then=lambda _: self._state.save(name),
        )
        with self._changed:
            self._futures[name] = future
            self._changed.notify_all()


def parts_of(
    outputs: Outputs, apart: Apart | None, state: State | None, document: Annotations | None = None
) -> PartsApart | None:
    """Return the parts that workers encode of what a job writes, if they encode any."""
    if apart is None or state is None:
        return None
    return PartsApart(apart, state, CONTAINERS[outputs.video.suffix.lower()], outputs.source, document)


@contextmanager
def of_document(parts: PartsApart, annotations: Annotations, apart: Apart) -> Iterator[None]:
    """Have the parts of a film encoded of which all is known, while the block runs: it is scanned for its frames."""
    with Ahead(_scanned(parts, annotations, apart), UNLIMITED, "scan"):
        yield


def _scanned(parts: PartsApart, annotations: Annotations, apart: Apart) -> Iterator[None]:
    shrink = Shrinker()
    try:
        with apart.reopen() as reader:
            known = Document(annotations, reader.info)
            for number, frame in enumerate(reader.frames()):
                if reader.may_be_damaged:
                    return
                if not number or known.begins_segment(number):
                    parts.begin_segment(number)
                    yield
                apart.recording.add(frame, shrink(view(frame, reader.info.orientation)))
            if not reader.may_be_damaged:
                parts.finish()
    finally:
        parts.end()


def _between(annotations: Annotations, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Annotations:
    """Return the annotations of the frames from one time up to another."""
    low, high = np.searchsorted(annotations.pts, times[:1])[0], np.searchsorted(annotations.pts, times[1:], "right")[0]
    low, high = max(int(low) - 1, 0), min(int(high) + 1, len(annotations.pts))
    begin, end = annotations.starts[[low, high]].tolist()
    return replace(
        annotations,
        pts=annotations.pts[low:high],
        starts=annotations.starts[low : high + 1] - begin,
        ids=annotations.ids[begin:end],
        boxes=annotations.boxes[begin:end],
        scores=annotations.scores[begin:end],
        doubtful=annotations.doubtful[begin:end],
    )
