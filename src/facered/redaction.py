"""Pass two: video + annotations -> the video with the annotated faces hidden."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from av.video.frame import VideoFrame

from facered.errors import ConfigurationUnsupportedError
from facered.progress import ProgressCallback, Stage
from facered.span import Span
from facered.styles import Hider
from facered.video import frames
from facered.video.orientation import UPRIGHT, Orientation

if TYPE_CHECKING:
    from facered.annotations import Annotations
    from facered.styles import Style
    from facered.video.images import ImageWriter
    from facered.video.reader import Reader
    from facered.video.writer import Writer

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
    """

    frames: int
    hidden_frames: int
    missing_frames: int


def redact_frame(
    frame: VideoFrame,
    annotations: Annotations,
    hider: Hider,
    orientation: Orientation = UPRIGHT,
    *,
    hold: bool = False,
) -> int | None:
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
    int or None
        How many faces were hidden; None if the annotations have no entry for the frame.
    """
    assert frame.pts is not None
    number = annotations.frame_at(frame.pts)
    if number is None and hold:
        number = annotations.frame_before(frame.pts)
    if number is None:
        return None
    boxes = annotations.pixel_boxes(number)
    if len(boxes):
        frame.make_writable()
        hider.hide(frames.view(frame, orientation), boxes, annotations.frame_ids(number).tolist())
    return len(boxes)


def redact_video(
    reader: Reader,
    writer: Writer | ImageWriter,
    annotations: Annotations,
    style: Style,
    *,
    span: Span = WHOLE,
    progress: ProgressCallback | None = None,
) -> Redaction:
    """Decode, hide the annotated faces, encode; audio goes along.

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
    progress : callable, optional
        Told after every frame.

    Raises
    ------
    ConfigurationUnsupportedError
        The annotations hold faces at times at which the video has no frame.
    FaceredError
        The video cannot be read or written.
    """
    hider = Hider(style)
    stage = Stage("redact", reader.info.frames, progress)
    hidden = missing = drawn = held = 0
    first: int | None = None
    last = 0
    for item in reader.demux(*writer.others):
        if not isinstance(item, VideoFrame):
            writer.write_packet(item)
            continue
        assert item.pts is not None
        first, last = item.pts if first is None else first, item.pts
        if span.holds((item.pts - first) * reader.info.time_base):
            held += 1
            count = redact_frame(item, annotations, hider, reader.info.orientation, hold=bool(reader.damaged))
            missing += count is None
            hidden += bool(count)
            drawn += count or 0
        writer.write_frame(item)
        stage.step()
    stage.finish()
    span.check_held(held, reader.path)
    # What a decoder makes of damage may differ from time to time, the frames that it gives out included.
    if span.whole and drawn != len(annotations.ids) and not reader.damaged:
        info = reader.info
        annotations.check_fits(info.width, info.height, end=last + round(1 / (info.rate * info.time_base)))
        raise ConfigurationUnsupportedError(
            f"{reader.path}: {len(annotations.ids) - drawn} faces of the annotations stand at times at which this "
            "video has no frame; use the annotations of this video"
        )
    if missing:
        logger.warning(
            "%s: %d of %d frames have no entry in the annotations; nothing is hidden in them",
            reader.path,
            missing,
            stage.done,
        )
    return Redaction(stage.done, hidden, missing)
