"""Pass one: video -> annotations, and a picture of each person."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations import DECIMALS, Annotations
from facered.detect.detector import Detection, Detector
from facered.progress import ProgressCallback, Stage
from facered.span import Span
from facered.thumbnails import Thumbnails
from facered.track.cuts import CutDetector
from facered.track.tracker import Track, Tracker
from facered.video import frames

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from facered.options import Options
    from facered.video.reader import Reader, VideoInfo

DOUBTFUL = 0.5
"""Detections with this part of the threshold may continue a track."""
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
    finder = _Finder(info, options, Thumbnails(info.orientation) if thumbnails else None)
    span = Span(options.start, options.end)
    stage = Stage("analyze", info.frames, progress)
    pts: list[int] = []
    last_duration = held = 0
    for frame in reader.frames():
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
    starts, ids, boxes = _held_through_damage(starts, ids, boxes, reader.damaged)
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
    return Analysis(annotations, finder.looks(tracks), len(finder.crowded | set(dropped.tolist())))


class _Finder:
    """Detector, cut detector and tracker in step, the latter some frames late."""

    def __init__(self, info: VideoInfo, options: Options, thumbnails: Thumbnails | None) -> None:
        size = options.detect_size
        if size is None and options.resolution == "StandardDefinition":
            size = SMALLER_SIZE
        self._detector = Detector(options.model, options.threads, size)
        self._tracker = Tracker(float(info.rate), options.threshold)
        self._orientation = info.orientation
        self._cuts = CutDetector()
        self._options = options
        self._thumbnails = thumbnails
        self._waiting: deque[tuple[VideoFrame | None, NDArray[np.float32], NDArray[np.float32]]] = deque()
        self._taken = 0
        self.crowded: set[int] = set()

    def take(self, frame: VideoFrame, wanted: bool) -> None:
        """Look at the next frame; where it is not wanted, for cuts only."""
        detection = self._detect(frame, wanted)
        if detection.crowded:
            self.crowded.add(self._taken)
        self._taken += 1
        # Only thumbnails need the frame again: holding it would keep the decoder from using its memory.
        held = frame if self._thumbnails is not None and len(detection.boxes) else None
        self._waiting.append((held, detection.boxes, detection.scores))
        begins_shot = self._cuts.push(detection.luma)
        if begins_shot is not None:
            self._follow(begins_shot)

    def finish(self) -> list[Track]:
        """Return the tracks of all frames."""
        for begins_shot in self._cuts.flush():
            self._follow(begins_shot)
        return self._tracker.finish()

    def looks(self, tracks: list[Track]) -> dict[int, bytes]:
        """Return the JPEG of each track by its id, its place in the list from 1 on."""
        if self._thumbnails is None:
            return {}
        taken = {number: self._thumbnails.take(track.key) for number, track in enumerate(tracks, 1)}
        return {number: content for number, content in taken.items() if content is not None}

    def _detect(self, frame: VideoFrame, wanted: bool) -> Detection:
        picture = frames.view(frame, self._orientation)
        if not wanted:
            return self._detector.skip(picture)
        return self._detector.detect(picture, self._options.threshold * DOUBTFUL, self._options.max_faces)

    def _follow(self, begins_shot: bool) -> None:
        frame, boxes, scores = self._waiting.popleft()
        seen = self._tracker.update(boxes, scores, begins_shot)
        if frame is not None and self._thumbnails is not None:
            for key, index in seen.items():
                self._thumbnails.offer(key, frame, boxes[index], float(scores[index]))


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
    at = np.concatenate([track.first + np.arange(len(track.boxes)) for track in tracks])
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


def _held_through_damage(
    starts: NDArray[np.int64], ids: NDArray[np.int64], boxes: NDArray[np.float64], damaged: Collection[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Keep in damaged frames every face of the frame before; what is seen in them proves nothing.

    The arrays are those that `_by_frame` returns.
    """
    if not damaged:
        return starts, ids, boxes
    table = [(ids[a:b], boxes[a:b]) for a, b in pairwise(starts.tolist())]
    for frame in sorted(number for number in damaged if 0 < number < len(table)):
        (before, boxes_before), (here, boxes_here) = table[frame - 1], table[frame]
        lost = ~np.isin(before, here)
        joined = np.concatenate([here, before[lost]])
        order = np.argsort(joined, kind="stable")
        table[frame] = joined[order], np.concatenate([boxes_here, boxes_before[lost]])[order]
    counts = [len(entry) for entry, _ in table]
    return (
        np.append(0, np.cumsum(np.array(counts, np.int64))),
        np.concatenate([entry for entry, _ in table]),
        np.concatenate([entry for _, entry in table]),
    )
