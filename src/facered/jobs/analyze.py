"""Pass one: video -> annotations, and a picture of each person."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from facered.annotations.model import Annotations
from facered.annotations.table import DECIMALS, SCORE_DECIMALS, Extras
from facered.detect.detector import NOTHING, Detection, Detector
from facered.detect.turned import LookingAround, TurnedDetector
from facered.errors import FaceredError, ServiceError
from facered.jobs.columns import Columns, Surplus, certainties
from facered.jobs.progress import ProgressCallback, StageProgress
from facered.jobs.span import Span
from facered.jobs.thumbnails import Thumbnails
from facered.runtime.ahead import Ahead, depth
from facered.runtime.profiling import timed, timed_items
from facered.runtime.stages import Stage
from facered.runtime.work import Inference
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.schedule import DetectionSchedule
from facered.track.step import Step, detection_limits
from facered.track.window import WHOLE
from facered.video.picture import view
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from facered.options import Options
    from facered.track.cuts import Dissolve
    from facered.track.smoothing import Track
    from facered.track.step import Tiles
    from facered.track.verification import Verify
    from facered.track.window import Window
    from facered.video.info import VideoInfo
    from facered.video.input.file import Reader
    from facered.video.picture import Picture, VideoFrame

logger = logging.getLogger(__name__)

LATER = Fraction(1)
"""Seconds that are looked at beyond the end of the span; by hand. Longer: time. Shorter: who comes in just before the
end is bare there."""
STANDARD_SIZE = 448
"""Pixels of the longer side of what the detector is given for the resolution StandardDefinition; by hand. Larger: it is
no faster than SourceResolution. Smaller: small faces are not found."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What pass one found.

    Attributes
    ----------
    annotations : Annotations
    thumbnails : dict of int to bytes
        The content of a JPEG file for each id, where they were asked for.
    crowded_frames : int
        Frames in which there were more faces than `Options.max_faces`: the surplus is hidden, but nobody follows it.
    inference : Inference
        How often the model was run, on how many pixels, and in which precision.
    """

    annotations: Annotations
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    crowded_frames: int = 0
    inference: Inference = field(default_factory=Inference)


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
    finder = _Finder(reader.path, info, options, Thumbnails(info.orientation) if thumbnails else None)
    upcoming = _Upcoming(reader, options)
    stage = StageProgress("analyze", info.frames, progress)
    waiting = depth(info.width, info.height) if options.threads != 1 or reader.stalls else 0
    with Ahead(upcoming.pictures(), waiting, "decode") as pictures:
        for picture in pictures:
            finder.take(picture)
            stage.step()
    tracks = finder.finish(upcoming.cuts.dissolves)
    stage.finish()
    upcoming.span.check_held(sum(upcoming.wanted), reader.path)
    pts = upcoming.pts
    wanted = np.array(upcoming.wanted, np.bool_)
    columns = finder.columns(tracks, wanted).held_through(reader.damaged, len(pts))
    fractions = columns.corners(options.margin) / np.array([info.width, info.height] * 2, np.float64)
    scores, doubtful = certainties(tracks, columns.ids)
    annotations = Annotations(
        time_base=info.time_base,
        rate=info.rate,
        width=info.width,
        height=info.height,
        margin=options.margin,
        pts=np.array(pts, np.int64),
        last_duration=upcoming.last_duration or max(1, round(1 / (info.rate * info.time_base))),
        starts=columns.starts(len(pts)),
        ids=columns.ids,
        boxes=np.round(fractions, DECIMALS),
        scores=scores.round(SCORE_DECIMALS),
        doubtful=doubtful,
        extras=Extras(document={"precision": finder.model.inference.precision}),
    )
    try:
        annotations.check_sound()
    except FaceredError as error:
        raise ServiceError(f"{reader.path}: what was found cannot be ({error}); please report it") from error
    return Analysis(annotations, finder.thumbnails(tracks), columns.crowded, finder.model.inference)


@dataclass(frozen=True, slots=True)
class _Item:
    """A frame, its small luma and time, whether it is looked at, and whether it begins or ends a shot."""

    frame: VideoFrame
    luma: NDArray[np.uint8]
    seconds: float
    wanted: bool
    begins_shot: bool = False
    ends_shot: bool = False


class _Upcoming:
    """The frames as they are decoded, shrunk, and with cuts found.

    It runs ahead in a thread of its own; its attributes may be read when that has ended.
    """

    def __init__(self, reader: Reader, options: Options) -> None:
        self._reader = reader
        self._shrink = Shrinker()
        self.span = Span(options.start, options.end)
        self.cuts = CutDetector(float(reader.info.rate))
        self.pts: list[int] = []
        self.wanted: list[bool] = []
        self.last_duration = 0

    def pictures(self) -> Iterator[_Item]:
        """Yield all frames, each as soon as it is known whether the next one begins a shot: some frames late."""
        held: _Item | None = None
        for item in self._judged():
            if held is not None:
                yield replace(held, ends_shot=item.begins_shot)
            held = item
        if held is not None:
            yield replace(held, ends_shot=True)

    def _judged(self) -> Iterator[_Item]:
        """Yield all frames, each as soon as it is known whether it begins a shot."""
        waiting: deque[_Item] = deque()
        for frame in timed_items(self._reader.frames(), Stage.DECODE):
            waiting.append(self._take(frame))
            with timed(Stage.CUTS):
                begins_shot = self.cuts.push(waiting[-1].luma, waiting[-1].seconds)
            if begins_shot is not None:
                yield replace(waiting.popleft(), begins_shot=begins_shot)
        for begins_shot in self.cuts.flush():
            yield replace(waiting.popleft(), begins_shot=begins_shot)

    def _take(self, frame: VideoFrame) -> _Item:
        self._reader.info.check_frame(frame)
        assert frame.pts is not None
        self.pts.append(frame.pts)
        elapsed = (frame.pts - self.pts[0]) * self._reader.info.time_base
        self.wanted.append(self.span.holds(elapsed))
        # Who is seen for certain a moment later is followed back.
        wanted = self.wanted[-1] or self.span.holds(max(elapsed - LATER, Fraction(0)))
        self.last_duration = frame.duration or 0
        with timed(Stage.SHRINK):
            luma = self._shrink(view(frame, self._reader.info.orientation))
        return _Item(frame, luma, float(elapsed), wanted)


class _Finder:
    """Finds and follows the faces: the detections of a frame are made while it waits.

    Attributes
    ----------
    model : Detector
    """

    verifies_singly = True

    def __init__(self, path: Path, info: VideoInfo, options: Options, thumbnails: Thumbnails | None) -> None:
        self._path = path
        size = options.detect_size
        if size is None and options.resolution == "StandardDefinition":
            size = STANDARD_SIZE
        shown = info.width, info.height
        self.model = Detector(options.model, options.threads, size, options.precision)
        self._detector = TurnedDetector(self.model)
        self._around = LookingAround()
        self._threshold, limit = detection_limits(options.threshold, options.max_faces)
        self._surplus, self._most = Surplus(limit, options.threshold, shown), options.max_faces
        self._follower = Follower(float(info.rate), options.threshold, shown)
        self._step = Step(self._follower, DetectionSchedule(shown, finer=self._detector.finer(shown) is not None), self)
        self._orientation = info.orientation
        self._every = options.detect == "every"
        self._thumbnails = thumbnails
        self._wanted, self._said = True, False
        self._seconds = 0.0

    def take(self, item: _Item) -> None:
        """Find the faces of the next frame; where it is not wanted, there are none."""
        self._wanted = item.wanted
        if item.begins_shot or not self._follower.cuts:
            self._around.begin(item.seconds, lying=bool(self._detector.turn))
        self._seconds = item.seconds
        picture = view(item.frame, self._orientation)
        found, keys = self._step.take(picture, item.luma, item.begins_shot, item.seconds, ends_shot=item.ends_shot)
        if self._thumbnails is not None and found is not None:
            with timed(Stage.THUMBNAILS):
                for key, index in keys.items():
                    self._thumbnails.offer(key, item.frame, found.boxes[index], float(found.scores[index]))

    def finish(self, dissolves: list[Dissolve]) -> list[Track]:
        """Return the tracks of all frames; no further one can be taken."""
        del self._step  # it refers to this object, and the model's memory would not be freed at once
        with timed(Stage.TRACK_BACK):
            return finish(self._follower, dissolves)

    def columns(self, tracks: list[Track], wanted: NDArray[np.bool_]) -> Columns:
        """Return where the faces are that were followed, and where those are that were too many for that."""
        columns = Columns.of(tracks, wanted, self._most)
        regions = self._surplus.regions(columns, self._follower.cuts, self._follower.clock, wanted)
        return columns.with_regions(regions)

    def thumbnails(self, tracks: list[Track]) -> dict[int, bytes]:
        """Return the JPEG of each track by its id, its place in the list from 1 on."""
        if self._thumbnails is None:
            return {}
        taken = {number: self._thumbnails.take(track.keys) for number, track in enumerate(tracks, 1)}
        return {number: content for number, content in taken.items() if content is not None}

    def due(self, wanted: Window | None) -> Window | None:
        """See `DetectionSource.due`."""
        return WHOLE if self._every or self._surplus.now else wanted

    def detect(self, picture: Picture, window: Window | None, tiles: Tiles | None) -> Detection | None:
        """See `DetectionSource.detect`."""
        if not self._wanted:
            return NOTHING
        request = tiles() if tiles is not None else None
        if window is None and request is None:
            return None
        if self._around.is_due(self._seconds):
            found = self._detector.look_around(picture, self._threshold, request)
        else:
            found = self._detector.detect(picture, self._threshold, window, request)
        if found.within is None:
            self._around.note(found, self._seconds)
        if self._detector.turn and not self._said:
            self._said = True
            logger.warning(
                "%s: the picture is turned, and nothing says so; faces are found at another angle", self._path
            )
        return self._surplus.take(self._follower.frame, found)

    def verifier(self, picture: Picture) -> Verify | None:
        """See `DetectionSource.verifier`."""
        return partial(self._detector.verify, picture, threshold=self._threshold) if self._wanted else None
