"""What was there at first, every gesture since, and what stands now: kept in files, so that a crash loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facered.annotations.model import Annotations
from facered.annotations.write import encode
from facered.errors import ConfigurationUnsupportedError
from facered.jobs.idlist import read_id_list
from facered.review.gestures import State
from facered.review.journal import Begin, Journal, Redo, Saved, Saving, Undo, digest, digest_of
from facered.review.tracks import annotations_of, tracks_of
from facered.runtime.replace import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facered.review.gestures import Gesture
    from facered.review.journal import Line
    from facered.video.info import VideoInfo

PEOPLE = "people"
"""The document's key for who is shown or hidden why."""
CHANGED = (
    "the annotations were changed elsewhere since the last review: it begins anew with them; what was done is kept"
)


class History:
    """The states of a document.

    Parameters
    ----------
    document : Path
        ``foo_annotations.json``; ``foo_annotations.first.json`` and ``foo_review.jsonl`` are beside it.
    id_list : Path
        Written while somebody is shown, and away otherwise: an empty list would mean everyone.
    info : VideoInfo
        Of the film.

    Attributes
    ----------
    base : Annotations
        What was there at first, in the film's own ticks.
    revision : int
        Grows with every gesture.
    message : str
        What whoever looks should be told.

    Raises
    ------
    ConfigurationUnsupportedError
        The document is of another film, or somebody has it open.
    """

    def __init__(self, document: Path, id_list: Path, info: VideoInfo) -> None:
        self.document, self.id_list = document, id_list
        stem = document.name.removesuffix(".json")
        self._first = document.with_name(f"{stem}.first.json")
        self.revision, self.message = 0, ""
        self._done: list[Gesture] = []
        self._states: list[State] = []
        self._undone: list[tuple[Gesture, State]] = []
        self._journal = Journal(document.with_name(f"{stem.removesuffix('_annotations')}_review.jsonl"))
        try:
            self.base = self._begin(info)
        except BaseException:
            self._journal.close()
            raise
        lines = [line for line in self._journal.lines if not isinstance(line, Begin)]
        self._saved = -1 if lines and not isinstance(lines[-1], Saved) else self.revision

    @property
    def state(self) -> State:
        """What stands now."""
        return self._states[-1]

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
        """Whether all is in the document."""
        return self._saved == self.revision

    def do(self, gesture: Gesture) -> None:
        """Do a gesture, or raise and change nothing."""
        after = self.state.after(gesture)
        self._journal.append(gesture)
        self._did(gesture, after)

    def undo(self) -> bool:
        """Take back the last gesture that stands; tell whether there was one."""
        if not self._done:
            return False
        self._journal.append(Undo())
        self._take_back()
        return True

    def redo(self) -> bool:
        """Do again what was taken back last; tell whether there was anything."""
        if not self._undone:
            return False
        self._journal.append(Redo())
        self._do_again()
        return True

    def save(self) -> None:
        """Write the document and the list of ids.

        Raises
        ------
        ConfigurationUnsupportedError
            They cannot be written, or somebody else has changed the document since it was read.
        """
        if self.saved:
            return
        if digest(self.document) not in self._known()[0]:
            raise ConfigurationUnsupportedError(
                f"{self.document}: somebody else has changed it since; close the review, and open it again to go on"
            )
        state, revision, extras = self.state, self.revision, self.base.extras
        people = {str(number): noted for number, noted in sorted(state.people.items())}
        rest = {key: value for key, value in extras.document.items() if key != PEOPLE}
        noted = replace(extras, document={**rest, PEOPLE: people} if people else rest)
        made = annotations_of(replace(self.base, extras=noted), state.tracks)
        made.check_sound()
        content = b"".join(encode(made))
        ids = "".join(f"{number}\n" for number in state.hidden).encode() if state.shown else b""
        self._note(Saving(digest_of(content), digest_of(ids)))
        try:
            # Until both are there, everyone is hidden: an old list does not name who is new.
            self.id_list.unlink(missing_ok=True)
            write_whole(self.document, content)
            if ids:
                write_whole(self.id_list, ids)
        except OSError as error:
            raise ConfigurationUnsupportedError(f"{self.document}: cannot be written ({error.strerror})") from None
        self._note(Saved(digest_of(content), digest_of(ids)))
        self._saved = revision

    def close(self) -> None:
        """Let others open it."""
        self._journal.close()

    def _note(self, line: Saving | Saved) -> None:
        self._journal.append(line)
        self._journal.lines.append(line)

    def _known(self) -> tuple[set[str], set[str]]:
        """Return the digests that document and list of ids may have if nobody else has changed them."""
        document, ids = set[str](), set[str]()
        for line in self._journal.lines:
            if isinstance(line, Begin | Saved):
                document, ids = {line.document}, {line.ids}
            elif isinstance(line, Saving):  # it may have been interrupted anywhere
                document, ids = document | {line.document}, ids | {line.ids, ""}
        return document, ids

    def _begin(self, info: VideoInfo) -> Annotations:
        """Find out what stands: what the journal makes of the first document, or the document as it is."""
        lines = self._journal.lines
        begin = lines[0] if lines else None
        if isinstance(begin, Begin) and digest(self._first) == begin.document:
            document, ids = self._known()
            if digest(self.document) in document and digest(self.id_list) in ids:
                base = _fitting(self._first, info)
                self._states = [State(len(base.pts), tracks_of(base), frozenset(begin.shown), _noted(base))]
                self._replay(lines[1:])
                return base
        base = _fitting(self.document, info)
        if lines:
            self.message = CHANGED
        write_whole(self._first, self.document.read_bytes())
        tracks = tracks_of(base)
        listed = read_id_list(self.id_list) if self.id_list.is_file() else None
        shown = frozenset() if listed is None else frozenset(tracks) - frozenset(listed)
        if not set(tracks) - shown:  # a list of nobody who is there: everyone is hidden
            shown = frozenset()
        self._states = [State(len(base.pts), tracks, shown, _noted(base))]
        self._journal.begin_anew(Begin(digest(self._first), sorted(shown), digest(self.id_list)))
        return base

    def _replay(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if isinstance(line, Undo):
                self._take_back()
            elif isinstance(line, Redo):
                self._do_again()
            elif not isinstance(line, Begin | Saving | Saved):
                self._did(line, self.state.after(line))

    def _did(self, gesture: Gesture, after: State) -> None:
        self._done.append(gesture)
        self._states.append(after)
        self._undone.clear()
        self.revision += 1

    def _take_back(self) -> None:
        self._undone.append((self._done.pop(), self._states.pop()))
        self.revision += 1

    def _do_again(self) -> None:
        gesture, state = self._undone.pop()
        self._done.append(gesture)
        self._states.append(state)
        self.revision += 1


def _fitting(path: Path, info: VideoInfo) -> Annotations:
    """Read a document of a film."""
    annotations = Annotations.read(path).rescaled(info.time_base)
    annotations.check_fits(info.width, info.height, info.rate)
    if not len(annotations.pts):
        raise ConfigurationUnsupportedError(f"{path}: tells of no frame; run facered analyze")
    return annotations


def _noted(document: Annotations) -> dict[int, dict[str, str]]:
    """Return what a document says of why people are hidden or shown."""
    people = document.extras.document.get(PEOPLE)
    found = {}
    for key, noted in people.items() if isinstance(people, dict) else ():
        if str(key).isdigit() and isinstance(noted, dict):
            found[int(key)] = {str(name): str(value) for name, value in noted.items()}
    return found
