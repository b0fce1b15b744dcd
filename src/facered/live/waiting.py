"""A frame that waits to be returned, and all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facered.live.face import Face
    from facered.live.input import Given
    from facered.live.stream import Stream


@dataclass(eq=False, slots=True)
class Waiting:
    """A frame on its way.

    Attributes
    ----------
    given : Given
    stream : Stream or None
        The stream that knows who is in it; None where nobody does, so that it is hidden whole.
    number : int
        Its number in that stream.
    faces : tuple of Face
        Who was known to be in it when it came, then who is told to be in it when it is returned.
    hidden : bool
        Whether all that is to be hidden in it has been.
    told : bool
        Whether `on_faces` has been told of it, which happens once.
    touched, watched, crowded, hurried : bool
        Whether something was hidden; a detection was near enough; there were more faces than may be followed; it was
        looked at less because it came late.
    copied : int
        How many of its bytes had to be copied.
    """

    given: Given
    stream: Stream | None = None
    number: int = -1
    faces: tuple[Face, ...] = ()
    hidden: bool = False
    told: bool = False
    touched: bool = False
    watched: bool = False
    crowded: bool = False
    hurried: bool = False
    copied: int = 0

    def forget(self) -> None:
        """Forget who is in it: it will be hidden whole, whatever was hidden before."""
        self.stream, self.faces, self.hidden = None, (), False
