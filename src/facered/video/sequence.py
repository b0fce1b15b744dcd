"""Numbered pictures: ``shot%04d.png`` stands for all of them, where no file has that very name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

FIRST_NUMBERS = range(5)
"""Where FFmpeg looks for the first picture of a sequence."""
SUFFIXES = frozenset(
    (".bmp", ".dng", ".dpx", ".exr", ".gif", ".hdr", ".j2k", ".jls", ".jp2", ".jpeg", ".jpg", ".jxl", ".pam", ".pbm",
     ".pcx", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif", ".tiff", ".webp", ".xbm",
     ".xpm", ".xwd")
)  # fmt: skip
"""Ends of the names of images that FFmpeg reads in sequences."""
_NUMBER = re.compile(r"%(?:0([0-9]{1,2}))?d")


@dataclass(frozen=True, slots=True)
class ImageSequence:
    """The files that a name with ``%d``, or ``%04d`` and the like, stands for; any other percent sign is itself.

    Attributes
    ----------
    pattern : Path
        The name.
    before, after : str
        What is on either side of the number.
    digits : int
        How many digits the number has at least.
    """

    pattern: Path
    before: str
    digits: int
    after: str

    @classmethod
    def of(cls, path: Path) -> ImageSequence | None:
        """Return the sequence that a name stands for; None where a file has that name, or it is no pattern."""
        return None if os.path.lexists(path) else cls.named(path)

    @classmethod
    def named(cls, path: Path) -> ImageSequence | None:
        """Return the sequence that a name stands for if no file has it; None where it is no pattern."""
        numbers = list(_NUMBER.finditer(path.name))
        if len(numbers) != 1 or path.suffix.lower() not in SUFFIXES:
            return None
        (number,) = numbers
        return cls(path, path.name[: number.start()], int(number[1] or 0), path.name[number.end() :])

    def file(self, number: int) -> Path:
        """Return the file of a number."""
        return self.pattern.with_name(f"{self.before}{str(number).zfill(self.digits)}{self.after}")

    def files(self) -> list[Path]:
        """Return those that there are."""
        known = re.compile(f"{re.escape(self.before)}[0-9]+{re.escape(self.after)}", re.DOTALL)
        directory = self.pattern.parent
        return [file for file in directory.iterdir() if known.fullmatch(file.name)] if directory.is_dir() else []

    def adjoining(self, first: int, last: int) -> list[Path]:
        """Return the files that there are of numbers before `first` and behind `last`, without a gap."""
        found = []
        for number, step in ((first - 1, -1), (last + 1, 1)):
            while number >= 0 and (self.file(number).is_file() or self.file(number).is_symlink()):
                found.append(self.file(number))
                number += step
        return found

    def first_number(self) -> int:
        """Return the number of the first picture, as FFmpeg looks for it; 0 if there is none."""
        return next((number for number in FIRST_NUMBERS if self.file(number).exists()), 0)

    def escaped(self) -> str:
        """Return the name as FFmpeg's patterns have it, in which other percent signs are double."""
        number = f"%0{self.digits}d" if self.digits else "%d"
        directory = _doubled(os.fspath(self.pattern.parent))
        return os.fspath(Path(directory, f"{_doubled(self.before)}{number}{_doubled(self.after)}"))


def _doubled(text: str) -> str:
    return text.replace("%", "%%")
