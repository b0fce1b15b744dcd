"""The part of a video that is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (not included), in seconds from the first frame; None is no bound."""

    start: float | None = None
    end: float | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole video."""
        return self.start is None and self.end is None

    def holds(self, seconds: Fraction) -> bool:
        """Return whether a time lies in it."""
        # As decimals: the binary number nearest to 0.2 is greater than 1/5, and the frame at 0.2 s would be left out.
        after = self.start is None or seconds >= Fraction(str(self.start))
        return after and (self.end is None or seconds < Fraction(str(self.end)))

    def check_held(self, frames: int, path: Path) -> None:
        """Make sure that some of a video's frames lie in it.

        Raises
        ------
        ConfigurationUnsupportedError
            None does: the video is shorter.
        """
        if not frames:
            raise ConfigurationUnsupportedError(f"{path}: no frame lies in {self}; choose --start and --end within it")

    def __str__(self) -> str:
        begin = "the start" if self.start is None else f"{self.start:g} s"
        return f"{begin} to {'the end' if self.end is None else f'{self.end:g} s'}"
