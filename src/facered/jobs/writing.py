"""Pass two into its files: parts are kept while they are made, and the results appear when all is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facered.errors import ConfigurationUnsupportedError
from facered.hide.style import chosen_style
from facered.jobs.facts import facts_of
from facered.jobs.redact import Redaction, redact_video
from facered.jobs.span import Span
from facered.jobs.state import State, open_state
from facered.runtime import cancellation
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.video.output.file import Writer
from facered.video.output.images import ImageWriter
from facered.video.output.settings import Encoding

if TYPE_CHECKING:
    from facered.annotations.model import Annotations
    from facered.jobs.feed import Feed
    from facered.jobs.outputs import Outputs
    from facered.jobs.partstore import PartsApart
    from facered.jobs.progress import ProgressCallback
    from facered.jobs.unchanged import Unchanged
    from facered.options import Options
    from facered.runtime.replace import FileSet
    from facered.video.input.file import Reader
    from facered.video.output.partfile import PartStore


def write(
    mode: str,
    options: Options,
    outputs: Outputs,
    files: FileSet,
    reader: Reader,
    video: Unchanged,
    annotations: Annotations | Feed,
    progress: ProgressCallback | None,
    stream: tuple[int, str] | None,
    state: State | None,
    finish: Callable[[], None] = lambda: None,
    parts: PartsApart | None = None,
) -> Redaction:
    """Redact a video, and give all files of a set their names.

    Parameters
    ----------
    mode, options, stream
        As of the `facered.jobs.task.Task`.
    outputs : Outputs
    files : FileSet
        Claimed.
    reader : Reader
    video : Unchanged
        Of the input.
    annotations : Annotations or Feed
        Of those who are hidden.
    progress : callable or None
    state : State or None
        Where parts are kept.
    finish : callable
        Called when all is written, before the files get their names.
    parts : PartsApart or None
        Parts that workers encode, which are kept there, too.
    """
    span, style, complete = Span(options.start, options.end), chosen_style(options), mode == "combined"
    with _writer(options, outputs, files, reader, stream, parts or state) as writer:
        done = redact_video(
            reader, writer, annotations, style,
            span=span, threads=options.threads, progress=progress, complete=complete, apart=parts,
        )  # fmt: skip
    video.check(reader.checksum)
    finish()
    if stream is None:
        gone = writer.superseded() if options.overwrite and isinstance(writer, ImageWriter) else []
        publish(files, options.overwrite, gone)
    return done


def kept_state(
    mode: str,
    options: Options,
    outputs: Outputs,
    video: Unchanged,
    annotations: Annotations | None = None,
    stream: tuple[int, str] | None = None,
) -> AbstractContextManager[State | None]:
    """Return, as a context, where the job keeps what it has finished; None where that is not done.

    Parameters are those of `write`; `annotations` are given where they are not found by the job itself.

    Raises
    ------
    ConfigurationUnsupportedError
        The job cannot be gone on with.
    """
    kept = mode == "analyze" or (stream is None and not outputs.is_image)
    if options.resume and not kept:
        raise ConfigurationUnsupportedError(
            f"{outputs.source}: only videos in files can be gone on with; leave out --resume"
        )
    facts = partial(facts_of, mode, options, video, annotations)
    place = outputs.annotations if mode == "analyze" else outputs.video
    return open_state(place, facts, resume=options.resume) if kept else nullcontext()


def publish(files: FileSet, overwrite: bool, gone: Iterable[Path] = ()) -> None:
    """Give files their names, and delete others; it is the last moment at which the job can be cancelled."""
    cancellation.check()
    try:
        with timed(Stage.PUBLISH):
            files.publish(gone, overwrite=overwrite)
    except FileExistsError as error:
        raise ConfigurationUnsupportedError(
            f"{error.filename}: has come while the job ran; add --overwrite to replace it"
        ) from None


def _writer(
    options: Options,
    outputs: Outputs,
    files: FileSet,
    reader: Reader,
    stream: tuple[int, str] | None,
    state: PartStore | None,
) -> Writer | ImageWriter:
    number = None if stream is None else stream[0]
    if outputs.is_image:
        return ImageWriter(outputs.video, reader, outputs.sequence, number, files)
    name = outputs.video if number is None else Path("standard output")
    return Writer(name, reader, Encoding.of(options), stream, files, state)
