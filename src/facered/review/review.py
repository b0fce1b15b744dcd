"""A film and its annotations under review: whoever looks at it changes them by this, a page as well as a notebook."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from facered import checks
from facered.annotations.model import Annotations
from facered.annotations.table import REGION_IDS
from facered.errors import ConfigurationUnsupportedError
from facered.hide.style import chosen_style
from facered.jobs.idlist import read_id_list
from facered.jobs.outputs import Outputs
from facered.options import Options
from facered.review.following import follow
from facered.review.gestures import Delete, Draw, Erase, Explain, Hide, Merge, Move, Show, Split, State
from facered.review.journal import Begin, Journal, Redo, Saved, Undo, digest, last_saved
from facered.review.rendering import Renderer, View
from facered.review.tracks import Track, annotations_of, tracks_of
from facered.runtime.replace import write_whole
from facered.video.input.frames import Frames
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from facered.jobs.progress import ProgressCallback
    from facered.jobs.result import Result
    from facered.review.gestures import Box, Gesture
    from facered.review.journal import Line

PEOPLE = "people"
"""The document's key for who is shown or hidden why."""
LOW_SCORE = 0.5
"""Scores below which a person should look; by hand. Larger: more to look at. Smaller: what is no face is passed over."""
MAX_GAP_SECONDS = 3.0
"""Seconds for which somebody may be away and be called the same; by hand. Longer: more to look at."""
MAX_SIZE_RATIO = 1.5
"""By how much the sizes of one face may differ before and after a gap; by hand."""


@dataclass(frozen=True, slots=True)
class Person:
    """An id of the annotations.

    Attributes
    ----------
    id : int
    kind : str
        ``"face"``, or ``"region"`` for what was drawn and for faces that nobody could follow.
    hidden : bool
    spans : list of (int, int)
        The runs of frames in which it is, first and last.
    doubtful : list of (int, int)
        Those in which it may be no face.
    frames : int
        How many frames it is in.
    score : float
        How certain it is that it is a face, 0 to 1; NaN where nothing says.
    reason, by, time : str
        What was noted of it.
    by_hand : bool
        Whether a person has set a box of it.
    """

    id: int
    kind: str
    hidden: bool
    spans: list[tuple[int, int]]
    doubtful: list[tuple[int, int]]
    frames: int
    score: float
    reason: str = ""
    by: str = ""
    time: str = ""
    by_hand: bool = False


