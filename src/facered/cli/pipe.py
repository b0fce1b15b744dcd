"""What ``facered pipe`` does with its arguments."""

from __future__ import annotations

import argparse
import inspect
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facered.cli.terminal import STANDARD_OUTPUT, bare_output, is_closed
from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.live.pipe import FaceLines, Pipe
from facered.live.redactor import Redactor
from facered.options import Options
from facered.video.address import file_path, is_url, shown_address
from facered.video.input.source import STANDARD_INPUT, Source
from facered.video.input.stream import Feed
from facered.video.output.calling import CallingSink
from facered.video.output.raw import FORMATS, Descriptor, NutSink, Y4mSink
from facered.video.output.settings import Encoding
from facered.video.output.stream import EncodedSink, exists

if TYPE_CHECKING:
    from facered.video.output.raw import Sink

logger = logging.getLogger(__name__)

_STANDARD_INPUT = 0
_NUT, _Y4M = "nut", "yuv4mpegpipe"
_RESTART = "restart"
KEEPING_PACE = {"detect": "async", "on_new_shot": "hide", "max_lag_ms": 500.0}
"""What is chosen for cameras and addresses where nobody says otherwise: they do not wait."""


def run(chosen: argparse.Namespace, watch: Callable[[Pipe], None]) -> int:
    """Carry out the command.

    Parameters
    ----------
    chosen : argparse.Namespace
    watch : callable
        Told the pipe before it runs.

    Returns
    -------
    int
        How many frames were written.

    Raises
    ------
    FaceredError
        It cannot be carried out, or ended otherwise than it should; frames that could only be hidden whole are no less.
    BrokenPipeError
        Nobody reads the standard output, or a named pipe, any more.
    """
    settings = {name: value for name, value in chosen.options.items() if name in _REDACTOR}
    rest = {name: value for name, value in chosen.options.items() if name not in settings or name == "threads"}
    options = Options.of(rest)
    encoding = replace(Encoding.of(options), encoder_threads=options.threads)  # what is sent need not come out twice
    source = _source(chosen)
    if source.live:
        settings = {**KEEPING_PACE, **settings}
    if chosen.output == "-":
        chosen.output = None
    _check_output(chosen, rest)
    if chosen.faces is not None:
        _check_apart(chosen.faces, chosen.source, "this is the input itself")
        _check_apart(chosen.faces, chosen.output, "this is the output too")
    targets = _targets(chosen)
    with ExitStack() as stack:
        if chosen.faces is not None:
            lines = FaceLines(chosen.faces)
            stack.callback(lines.close)
            settings["on_faces"] = lines
        redactor = stack.enter_context(Redactor(**settings))
        number = stack.enter_context(bare_output()) if chosen.output is None else None
        pipe = Pipe(source, redactor, lambda feed: _sink(chosen, next(targets), feed, encoding, number))
        watch(pipe)
        try:
            pipe.run()
        except ConnectionError:
            raise
        except OSError as error:
            where = shown_address(chosen.output or "standard output")
            raise ServiceError(f"{where}: writing failed ({error.strerror or error})") from error
        _tell(redactor)
        failures = redactor.stats.failures
    if failures:
        raise ServiceError(
            f"failures on the way: {failures}; all {pipe.frames} frames are there, those about them hidden whole"
        )
    return pipe.frames


_REDACTOR = frozenset(inspect.signature(Redactor).parameters)


def _source(chosen: argparse.Namespace) -> Source:
    address = STANDARD_INPUT if chosen.source is None else chosen.source
    if address == STANDARD_INPUT and os.isatty(_STANDARD_INPUT):
        raise ConfigurationUnsupportedError("standard input is a terminal; pipe a video into it, or name a source")
    return Source(
        address,
        chosen.input_format,
        dict(chosen.input_options),
        chosen.stream,
        chosen.reconnect,
        chosen.on_resize == _RESTART,
    )


def _check_output(chosen: argparse.Namespace, encoding: dict[str, Any]) -> None:
    if chosen.output is not None:
        if exists(chosen.output) and not chosen.overwrite:
            raise ConfigurationUnsupportedError(f"{chosen.output}: exists already; add --overwrite to replace it")
        _check_apart(chosen.output, chosen.source, "this is the input itself")
        return
    if chosen.on_resize == _RESTART:
        raise ConfigurationUnsupportedError(
            "--on-resize restart: what goes to standard output has one size; name an output with -o, or scale"
        )
    if is_closed():
        raise ConfigurationUnsupportedError("standard output is closed; name an output with -o")
    if os.isatty(STANDARD_OUTPUT):
        raise ConfigurationUnsupportedError("standard output is a terminal; pipe it on, or name an output with -o")
    if chosen.format not in (None, *FORMATS):
        raise ConfigurationUnsupportedError(
            f"format is {chosen.format!r}; on standard output it can be {' or '.join(FORMATS)}"
        )
    unused = sorted(name for name in encoding if name != "threads")
    if unused:
        raise ConfigurationUnsupportedError(
            f"--{unused[0].replace('_', '-')}: pictures on standard output are not encoded; name an output with -o"
        )


def _check_apart(written: str, other: str | None, why: str) -> None:
    if other is None or is_url(written) or is_url(other):
        return
    if os.path.realpath(written) == os.path.realpath(other) or (
        exists(written) and exists(other) and Path(written).samefile(other)
    ):
        raise ConfigurationUnsupportedError(f"{written}: {why}; choose another name")


def _targets(chosen: argparse.Namespace) -> Iterator[str | None]:
    """Yield where the stream goes, and then where each goes that begins anew: a file has only one."""
    yield chosen.output
    for number in count(2):
        target = chosen.output
        if target is not None and not is_url(target) and not _is_device(target):
            path = Path(target)
            target = str(path.with_name(f"{path.stem}_{number}{path.suffix}"))
            if exists(target) and not chosen.overwrite:
                continue
            logger.warning("%s: pictures of another size go into %s", chosen.output, target)
        yield target


def _is_device(path: str) -> bool:
    return Path(path).exists() and not Path(path).is_file()


def _sink(chosen: argparse.Namespace, target: str | None, feed: Feed, encoding: Encoding, number: int | None) -> Sink:
    if target is not None:
        call = partial(EncodedSink, target, chosen.format, feed, encoding)  # told whether it tells
        if not is_url(target) or file_path(target) is not None:
            return call(True)
        live, name = feed.source.live, shown_address(target)
        return CallingSink(call, name, chosen.reconnect, live=live, stopped=lambda: feed.stopped)
    assert number is not None
    descriptor = Descriptor(number)
    if chosen.format == "y4m" or (chosen.format is None and feed.container_format == _Y4M):
        return Y4mSink(descriptor, feed.info, feed.field_order, feed.siting)
    others = feed.others if feed.container_format == _NUT else []
    return NutSink(descriptor, feed.info, others, feed.tags)


def _tell(redactor: Redactor) -> None:
    """Say what a look at the result should know."""
    stats = redactor.stats
    if stats.crowded:
        logger.warning("%d frames have more faces than --max-faces: the surplus has no ids", stats.crowded)
    if stats.overloaded:
        logger.warning("%d of %d frames had no detection that was recent enough", stats.overloaded, stats.frames)
