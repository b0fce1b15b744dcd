"""A film and its annotations under review: whoever looks at it changes them by this, a page as well as a notebook."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from facered import checks
from facered.annotations.table import DECIMALS, REGION_IDS
from facered.errors import ConfigurationUnsupportedError
from facered.jobs.api import make_task
from facered.jobs.job import Job
from facered.jobs.outputs import Outputs
from facered.options import Options
from facered.review.gestures import Delete, Draw, Erase, Explain, Hide, Merge, Move, Show, Split, checked_box
from facered.review.history import History
from facered.review.people import Person, places, suggestions
from facered.review.rendering import View
from facered.review.screen import Screen

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from facered.jobs.progress import ProgressCallback
    from facered.jobs.result import Result
    from facered.review.gestures import Box, Gesture, State
    from facered.review.tracks import Track


class Review:
    """A film under review; made by `open`. Its methods may be called from any thread.

    Every gesture is in the journal, ``foo_review.jsonl``, before the call returns; `save` writes the annotations and
    the list of ids, as does `close`. ``foo_annotations.first.json`` keeps what was there at first.

    Attributes
    ----------
    fps : float
        Frames a second.
    size : (int, int)
        Width and height of the picture as it is shown.
    times : (frames,) float64
        When each frame is shown, in seconds from the first one.
    """

    def __init__(self, video: Path, document: Path, options: Options) -> None:
        outputs = replace(Outputs.of(video, document.parent), directory=document.parent)
        self.video, self.document, self.thumbnail_of = video, document, outputs.thumbnail
        self._lock, self._screen = threading.RLock(), Screen(video, options)
        try:
            self._history = History(document, outputs.id_list, self._screen.info)
        except BaseException:
            self._screen.close()
            raise
        base = self._history.base
        self._screen.begin(base.pts)
        self.fps, self.size = float(self._screen.info.rate), self._screen.size
        self.times: NDArray[np.float64] = np.asarray((base.pts - base.pts[0]) * float(base.time_base), np.float64)
        self._told: dict[int, tuple[Track, bool, object, Person]] = {}

    @classmethod
    def open(cls, video: str | os.PathLike[str], output: str | os.PathLike[str] = ".", **options: object) -> Review:
        """Open a film that was analyzed, and go on where the last review ended.

        Parameters
        ----------
        video : path-like
        output : path-like
            The directory that holds ``foo_annotations.json``; if it does not, they are looked for beside the film.
        **options
            Fields of `Options`; those of hiding tell how masks look.

        Raises
        ------
        FaceredError
            There are no annotations, they are of another film, or somebody reviews it already.
        """
        path = Path(checks.FILE.check("video", video))
        beside = [Outputs.of(path, folder).annotations for folder in (Path(output), path.parent)]
        document = next((found for found in beside if found.is_file()), None)
        if document is None:
            raise ConfigurationUnsupportedError(f"{path}: no annotations, not {beside[0]}; run facered analyze first")
        return cls(path, document, Options.of(options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- what there is

    @property
    def people(self) -> Sequence[Person]:
        """Everyone, an entry an id, by ids."""
        with self._lock:
            return [self._person(number, track) for number, track in sorted(self.state.tracks.items())]

    @property
    def frames(self) -> int:
        """How many frames the film has."""
        return len(self._history.base.pts)

    @property
    def state(self) -> State:
        """What stands now."""
        return self._history.state

    @property
    def revision(self) -> int:
        """A number that grows with every gesture."""
        return self._history.revision

    @property
    def message(self) -> str:
        """What whoever looks should be told."""
        return self._history.message

    @property
    def cuts(self) -> list[int]:
        """The frames at which the analysis began anew: at cuts, and once a minute in long shots."""
        return list(self._history.base.segments or ())

    @property
    def can_undo(self) -> bool:
        """Whether there is a gesture to take back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is one to do again."""
        return self._history.can_redo

    @property
    def saved(self) -> bool:
        """Whether all is in the annotations."""
        return self._history.saved

    def places(self) -> list[tuple[int, int, str]]:
        """Return where a person should look: frame, id and why, in order of the film."""
        return places(self.people, self.fps)

    def suggestions(self) -> list[tuple[int, int]]:
        """Return pairs of ids that may be the same person: one is where, and as large as, the other was just before."""
        return suggestions(self.state.tracks, self.cuts, self.fps)

    def boxes(self, number: int) -> dict[int, NDArray[np.float64]]:
        """Return the boxes of a frame by ids, each (n, 4): x, y, width, height as fractions of the picture."""
        found = {}
        for one, track in self.state.tracks.items():
            rows = slice(*np.searchsorted(track.frames, [number, number + 1]))
            if rows.start < rows.stop:
                found[one] = track.boxes[rows]
        return found

    @property
    def begin(self) -> Fraction:
        """When the film's first frame is shown, in seconds of its own clock."""
        return int(self._history.base.pts[0]) * self._history.base.time_base

    def frame(self, number: int, *, masks: bool = False) -> NDArray[np.uint8]:
        """Return a frame as it is shown.

        Parameters
        ----------
        number : int
            From 0.
        masks : bool
            Whether those who are hidden are hidden in it, as they will be in the result.

        Returns
        -------
        (height, width, 3) uint8
            RGB.

        Raises
        ------
        FaceredError
            There is no such frame, or it cannot be decoded.
        """
        kind = View.REDACTED if masks else View.SOURCE
        return self._screen.array(number, self._drawn(number, kind), kind)

    def jpeg(self, number: int, kind: View = View.SOURCE, width: int | None = None) -> bytes:
        """Return a frame as a JPEG, at most so many pixels wide; see `frame`."""
        return self._screen.jpeg(number, self._drawn(number, kind), kind, width)

    def portrait(self, one: int, number: int, side: int = 96) -> bytes:
        """Return what is about somebody's box in a frame as a JPEG, so many pixels high."""
        boxes = self.boxes(self._checked(number)).get(one)
        if boxes is None:
            raise ConfigurationUnsupportedError(f"id {one} is not in frame {number}")
        return self._screen.portrait(number, boxes[0], side)

    def thumbnail(self, one: int) -> bytes:
        """Return a JPEG of somebody: the analysis's, if it made one, else of the middle of where there is anything."""
        track = self.state.tracks.get(one)
        if track is None:
            raise ConfigurationUnsupportedError(f"there is no id {one}")
        made = self.thumbnail_of(one)
        if made.is_file():
            return made.read_bytes()
        return self.portrait(one, int(track.frames[len(track.frames) // 2]))

    # ---- what can be done

    def hide(self, *ids: int) -> None:
        """Hide some people."""
        self.do(Hide(list(ids)))

    def show(self, *ids: int, reason: str = "", by: str = "") -> None:
        """Show some people; the reason goes into the annotations."""
        self.do(Show(list(ids), reason, by, _now() if reason or by else ""))

    def explain(self, one: int, reason: str, by: str = "") -> None:
        """Note why somebody is hidden or shown."""
        self.do(Explain(one, reason, by, _now()))

    def merge(self, *ids: int) -> int:
        """Make one of several, hidden; return its id, the first of theirs."""
        self.do(Merge(list(ids)))
        return ids[0]

    def split(self, one: int, at: int) -> int:
        """Have somebody be another, hidden, from a frame on; return the new id."""
        with self._lock:
            new = self.state.new_id(region=one >= REGION_IDS)
            self.do(Split(one, at, new))
            return new

    def delete(self, *ids: int) -> None:
        """Take some out that are nobody."""
        self.do(Delete(list(ids)))

    def erase(self, one: int, first: int, last: int) -> None:
        """Take out somebody's boxes from one frame to another."""
        self.do(Erase(one, first, last))

    def move(self, one: int, frame: int, box: Sequence[float]) -> None:
        """Set somebody's box, x, y, width and height as fractions of the picture, in a frame.

        Between two frames in which it was set, it moves evenly.
        """
        self.do(Move(one, frame, checked_box(box)))

    def track(self, frame: int, box: Sequence[float]) -> int:
        """Add something that is drawn in a frame, follow it both ways until it is lost or a cut comes, and hide it.

        Parameters
        ----------
        frame : int
        box : sequence of 4 float
            x, y, width, height as fractions of the picture.

        Returns
        -------
        int
            Its id.
        """
        drawn = np.array(checked_box(box))
        first, boxes = self._screen.follow(self._checked(frame), drawn, self.fps)
        boxes = boxes.round(DECIMALS)
        boxes[frame - first] = drawn
        with self._lock:
            new = self.state.new_id(region=True)
            self.do(Draw(new, frame, first, [cast("Box", tuple(one)) for one in boxes.tolist()]))
            return new

    def do(self, gesture: Gesture) -> None:
        """Do a gesture.

        Raises
        ------
        ConfigurationUnsupportedError
            It cannot be done; nothing has changed.
        """
        with self._lock:
            self._history.do(gesture)

    def undo(self) -> bool:
        """Take back the last gesture that stands, of this review or an earlier one; tell whether there was one."""
        with self._lock:
            return self._history.undo()

    def redo(self) -> bool:
        """Do again what was taken back last; tell whether there was anything."""
        with self._lock:
            return self._history.redo()

    def save(self) -> None:
        """Write the annotations, and the list of who is hidden if anybody is shown.

        Raises
        ------
        ConfigurationUnsupportedError
            They cannot be written, or somebody else has changed them since they were read.
        """
        with self._lock:
            self._history.save()

    def redact(self, progress: ProgressCallback | None = None, **options: object) -> Result:
        """Save, and write the film with those hidden who are to be; see `facered.redact` for the options."""
        self.save()
        settings = {"overwrite": True, **options}
        task = make_task("redact", self.video, self.document.parent, annotations=self.document, options=settings)
        return Job(task, progress).run()

    def close(self) -> None:
        """Save and close."""
        try:
            self.save()
        finally:
            self._screen.close()
            self._history.close()

    # ---- how

    def _person(self, number: int, track: Track) -> Person:
        """Return what is told of an id; what has not changed is not found out again."""
        about = track, number in self.state.shown, self.state.people.get(number)
        known = self._told.get(number)
        if known is None or known[0] is not about[0] or known[1:3] != about[1:]:
            known = self._told[number] = (*about, Person.of(number, track, self.state))
        return known[3]

    def _checked(self, number: int) -> int:
        if not 0 <= number < self.frames:
            raise ConfigurationUnsupportedError(f"there is no frame {number}; the last one is {self.frames - 1}")
        return number

    def _drawn(self, number: int, kind: View) -> dict[int, NDArray[np.float64]]:
        """Return the boxes that are drawn into a frame."""
        shown = self.state.shown if kind is View.REDACTED else frozenset()
        self._checked(number)
        there = self.boxes(number) if kind is not View.SOURCE else {}
        return {one: boxes for one, boxes in there.items() if one not in shown}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
