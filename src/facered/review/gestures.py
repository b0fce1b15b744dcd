"""What a person does to a document, as the journal keeps it, and what it makes of the state.

Whoever is new - drawn, split off, merged - is hidden until a person says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from facered.annotations.document import MAX_FRACTION
from facered.annotations.table import REGION_IDS
from facered.checks import MAX_ID, listing, shown
from facered.errors import ConfigurationUnsupportedError
from facered.review.tracks import Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
Ids = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100_000)]
FrameNumber = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
Place = Annotated[float, msgspec.Meta(ge=-MAX_FRACTION, le=MAX_FRACTION)]
Size = Annotated[float, msgspec.Meta(gt=0, le=MAX_FRACTION)]
Box = tuple[Place, Place, Size, Size]
Note = Annotated[str, msgspec.Meta(max_length=2000)]


class Hide(msgspec.Struct, tag="hide", tag_field="do", forbid_unknown_fields=True):
    """Hide some people."""

    ids: Ids


class Show(msgspec.Struct, tag="show", tag_field="do", forbid_unknown_fields=True):
    """Show some people."""

    ids: Ids
    reason: Note = ""
    by: Note = ""
    time: Note = ""


class Explain(msgspec.Struct, tag="explain", tag_field="do", forbid_unknown_fields=True):
    """Note why somebody is hidden or shown."""

    id: Id
    reason: Note
    by: Note = ""
    time: Note = ""


class Merge(msgspec.Struct, tag="merge", tag_field="do", forbid_unknown_fields=True):
    """Make one of several, called by the first id."""

    ids: Ids


class Split(msgspec.Struct, tag="split", tag_field="do", forbid_unknown_fields=True):
    """Have somebody be another from a frame on."""

    id: Id
    at: FrameNumber
    new: Id


class Delete(msgspec.Struct, tag="delete", tag_field="do", forbid_unknown_fields=True):
    """Take some out that are none."""

    ids: Ids


class Erase(msgspec.Struct, tag="erase", tag_field="do", forbid_unknown_fields=True):
    """Take out the boxes of an id from one frame to another."""

    id: Id
    first: FrameNumber
    last: FrameNumber


class Move(msgspec.Struct, tag="move", tag_field="do", forbid_unknown_fields=True):
    """Set a box by hand."""

    id: Id
    frame: FrameNumber
    box: Box


class Draw(msgspec.Struct, tag="draw", tag_field="do", forbid_unknown_fields=True):
    """Add something that was drawn in a frame, and followed from there."""

    id: Id
    frame: FrameNumber
    first: FrameNumber
    boxes: Annotated[list[Box], msgspec.Meta(min_length=1)]


Gesture = Hide | Show | Explain | Merge | Split | Delete | Erase | Move | Draw


@dataclass(frozen=True, slots=True)
class State:
    """What stands after some gestures.

    Attributes
    ----------
    frames : int
        How many the film has.
    tracks : mapping of int to Track
    shown : frozenset of int
        Who is not hidden.
    people : mapping of int to dict
        Why, by whom and when.
    """

    frames: int
    tracks: Mapping[int, Track]
    shown: frozenset[int] = frozenset()
    people: Mapping[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def hidden(self) -> list[int]:
        """Who is hidden, ascending."""
        return sorted(set(self.tracks) - self.shown)

    def new_id(self, region: bool = False) -> int:
        """Return an id that nobody has."""
        low, high = (REGION_IDS, MAX_ID + 1) if region else (0, REGION_IDS)
        return max((number for number in self.tracks if low <= number < high), default=low - 1 + (not region)) + 1

    def after(self, gesture: Gesture) -> State:
        """Return what stands after a gesture.

        Raises
        ------
        ConfigurationUnsupportedError
            It cannot be done.
        """
        match gesture:
            case Hide(ids):
                self._check(ids)
                return replace(self, shown=self.shown - set(ids))
            case Show(ids, reason, by, time):
                self._check(ids)
                shown = self._checked(self.tracks, self.shown | set(ids))
                given = {"reason": reason, "by": by, "time": time}
                noted = {key: value for key, value in given.items() if value}
                people = {**self.people, **dict.fromkeys(ids, noted)} if noted else self.people
                return replace(self, shown=shown, people=people)
            case Explain(number, reason, by, time):
                self._check([number])
                given = {"reason": reason, "by": by, "time": time}
                noted = {key: value for key, value in given.items() if value}
                return replace(self, people={**self.people, number: noted})
            case Merge([first, *others]):
                self._check([first, *others])
                if not set(others) - {first}:
                    raise ConfigurationUnsupportedError("merging takes two different ids")
                track = self.tracks[first]
                for other in dict.fromkeys(others):
                    track = track if other == first else track.joined(self.tracks[other])
                return self._with({first: track}, gone={*others} - {first}, hidden={first})
            case Split(number, at, new):
                self._check([number])
                self._check_new(new)
                track = self.tracks[number]
                later = track.frames >= at
                if later.all() or not later.any():
                    raise ConfigurationUnsupportedError(
                        f"id {number} is on one side of frame {at} only; split between its first and last frame"
                    )
                return self._with({number: track.only(~later), new: track.only(later)}, hidden={new})
            case Delete(ids):
                self._check(ids)
                return self._with({}, gone={*ids})
            case Erase(number, begin, end):
                self._check([number])
                track = self.tracks[number]
                kept = track.only((track.frames < begin) | (track.frames > end))
                if len(kept.frames) == len(track.frames):
                    raise ConfigurationUnsupportedError(f"id {number} has no box from frame {begin} to {end}")
                return self._with({number: kept}) if len(kept.frames) else self._with({}, gone={number})
            case Move(number, frame, box):
                self._check([number])
                self._check_frames(frame)
                return self._with({number: self.tracks[number].with_box(frame, box)})
            case Draw(number, frame, begin, boxes):
                self._check_new(number)
                self._check_frames(frame, begin, begin + len(boxes) - 1)
                drawn = Track.drawn(begin, np.array(boxes), frozenset({frame}))
                return self._with({number: drawn}, hidden={number})
        raise AssertionError(gesture)

    def _with(self, changed: Mapping[int, Track], gone: Iterable[int] = (), hidden: Iterable[int] = ()) -> State:
        gone = set(gone)
        tracks = {number: track for number, track in self.tracks.items() if number not in gone} | dict(changed)
        people = {number: noted for number, noted in self.people.items() if number not in gone}
        shown = self._checked(tracks, (self.shown - gone - set(hidden)) & set(tracks))
        return replace(self, tracks=tracks, shown=shown, people=people)

    @staticmethod
    def _checked(tracks: Mapping[int, Track], shown: frozenset[int]) -> frozenset[int]:
        """Return who is shown, if that leaves somebody to hide: a list of nobody means everyone."""
        if tracks and not set(tracks) - shown:
            raise ConfigurationUnsupportedError("nobody would be hidden; leave at least one id hidden")
        return shown

    def _check(self, ids: Iterable[int]) -> None:
        unknown = sorted(set(ids) - set(self.tracks))
        if unknown:
            raise ConfigurationUnsupportedError(f"there is no id {listing(unknown)} any more; reload")

    def _check_new(self, number: int) -> None:
        if number in self.tracks:
            raise ConfigurationUnsupportedError(f"there is an id {number} already; take another")

    def _check_frames(self, *numbers: int) -> None:
        wrong = [number for number in numbers if number >= self.frames]
        if wrong:
            raise ConfigurationUnsupportedError(f"there is no frame {wrong[0]}; the last one is {self.frames - 1}")


def checked_box(box: Sequence[float]) -> Box:
    """Return what was given as a box, if it can be one."""
    try:
        x, y, width, height = (float(number) for number in box)
    except (TypeError, ValueError):
        raise ConfigurationUnsupportedError(f"box is {shown(box)}; it must be x, y, width and height") from None
    if not (np.isfinite([x, y, width, height]).all() and width > 0 and height > 0):
        raise ConfigurationUnsupportedError("a box must be of finite numbers, its width and height more than 0")
    return x, y, width, height