class Review:
    """A film under review; made by `open`. Its methods may be called from any thread.

    Every gesture is in the journal, ``foo_review.jsonl``, before the call returns; `save` writes the annotations and
    the list of ids, as does `close`. ``foo_annotations.first.json`` keeps what was there at first.

    Attributes
    ----------
    revision : int
        Grows with every gesture.
    fps : float
        Frames a second.
    size : (int, int)
        Width and height of the picture as it is shown.
    message : str
        What whoever looks should be told: that the journal does not belong to the document any more.
    """

    def __init__(self, video: Path, document: Path, options: Options) -> None:
        outputs = replace(Outputs.of(video, document.parent), directory=document.parent)
        self.video, self.document, self.id_list = video, document, outputs.id_list
        self.thumbnail_of: Callable[[int], Path] = outputs.thumbnail
        stem = document.name.removesuffix(".json").removesuffix("_annotations")
        self._first = document.with_name(document.name.removesuffix(".json") + ".first.json")
        self.revision, self.message = 0, ""
        self._lock, self._film = threading.RLock(), threading.RLock()
        self._done: list[Gesture] = []
        self._states: list[State] = []
        self._undone: list[tuple[Gesture, State]] = []
        self._people: list[Person] | None = None
        self._journal = Journal(document.with_name(f"{stem}_review.jsonl"))
        try:
            current = Annotations.read(document)
            self._frames = Frames(video, np.empty(0, np.int64), options.stream)
            try:
                info = self._frames.info
                current = current.rescaled(info.time_base)
                current.check_fits(info.width, info.height, info.rate)
                self._frames.pts = current.pts
                self._begin(current)
            except BaseException:
                self._frames.close()
                raise
        except BaseException:
            self._journal.close()
            raise
        self.fps, self.size = float(info.rate), (info.width, info.height)
        self._renderer, self._shrink = Renderer(chosen_style(options), info.orientation), Shrinker()
        self._saved = self.revision if not self._needs_saving() else -1

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
            if self._people is None:
                self._people = [self._person(number, track) for number, track in sorted(self.state.tracks.items())]
            return self._people

    @property
    def frames(self) -> int:
        """How many frames the film has."""
        return len(self._base.pts)

    @property
    def state(self) -> State:
        """What stands now."""
        return self._states[-1]

    @property
    def cuts(self) -> list[int]:
        """The frames at which the analysis began anew: at cuts, and once a minute in long shots."""
        return list(self._base.segments or ())

    @property
    def can_undo(self) -> bool:
        """Whether there is a gesture to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is one to do again."""
        return bool(self._undone)

    @property
    def saved(self) -> bool:
        """Whether all is in the annotations."""
        return self._saved == self.revision

    def places(self) -> list[tuple[int, int, str]]:
        """Return where a person should look: frame, id and why, in order of the film."""
        found = []
        for person in self.people:
            found += [(first, person.id, "may be no face") for first, _ in person.doubtful]
            found += [
                (last + 1, person.id, "gap")
                for (_, last), (first, _) in pairwise(person.spans)
                if first - last <= MAX_GAP_SECONDS * self.fps
            ]
            if person.score < LOW_SCORE and not person.doubtful:
                found.append((person.spans[0][0], person.id, "seen faintly"))
        return sorted(found)

    def suggestions(self) -> list[tuple[int, int]]:
        """Return pairs of ids that may be the same person: one is where, and as large as, the other was just before."""
        ends = [(track.frames[-1], one, track.boxes[-1]) for one, track in self.state.tracks.items()]
        begins = [(track.frames[0], one, track.boxes[0]) for one, track in self.state.tracks.items()]
        found = []
        for end, one, before in ends:
            for begin, other, after in begins:
                near = 0 < begin - end <= MAX_GAP_SECONDS * self.fps and not any(end < cut <= begin for cut in self.cuts)
                if one != other and near and _alike(before, after):
                    found.append((one, other))
        return sorted(found)

    def boxes(self, number: int) -> dict[int, NDArray[np.float64]]:
        """Return the boxes of a frame by ids, each (n, 4): x, y, width, height as fractions of the picture."""
        found = {}
        for one, track in self.state.tracks.items():
            rows = slice(*np.searchsorted(track.frames, [number, number + 1]))
            if rows.start < rows.stop:
                found[one] = track.boxes[rows]
        return found

    @property
    def begin(self) -> int:
        """When the film's first frame is shown, in units of `time_base`."""
        return int(self._base.pts[0])

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of the film's clock."""
        return self._base.time_base

    @property
    def times(self) -> NDArray[np.float64]:
        """When each frame is shown, (frames,) seconds from the first one."""
        times: NDArray[np.float64] = (self._base.pts - self._base.pts[:1]) * float(self._base.time_base)
        return times

    def seconds(self, number: int) -> float:
        """Return when a frame is shown, counted from the first one."""
        return float(int(self._base.pts[self._checked(number)] - self._base.pts[0]) * self._base.time_base)

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
        with self._film:
            return self._renderer.array(self._drawn(number, View.REDACTED if masks else View.SOURCE))

    def jpeg(self, number: int, kind: View = View.SOURCE, width: int | None = None) -> bytes:
        """Return a frame as a JPEG, at most so many pixels wide; see `frame`."""
        with self._film:
            return self._renderer.jpeg(self._drawn(number, kind), width)

    def portrait(self, one: int, number: int, side: int = 96) -> bytes:
        """Return what is about somebody's box in a frame as a JPEG, so many pixels high."""
        boxes = self.boxes(self._checked(number)).get(one)
        if boxes is None:
            raise ConfigurationUnsupportedError(f"id {one} is not in frame {number}")
        with self._film:
            return self._renderer.portrait(self._frames.frame(number), self._corners(boxes)[0], side)

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
        self.do(Move(one, frame, _box(box)))

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
        drawn, size = np.array(_box(box)), np.array(self.size, np.float64)
        middle = np.concatenate([(drawn[:2] + drawn[2:] / 2) * size, drawn[2:] * size])
        with self._film:
            first, found = follow(self._luma, self._checked(frame), middle, self.frames, self.size, self.fps)
        found = found / np.tile(size, 2)
        boxes = np.concatenate([found[:, :2] - found[:, 2:] / 2, found[:, 2:]], axis=1).round(6)
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
            after = self.state.after(gesture)
            self._journal.append(gesture)
            self._done.append(gesture)
            self._states.append(after)
            self._undone.clear()
            self._changed()

    def undo(self) -> bool:
        """Take back the last gesture that stands, of this review or an earlier one; tell whether there was one."""
        with self._lock:
            if not self._done:
                return False
            self._journal.append(Undo())
            self._undone.append((self._done.pop(), self._states.pop()))
            self._changed()
            return True

    def redo(self) -> bool:
        """Do again what was taken back last; tell whether there was anything."""
        with self._lock:
            if not self._undone:
                return False
            self._journal.append(Redo())
            gesture, state = self._undone.pop()
            self._done.append(gesture)
            self._states.append(state)
            self._changed()
            return True

    def save(self) -> None:
        """Write the annotations, and the list of who is hidden if anybody is shown.

        Raises
        ------
        ConfigurationUnsupportedError
            They cannot be written, or somebody else has changed them since they were read.
        """
        with self._lock:
            if self.saved:
                return
            known = last_saved(self._journal.lines)
            if known is not None and digest(self.document) != known.document:
                raise ConfigurationUnsupportedError(
                    f"{self.document}: somebody else has changed it since; close the review, and open it again to go on"
                )
            state, revision = self.state, self.revision
            people = {str(number): noted for number, noted in state.people.items()}
            extras = self._base.extras
            rest = {key: value for key, value in extras.document.items() if key != PEOPLE}
            noted = {**rest, PEOPLE: people} if people else rest
            made = annotations_of(replace(self._base, extras=replace(extras, document=noted)), state.tracks)
            # Who is shown first stays hidden until the document is there.
            if not state.shown:
                self.id_list.unlink(missing_ok=True)
            made.write(self.document)
            if state.shown:
                write_whole(self.id_list, "".join(f"{number}\n" for number in state.hidden).encode())
            saved = Saved(digest(self.document), digest(self.id_list))
            self._journal.append(saved)
            self._journal.lines.append(saved)
            self._saved = revision

    def redact(self, progress: ProgressCallback | None = None, **options: object) -> Result:
        """Save, and write the film with those hidden who are to be; see `facered.redact` for the options."""
        from facered.jobs.api import redact

        self.save()
        settings = {"overwrite": True, **options}
        return redact(self.video, self.document.parent, annotations=self.document, progress=progress, **settings)

    def close(self) -> None:
        """Save and close."""
        try:
            self.save()
        finally:
            with self._film:
                self._frames.close()
            self._journal.close()

    # ---- how

    def _begin(self, current: Annotations) -> None:
        """Find out what stands: what the journal makes of the first document, or the document as it is."""
        lines = self._journal.lines
        begin, saved = (lines[0] if lines else None), last_saved(lines)
        known = saved.document if saved is not None else begin.document if isinstance(begin, Begin) else ""
        if isinstance(begin, Begin) and digest(self.document) == known and digest(self._first) == begin.document:
            info = self._frames.info
            self._base = Annotations.read(self._first).rescaled(info.time_base)
            self._states = [State(len(self._base.pts), tracks_of(self._base), frozenset(begin.shown), _noted(self._base))]
            self._replay(lines[1:])
            return
        if lines:
            self.message = "the annotations were changed elsewhere since the last review; what was done then is kept"
        write_whole(self._first, self.document.read_bytes())
        tracks = tracks_of(current)
        listed = read_id_list(self.id_list) if self.id_list.is_file() else None
        shown = frozenset() if listed is None else frozenset(tracks) - frozenset(listed)
        if tracks and not set(tracks) - shown:  # a list that names nobody there is: hide more
            shown = frozenset()
        self._base, self._states = current, [State(len(current.pts), tracks, shown, _noted(current))]
        self._journal.begin_anew(Begin(digest(self._first), sorted(shown)))

    def _replay(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if isinstance(line, Undo):
                self._undone.append((self._done.pop(), self._states.pop()))
            elif isinstance(line, Redo):
                gesture, state = self._undone.pop()
                self._done.append(gesture)
                self._states.append(state)
            elif not isinstance(line, Begin | Saved):
                self._states.append(self.state.after(line))
                self._done.append(line)
                self._undone.clear()
            self.revision += not isinstance(line, Begin | Saved)

    def _needs_saving(self) -> bool:
        lines = [line for line in self._journal.lines if not isinstance(line, Begin)]
        return bool(lines) and not isinstance(lines[-1], Saved)

    def _changed(self) -> None:
        self.revision += 1
        self._people = None

    def _person(self, number: int, track: Track) -> Person:
        noted = self.state.people.get(number, {})
        known = track.scores[~np.isnan(track.scores)]
        return Person(
            number,
            "region" if number >= REGION_IDS else "face",
            number not in self.state.shown,
            track.spans,
            track.doubts,
            len(np.unique(track.frames)),
            float(known.max()) if len(known) else float("nan"),
            *(str(noted.get(key, "")) for key in ("reason", "by", "time")),
            by_hand=bool(track.by_hand),
        )

    def _checked(self, number: int) -> int:
        if not 0 <= number < self.frames:
            raise ConfigurationUnsupportedError(f"there is no frame {number}; the last one is {self.frames - 1}")
        return number

    def _corners(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * np.tile(self.size, 2)

    def _drawn(self, number: int, kind: View) -> VideoFrame:
        state = self.state
        there = self.boxes(self._checked(number))
        wanted = {one: boxes for one, boxes in there.items() if kind is View.BOXES or one not in state.shown}
        boxes = np.concatenate([np.empty((0, 4)), *wanted.values()])
        ids = [one for one, found in wanted.items() for _ in found]
        return self._renderer.drawn(self._frames.frame(number), self._corners(boxes), ids, kind)

    def _luma(self, number: int) -> NDArray[np.uint8]:
        return self._shrink(view(self._frames.frame(number), self._frames.info.orientation))


def _noted(document: Annotations) -> dict[int, dict[str, str]]:
    """Return what a document says of why people are hidden or shown."""
    people = document.extras.document.get(PEOPLE)
    found = {}
    for key, noted in people.items() if isinstance(people, dict) else ():
        if str(key).isdigit() and isinstance(noted, dict):
            found[int(key)] = {str(name): str(value) for name, value in noted.items()}
    return found


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Tell whether two boxes are of about the same size, their middles nearer than that."""
    apart = np.abs(one[:2] + one[2:] / 2 - other[:2] - other[2:] / 2)
    return bool((apart < one[2:]).all() and (np.abs(np.log(one[2:] / other[2:])) < np.log(MAX_SIZE_RATIO)).all())


def _box(box: Sequence[float]) -> Box:
    try:
        x, y, width, height = (float(number) for number in box)
    except (TypeError, ValueError):
        raise ConfigurationUnsupportedError(f"box is {checks.shown(box)}; it must be x, y, width and height") from None
    if not (np.isfinite([x, y, width, height]).all() and width > 0 and height > 0):
        raise ConfigurationUnsupportedError("a box must be of finite numbers, its width and height more than 0")
    return x, y, width, height


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
