"""One stream of pictures of one size: finds and follows faces as the pictures come."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from facered.hide import areas
from facered.live.crowd import HELD_FRAMES, Crowd
from facered.live.parts import Parts
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.track import tuning
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.online import OnlineTracker, Presence
from facered.track.schedule import DetectionSchedule
from facered.track.step import Step, detection_limits
from facered.track.window import WHOLE
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.detector import Detection
    from facered.live.detection import LiveDetector, TimedDetection
    from facered.live.settings import Settings
    from facered.track.boxes import Boxes
    from facered.track.step import Tiles
    from facered.track.verification import Verify
    from facered.track.window import Window
    from facered.video.picture import Picture

STALE_SECONDS = 0.5
"""Seconds after which a detection says nothing of who may have come since; by hand. Larger: who came since is not
hidden. Smaller: masks grow, or everything is hidden, although all is well."""
HURRIED_SECONDS = 0.4
"""How old the last detection becomes before a stream that is late is looked at again; by hand. Larger: more frames are
hidden whole. Smaller: the stream takes longer to catch up."""
HELD_GROWTH_PER_FRAME = 0.05
"""Part of its size by which each of their boxes grows a frame, whatever the rate; by hand. Larger: large masks.
Smaller: who moves leaves the mask."""
MAX_HELD = 128
"""Of so many people that were there before a suspected cut the place stays hidden, the newest, at most; by hand.
Larger: time, where there is a cut in every frame. Smaller: crowds are bare in part after a flash."""
MAX_LOOKS_PER_FRAME = 2
"""Most doubtful faces that are looked at by themselves in a frame, fewer than in files; by hand. Larger: frames wait.
Smaller: in crowds, faint faces are confirmed later."""
LATE_PART = 0.8
"""Sides, in parts of its own, of the middle of a part in which whoever is not found was missed, where it is told late;
by hand. Larger: who has moved into it since is taken for lost. Smaller: who is lost is followed for longer."""
FORGET_INTERVAL = 64
"""Frames between two occasions on which the past is forgotten; by hand. Larger: memory. Smaller: time."""
DEFAULT_RATE = 25.0
"""Frames a second where nobody says: not tuned, the rate of European television. Where it is wrong, all seconds are."""


class Stream:
    """Follows the faces of a stream.

    Parameters
    ----------
    picture : Picture
        The first one, or one like it.
    rate : float
        Frames a second.
    settings : Settings
    detector : LiveDetector
    first_key : int
        The key of the first face.

    Attributes
    ----------
    areas : list of Area
        Where its pictures are always hidden.
    spared : (height, width) bool or None
        Where no face is hidden in them.
    """

    verifies_singly = False

    def __init__(
        self, picture: Picture, rate: float, settings: Settings, detector: LiveDetector, first_key: int
    ) -> None:
        self._kind = _kind(picture)
        self._settings, self._detector = settings, detector
        self._shrink = Shrinker()
        self._cuts = CutDetector(rate)
        size = picture.shown_size
        # Who is found late is bare: perhaps nobody can go back.
        idle = tuning.ACTIVE_INTERVAL_SECONDS
        self._follower = Follower(
            rate,
            settings.options.threshold,
            size,
            idle_seconds=idle,
            most_looks=MAX_LOOKS_PER_FRAME,
            first_key=first_key,
        )
        self._tracker = OnlineTracker(self._follower, settings.lookahead, verifies=not detector.beside)
        scale = detector.finer(size)
        self._step = Step(self._follower, DetectionSchedule(size, native=False, finer=scale is not None), self)
        self._parts, self._looked_otherwise = Parts(size, scale), True
        self._frame = self._shot = -1
        self._begins_shot = self._owed = self._detected_now = self._hurried = False
        self._until = self._seconds = self._spare = 0.0
        self._rate = rate
        self._begun: deque[int] = deque([0], maxlen=settings.lookahead + HELD_FRAMES + 1)  # the shots'
        self._changes = self._begun.copy()  # frames that show something else than the one before, shots' or not
        self._detected: deque[int] = deque(maxlen=settings.lookahead + self._follower.clock.count(STALE_SECONDS, 0) + 1)
        self._held: list[tuple[int, list[Presence]]] = []  # the first frame after a suspected cut, who was there before
        self._present: list[Presence] = []
        self._first_known: int | None = None
        self._detected_at: float | None = None
        self._limit = detection_limits(settings.options.threshold, settings.options.max_faces)[1]
        self._crowd = Crowd(settings.lookahead)
        self.areas = areas.areas(settings.hide_regions, picture)
        self.spared = areas.spared(settings.show_regions, picture)

    @property
    def next_key(self) -> int:
        """The key of the next new face."""
        return self._follower.next_key

    @property
    def detection_age(self) -> float | None:
        """By how many seconds the last picture is newer than the last one that was detected; None if none was."""
        return None if self._detected_at is None else max(self._seconds - self._detected_at, 0.0)

    @property
    def present(self) -> list[Presence]:
        """The faces of the last frame, by what was known then."""
        return self._present

    def fits(self, picture: Picture) -> bool:
        """Tell whether a picture can belong to this stream."""
        return _kind(picture) == self._kind

    def take(
        self,
        picture: Picture,
        until: float,
        seconds: float | None = None,
        *,
        spare: float = 0.0,
        hurried: bool = False,
    ) -> int:
        """Find the faces of the next picture, and return its number.

        What is raised leaves the stream of no further use.

        Parameters
        ----------
        picture : Picture
        until : float
            Until when, by `time.monotonic`, the detector is waited for; one beside the stream only when that begins.
        seconds : float, optional
            The picture's time; by default it follows from the rate.
        spare : float
            Until when there is time to wait for a detection beside the stream that is being made.
        hurried : bool
            Whether to look only where a frame would soon be without a detection that is recent enough.
        """
        self._frame += 1
        self._spare, self._hurried = spare, hurried
        with timed(Stage.SHRINK):
            luma = self._shrink(picture)
        self._begins_shot = self._find_cut(luma, seconds)
        self._until = until
        self._seconds = self._frame / self._rate if seconds is None else seconds
        if self._begins_shot or not self._frame:
            self._detector.begin_shot(self._seconds)
        self._step.take(picture, luma, self._begins_shot, seconds)
        with timed(Stage.PRESENT):
            self._present = [*self._tracker.present(), *self._held_in(self._frame)]
        if self._frame % FORGET_INTERVAL == 0:
            self._tracker.forget()
            self._cuts.dissolves.clear()
            self._held = [held for held in self._held if self._frame < held[0] + HELD_FRAMES]
        return self._frame

    def is_last(self, number: int) -> bool:
        """Tell whether a picture is the last one taken."""
        return number == self._frame

    def past(self, number: int) -> list[Presence]:
        """Return the faces of a picture, by what is known now."""
        if self.is_last(number):
            return self._present
        return [*self._tracker.past(number), *self._held_in(number)]

    def beyond(self, number: int) -> Boxes:
        """Return the faces of a picture that nobody follows, since there are too many: (n, 4), centres and sizes."""
        return self._crowd.boxes(number, self._shot_of(number))

    def is_blind(self, number: int) -> bool:
        """Tell whether nobody knows where faces are: before any detection of use, and where there are too many."""
        known = self._first_known is not None and number >= self._first_known
        return not known or self._crowd.is_full(number, self._shot_of(number))

    def is_watched(self, frame: int) -> bool:
        """Tell whether there was a detection near enough to a picture, of the same things."""
        begin, end = self._scene(frame)
        interval = self._settings.detect if isinstance(self._settings.detect, int) else 0
        earliest = max(frame - max(self._follower.clock.count(STALE_SECONDS, frame), interval), begin)
        return any(earliest <= detected < end for detected in self._detected)

    @property
    def _rests(self) -> bool:
        """Whether the entered frame comes late, and need not be looked at yet."""
        count = self._follower.clock.count(HURRIED_SECONDS, self._frame)
        earliest = max(self._frame - count + 1, self._scene(self._frame)[0])
        rests = self._hurried and not self._detector.beside  # nothing waits for the one beside the stream
        return rests and any(earliest <= detected for detected in self._detected)

    def is_detected(self, frame: int) -> bool:
        """Tell whether there was any detection of the same things as a picture shows."""
        begin, end = self._scene(frame)
        return any(begin <= detected < end for detected in self._detected)

    def due(self, wanted: Window | None) -> Window | None:
        """See `DetectionSource.due`."""
        when = self._settings.detect
        if self._rests:
            return None
        if isinstance(when, int):
            changes = self._changes[-1] == self._frame
            owed = self._owed or self._detector.has_turned()
            return WHOLE if changes or owed or (self._frame - self._shot) % when == 0 else None
        if self._crowd.now or when == "async" or self._detector.has_turned():
            return WHOLE
        # What is found late is found elsewhere.
        return WHOLE if wanted is not None and self._detector.beside else wanted

    def detect(self, picture: Picture, window: Window | None, tiles: Tiles | None) -> Detection | None:
        """See `DetectionSource.detect`."""
        found = self._detector.collect(self._spare)
        begins = self._shot == self._frame
        if begins:
            self._parts.forget()
        if tiles is not None and not self._parts and not self._hurried:
            request = tiles()
            if request is not None:
                self._parts.ask(request)
        # What takes long must not delay the first detection of a shot, and they take turns where both are wanted.
        angle = self._detector.angle_waits
        extra = (angle or bool(self._parts)) and not begins and (window is None or not self._looked_otherwise)
        extra = extra and not self._hurried
        self._detected_now = window is not None or extra
        self._owed = window is not None and (extra or not self._detector.free)
        if self._detected_now and self._detector.free:
            until = self._until if self._settings.detect != "async" or not self._frame else 0.0
            self._looked_otherwise = extra
            when = self._frame, self._seconds
            if extra and angle:
                self._detector.look_at_angle(picture, *when, until=until)
            else:
                tiles_now = self._parts.take() if extra else None
                wanted = None if extra else window
                found = self._detector.detect(picture, *when, window=wanted, tiles=tiles_now, until=until) or found
        return None if found is None else self._brought_forward(found)

    def verifier(self, picture: Picture) -> Verify | None:
        """See `DetectionSource.verifier`."""
        # Single faces are looked at in frames that need not wait for anything else.
        waits = self._detected_now or self._detector.beside or self._hurried
        return None if waits else partial(self._detector.verify, picture)

    def _find_cut(self, luma: NDArray[np.uint8], seconds: float | None) -> bool:
        """Tell whether a shot seems to begin with the next picture; take back a cut that turns out to be a flash."""
        with timed(Stage.CUTS):
            judged = self._cuts.push(luma, seconds)
            begins_shot = self._cuts.suspect()
            changes = begins_shot or self._cuts.differs()
        before = self._frame - tuning.CUT_LOOKAHEAD
        if judged is False and self._shot == before > 0:
            self._undo_cut()
        begins_shot |= bool(judged) and before not in self._begun  # faded in
        if changes or begins_shot:
            self._changes.append(self._frame)
        if begins_shot or not self._frame:
            self._shot = self._frame
            self._begun.append(self._frame)
            if self._present:  # those held already are held on, each once: nobody has been detected since
                newest = sorted(_each_once(self._present), key=lambda presence: presence.key)[-MAX_HELD:]
                self._held.append((self._frame, newest))
        return begins_shot

    def _brought_forward(self, found: TimedDetection) -> Detection | None:
        """Return a detection as it would be in the entered frame."""
        if not found.part:
            self._detected_at = found.seconds
        if found.frame >= self._changes[-1] and not found.part:  # of pictures that are over it says nothing
            self._detected.append(found.frame)
        age, corners, within = self._frame - found.frame, found.detection.boxes, found.detection.within
        if age:
            with timed(Stage.CARRY):
                moved = self._tracker.carried(corners, age)
            if moved is None:
                return None
            corners = moved
            if within is not None:  # who has come into it since was not missed
                within = within * [1.0, 1.0, LATE_PART, LATE_PART]
        if self._first_known is None and not found.part:
            self._first_known = self._frame
        detection = replace(found.detection, boxes=corners, within=within)
        followed, beyond = detection.split(self._limit, self._settings.options.threshold)
        if detection.full or len(beyond) or not found.part:
            self._crowd.note(self._frame, beyond, detection.full)
        return followed

    def _scene(self, frame: int) -> tuple[int, int]:
        """Return from and up to which frame the same things are shown as in a frame."""
        begin = max(change for change in self._changes if change <= frame)
        return begin, min((change for change in self._changes if change > frame), default=self._frame + 1)

    def _shot_of(self, frame: int) -> int:
        """Return the first frame of a frame's shot."""
        return max(begin for begin in self._begun if begin <= frame)

    def _undo_cut(self) -> None:
        self._follower.undo_cut()
        self._crowd.forget_from(self._begun.pop())
        self._shot = self._begun[-1]
        self._held = [held for held in self._held if held[0] < self._frame - tuning.CUT_LOOKAHEAD]

    def _held_in(self, frame: int) -> list[Presence]:
        """Return those who were there before what may have been a cut some frames ago."""
        found = []
        for begun, there in self._held:
            if begun <= frame and self._frame < begun + HELD_FRAMES:
                growth = np.array([1.0, 1.0, *[1 + HELD_GROWTH_PER_FRAME * (frame - begun + 1)] * 2])
                found += [replace(presence, box=presence.box * growth) for presence in there]
        return _each_once(found)


def _each_once(presences: list[Presence]) -> list[Presence]:
    """Return the presences, of those with the same key the first."""
    return list({presence.key: presence for presence in reversed(presences)}.values())[::-1]


def _kind(picture: Picture) -> tuple[object, ...]:
    return picture.y.shape, picture.depth, picture.across, picture.down, picture.orientation
