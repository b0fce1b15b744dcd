"""What a target is, and what is told of an input: an answer, or that something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from facered.errors import FaceredError, ServiceError


class WrongError(Exception):
    """A promise that does not hold."""


@dataclass(frozen=True)
class Target:
    """Something that is given inputs.

    Attributes
    ----------
    name : str
        Also that of the folder with its findings.
    seeds : callable
        Makes the inputs that others are made of.
    mutate : callable
        Makes another input of some.
    run : callable
        Gives an input to facered in an empty folder, and returns what came of it in words. It raises a `FaceredError`,
        which is an answer too, or something else, which is a finding.
    share : float
        The part of the time that it gets, in proportion to the others'.
    seconds : float
        How long an input may take.
    most_bytes : int
        What the process may have in memory meanwhile.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    mutate: Callable[[Random, Sequence[bytes]], bytes]
    run: Callable[[bytes, Path], str]
    share: float = 1.0
    seconds: float = 20.0
    most_bytes: int = 1 << 30


def answer(target: Target, data: bytes, folder: Path) -> str:
    """Return what comes of an input, a result or an error of facered's; raise what is a finding."""
    try:
        return target.run(data, folder)
    except ServiceError as error:
        if "internal error" in str(error) or "out of memory" in str(error):
            raise
        return f"ServiceError: {error}"
    except FaceredError as error:
        return f"{type(error).__name__}: {error}"


def check(holds: object, otherwise: str) -> None:
    """Raise a `WrongError` unless something holds."""
    if not holds:
        raise WrongError(otherwise)


def check_only(folder: Path, expected: Iterable[Path]) -> None:
    """Make sure that a folder holds no files but these."""
    left = {path for path in folder.rglob("*") if not path.is_dir() or path.name.endswith(".facered")} - set(expected)
    check(not left, f"left behind: {sorted(path.name for path in left)}")
