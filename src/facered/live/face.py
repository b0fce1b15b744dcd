"""What is told of a face, and of how a stream fares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a frame.

    Attributes
    ----------
    id : int
        The person's number, from 1.
    x, y, width, height : float
        What is hidden of it, or would be: upper left corner and size as fractions of the picture as it is shown, as in
        the annotations. It may reach outside.
    score : float
        The best score of its detections, 0 to 1.
    hidden : bool
        Whether it is hidden.
    doubtful : bool
        Whether it may be no face, and is hidden to be safe.
    """

    id: int
    x: float
    y: float
    width: float
    height: float
    score: float
    hidden: bool = True
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the redactor was made.

    Attributes
    ----------
    frames : int
        Frames returned.
    hidden : int
        Those in which something was hidden.
    detections : int
        Detections completed.
    late : int
        Those that were not done when their frame was: after `deadline_ms`, or beside the stream.
    overloaded : int
        Frames returned without a detection that is recent enough to trust.
    crowded : int
        Frames with more faces than `max_faces`: those beyond are hidden, but have no id and are not told of.
    copied : int
        Frames that had to be copied before something could be hidden in them, because others share their memory.
    bytes_copied : int
        Bytes of those.
    inference_calls : int
        How often the model was run.
    inference_megapixels : float
        Millions of pixels that it was given.
    failures : int
        How often something failed: a stage of the work, or a function that was given. Then the frames that wait are
        hidden whole, and those that come, until something has been detected again.
    overruns : int
        Frames that took longer than `deadline_ms`, whatever for; 0 where there is none.
    hurried : int
        Frames that were looked at less because their stream came later than `max_lag_ms`.
    lag : float or None
        By how many seconds the last frame returned was later, by its own time, than the one that came most promptly; a
        lookahead counts. None where frames bring no times.
    detection_age : float or None
        By how many seconds of the stream the last frame given is newer than the last one in which all of the usual
        picture, or what was wanted of it, was detected; None before there was any.
    """

    frames: int = 0
    hidden: int = 0
    detections: int = 0
    late: int = 0
    overloaded: int = 0
    crowded: int = 0
    copied: int = 0
    bytes_copied: int = 0
    inference_calls: int = 0
    inference_megapixels: float = 0.0
    failures: int = 0
    overruns: int = 0
    hurried: int = 0
    lag: float | None = None
    detection_age: float | None = None
