"""Pass one: video -> annotations, and a picture of each person."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations import DECIMALS, Annotations
from facered.detect.detector import NOTHING, Detection, Detector
from facered.progress import ProgressCallback, Stage
from facered.span import Span
from facered.thumbnails import Thumbnails
from facered.track.cuts import CutDetector
from facered.track.path import Track
from facered.track.tracker import Tracker
from facered.video import frames

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from facered.options import Options
    from facered.video.reader import Reader, VideoInfo

logger = logging.getLogger(__name__)

DOUBTFUL = 0.5
"""Detections with this part of the threshold may continue a track."""
SURPLUS = 2
"""So many times the faces that may be hidden are detected at most."""
FINE_SECONDS = 0.4
"""So often, and at the begin of every shot, smaller faces are looked for as well."""
SMALLER_SIZE = 448
"""Longer side of the detector's picture for the resolution StandardDefinition."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What pass one found.

    Attributes
    ----------
    annotations : Annotations
    thumbnails : dict of int to bytes
        The content of a JPEG file for each id, where they were asked for.
    crowded_frames : int
        Frames in which there were more faces than `Options.max_faces`, so that some are bare.
    """

    annotations: Annotations
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    crowded_frames: int = 0


def analyze_video(
    reader: Reader, options: Options, progress: ProgressCallback | None = None, *, thumbnails: bool = False
) -> Analysis:
    """Find the faces in every frame and follow them.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    options : Options
    progress : callable, optional
        Told after every frame.
    thumbnails : bool
        Whether to keep a picture of each person.

    Raises
    ------
    FaceredError
        The video cannot be read, or the model is not usable.
    """
    info = reader.info
    finder = _Finder(info, options, Thumbnails() if thumbnails else None)
    span = Span(options.start, options.end)
    stage = Stage("analyze", info.frames, progress)
    pts: list[int] = []
    last_duration = held = 0
    for frame in reader.frames():
        if not pts and frame.rotation:
            logger.warning(
                "%s: the picture is stored turned by %d degrees; faces are looked for as it is stored, and may be "
                "missed",
                reader.path,
                frame.rotation,
            )
        assert frame.pts is not None
        pts.append(frame.pts)
        wanted = span.holds((frame.pts - pts[0]) * info.time_base)
        held += wanted
        finder.take(frame, wanted)
        last_duration = frame.duration or 0
        stage.step()
    tracks = finder.finish()
    stage.finish()
    span.check_held(held, reader.path)
    starts, ids, boxes, dropped = _by_frame(tracks, len(pts), options)
    fractions = boxes / np.array([info.width, info.height] * 2, np.float64)
    annotations = Annotations(
        time_base=info.time_base,
        rate=info.rate,
        width=info.width,
        height=info.height,
        margin=options.margin,
        pts=np.array(pts, np.int64),
        last_duration=last_duration or max(1, round(1 / (info.rate * info.time_base))),
        starts=starts,
        ids=ids,
        boxes=np.round(fractions, DECIMALS),
    )
    return Analysis(annotations, finder.looks(tracks), len(dropped))


class _Finder:
    """Detector, cut detector and tracker in step, the latter some frames late."""

    def __init__(self, info: VideoInfo, options: Options, thumbnails: Thumbnails | None) -> None:
        size = options.detect_size
        if size is None and options.resolution == "StandardDefinition":
            size = SMALLER_SIZE
        self._detector = Detector(options.model, options.threads, size)
        self._tracker = Tracker(float(info.rate), options.threshold, (info.width, info.height))
        self._cuts = CutDetector(float(info.rate))
        self._options = options
        self._thumbnails = thumbnails
        self._waiting: deque[tuple[VideoFrame, NDArray[np.uint8], bool]] = deque()
        self._until_fine = 0
        self._fine_interval = max(1, round(FINE_SECONDS * float(info.rate)))

    def take(self, frame: VideoFrame, wanted: bool) -> None:
        """Take the next frame; where it is not wanted, nobody is looked for in it."""
        luma = self._detector.shrink(frames.view(frame))
        self._waiting.append((frame, luma, wanted))
        begins_shot = self._cuts.push(luma)
        if begins_shot is not None:
            self._follow(begins_shot)

    def finish(self) -> list[Track]:
        """Return the tracks of all frames."""
        for begins_shot in self._cuts.flush():
            self._follow(begins_shot)
        return self._tracker.finish(self._cuts.dissolves)

    def looks(self, tracks: list[Track]) -> dict[int, bytes]:
        """Return the JPEG of each track by its id, its place in the list from 1 on."""
        if self._thumbnails is None:
            return {}
        taken = {number: self._thumbnails.take(track.keys) for number, track in enumerate(tracks, 1)}
        return {number: content for number, content in taken.items() if content is not None}

    def _follow(self, begins_shot: bool) -> None:
        frame, luma, wanted = self._waiting.popleft()
        picture, threshold = frames.view(frame), self._options.threshold * DOUBTFUL
        fine = begins_shot or not self._until_fine
        self._until_fine = self._fine_interval - 1 if fine else self._until_fine - 1
        uncertain = self._tracker.wants_detection(luma, begins_shot)
        found = None
        if not wanted:
            found = NOTHING
        elif fine or uncertain or self._options.detect == "every":
            # The tracker may know better than the score which faces to keep where there are too many.
            limit = self._options.max_faces and SURPLUS * self._options.max_faces
            found = self._detector.detect(picture, threshold, limit, fine=fine)

        def look(box: NDArray[np.float64]) -> Detection:
            return self._detector.look(picture, box, threshold)

        seen = self._tracker.update(luma, found, begins_shot, look if wanted else None)
        if self._thumbnails is not None and found is not None:
            for key, index in seen.items():
                self._thumbnails.offer(key, frame, found.boxes[index], float(found.scores[index]))


def _by_frame(
    tracks: list[Track], count: int, options: Options
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Sort the boxes of the tracks by frame, enlarged by the margin, as x, y, width, height in pixels.

    Returns
    -------
    starts : (count + 1,) int64
    ids : (faces,) int64
    boxes : (faces, 4) float64
    crowded : int64
        The frames in which faces had to be dropped.
    """
    if not tracks:
        return np.zeros(count + 1, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0, np.int64)
    ids = np.concatenate([np.full(len(track.boxes), number) for number, track in enumerate(tracks, 1)])
    at = np.concatenate([track.frames for track in tracks])
    boxes = np.concatenate([track.boxes for track in tracks])
    order = np.lexsort((ids, at))
    ids, at, boxes = ids[order], at[order], boxes[order]
    # Ids grow with the first appearance, so the first ones of a frame are those followed for longest.
    place = np.arange(len(at)) - np.searchsorted(at, at)
    keep = place < (options.max_faces or len(at))
    crowded = np.unique(at[~keep])
    ids, at, boxes = ids[keep], at[keep], boxes[keep]
    boxes[:, 2:] *= options.margin
    boxes[:, :2] -= boxes[:, 2:] / 2
    return np.searchsorted(at, np.arange(count + 1)).astype(np.int64), ids, boxes, crowded
