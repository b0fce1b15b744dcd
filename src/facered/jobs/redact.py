"""Pass two: video + annotations -> the video with the annotated faces hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from facered.errors import ConfigurationUnsupportedError
from facered.hide.hider import Hider
from facered.jobs.feed import Document, Feed
from facered.jobs.hiding import Hiding, PartBegin
from facered.jobs.hiding import redact_frame as redact_frame
from facered.jobs.progress import ProgressCallback, StageProgress
from facered.jobs.span import Span
from facered.runtime.ahead import Ahead, depth
from facered.runtime.profiling import timed_items
from facered.runtime.stages import Stage
from facered.video.picture import VideoFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facered.annotations.model import Annotations
    from facered.hide.style import Style
    from facered.jobs.feed import Known
    from facered.video.input.file import Reader
    from facered.video.output.file import Writer
    from facered.video.output.film import PartWriter
    from facered.video.output.images import ImageWriter

logger = logging.getLogger(__name__)

WHOLE = Span()


@dataclass(frozen=True, slots=True)
class Redaction:
    """What pass two did.

    Attributes
    ----------
    frames : int
        Frames written.
    hidden_frames : int
        Those in which a face was hidden.
    missing_frames : int
        Those that the annotations have no entry for.
    film_seconds : float
        From the first frame's time to the last one's end.
    parts : int
        Parts that were encoded apart; 0 where the result is no video.
    encoder_threads : int
        Threads of the encoder, on which the result depends; 0 where the result is no video.
    """

    frames: int
    hidden_frames: int
    missing_frames: int
    film_seconds: float
    parts: int = 0
    encoder_threads: int = 0


class Waited(Protocol):
    """Who tells of frames that others do, while their part is waited for."""

    tell: Callable[[int], object]


def redact_video(
    reader: Reader,
    writer: Writer | ImageWriter,
    annotations: Annotations | Feed,
    style: Style,
    *,
    span: Span = WHOLE,
    threads: int = 0,
    progress: ProgressCallback | None = None,
    complete: bool = False,
    apart: Waited | None = None,
) -> Redaction:
    """Decode, hide the annotated faces, encode, side by side; audio goes along.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    writer : Writer or ImageWriter
        Left open.
    annotations : Annotations or Feed
        Of this very video, with times in the units of its stream; a feed is waited for.
    style : Style
    span : Span
        Frames outside are passed through as they are.
    threads : int
        1 does one thing after the other, in the caller's thread.
    progress : callable, optional
        Told after every frame.
    complete : bool
        Whether every frame must have an entry. If the video is damaged, one that has none is hidden whole.
    apart : Waited, optional
        Parts that others encode.

    Raises
    ------
    ContentMalformedError
        A frame has no entry that must have one.
    ConfigurationUnsupportedError
        The annotations hold faces at times at which the video has no frame.
    FaceredError
        The video cannot be read or written.
    """
    info = reader.info
    regions = None if style.outlined else writer.regions
    known = annotations if isinstance(annotations, Feed) else Document(annotations, info)
    hiding = Hiding(reader, known, Hider(style), span, regions, complete, writer.has_part)
    stage = StageProgress("redact", info.frames, progress)
    if apart is not None:
        apart.tell = stage.reach
    waiting = depth(info.width, info.height) if threads != 1 or reader.stalls else 0
    decoded = timed_items(reader.demux(*writer.others), Stage.DECODE)
    # The decoder and the encoder have threads of their own: one thread that feeds the latter and one before it suffice.
    with Ahead(hiding.walk(decoded), waiting, "decode and hide") as items:
        for item in items:
            if isinstance(item, PartBegin):
                writer.begin_part(item.number, stored=item.stored, keep=item.closes)
            elif isinstance(item, VideoFrame):
                writer.write_frame(item)
                stage.step()
            else:
                writer.write_packet(item)
    if isinstance(annotations, Feed):
        annotations.exhaust()
    stage.finish()
    span.check_held(hiding.held, reader.path)
    _check_all_hidden(reader, annotations, hiding)
    missing = hiding.missing
    if hiding.beyond is not None and not isinstance(annotations, Feed):
        raise ConfigurationUnsupportedError(
            f"{annotations.source}: tell nothing of the frame at {hiding.beyond:.3f} s of {reader.path}, which would "
            "be bare; use the annotations of all of this video"
        )
    if missing:
        logger.warning(
            "%s: %d of %d frames have no entry in the annotations; nothing is hidden in them",
            reader.path,
            missing,
            stage.done,
        )
    return Redaction(stage.done, hiding.hidden, missing, hiding.film_seconds, writer.parts, writer.encoder_threads)


def _check_all_hidden(reader: Reader, annotations: Annotations | Feed, hiding: Hiding) -> None:
    """Make sure that every annotated face was in a frame.

    Raises
    ------
    ConfigurationUnsupportedError
        One was not.
    """
    bare = annotations.faces - hiding.matched if isinstance(annotations, Feed) else hiding.unmatched(annotations)
    # Of damage another decoder may have made other frames.
    if bare and (not reader.damaged or hiding.unknown - reader.damaged):
        info = reader.info
        if not isinstance(annotations, Feed):
            annotations.check_fits(info.width, info.height, end=hiding.last + round(1 / (info.rate * info.time_base)))
        raise ConfigurationUnsupportedError(
            f"{reader.path}: {bare} faces of the annotations stand at times at which this video has no frame; use the "
            "annotations of this video"
        )


def redact_part(
    reader: Reader,
    frames: Iterable[VideoFrame],
    writer: PartWriter,
    known: Known,
    style: Style,
    number: int,
    first: int,
    *,
    span: Span = WHOLE,
    complete: bool = False,
) -> None:
    """Hide the faces and encode in one part of a video alone.

    Parameters
    ----------
    reader : Reader
        Of the video.
    frames : iterable of av.VideoFrame
        Those of the part.
    writer : PartWriter
        Left open.
    known : Known
        Who is where in them.
    style, span, complete
        As for `redact_video`.
    number : int
        Of the first frame of the part.
    first : int
        The time of the first frame of the film.

    Raises
    ------
    FaceredError
        The video cannot be read, or the file not be written.
    """
    regions = None if style.outlined else writer.regions
    hiding = Hiding(reader, known, Hider(style), span, regions, complete)
    hiding.begin_at(number, first)
    for frame in frames:
        writer.write_frame(hiding.take(frame))
