"""Pass two: video + annotations -> the video with the annotated faces hidden."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from av.video.frame import VideoFrame

from facered.progress import ProgressCallback, Stage
from facered.styles import Hider
from facered.video import frames

if TYPE_CHECKING:
    from facered.annotations import Annotations
    from facered.styles import Blur
    from facered.video.reader import Reader
    from facered.video.writer import Writer

logger = logging.getLogger(__name__)


def redact_frame(frame: VideoFrame, annotations: Annotations, hider: Hider) -> None:
    """Hide the faces that the annotations hold for the frame's time, in place.

    A frame without faces is not touched, nor copied.

    Parameters
    ----------
    frame : av.VideoFrame
        In a native format. Made writable first: decoded frames share memory with the decoder's reference pictures.
    annotations : Annotations
    hider : Hider
    """
    assert frame.pts is not None
    number = annotations.frame_at(frame.pts)
    if number is None:
        return
    boxes = annotations.pixel_boxes(number)
    if len(boxes):
        frame.make_writable()
        hider.hide(frames.view(frame), boxes)


def redact_video(
    reader: Reader, writer: Writer, annotations: Annotations, style: Blur, progress: ProgressCallback | None = None
) -> float:
    """Decode, hide the annotated faces, encode; audio goes along. Return the seconds it took.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    writer : Writer
        Left open.
    annotations : Annotations
        Of this very video.
    style : Blur
    progress : callable, optional
        Told after every frame.

    Raises
    ------
    FaceredError
        The video cannot be read or written.
    """
    hider = Hider(style)
    stage = Stage("redact", len(annotations.pts), progress)
    for item in reader.demux(*writer.audio):
        if isinstance(item, VideoFrame):
            redact_frame(item, annotations, hider)
            writer.write_frame(item)
            stage.step()
        else:
            writer.write_packet(item)
    return stage.finish().seconds
