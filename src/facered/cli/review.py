"""What ``facered review`` does with its arguments."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from facered.cli.terminal import complain
from facered.errors import ConfigurationUnsupportedError
from facered.options import Options
from facered.runtime.replace import write_whole

if TYPE_CHECKING:
    from facered.review.server import ReviewServer

MISSING = 'the page needs Starlette and uvicorn: pip install "facered[review]"'


class Serving:
    """What a signal ends."""

    def __init__(self, server: ReviewServer) -> None:
        self._server = server

    def cancel(self) -> None:
        """Have the page's server end; what was done is saved."""
        self._server.stop()


def run(chosen: argparse.Namespace, watch: Callable[[Serving], None]) -> None:
    """Carry out the command.

    Parameters
    ----------
    chosen : argparse.Namespace
    watch : callable
        Told what to cancel before the page is served.

    Raises
    ------
    FaceredError
        It cannot be carried out.
    """
    video, output = Path(chosen.source), Path(chosen.output)
    Options.of(chosen.options)
    if not video.is_file():
        raise ConfigurationUnsupportedError(f"{video}: no such file; name a film")
    if chosen.export is not None:
        _export(video, output, chosen)
        return
    try:
        from facered.review.desk import Desk
        from facered.review.server import ReviewServer
    except ImportError as error:
        raise ConfigurationUnsupportedError(MISSING) from error
    desk = Desk(video, output, chosen.options)
    desk.begin()
    try:
        server = ReviewServer(desk, chosen.port)
        watch(Serving(server))
        print(server.address, flush=True)
        serving = threading.Thread(target=server.run)
        serving.start()
        folder = None if chosen.no_browser else _show(server.address)
        try:
            while serving.is_alive():  # signals come through between
                serving.join(0.2)
        finally:
            server.stop()
            serving.join()
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        desk.close()


def _show(address: str) -> Path:
    """Have a browser open an address that nobody reads in the list of processes."""
    folder = Path(tempfile.mkdtemp(prefix="facered-review-"))  # for its owner alone
    page = folder / "review.html"
    page.touch(0o600)
    page.write_text(f"<!doctype html><meta http-equiv=refresh content='0;url={escape(address)}'><title>review</title>")
    if not webbrowser.open(page.as_uri()):
        complain("no browser can be opened; open the address above")
    return folder


def _export(video: Path, output: Path, chosen: argparse.Namespace) -> None:
    from facered.review.export import page
    from facered.review.review import Review

    target: Path = chosen.export
    if target.exists() and not chosen.overwrite:
        raise ConfigurationUnsupportedError(f"{target}: exists already; add --overwrite to replace it")
    with Review.open(video, output, **chosen.options) as review:
        content = page(review)
    write_whole(target, content.encode())
    with suppress(OSError):
        target.chmod(0o600)
