"""What is on the table while a film is reviewed: the analysis that may have to come first, the review, its result."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facered.errors import FaceredError
from facered.jobs.api import make_task
from facered.jobs.job import Job
from facered.jobs.outputs import Outputs
from facered.review.review import Review
from facered.video.output.soundtrack import soundtrack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from facered.jobs.progress import Progress

logger = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
"""Seconds after a gesture at which the annotations are written; by hand. Longer: an editor beside shows what was.
Shorter: long films are written while a person goes on."""
WAIT_SECONDS = 0.2
"""How long a thread waits before it looks whether it should stop; by hand."""
LOOKED_FOR = frozenset({"margin", "start", "end", "doubtful"})
"""Options that the analysis has gone by, and redaction would go by once more."""


@dataclass(slots=True)
class Work:
    """Something that takes long.

    Attributes
    ----------
    name : str
        ``"analyze"`` or ``"redact"``.
    done, total : int
        Frames; a total of 0 is not known.
    finished : bool
    error : str
        Why it ended early.
    result : str
        The file that it made.
    """

    name: str
    done: int = 0
    total: int = 0
    finished: bool = False
    error: str = ""
    result: str = ""


class Desk:
    """A film, analyzed if need be, and its review.

    Parameters
    ----------
    video, output : Path
    options : mapping
        Fields of `facered.Options`.

    Attributes
    ----------
    review : Review or None
        None while the analysis goes on.
    work : Work or None
        What goes on now, or ended last.
    """

    def __init__(self, video: Path, output: Path, options: Mapping[str, object]) -> None:
        self.video, self._output, self._options = video, output, dict(options)
        self.review: Review | None = None
        self.work: Work | None = None
        self.trouble = ""
        self._stopped, self._lock = threading.Event(), threading.Lock()
        self._sound: bytes | None = None
        self._sound_known = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Open the review, or begin to analyze the film; what is wrong with either is raised, or told in `work`."""
        places = [Outputs.of(self.video, folder).annotations for folder in (self._output, self.video.parent)]
        if any(place.is_file() for place in places):
            self._open()
        else:
            self._start("analyze", self._analyze)
        self._run(self._save_now_and_then)

    def redact(self) -> None:
        """Begin to write the film with those hidden who are to be.

        Raises
        ------
        FaceredError
            Something goes on already.
        """
        review = self.review
        if review is None:
            raise FaceredError("the film is still being analyzed")

        def work(work: Work) -> None:
            # What the page shows is what is hidden: boxes have their margin, and those outside the span count.
            settings = {name: value for name, value in self._options.items() if name not in LOOKED_FOR}
            result = review.redact(self._progress_of(work), **settings)
            work.result = str(result.video_path)

        self._start("redact", work)

    def sound(self) -> bytes | None:
        """Return the film's sound as WebM; waits until it is there, None where there is none."""
        while self.review is not None and not self._stopped.is_set():
            if self._sound_known.wait(WAIT_SECONDS):
                return self._sound
        return None

    def close(self) -> None:
        """End what goes on, save, and close."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self.review is not None:
            self.review.close()

    def _open(self) -> None:
        self.review = Review.open(self.video, self._output, **self._options)
        self._run(self._hear)

    def _analyze(self, work: Work) -> None:
        task = make_task("analyze", self.video, self._output, options=self._options)
        Job(task, self._progress_of(work)).run()
        self._open()

    def _hear(self) -> None:
        assert self.review is not None
        try:
            self._sound = soundtrack(self.video, self.review.begin, self._stopped.is_set)
        finally:
            self._sound_known.set()

    def _progress_of(self, work: Work) -> Callable[[Progress], None]:
        def told(progress: Progress) -> None:
            work.done, work.total = progress.done, progress.total or 0
            if self._stopped.is_set():
                raise FaceredError("the review was closed")

        return told

    def _start(self, name: str, do: Callable[[Work], None]) -> None:
        with self._lock:
            if self.work is not None and not self.work.finished:
                raise FaceredError("something else goes on; wait for it")
            work = self.work = Work(name)

        def run() -> None:
            try:
                do(work)
            except FaceredError as error:
                work.error = str(error)
            except Exception as error:
                logger.exception("%s failed", name)
                work.error = f"failed ({error})"
            finally:
                work.finished = True

        self._run(run)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _save_now_and_then(self) -> None:
        while not self._stopped.wait(SAVE_SECONDS):
            if self.review is not None and not self.review.saved:
                try:
                    self.review.save()
                    self.trouble = ""
                except FaceredError as error:
                    self.trouble = str(error)
