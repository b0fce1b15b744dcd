"""The three modes, each from its inputs to its outputs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from facered.annotations.model import Annotations
from facered.errors import ConfigurationUnsupportedError, ContentUnsupportedError, ServiceError
from facered.jobs.idlist import IdList, read_id_list
from facered.jobs.outputs import Outputs
from facered.jobs.partstore import of_document, parts_of
from facered.jobs.progress import Progress, ProgressCallback, Startup
from facered.jobs.result import Result
from facered.jobs.span import Span
from facered.jobs.spool import spooled
from facered.jobs.unchanged import Unchanged
from facered.jobs.workers import workers
from facered.jobs.writing import kept_state, publish, write
from facered.options import Options
from facered.runtime import cancellation, forking
from facered.runtime.profiling import count_frames, timed
from facered.runtime.replace import final_name, recover
from facered.runtime.stages import Stage
from facered.video.input.file import Reader, Source

logger = logging.getLogger(__name__)

REVEALING = {
    "Low": "is for looks only: faces can still be recognised",
    "Box": "is for checking only: nobody is hidden",
}
"""What is said aloud of styles that do not make faces unrecognisable."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with one video.

    Attributes
    ----------
    mode : str
        One of `facered.jobs.config.MODES`.
    source : Path
        The video.
    output : Path
        A directory, or the redacted video's file where it ends in .mp4, .mov or .mkv.
    options : Options
    annotations : Annotations or Path or None
        For the mode redact; None looks for the file by its name, in the output directory, then beside the video.
    id_list : Path, IdList or None
        A file of ids to hide, or what was read from one, instead of `Options.ids`.
    keep_annotations : bool
        Whether the mode combined writes its annotations too.
    enlarge : float
        By how much the mode redact enlarges the annotated boxes.
    opened : Source or None
        What is read instead of the file `source`, which only gives it a name.
    stream : tuple of int and str, or None
        A file descriptor that the video is written to as it is made, instead of a file, and one of
        `facered.video.output.STREAMS`.
    segments : callable, optional
        For the mode analyze; see `facered.analyze`.
    """

    mode: str
    source: Path
    output: Path
    options: Options
    annotations: Annotations | Path | None = None
    id_list: Path | IdList | None = None
    keep_annotations: bool = False
    enlarge: float = 1.0
    opened: Source | None = None
    stream: tuple[int, str] | None = None
    segments: Callable[[Annotations], None] | None = None

    @property
    def outputs(self) -> Outputs:
        """The files that belong to the video."""
        return Outputs.of(self.source, self.output, single=self.opened is not None)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it goes through."""
        return ("analyze", "redact") if self.mode == "combined" else (self.mode,)


def perform(task: Task, progress: ProgressCallback | None = None) -> Result:
    """Carry out a task.

    Raises
    ------
    FaceredError
        ``error.code`` says what kind, the message what to do. Nothing is left half-written.
    """
    startup = Startup(progress)
    if not Span(task.options.start, task.options.end).whole:
        logger.warning(
            "%s: only %s is worked on; the rest is passed through with bare faces",
            task.source,
            Span(task.options.start, task.options.end),
        )
    if task.mode != "analyze" and task.options.blur in REVEALING:
        logger.warning("%s: the style %s %s", task.source, task.options.blur, REVEALING[task.options.blur])
    try:
        work = {"analyze": _analyze, "redact": _redact, "combined": _combined}[task.mode]
        with spooled(task.source, task.opened, lambda: startup(Progress("copy", 0, 0, 0.0))) as opened:
            result = work(replace(task, opened=opened), Unchanged(task.source, opened), startup)
    except BrokenPipeError:  # nobody reads the result any more
        raise
    except OSError as error:
        place = final_name(error.filename) if isinstance(error.filename, str) else task.output
        raise ServiceError(f"{task.source}: {error.strerror or error}: {place}") from error
    count_frames(result.frames)
    return replace(result, seconds=time.perf_counter() - startup.begun, startup_seconds=startup.seconds)


def _reader(task: Task, report: bool = True) -> Reader:
    options = task.options
    make = partial(
        Reader,
        task.source,
        options.threads,
        report=report,
        number=options.stream,
        strict=options.strict,
        opened=task.opened,
        container_format=options.input_format,
        max_pixels=options.max_pixels,
    )
    with ExitStack() as stack:
        with timed(Stage.OPEN):
            reader = cancellation.call(make, Reader.close)
            stack.callback(reader.close)
        stack.pop_all()
    return reader


