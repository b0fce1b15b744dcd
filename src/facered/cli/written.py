"""The files beside the results that options name, `--report` and `--trace`: checked before the work begins."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from facered.errors import ConfigurationUnsupportedError
from facered.runtime.targets import check_writable, write_target


def check(chosen: argparse.Namespace) -> None:
    """Make sure that they can be written, and replace neither what is read nor each other.

    Raises
    ------
    ConfigurationUnsupportedError
        They cannot, or would.
    """
    given = getattr(chosen, "inputs", None) or [chosen.source]
    read = [*given, *(vars(chosen).get(name) for name in ("annotations", "ids", "config"))]
    files = _named(chosen)
    for path in files:
        for other in read:
            with suppress(OSError, ValueError, TypeError):  # one of them is no file
                if path.samefile(other):
                    raise ConfigurationUnsupportedError(f"{path}: this is an input; choose another name")
        try:
            directory = path.parent.resolve()
            if not _will_be_made(directory, chosen):
                check_writable(directory / path.name)
        except (OSError, ValueError, RuntimeError) as error:  # the last of links in a circle
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigurationUnsupportedError(f"{path}: cannot be written ({reason}); choose another file") from None
    if len(files) > 1 and _real(files[0]) == _real(files[1]):
        raise ConfigurationUnsupportedError(f"{files[0]}: report and trace need a file each")


def check_against(chosen: argparse.Namespace, results: Iterable[Path]) -> None:
    """Make sure that they do not replace a result.

    Raises
    ------
    ConfigurationUnsupportedError
        They would.
    """
    files = _named(chosen)
    taken = {_real(path) for path in results} if files else set()
    for path in files:
        if _real(path) in taken:
            raise ConfigurationUnsupportedError(f"{path}: this is a result; choose another name")


def write_report(path: Path, records: Iterable[object]) -> None:
    """Write a report, a line a record.

    Raises
    ------
    OSError
        It cannot be written.
    """
    from facered.cli.report import to_json  # takes a third of a second: not for --help

    write_target(path, [to_json(record) + b"\n" for record in records])


def _named(chosen: argparse.Namespace) -> list[Path]:
    return [
        path for path in (*(vars(chosen).get(name) for name in ("report", "export")), chosen.trace) if path is not None
    ]


def _will_be_made(directory: Path, chosen: argparse.Namespace) -> bool:
    """Tell whether a directory is not there yet, and will be made for the results."""
    results = Path(getattr(chosen, "output", None) or ".").resolve()
    return not directory.exists() and directory in (results, *results.parents)


def _real(path: Path) -> str:
    return os.path.realpath(path)
