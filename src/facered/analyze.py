"""Pass one: video -> annotations."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations import DECIMALS, Annotations
from facered.detect.detector import Detector
from facered.progress import ProgressCallback, Stage
from facered.track.cuts import CutDetector
from facered.track.tracker import Track, Tracker
from facered.video import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.options import Options
    from facered.video.reader import Reader

logger = logging.getLogger(__name__)

DOUBTFUL = 0.5
"""Detections with this part of the threshold may continue a track."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What pass one found.

    Attributes
    ----------
    annotations : Annotations
    crowded_frames : int
        Frames in which there were more faces than `Options.max_faces`, so that some are bare.
    seconds : float
        Wall time.
    """

    annotations: Annotations
    crowded_frames: int
    seconds: float


def analyze_video(reader: Reader, options: Options, progress: ProgressCallback | None = None) -> Analysis:
    """Find the faces in every frame and follow them.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    options : Options
    progress : callable, optional
        Told after every frame.

    Raises
    ------
    FaceredError
        The video cannot be read, or the model is not usable.
    """
    info = reader.info
    detector = Detector(options.model, options.threads, options.detect_size)
    tracker = Tracker(float(info.rate), options.threshold)
    cuts = CutDetector()
    waiting: deque[tuple[NDArray[np.float32], NDArray[np.float32]]] = deque()
    stage = Stage("analyze", info.frames, progress)
    pts: list[int] = []
    crowded, last_duration = 0, 0
    for frame in reader.frames():
        detection = detector.detect(frames.view(frame), options.threshold * DOUBTFUL, options.max_faces)
        crowded += detection.crowded
        waiting.append((detection.boxes, detection.scores))
        begins_shot = cuts.push(detection.luma)
        if begins_shot is not None:
            tracker.update(*waiting.popleft(), begins_shot)
        assert frame.pts is not None
        pts.append(frame.pts)
        last_duration = frame.duration or 0
        stage.step()
    for begins_shot in cuts.flush():
        tracker.update(*waiting.popleft(), begins_shot)
    seconds = stage.finish().seconds
    starts, ids, boxes, dropped = _by_frame(tracker.finish(), len(pts), options)
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
    return Analysis(annotations, max(crowded, dropped), seconds)


def _by_frame(
    tracks: list[Track], count: int, options: Options
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
    """Sort the boxes of the tracks by frame, enlarged by the margin, as x, y, width, height in pixels.

    Returns
    -------
    starts : (count + 1,) int64
    ids : (faces,) int64
    boxes : (faces, 4) float64
    crowded : int
        Frames in which faces had to be dropped.
    """
    if not tracks:
        return np.zeros(count + 1, np.int64), np.empty(0, np.int64), np.empty((0, 4)), 0
    ids = np.concatenate([np.full(len(track.boxes), number) for number, track in enumerate(tracks, 1)])
    at = np.concatenate([track.first + np.arange(len(track.boxes)) for track in tracks])
    boxes = np.concatenate([track.boxes for track in tracks])
    order = np.lexsort((ids, at))
    ids, at, boxes = ids[order], at[order], boxes[order]
    # Ids grow with the first appearance, so the first ones of a frame are those followed for longest.
    place = np.arange(len(at)) - np.searchsorted(at, at)
    keep = place < (options.max_faces or len(at))
    crowded = len(np.unique(at[~keep]))
    ids, at, boxes = ids[keep], at[keep], boxes[keep]
    boxes[:, 2:] *= options.margin
    boxes[:, :2] -= boxes[:, 2:] / 2
    return np.searchsorted(at, np.arange(count + 1)).astype(np.int64), ids, boxes, crowded
