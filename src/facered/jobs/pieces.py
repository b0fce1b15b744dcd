"""Segments' results kept on the disk, so that what was analyzed before a kill is not analyzed again."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING, NamedTuple

from facered.errors import ServiceError
from facered.jobs.finder import SegmentResult
from facered.runtime.work import Inference
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.output.parts import MIN_PART_FRAMES

if TYPE_CHECKING:
    from pathlib import Path

    from facered.jobs.finder import Film, Item
    from facered.jobs.state import State
    from facered.track.segmentation import Segment


class Piece(NamedTuple):
    """A segment's result, and how the film's first picture lies, which counts in all segments."""

    result: SegmentResult
    turn: Orientation = UPRIGHT


class Stored:
    """Stands for a finder where the segment's result is known already.

    Parameters
    ----------
    film : Film
    piece : Piece

    Attributes
    ----------
    inference : Inference
        Of finders that were begun in vain beside it: it has been counted before.
    turn : Orientation
        How the film's first picture lies.
    """

    def __init__(self, film: Film, piece: Piece) -> None:
        self._film, self._result, self.turn = film, piece.result, piece.turn
        self.inference = Inference()

    def take(self, item: Item, *, ends_shot: bool) -> None:
        """Do nothing with a frame."""

    def close(self) -> None:
        """Do nothing."""

    def finish(self, segment: Segment) -> SegmentResult:
        """Return the result.

        Raises
        ------
        ServiceError
            It is of another segment.
        """
        if self._result.segment != segment:
            raise ServiceError(f"{self._film.path}: has other segments than before; begin anew without --resume")
        return self._result


class Passed:
    """Stands for a finder where somebody else has seen to the segment.

    Parameters
    ----------
    end : int
        The first frame that nobody has seen to.
    turn : Orientation
        How the film's first picture lies.

    Attributes
    ----------
    inference : Inference
        Nobody's.
    """

    def __init__(self, end: int, turn: Orientation) -> None:
        self.end, self.turn, self.inference = end, turn, Inference()

    def take(self, item: Item, *, ends_shot: bool) -> None:
        """Do nothing with a frame."""

    def close(self) -> None:
        """Do nothing."""


class Pieces:
    """The results of segments in a job's state.

    Parameters
    ----------
    state : State
        Its directory is only its owner's, and so may hold what is unpickled.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def find(self, first: int) -> Piece | None:
        """Return what is known of the segment that begins at a frame.

        Raises
        ------
        ServiceError
            It is damaged.
        """
        path = self._state.find(_name(first))
        return None if path is None else _read(path)

    def keep(self, piece: Piece) -> None:
        """Keep a piece, where that can be done; the first one, where it is short, is sooner made again."""
        segment = piece.result.segment
        if not segment.first and segment.end < MIN_PART_FRAMES:
            return
        name = _name(segment.first)
        draft = self._state.draft(name)
        if draft is not None:
            data = pickle.dumps(tuple(piece), protocol=pickle.HIGHEST_PROTOCOL)
            draft.write_bytes(hashlib.sha256(data).digest() + data)
            self._state.save(name)


def _name(first: int) -> str:
    return f"segment-{first}"


def _read(path: Path) -> Piece:
    content = path.read_bytes()
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[size:]).digest() != content[:size]:
        raise ServiceError(f"{path}: is damaged; begin anew without --resume")
    return Piece(*pickle.loads(content[size:]))  # noqa: S301  (our own, whole, in a directory that is only ours)