def _analyze(task: Task, video: Unchanged, progress: ProgressCallback | None) -> Result:
    with forking.importing:
        from facered.jobs.analyze import analyze_video  # brings onnxruntime, which redaction does without
        from facered.jobs.pieces import Pieces

    options, outputs, again = task.options, task.outputs, partial(_reader, task, report=False)
    with _reader(task) as reader:
        outputs.check([outputs.annotations, *outputs.old_thumbnails()], options.overwrite, _read_besides(task))
        with (
            outputs.claimed([outputs.annotations]) as files,
            kept_state(task.mode, options, outputs, video) as state,
        ):
            pieces = None if state is None else Pieces(state)
            pool, apart = workers(reader, options, task.source, task.opened, video, again, thumbnails=True)
            with pool:
                analysis = analyze_video(
                    reader, options, progress, thumbnails=True, segments=task.segments, pieces=pieces, apart=apart
                )  # fmt: skip
            thumbnails = {number: outputs.thumbnail(number) for number in analysis.thumbnails}
            for number, path in thumbnails.items():
                files.file(path).write_bytes(analysis.thumbnails[number])
            with timed(Stage.WRITE_ANNOTATIONS):
                analysis.annotations.write_to(files.file(outputs.annotations))
            old = set(outputs.old_thumbnails()) - set(thumbnails.values())
            video.check(reader.checksum)
            publish(files, options.overwrite, old)
    return Result(
        mode=task.mode,
        source=task.source,
        annotations=analysis.annotations,
        frames=len(analysis.annotations.pts),
        people=analysis.annotations.people,
        film_seconds=analysis.annotations.seconds,
        annotations_path=outputs.annotations,
        thumbnails=thumbnails,
        crowded_frames=analysis.crowded_frames,
        inference=analysis.inference,
        damaged_frames=len(reader.damaged),
    )


def _redact(task: Task, video: Unchanged, progress: ProgressCallback | None) -> Result:
    options, outputs, again = task.options, task.outputs, partial(_reader, task, report=False)
    with _reader(task) as reader:
        with timed(Stage.READ_ANNOTATIONS):
            document, ids = _read_annotations(task, outputs), _ids_to_hide(task, outputs)
        document.check_sound()
        info = reader.info
        document = document.rescaled(info.time_base)
        document.check_fits(info.width, info.height, info.rate)
        chosen = document.select(ids, options.except_ids).enlarged(task.enlarge)
        if options.doubtful == "show" and ids is None:
            chosen = chosen.without_doubtful()
        _check(task, outputs, reader)
        with (
            outputs.claimed(_wanted(task, outputs)) as files,
            kept_state(task.mode, options, outputs, video, chosen, task.stream) as state,
        ):
            pool, apart = workers(reader, options, task.source, task.opened, video, again, useful=state is not None)
            parts, scan = parts_of(outputs, apart, state, chosen), nullcontext()
            with pool, scan if parts is None or apart is None else of_document(parts, chosen, apart):
                done = write(
                    task.mode, options, outputs, files, reader, video, chosen, progress, task.stream, state,
                    parts=parts,
                )  # fmt: skip
    return Result(
        mode=task.mode,
        source=task.source,
        annotations=chosen,
        frames=done.frames,
        people=chosen.people,
        film_seconds=done.film_seconds,
        video_path=outputs.video if task.stream is None else None,
        missing_frames=done.missing_frames,
        damaged_frames=len(reader.damaged),
        parts=done.parts,
        encoder_threads=done.encoder_threads,
    )


