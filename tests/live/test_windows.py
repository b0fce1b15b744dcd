"""What of a picture the detector is given live: parts where the frame waits for it, else all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
from facered.detect.detector import Detection, Detector
from facered.detect.turned import TurnedDetector
from facered.track.follower import Follower
from facered.track.schedule import DetectionSchedule
from facered.track.window import WHOLE, Window

WIDTH, HEIGHT, FACE, COUNT, ENTERS, LEAVES = 640, 360, 40, 60, 20, 43
BRIGHT = 228


def picture(number: int, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma of a wall, before which somebody stands for a while."""
    luma = np.tile(np.linspace(60, 120, WIDTH).astype(np.uint8), (HEIGHT, 1))
    if ENTERS <= number < LEAVES:
        luma[40 : 40 + FACE, 560 : 560 + FACE] = face
    return luma


def frames() -> Iterator[av.VideoFrame]:
    face = np.random.default_rng(9).integers(BRIGHT, 250, (FACE, FACE)).astype(np.uint8)
    for number in range(COUNT):
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([picture(number, face), chroma]), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        yield frame


def squares(luma: NDArray[np.uint8]) -> Detection:
    rows, columns = np.nonzero(luma >= BRIGHT)
    boxes = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]] if len(rows) else np.empty((0, 4))
    return Detection(np.array(boxes, np.float32), np.full(len(boxes), 0.9, np.float32))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Return windows and tiles that the detector is given, as they come."""
    asked: list[tuple[Any, Any]] = []

    def prepare(_: Detector, picture: Any, __: float, *, window: Any, tiles: Any) -> Callable[[], Detection]:
        asked.append((window, tiles))
        found = squares(picture.y)
        return lambda: Detection(found.boxes, found.scores, within=(tiles if window is None else window).within)

    monkeypatch.setattr(Detector, "prepare", prepare)
    monkeypatch.setattr(Detector, "verify", lambda _, picture, *__: squares(picture.y))
    monkeypatch.setattr(TurnedDetector, "compare", lambda _, upright, *__: upright)
    return asked


def faces(*, after: float = 0, **settings: Any) -> list[int]:
    """Return how many faces are told of in each frame; the next one comes after some seconds."""
    told: list[int] = []
    with facered.Redactor(on_faces=lambda _, found: told.append(len(found)), **settings) as redactor:
        for frame in frames():
            redactor.process(frame)
            time.sleep(after)
        redactor.flush()
    return told


def test_where_the_frame_waits_who_is_lost_is_looked_for_about_where_that_was(given: list[tuple[Any, Any]]) -> None:
    told = faces()
    assert all(told[ENTERS + 6 : LEAVES])
    parts = [window.within for window, _ in given if window is not None and window.within is not None]
    assert parts
    for x, y, width, height in parts:
        assert abs(x - 580) < width / 2 < WIDTH / 4
        assert abs(y - 60) < height / 2 < HEIGHT / 3


@pytest.mark.parametrize("settings", [{"detect": "async"}, {"deadline_ms": 1000}, {"detect": 3}], ids=str)
def test_what_comes_late_or_by_number_is_of_the_whole_picture(
    given: list[tuple[Any, Any]], settings: dict[str, Any]
) -> None:
    faces(after=0.01 if settings.get("detect") == "async" else 0, **settings)
    assert len(given) >= 3
    assert all(window is not None and window.within is None for window, _ in given)


@pytest.mark.usefixtures("given")
def test_a_late_detection_is_taken_though_no_tiles_are_needed_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only one: where it is lost nobody is ever found."""
    prepare, wanted = Detector.prepare, Follower.wanted

    def slow(*args: Any, **settings: Any) -> Callable[[], Detection]:
        run = prepare(*args, **settings)
        return lambda: (time.sleep(0.02), run())[1]

    def once(follower: Follower, *args: Any, **settings: Any) -> Window | None:
        wanted(follower, *args, **settings)
        return WHOLE if follower.frame == ENTERS + 5 else None

    monkeypatch.setattr(Detector, "prepare", slow)
    monkeypatch.setattr(Follower, "wanted", once)
    monkeypatch.setattr(DetectionSchedule, "due", lambda *_: True)
    monkeypatch.setattr(DetectionSchedule, "take", lambda *_: None)
    assert any(faces(deadline_ms=0, after=0.005))
