"""What is found in one segment of a film, by itself: nothing from before it is known, but facts about the film."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from facered.detect.detector import NOTHING, Detection, Detector
from facered.detect.turned import LookingAround, TurnedDetector
from facered.jobs.columns import Columns, Surplus
from facered.jobs.thumbnails import Thumbnails
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.runtime.work import Inference
from facered.track.follower import Follower
from facered.track.offline import finish
from facered.track.schedule import DetectionSchedule
from facered.track.step import Step, detection_limits
from facered.track.window import WHOLE
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.picture import VideoFrame, view

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facered.options import Options
    from facered.track.segmentation import Segment
    from facered.track.smoothing import Track
    from facered.track.step import Tiles
    from facered.track.verification import Verify
    from facered.track.window import Window
    from facered.video.info import VideoInfo
    from facered.video.picture import Picture

    Boxes = NDArray[np.float64]

STANDARD_SIZE = 448
"""Pixels of the longer side of what the detector is given for the resolution StandardDefinition; by hand. Larger: it is
no faster than SourceResolution. Smaller: small faces are not found."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a film ahead, and counts in all segments.

    Attributes
    ----------
    path : Path
        Names it.
    info : VideoInfo
    options : Options
    thumbnails : bool
        Whether pictures of the people are kept.
    """

    path: Path
    info: VideoInfo
    options: Options
    thumbnails: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture as it is shown."""
        return self.info.width, self.info.height

    def detector(self) -> Detector:
        """Return a detector of faces, for all segments that are analyzed in one thread."""
        options = self.options
        size = options.detect_size
        if size is None and options.resolution == "StandardDefinition":
            size = STANDARD_SIZE
        return Detector(options.model, options.threads, size, options.precision)


