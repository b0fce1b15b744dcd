"""How far a job has come, as a bar on a terminal or as lines of JSON."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facered.cli.terminal import short

if TYPE_CHECKING:
    from facered.jobs.progress import Progress, ProgressCallback


@contextmanager
def shown(
    source: Path, chosen: argparse.Namespace, write: Callable[[object], None]
) -> Iterator[ProgressCallback | None]:
    """Yield a progress callback that draws a bar on a terminal or has records written as JSON, or None."""
    if chosen.json:
        from facered.cli.report import ProgressLines

        yield ProgressLines(source, write)
        return
    if chosen.quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    # tqdm prints nothing on terminals that tell no size; shutil assumes the usual one then.
    size = shutil.get_terminal_size()
    bar = tqdm(unit=" frames", ncols=size.columns, nrows=size.lines, leave=False)
    stage = ""

    def show(progress: Progress) -> None:
        nonlocal stage
        if progress.stage != stage:
            stage = progress.stage
            bar.reset(progress.total or None)
            bar.set_description(f"{short(source.name)}: {progress.stage}")
        if progress.done > bar.n:
            bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        bar.close()
