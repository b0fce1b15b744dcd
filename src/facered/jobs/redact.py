"""Pass two: video + annotations -> the video with the annotated faces hidden."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError, ServiceError
from facered.hide.hider import Hider
from facered.jobs.columns import WHOLE_PICTURE
from facered.jobs.progress import ProgressCallback, StageProgress
from facered.jobs.span import Span
from facered.runtime.ahead import Ahead, depth
from facered.runtime.profiling import timed, timed_items
from facered.runtime.stages import Stage
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.output.parts import Parts, usual_segment
from facered.video.picture import VideoFrame, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facered.annotations.model import Annotations
    from facered.hide.style import Style
    from facered.video.input.decode import Packet, Stream
    from facered.video.input.file import Reader
    from facered.video.output.file import Writer
    from facered.video.output.images import ImageWriter
    from facered.video.output.roi import RegionsOfInterest

logger = logging.getLogger(__name__)

WHOLE = Span()
TOLERATED_FRAMES = 2
"""How many frames the video may have after all that the annotations tell of, as decoders differ; by hand.
With more, frames would be bare that nobody has looked at."""


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


def redact_frame(
    frame: VideoFrame,
    annotations: Annotations,
    hider: Hider,
    orientation: Orientation = UPRIGHT,
    *,
    hold: bool = False,
) -> NDArray[np.float64] | None:
    """Hide the faces that the annotations hold for the frame's time, in place.

    A frame without faces is not touched, nor copied.

    Parameters
    ----------
    frame : av.VideoFrame
        In a native format. Made writable first: decoded frames share memory with the decoder's reference pictures.
    annotations : Annotations
        With times in the units of the frame's pts.
    hider : Hider
    orientation : Orientation
        How the picture is turned when it is shown; the annotations are of the shown picture.
    hold : bool
        Whether a frame without an entry has the faces of the entry before.

    Returns
    -------
    (n, 4) float64 or None
        The boxes of the faces that were hidden, x1, y1, x2, y2 in pixels of the shown picture; None if the annotations
        have no entry for the frame.
    """
    assert frame.pts is not None
    number = annotations.frame_at(frame.pts)
    if number is None and hold:
        number = annotations.frame_before(frame.pts)
    if number is None:
        return None
    boxes, ids = annotations.pixel_boxes(number), annotations.frame_ids(number).tolist()
    if boxes.shape != (len(ids), 4):
        raise ServiceError(f"{len(ids)} faces have boxes of {boxes.shape}, so nobody can tell what to hide")
    if ids:
        with timed(Stage.COPY):
            frame.make_writable()
        with timed(Stage.HIDE):
            hider.hide(view(frame, orientation), boxes, ids)
    return boxes


def redact_video(
    reader: Reader,
    writer: Writer | ImageWriter,
    annotations: Annotations,
    style: Style,
    *,
    span: Span = WHOLE,
    threads: int = 0,
    progress: ProgressCallback | None = None,
    complete: bool = False,
) -> Redaction:
    """Decode, hide the annotated faces, encode, side by side; audio goes along.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    writer : Writer or ImageWriter
        Left open.
    annotations : Annotations
        Of this very video, with times in the units of its stream.
    style : Style
    span : Span
        Frames outside are passed through as they are.
    threads : int
        1 does one thing after the other, in the caller's thread.
    progress : callable, optional
        Told after every frame.
    complete : bool
        Whether every frame must have an entry. If the video is damaged, one that has none is hidden whole.

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
    hiding = _Hiding(reader, annotations, Hider(style), span, None if style.outlined else writer.regions, complete)
    stage = StageProgress("redact", info.frames, progress)
    waiting = depth(info.width, info.height) if threads != 1 or reader.stalls else 0
    decoded = timed_items(reader.demux(*writer.others), Stage.DECODE)
    # The decoder and the encoder have threads of their own: one thread that feeds the latter and one before it suffice.
    with Ahead(hiding.walk(decoded), waiting, "decode and hide") as items:
        for item in items:
            if isinstance(item, PartBegin):
                writer.begin_part()
            elif isinstance(item, VideoFrame):
                writer.write_frame(item)
                stage.step()
            else:
                writer.write_packet(item)
    stage.finish()
    span.check_held(hiding.held, reader.path)
    bare = hiding.unmatched()
    # Of damage another decoder may have made other frames.
    if bare and (not reader.damaged or hiding.unknown - reader.damaged):
        annotations.check_fits(info.width, info.height, end=hiding.last + round(1 / (info.rate * info.time_base)))
        raise ConfigurationUnsupportedError(
            f"{reader.path}: {bare} faces of the annotations stand at times at which this video has no frame; use the "
            "annotations of this video"
        )
    missing = hiding.missing
    if hiding.beyond is not None:
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