@dataclass(frozen=True, slots=True)
class Item:
    """A frame of a film.

    Attributes
    ----------
    number : int
        From 0 on.
    frame : av.VideoFrame
    luma : (height, width) uint8
        Its small luma.
    seconds : float
        Its time.
    wanted : bool
        Whether it lies in the part that is worked on.
    looked_at : bool
        Whether faces are looked for: a moment beyond that part, too.
    """

    number: int
    frame: VideoFrame
    luma: NDArray[np.uint8]
    seconds: float
    wanted: bool = True
    looked_at: bool = True


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What was found in a segment; it can be pickled.

    Attributes
    ----------
    segment : Segment
    pts : (frames,) int64
        Times of its own frames.
    wanted : (frames,) bool
        Which of them lie in the part that is worked on.
    last_duration : int
        Duration of the last one in units of `pts`; 0 where it is not known.
    tracks : list of Track
        By the film's frames, those before and behind its own, which were analyzed too, among them.
    thumbnails : list of (float, bytes) or None
        For each track how good its picture is, and a JPEG file's content.
    regions : dict of int to (n, 4) float64
        Boxes, by its own frames, of faces that are too many to be followed.
    inference : Inference
    turned : bool
        Whether faces were looked for at another angle as well.
    """

    segment: Segment
    pts: NDArray[np.int64]
    wanted: NDArray[np.bool_]
    last_duration: int
    tracks: list[Track]
    thumbnails: list[tuple[float, bytes] | None]
    regions: dict[int, Boxes]
    inference: Inference = field(default_factory=Inference)
    turned: bool = False


class Finder:
    """Finds and follows the faces of a segment: the detections of a frame are made while it waits.

    Parameters
    ----------
    film : Film
    model : Detector
        May be shared with others in the same thread.
    lead : int
        The first frame that it will be given.
    turn : Orientation
        How the film's first picture lies, if nothing says so; for other segments than the first.

    Attributes
    ----------
    inference : Inference
        What it has taken so far.
    """

    verifies_singly = True

    def __init__(self, film: Film, model: Detector, lead: int, turn: Orientation = UPRIGHT) -> None:
        options, self._lead = film.options, lead
        self._model = model
        self._detector = TurnedDetector(model, turn if lead else UPRIGHT)
        self._around = LookingAround(first=lead == 0)
        self._threshold, limit = detection_limits(options.threshold, options.max_faces)
        self._surplus, self._most = Surplus(limit, options.threshold, film.size), options.max_faces
        self._follower = Follower(float(film.info.rate), options.threshold, film.size)
        finer = self._detector.finer(film.size) is not None
        self._step = Step(self._follower, DetectionSchedule(film.size, finer=finer), self)
        self._orientation = film.info.orientation
        self._every = options.detect == "every"
        self._thumbnails = Thumbnails(self._orientation) if film.thumbnails else None
        self._seconds, self._begun, self._looks = 0.0, False, True
        self._pts: list[int] = []
        self._durations: list[int] = []
        self._wanted: list[bool] = []
        self.inference = Inference(precisions=model.inference.precisions)
        self.turned = False

    @property
    def turn(self) -> Orientation:
        """How its pictures are found to lie."""
        return self._detector.turn

    def take(self, item: Item, *, ends_shot: bool) -> None:
        """Find the faces of the next frame; where it is not looked at, there are none."""
        before = self._model.inference
        self._looks, self._seconds = item.looked_at, item.seconds
        if not self._begun:
            self._around.begin(item.seconds, lying=bool(self._detector.turn))
        picture = view(item.frame, self._orientation)
        begins, self._begun = not self._begun, True
        found, keys = self._step.take(picture, item.luma, begins, item.seconds, ends_shot=ends_shot)
        if self._thumbnails is not None and found is not None:
            with timed(Stage.THUMBNAILS):
                for key, index in keys.items():
                    self._thumbnails.offer(key, item.frame, found.boxes[index], float(found.scores[index]))
        assert item.frame.pts is not None
        self._pts.append(item.frame.pts)
        self._durations.append(item.frame.duration or 0)
        self._wanted.append(item.wanted)
        self.inference += self._model.inference.since(before)
        self.turned |= bool(self._detector.turn)

    def close(self) -> None:
        """Let go of pictures: no further frame will come."""
        del self._step  # it refers to this object, which would not be freed at once
        self._follower.pictures.release()

    def finish(self, segment: Segment) -> SegmentResult:
        """Return what there is in the segment, of which all is known now; to be asked after `close`."""
        lead, own = self._lead, slice(segment.first - self._lead, segment.end - self._lead)
        wanted = np.array(self._wanted, np.bool_)
        with timed(Stage.TRACK_BACK):
            tracks = finish(self._follower, [fade.shifted(-lead) for fade in segment.dissolves])
        columns = Columns.of(tracks, wanted, self._most)
        regions = self._surplus.regions(columns, self._follower.cuts, self._follower.clock, wanted)
        return SegmentResult(
            segment=segment,
            pts=np.array(self._pts[own], np.int64),
            wanted=wanted[own],
            last_duration=self._durations[own][-1],
            tracks=[
                replace(track, frames=track.frames + lead, first_detected=track.first_detected + lead)
                for track in tracks
            ],
            thumbnails=[None if self._thumbnails is None else self._thumbnails.best(track.keys) for track in tracks],
            regions={frame + lead: boxes for frame, boxes in regions.items() if own.start <= frame < own.stop},
            inference=self.inference,
            turned=self.turned,
        )

    def due(self, wanted: Window | None) -> Window | None:
        """See `DetectionSource.due`."""
        return WHOLE if self._every or self._surplus.now else wanted

    def detect(self, picture: Picture, window: Window | None, tiles: Tiles | None) -> Detection | None:
        """See `DetectionSource.detect`."""
        if not self._looks:
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
        return self._surplus.take(self._follower.frame, found)

    def verifier(self, picture: Picture) -> Verify | None:
        """See `DetectionSource.verifier`."""
        return partial(self._detector.verify, picture, threshold=self._threshold) if self._looks else None
