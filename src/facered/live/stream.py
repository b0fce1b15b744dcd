"""One stream of pictures of one size: finds and follows faces as the pictures come."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from facered.detect.detector import Detection
from facered.runtime.profiling import timed
from facered.track.cuts import LOOKAHEAD, CutDetector
from facered.track.online import OnlineTracker, Presence
from facered.track.schedule import FineTurns
from facered.video.shrink import Shrinker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.live.detection import Sighting, Watch
    from facered.live.settings import Settings
    from facered.video.picture import Picture

STALE_SECONDS = 0.5
"""A detection older than that says nothing of who may have come since."""
HELD = LOOKAHEAD + 1
"""For so many frames after what may be a cut, those who were there before stay hidden: it may be a flash."""
HELD_GROWTH = 0.05
"""By this part a frame they grow meanwhile."""
TIDIED = 64
"""So many frames lie between two occasions on which the past is forgotten."""
FIRST_RATE = 25.0
"""Frames a second where nobody says."""


class Stream:
    """Follows the faces of a stream.

    Parameters
    ----------
    picture : Picture
        The first one, or one like it.
    rate : float
        Frames a second.
    settings : Settings
    watch : Watch
    first_key : int
        The key of the first face.
    """

    def __init__(self, picture: Picture, rate: float, settings: Settings, watch: Watch, first_key: int) -> None:
        self._kind = _kind(picture)
        self._settings, self._watch = settings, watch
        self._shrink = Shrinker()
        self._cuts = CutDetector(rate)
        self._turns = FineTurns(rate, picture.shown_size, whole=False)
        self._tracker = OnlineTracker(
            rate,
            settings.options.threshold,
            picture.shown_size,
            settings.lookahead,
            looks=not watch.beside,
            first_key=first_key,
        )
        self._stale = max(1, round(STALE_SECONDS * rate))
        self._frame = self._shot = -1
        self._begun: deque[int] = deque([0], maxlen=settings.lookahead + HELD + 1)  # the shots'
        self._detected: deque[int] = deque(maxlen=settings.lookahead + self._stale + 1)
        self._ghosts: list[tuple[int, list[Presence]]] = []
        self._present: list[Presence] = []

    @property
    def next_key(self) -> int:
        """The key of the next new face."""
        return self._tracker.next_key

    @property
    def present(self) -> list[Presence]:
        """The faces of the last frame, by what was known then."""
        return self._present

    def fits(self, picture: Picture) -> bool:
        """Tell whether a picture can belong to this stream."""
        return _kind(picture) == self._kind

    def take(self, picture: Picture, until: float) -> None:
        """Look for faces in the next picture; wait for the detector until then, by `time.monotonic`, at most.

        A detector beside the stream is only waited for when that begins.
        """
        self._frame += 1
        with timed("shrink"):
            luma = self._shrink(picture)
        with timed("cuts"):
            judged = self._cuts.push(luma)
            cut = self._cuts.suspect()
        before = self._frame - LOOKAHEAD
        if judged is False and self._shot == before > 0:
            self._take_back()
        cut |= bool(judged) and before not in self._begun  # faded in
        if cut or not self._frame:
            self._shot = self._frame
            self._begun.append(self._frame)
            if self._present:
                self._ghosts.append((self._frame, self._present))
        found = self._find(picture, luma, cut, until)

        def look(box: NDArray[np.float64]) -> Detection:
            return self._watch.look(picture, box)

        with timed("track"):
            self._tracker.update(luma, found, cut, None if self._watch.beside else look)
            self._present = [*self._tracker.present(), *self._held(self._frame)]
        if self._frame % TIDIED == 0:
            self._tracker.forget()
            self._cuts.dissolves.clear()
            self._ghosts = [ghosts for ghosts in self._ghosts if self._frame < ghosts[0] + HELD]

    def past(self, ago: int) -> list[Presence]:
        """Return the faces of the picture `ago` pictures before the last, by what is known now."""
        frame = self._frame - ago
        return [*self._tracker.past(frame), *self._held(frame)] if ago else self._present

    @property
    def is_blind(self) -> bool:
        """Whether no detection has been completed yet."""
        return not self._detected

    def is_watched(self, ago: int) -> bool:
        """Tell whether there was a detection near enough to the picture `ago` pictures before the last."""
        frame = self._frame - ago
        shot = max(begin for begin in self._begun if begin <= frame)
        interval = self._settings.detect if isinstance(self._settings.detect, int) else 0
        earliest = max(frame - max(self._stale, interval), shot)
        return any(earliest <= detected <= self._frame for detected in self._detected)

    def _find(self, picture: Picture, luma: NDArray[np.uint8], cut: bool, until: float) -> Detection | None:
        """Return what is known to be in the entered frame, if anything new is."""
        with timed("follow"):
            uncertain = self._tracker.wants_detection(luma, cut)
        when = self._settings.detect
        wanted = (self._frame - self._shot) % when == 0 if isinstance(when, int) else uncertain or when == "async"
        fine = self._turns.due(self._tracker.smallest, cut, wanted)
        wanted |= fine and when == "sync"
        sighting = self._watch.collect()
        if wanted and self._watch.free:
            # What takes long must not delay the first detection of a shot.
            fine &= not (cut and self._watch.beside)
            look = self._turns.take(self._tracker, luma) if fine else None
            late = sighting
            until = until if when != "async" or not self._frame else 0.0
            sighting = self._watch.detect(picture, self._frame, fine=look, until=until) or late
        return None if sighting is None else self._forward(sighting)

    def _forward(self, sighting: Sighting) -> Detection | None:
        """Return a detection as it would be in the entered frame."""
        self._detected.append(sighting.frame)
        age = self._frame - sighting.frame
        if not age:
            return sighting.detection
        with timed("carry"):
            corners = self._tracker.carried(sighting.detection.boxes, age)
        return None if corners is None else Detection(corners, sighting.detection.scores)

    def _take_back(self) -> None:
        """Go on with the shot before: what seemed to be another was a flash."""
        self._tracker.resume()
        self._begun.pop()
        self._shot = self._begun[-1]
        self._ghosts = [ghosts for ghosts in self._ghosts if ghosts[0] < self._frame - LOOKAHEAD]

    def _held(self, frame: int) -> list[Presence]:
        """Return those who were there before what may have been a cut some frames ago."""
        held = []
        for begun, there in self._ghosts:
            if begun <= frame and self._frame < begun + HELD:
                growth = np.array([1.0, 1.0, *[1 + HELD_GROWTH * (frame - begun + 1)] * 2])
                held += [replace(presence, box=presence.box * growth) for presence in there]
        return held


def _kind(picture: Picture) -> tuple[object, ...]:
    return picture.y.shape, picture.depth, picture.across, picture.down, picture.orientation