@dataclass(frozen=True, slots=True)
class PartBegin:
    """What comes is encoded apart from what came; `number` is that of the next frame."""

    number: int


class _Hiding:
    """Hides faces in frames on their way to the encoder, and counts."""

    def __init__(
        self,
        reader: Reader,
        annotations: Annotations,
        hider: Hider,
        span: Span,
        regions: RegionsOfInterest | None,
        complete: bool,
    ) -> None:
        self._reader, self._annotations, self._hider, self._span = reader, annotations, hider, span
        self._regions, self._complete = regions, complete
        known = annotations.segments
        self._parts = Parts(reader.info.rate)
        self._begins_segment = usual_segment if known is None else frozenset(known).__contains__
        self._first: int | None = None
        self._end = 0
        self._number = -1
        self._matched = 0
        self._held_times: tuple[int, int] | None = None
        self.last = self.held = self.hidden = self.missing = 0
        self.unknown: set[int] = set()  # the frames that have no entry
        self.beyond: float | None = None  # when the first frame is that is far from all that the annotations tell of

    @property
    def film_seconds(self) -> float:
        """From the first frame's time to the last one's end."""
        return float((self._end - (self._first or 0)) * self._reader.info.time_base)

    def walk(self, items: Iterator[VideoFrame | Packet[Stream]]) -> Iterator[PartBegin | VideoFrame | Packet[Stream]]:
        """Yield frames with their faces hidden, and packets as they are, and where a part begins."""
        for item in items:
            if isinstance(item, VideoFrame):
                self._number += 1
                if self._number and self._begins_segment(self._number) and self._parts.begins(self._number):
                    if self._regions is not None:
                        self._regions.begin_anew()
                    yield PartBegin(self._number)
                yield self._take(item)
            else:
                yield item
            del item  # the next may be long in coming

    def _take(self, frame: VideoFrame) -> VideoFrame:
        self._reader.info.check_frame(frame)
        assert frame.pts is not None
        self._first = frame.pts if self._first is None else self._first
        self.last = frame.pts
        info = self._reader.info
        self._end = frame.pts + (frame.duration or round(1 / (info.rate * info.time_base)))
        if not self._span.holds((frame.pts - self._first) * info.time_base):
            return frame
        self.held += 1
        self._held_times = (self._held_times or (frame.pts, 0))[0], frame.pts
        known = self._annotations.frame_at(frame.pts)
        if known is None:
            self.unknown.add(self._number)
        else:
            self._matched += len(self._annotations.frame_ids(known))
        hold = self._reader.seems_damaged and not self._complete
        boxes = redact_frame(frame, self._annotations, self._hider, info.orientation, hold=hold)
        if boxes is None and self._complete:
            self._hide_unseen(frame)
        elif boxes is None:
            self.missing += 1
            self._note_beyond(frame.pts)
        elif len(boxes):
            self.hidden += 1
            if self._regions is not None:
                with timed(Stage.MARK):
                    return self._regions.mark(frame, info.orientation.to_stored(boxes, info.width, info.height))
        return frame

    def unmatched(self) -> int:
        """Return how many annotated faces no frame has had, of those in the span."""
        annotations = self._annotations
        first, last = 0, len(annotations.pts)
        if self._held_times is not None and self._held_times[0] != self._first:
            first = int(np.searchsorted(annotations.pts, self._held_times[0]))
        if self._held_times is not None and self._held_times[1] != self.last:
            last = int(np.searchsorted(annotations.pts, self._held_times[1], side="right"))
        return int(annotations.starts[last] - annotations.starts[first]) - self._matched

    def _note_beyond(self, pts: int) -> None:
        span, info = self._annotations.span, self._reader.info
        tolerance = TOLERATED_FRAMES * round(1 / (info.rate * info.time_base))
        if self.beyond is None and span and not span[0] <= pts < span[1] + tolerance:
            self.beyond = float((pts - (self._first or 0)) * info.time_base)

    def _hide_unseen(self, frame: VideoFrame) -> None:
        """Hide all of a frame that the first pass did not see; only a damaged video has an excuse for it."""
        info = self._reader.info
        if not self._reader.seems_damaged:
            seconds = float(((frame.pts or 0) - (self._first or 0)) * info.time_base)
            raise ContentMalformedError(
                f"{self._reader.path}: a frame at {seconds:.3f} s was not there when the faces were looked for; "
                "run it again when nothing else writes the video"
            )
        frame.make_writable()
        self._hider.hide(view(frame, info.orientation), WHOLE_PICTURE * ([info.width, info.height] * 2))
        self.hidden += 1
