"""Frames on their way to the encoder: the annotated faces are hidden in them, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.errors import ContentMalformedError, ServiceError
from facered.jobs.columns import WHOLE_PICTURE
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.output.parts import Parts
from facered.video.picture import VideoFrame, view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from facered.annotations.model import Annotations
    from facered.hide.hider import Hider
    from facered.jobs.feed import Known
    from facered.jobs.span import Span
    from facered.video.input.decode import Packet, Stream
    from facered.video.input.file import Reader
    from facered.video.output.roi import RegionsOfInterest

TOLERATED_FRAMES = 2
"""How many frames the video may have after all that the annotations tell of, as decoders differ; by hand.
With more, frames would be bare that nobody has looked at."""


def redact_frame(
    frame: VideoFrame,
    annotations: Annotations,
    hider: Hider,
    orientation: Orientation = UPRIGHT,
    *,
    hold: bool = False,
    seen: bool = True,
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
    seen : bool
        Whether anybody will see the frame; False hides nothing.

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
    if ids and seen:
        with timed(Stage.COPY):
            frame.make_writable()
        with timed(Stage.HIDE):
            hider.hide(view(frame, orientation), boxes, ids)
    return boxes


@dataclass(frozen=True, slots=True)
class PartBegin:
    """What comes is encoded apart from what came.

    Attributes
    ----------
    number : int
        Of the next frame.
    stored : bool
        Whether the part is encoded already: nothing is hidden in its frames.
    closes : bool
        Whether it ends before the film does, as far as the annotations tell.
    """

    number: int
    stored: bool
    closes: bool


class Hiding:
    """Hides faces in frames on their way to the encoder, and counts.

    Parameters
    ----------
    reader, span, complete
        As for `facered.jobs.redact.redact_video`.
    known : Known
        Who is where.
    hider : Hider
    regions : RegionsOfInterest or None
        Where hidden faces are marked.
    stored : callable
        Tells whether the part that begins at a frame is encoded already.
    """

    def __init__(
        self,
        reader: Reader,
        known: Known,
        hider: Hider,
        span: Span,
        regions: RegionsOfInterest | None,
        complete: bool,
        stored: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._reader, self._known, self._hider, self._span = reader, known, hider, span
        self._regions, self._complete = regions, complete
        self._stored, self._bare = stored, False
        self._parts = Parts(reader.info.rate)
        self._first: int | None = None
        self._end = 0
        self._number = -1
        self.matched = 0
        self._held_times: tuple[int, int] | None = None
        self.last = self.held = self.hidden = self.missing = 0
        self.unknown: set[int] = set()  # the frames that have no entry
        self.beyond: float | None = None  # when the first frame is that is far from all that the annotations tell of

    def begin_at(self, number: int, first: int) -> None:
        """Begin with a frame of a number, at which a part begins, of a film whose first frame has a time."""
        self._number, self._first = number - 1, first

    @property
    def film_seconds(self) -> float:
        """From the first frame's time to the last one's end."""
        return float((self._end - (self._first or 0)) * self._reader.info.time_base)

    def walk(self, items: Iterator[VideoFrame | Packet[Stream]]) -> Iterator[PartBegin | VideoFrame | Packet[Stream]]:
        """Yield frames with their faces hidden, and packets as they are, and where a part begins."""
        for item in items:
            if isinstance(item, VideoFrame):
                annotations = self._next(item)
                if not self._number or (self._known.begins_segment(self._number) and self._parts.begins(self._number)):
                    yield self._begin_part()
                yield self._take(item, annotations)
            else:
                yield item
            del item  # the next may be long in coming

    def take(self, frame: VideoFrame) -> VideoFrame:
        """Return the next frame of a part with its faces hidden."""
        return self._take(frame, self._next(frame))

    def _next(self, frame: VideoFrame) -> Annotations:
        self._number += 1
        self._reader.info.check_frame(frame)
        assert frame.pts is not None
        return self._known.until(frame.pts)

    def _begin_part(self) -> PartBegin:
        if self._regions is not None:
            self._regions.begin_anew()
        self._bare = self._stored(self._number)
        return PartBegin(self._number, self._bare, self._known.part_follows(self._number))

    def _take(self, frame: VideoFrame, annotations: Annotations) -> VideoFrame:
        assert frame.pts is not None
        self._first = frame.pts if self._first is None else self._first
        self.last = frame.pts
        info = self._reader.info
        self._end = frame.pts + (frame.duration or round(1 / (info.rate * info.time_base)))
        if not self._span.holds((frame.pts - self._first) * info.time_base):
            return frame
        self.held += 1
        self._held_times = (self._held_times or (frame.pts, 0))[0], frame.pts
        known = annotations.frame_at(frame.pts)
        if known is None:
            self.unknown.add(self._number)
        else:
            self.matched += len(annotations.frame_ids(known))
        hold = self._reader.seems_damaged and not self._complete
        boxes = redact_frame(frame, annotations, self._hider, info.orientation, hold=hold, seen=not self._bare)
        if boxes is None and self._complete:
            self._hide_unseen(frame)
        elif boxes is None:
            self.missing += 1
            self._note_beyond(frame.pts, annotations)
        elif len(boxes):
            self.hidden += 1
            if self._regions is not None and not self._bare:
                with timed(Stage.MARK):
                    return self._regions.mark(frame, info.orientation.to_stored(boxes, info.width, info.height))
        return frame

    def unmatched(self, annotations: Annotations) -> int:
        """Return how many annotated faces no frame has had, of those in the span."""
        first, last = 0, len(annotations.pts)
        if self._held_times is not None and self._held_times[0] != self._first:
            first = int(np.searchsorted(annotations.pts, self._held_times[0]))
        if self._held_times is not None and self._held_times[1] != self.last:
            last = int(np.searchsorted(annotations.pts, self._held_times[1], side="right"))
        return int(annotations.starts[last] - annotations.starts[first]) - self.matched

    def _note_beyond(self, pts: int, annotations: Annotations) -> None:
        span, info = annotations.span, self._reader.info
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
        if not self._bare:
            frame.make_writable()
            self._hider.hide(view(frame, info.orientation), WHOLE_PICTURE * ([info.width, info.height] * 2))
        self.hidden += 1