def _combined(task: Task, video: Unchanged, progress: ProgressCallback | None) -> Result:
    with forking.importing:
        from facered.jobs.passes import FirstPass  # see _analyze
        from facered.jobs.pieces import Pieces

    options, outputs, reopen = task.options, task.outputs, partial(_reader, task, report=False)
    if options.ids is not None or options.except_ids is not None or task.id_list is not None:
        raise ConfigurationUnsupportedError(
            "ids are not known before the video is analyzed: run facered analyze, then facered redact with them"
        )
    # What is no file has one place at which it is read, and servers may answer one at a time, and hang up on whoever
    # waits for the other pass: one pass after the other.
    twice = task.opened is None or isinstance(task.opened, Path)
    with ExitStack() as stack:
        reader = stack.enter_context(_reader(task))
        _check(task, outputs, reader)
        files = stack.enter_context(outputs.claimed(_wanted(task, outputs)))
        state = stack.enter_context(kept_state(task.mode, options, outputs, video, stream=task.stream))
        pool, apart = workers(reader, options, task.source, task.opened, video, reopen)
        stack.enter_context(pool)
        parts = parts_of(outputs, apart, state)
        pieces = None if state is None else Pieces(state)
        first = FirstPass(reader, options, video, progress, pieces, apart, parts)
        feed = stack.enter_context(first.feed(together=twice, threads=options.threads))
        again = stack.enter_context(reopen())

        def finish() -> None:
            if task.keep_annotations:
                with timed(Stage.WRITE_ANNOTATIONS):
                    first.analysis.annotations.write_to(files.file(outputs.annotations))

        done = write(
            task.mode, options, outputs, files, again, video, feed, first.tell_second, task.stream, state, finish,
            parts,
        )  # fmt: skip
        analysis = first.analysis
    return Result(
        mode=task.mode,
        source=task.source,
        annotations=analysis.annotations,
        frames=done.frames,
        people=analysis.annotations.people,
        film_seconds=done.film_seconds,
        video_path=outputs.video if task.stream is None else None,
        annotations_path=outputs.annotations if task.keep_annotations else None,
        crowded_frames=analysis.crowded_frames,
        inference=analysis.inference,
        damaged_frames=len(again.damaged),
        doubtful_shown=options.doubtful == "show",
        parts=done.parts,
        encoder_threads=done.encoder_threads,
    )


def _read_besides(task: Task) -> list[Path | int]:
    """Return the files that a task reads, other than the one that gives its name, some as descriptors."""
    named = (task.opened, task.annotations, task.id_list, task.options.model)
    found: list[Path | int] = [Path(name) for name in named if isinstance(name, str | os.PathLike)]
    if task.opened is not None and not isinstance(task.opened, str | Path):
        with suppress(AttributeError, OSError, ValueError):  # it is none of the system's
            found.append(task.opened.fileno())
    return found


def _wanted(task: Task, outputs: Outputs) -> list[Path]:
    """Return the files that a redaction makes, the video last."""
    annotations = [outputs.annotations] if task.keep_annotations else []
    return [*annotations, *([] if task.stream is not None else [outputs.video])]


def _check(task: Task, outputs: Outputs, reader: Reader) -> None:
    """Make sure that a redaction's results can be written, before anything is."""
    if outputs.is_image and outputs.sequence is None and task.stream is None and not reader.is_image:
        raise ContentUnsupportedError(
            f"{task.source}: this is a film, whatever it is called; name the result with -o, such as film.mp4"
        )
    outputs.check(_wanted(task, outputs), task.options.overwrite, _read_besides(task))


def _read_annotations(task: Task, outputs: Outputs) -> Annotations:
    if isinstance(task.annotations, Annotations):
        return task.annotations
    return cancellation.call(partial(Annotations.read, _annotations_path(task, outputs)))  # it may be a pipe


def _annotations_path(task: Task, outputs: Outputs) -> Path:
    if isinstance(task.annotations, Path):
        return task.annotations
    beside = Outputs.of(task.source, task.source.parent).annotations
    for path in (outputs.annotations, beside):
        recover(path.parent)
    for path in (outputs.annotations, beside):
        if path.is_file():
            return path
    places = " nor ".join(dict.fromkeys(str(path) for path in (outputs.annotations, beside)))
    raise ConfigurationUnsupportedError(
        f"{task.source}: no annotations, not {places}; run facered analyze first, or name them with --annotations"
    )


def _ids_to_hide(task: Task, outputs: Outputs) -> Collection[int] | None:
    """Return the ids to hide, or None for everyone: those asked for, or those of the list beside the annotations."""
    options = task.options
    if isinstance(task.id_list, IdList):
        return task.id_list or None
    if task.id_list is not None:
        return cancellation.call(partial(read_id_list, task.id_list))
    if options.ids is not None or options.except_ids is not None or isinstance(task.annotations, Annotations):
        return options.ids
    path = _annotations_path(task, outputs).with_name(outputs.id_list.name)
    ids = read_id_list(path) if path.is_file() else None
    if ids is not None:
        logger.warning("%s: only the %d ids of %s are hidden", task.source, len(set(ids)), path)
    return ids
