"""The public functions: `analyze`, `redact`, `combined` and `submit`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote, urlsplit

from facered import checks
from facered.annotations.model import Annotations
from facered.checks import parse_ids, shown
from facered.errors import ConfigurationUnsupportedError, FaceredError
from facered.jobs.config import MODES, document_of, read_config
from facered.jobs.idlist import IdList, read_id_list
from facered.jobs.job import Job, start
from facered.jobs.progress import ProgressCallback
from facered.jobs.result import Result
from facered.jobs.spool import STANDARD_INPUT, descriptor_of
from facered.jobs.task import Task
from facered.options import Options
from facered.runtime.cancellation import call
from facered.video.address import file_path, is_url
from facered.video.input.file import Source

StrPath = str | os.PathLike[str]
Video = StrPath | IO[bytes]
Ids = Iterable[int] | StrPath
Config = StrPath | Mapping[str, object]
SegmentCallback = Callable[[Annotations], None]
_NAMELESS = "video"
"""What is used for the name of a video that has none."""


def analyze(
    video: Video,
    output: StrPath = ".",
    *,
    progress: ProgressCallback | None = None,
    segments: SegmentCallback | None = None,
    **options: object,
) -> Result:
    """Find and follow every face; write where each is in each frame, and a picture of each person.

    Parameters
    ----------
    video : path-like, URL or file-like
        Any video or image that FFmpeg opens, or a binary file, which is read from its start; results are called after
        its name, or ``video``. A text is a URL only where no file has that name; ``"-"`` is the standard input.
    output : path-like
        A directory, made if need be, for ``foo_annotations.json`` and ``foo_thumb000001.jpg`` and so on.
    progress : callable, optional
        Called with a `Progress` after every frame.
    segments : callable, optional
        Called with the `Annotations` of each segment of the film, in order, as soon as they are final: a segment ends
        at a cut, or after a minute or so, and is final about two and a half seconds of film later. They hold its
        own frames, each of the film in one of them. Boxes, and whether they are doubtful, are those of the document;
        ids and scores are provisional: take them for telling people of one segment apart. Where damage is found, what
        follows comes when the video has been read to its end. The next frame waits until it returns.
    **options
        Fields of `Options`.

    Returns
    -------
    Result
        With `annotations`, `annotations_path` and `thumbnails`.

    Raises
    ------
    FaceredError
        ``error.code`` says what kind, the message what to do. Nothing is left half-written.
    """
    return Job(make_task("analyze", video, output, options=options, segments=segments), progress).run()


def redact(
    video: Video,
    output: StrPath = ".",
    *,
    annotations: Annotations | StrPath | None = None,
    ids: Ids | None = None,
    progress: ProgressCallback | None = None,
    **options: object,
) -> Result:
    """Hide the annotated faces, all of them or those of some people, and write the video.

    Parameters
    ----------
    video : path-like, URL or file-like
        The video that was analyzed.
    output : path-like
        A directory, made if need be, or the file to write where it ends in .mp4, .mov or .mkv.
    annotations : Annotations or path-like, optional
        What `analyze` wrote, perhaps edited; by default ``foo_annotations.json`` in the output directory or beside the
        video.
    ids : iterable of int or path-like, optional
        Whom to hide: ids, or a file with one a line; by default those of ``foo_IDList.txt`` beside the annotations, or
        everyone if there is no such file. ``except_ids=[...]`` hides everyone else.
    progress : callable, optional
        Called with a `Progress` after every frame.
    **options
        Fields of `Options`; `margin` enlarges the annotated boxes, which have the margin of `analyze` already.

    Returns
    -------
    Result
        With `video_path`.

    Raises
    ------
    FaceredError
        ``error.code`` says what kind, the message what to do. Nothing is left half-written.
    """
    task = make_task("redact", video, output, annotations=annotations, ids=ids, options=options)
    return Job(task, progress).run()


def combined(
    video: Video,
    output: StrPath = ".",
    *,
    annotations: bool = False,
    progress: ProgressCallback | None = None,
    **options: object,
) -> Result:
    """Find every face in a video, follow it, and write the video with the faces hidden.

    Parameters
    ----------
    video : path-like, URL or file-like
        Any video or image that FFmpeg opens, or a binary file, which is read from its start; results are called after
        its name, or ``video``. A text is a URL only where no file has that name; ``"-"`` is the standard input.
    output : path-like
        A directory, made if need be, or the file to write where it ends in .mp4, .mov or .mkv.
    annotations : bool
        Whether to write the annotations too, beside the video.
    progress : callable, optional
        Called with a `Progress` after every frame, of pass one from a thread of its own, never twice at once.
    **options
        Fields of `Options`.

    Returns
    -------
    Result
        With `video_path` and `annotations`.

    Raises
    ------
    FaceredError
        ``error.code`` says what kind, the message what to do. Nothing is left half-written.

    Examples
    --------
    >>> import facered
    >>> result = facered.combined("foo.mp4", "out/")  # doctest: +SKIP
    >>> result.video_path  # doctest: +SKIP
    PosixPath('out/foo_redacted.mp4')
    """
    task = make_task("combined", video, output, keep_annotations=annotations, options=options)
    return Job(task, progress).run()


def submit(
    video: Video,
    output: StrPath = ".",
    *,
    config: Config | None = None,
    mode: str | None = None,
    annotations: Annotations | StrPath | None = None,
    ids: Ids | None = None,
    progress: ProgressCallback | None = None,
    **options: object,
) -> Job:
    """Start a job in the background and return at once; what is wrong with the call itself is raised here.

    Parameters
    ----------
    video, output, annotations, ids, progress, **options
        As for `analyze`, `redact` and `combined`.
    config : path-like, str or mapping, optional
        A job configuration: a file, its text as Azure Media Redactor took it, or the same as a mapping. Options given
        beside it go first.
    mode : str, optional
        ``"analyze"``, ``"redact"`` or ``"combined"``, if the configuration does not say; combined by default.

    Returns
    -------
    Job

    Raises
    ------
    ConfigurationUnsupportedError
        The configuration or an option is wrong.
    """
    task = make_task(mode, video, output, config=config, annotations=annotations, ids=ids, options=options)
    return start(Job(task, progress))


@contextmanager
def _understood() -> Iterator[None]:
    """Have whatever a strange argument makes fail be an error of the call."""
    try:
        yield
    except FaceredError:
        raise
    except Exception as error:
        raise ConfigurationUnsupportedError(
            f"the call cannot be understood ({type(error).__name__}: {error}); see its arguments"
        ) from error


@_understood()
def make_task(
    mode: str | None,
    video: Video,
    output: StrPath,
    *,
    options: Mapping[str, object],
    config: Config | None = None,
    annotations: Annotations | StrPath | None = None,
    ids: Ids | None = None,
    keep_annotations: bool = False,
    stream: tuple[int, str] | None = None,
    segments: SegmentCallback | None = None,
) -> Task:
    """Check a call and return the task that it asks for; see `submit`, and `Task` for `stream`."""
    config = read_pipes(None, None, config)[2]
    configured, values = (None, {}) if config is None else read_config(config)
    mode = mode or configured or "combined"
    if mode not in MODES:
        raise ConfigurationUnsupportedError(f"mode is {mode!r}; it can be {', '.join(MODES)}")
    if stream is not None and (mode == "analyze" or keep_annotations):
        raise ConfigurationUnsupportedError("annotations cannot go to standard output; name a directory with -o")
    merged = {**values, **options}
    id_list: Path | IdList | None = None
    if isinstance(ids, IdList):
        id_list = ids
    elif ids is not None:
        listed = parse_ids(ids) if isinstance(ids, str) else None
        if listed is None and isinstance(ids, str | os.PathLike):
            id_list = Path(ids)
        else:
            merged["ids"] = ids if listed is None else listed
    checked = Options.of(merged)
    if output != "":  # the current directory
        checks.FILE.check("output", output)
    document = annotations
    if document is not None and not isinstance(document, Annotations):
        document = Path(checks.FILE.check("annotations", document))
    source, opened = _named(video)
    return Task(
        mode=mode,
        opened=opened,
        source=source,
        output=Path(output),
        options=checked,
        annotations=document,
        id_list=id_list,
        keep_annotations=keep_annotations,
        stream=stream,
        segments=checks.FUNCTION.check("segments", segments),
        # Annotated boxes have their margin already: only one that was asked for is added.
        enlarge=checked.margin if mode == "redact" and "margin" in merged else 1.0,
    )


def read_pipes(
    annotations: Annotations | StrPath | None, ids: Ids | None, config: Config | None
) -> tuple[Annotations | StrPath | None, Ids | None, Config | None]:
    """Return parts of a call, with what can be read only once, such as ``<(...)``, read.

    Raises
    ------
    ConfigurationUnsupportedError
        What comes is not what it should be.
    """
    if _is_pipe(annotations):
        annotations = call(partial(Annotations.read, Path(cast("StrPath", annotations))))
    if _is_pipe(ids):
        listed = call(partial(read_id_list, Path(cast("StrPath", ids))))
        ids = IdList(listed or ())
    if _is_pipe(config):
        config = cast("Config", call(partial(document_of, Path(cast("StrPath", config)))))
    return annotations, ids, config


def _is_pipe(given: object) -> bool:
    with suppress(OSError, ValueError):
        return isinstance(given, str | os.PathLike) and Path(given).is_fifo()
    return False


def _named(video: Video) -> tuple[Path, Source | None]:
    """Return a path that names the video, and what to read instead if it is not that file."""
    if not isinstance(video, str | os.PathLike):
        if not hasattr(video, "read"):
            raise ConfigurationUnsupportedError(
                f"video is {shown(video)}; it can be the name of a file, a URL or a binary file"
            )
        file = video
        name = getattr(file, "name", None)
        path = Path(name) if isinstance(name, str) and name else Path(_NAMELESS)
        if isinstance(file.read(0), str):
            raise ConfigurationUnsupportedError(f"{path}: the file is open as text; open it with mode 'rb'")
        return path, file
    path = STANDARD_INPUT if video == "-" else Path(video)
    number = descriptor_of(path)
    if number is not None:
        return Path(_NAMELESS if number else "stdin"), path
    if isinstance(video, str) and is_url(video) and (local := file_path(video)) is not None:
        return Path(local), None
    if isinstance(video, str) and is_url(video):
        name = Path(unquote(urlsplit(video).path)).name.replace("\0", "")
        return Path(name or _NAMELESS), video
    return path, None
