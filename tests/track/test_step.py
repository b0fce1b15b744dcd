"""What is done with each frame: when the source of detections is given tiles, and what verifies faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from facered.detect.detector import Detection
from facered.track.follower import Follower
from facered.track.schedule import DetectionSchedule
from facered.track.step import Step, detection_limits
from lumas import wall
from windows import in_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.window import Window

DOUBTFUL = Detection(np.array([[80, 70, 120, 110]], np.float32), np.array([0.5], np.float32))


class Source:
    """Detects one doubtful face, and remembers what it was asked."""

    verifies_singly = True

    def __init__(self) -> None:
        self.tiled: list[bool] = []
        self.verified: list[NDArray[np.float64]] = []

    def due(self, wanted: Window | None) -> Window | None:
        return wanted

    def detect(self, _: Any, window: Window | None, tiles: Any) -> Detection | None:
        self.tiled.append(tiles is not None)
        return in_window(window, DOUBTFUL)

    def verifier(self, _: Any) -> Any:
        def verify(box: NDArray[np.float64], _: Any) -> Detection:
            self.verified.append(box)
            return DOUBTFUL

        return verify


def test_a_shot_is_first_looked_at_in_tiles_and_doubtful_faces_are_verified() -> None:
    source, size = Source(), (3840, 2160)
    step = Step(Follower(25.0, 0.4, size), DetectionSchedule(size), source)
    for frame in range(3):
        step.take(None, wall(), not frame)  # type: ignore[arg-type]
    assert source.tiled[0]
    assert source.verified[0].tolist() == [100, 90, 40, 40]


def test_fainter_faces_are_asked_for_and_twice_as_many_as_may_be_hidden() -> None:
    assert detection_limits(0.4, 8) == (0.2, 16)
    assert detection_limits(0.4, None) == (0.2, None)
