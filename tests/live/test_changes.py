"""Shots of a few frames, and those that come back at once: though flashes begin no shot, nobody is bare."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
from facered.detect.detector import Detection, Detector
from facered.detect.turned import TurnedDetector
from thinned import thinned

WIDTH, HEIGHT, FACE = 192, 128, 32
BLACK, BRIGHT = 16, 228
PLACES = [(10, 20), (140, 80), (80, 40), (30, 90)]
COUNT = 16
PATTERNS = {
    "A B A": [0, 1],
    "each once": [0, 1, 2, 3],
    "A B B A": [0, 1, 1],
    "A A A A A B": [0, 0, 0, 0, 0, 1],
    "lengths of all kinds": [0, 1, 1, 0, 2, 2, 2, 0, 3, 3, 3, 3, 1, 3, 0, 0, 0, 0, 0, 2],
}


def picture(which: int) -> NDArray[np.uint8]:
    """Return the luma of a place that is like no other, with a bright square for a face."""
    cells = np.random.default_rng(which).integers(20, 200, (HEIGHT // 16, WIDTH // 16)).astype(np.uint8)
    luma = np.repeat(np.repeat(cells, 16, 0), 16, 1)
    x, y = PLACES[which]
    luma[y : y + FACE, x : x + FACE] = np.random.default_rng(9).integers(BRIGHT, 250, (FACE, FACE))
    return luma


PICTURES = [picture(which) for which in range(len(PLACES))]


def detected(luma: NDArray[np.uint8]) -> Detection:
    rows, columns = np.nonzero(luma >= BRIGHT)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return Detection(np.array([box], np.float32), np.array([0.9], np.float32))


class Gate:
    """Lets one detection after the other go on when it is told to; `asked` are the pictures so far."""

    def __init__(self) -> None:
        self._given, self._ended = threading.Semaphore(0), threading.Semaphore(0)
        self.asked: list[NDArray[np.uint8]] = []
        self._over = 0

    def open(self) -> None:
        """Let the detection that is under way go on, if one is, and wait for its end."""
        if len(self.asked) > self._over:
            self._given.release()
            assert self._ended.acquire(timeout=60)
            self._over += 1

    def prepared(self, luma: NDArray[np.uint8]) -> Callable[[], Detection]:
        found = detected(luma)
        self.asked.append(luma.copy())

        def run() -> Detection:
            assert self._given.acquire(timeout=60)
            self._ended.release()
            return found

        return run


@pytest.fixture(autouse=True)
def _finds_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detector, "prepare", lambda _, picture, *__, **___: lambda: detected(picture.y))
    monkeypatch.setattr(Detector, "verify", lambda _, picture, *__: detected(picture.y))
    monkeypatch.setattr(TurnedDetector, "compare", lambda _, upright, *__: upright)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(Detector, "prepare", lambda _, picture, *__, **___: gate.prepared(picture.y))
    return gate


def film(pattern: str, times: Callable[[int], int | None] = lambda number: number) -> Iterator[av.VideoFrame]:
    order = PATTERNS[pattern]
    for number in range(COUNT):
        luma = PICTURES[order[number % len(order)]]
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        frame.pts, frame.time_base = times(number), Fraction(1, 25)
        yield frame


def bare(pattern: str, frames: list[av.VideoFrame]) -> list[int]:
    """Return in which frames the face is not hidden."""
    order, found = PATTERNS[pattern], []
    assert len(frames) == COUNT
    for number, frame in enumerate(frames):
        x, y = PLACES[order[number % len(order)]]
        luma = frame.to_ndarray()[y : y + FACE, x : x + FACE]
        if (luma == BLACK).mean() < 0.7:
            found.append(number)
    return found


@pytest.mark.parametrize(
    ("pattern", "settings", "lookahead"),
    thinned(product(PATTERNS, [{"detect": 4}, {"detect": 1000}, {"detect": "sync"}], [0, 6])),
    ids=str,
)
def test_nobody_is_bare_where_a_shot_comes_back(pattern: str, settings: dict[str, Any], lookahead: int) -> None:
    with facered.Redactor(blur="Black", lookahead=lookahead, **settings) as redactor:
        done = [ready for frame in film(pattern) for ready in redactor.process(frame)] + redactor.flush()
    assert bare(pattern, done) == []


@pytest.mark.parametrize(
    "times",
    [lambda _: None, lambda _: 7, lambda number: 1000 - number, lambda number: number % 3 or None],
    ids=["none", "they stand", "backwards", "some"],
)
def test_nobody_is_bare_whatever_the_times_are(times: Callable[[int], int | None]) -> None:
    pattern = "lengths of all kinds"
    with facered.Redactor(blur="Black", detect=4) as redactor:
        done = [ready for frame in film(pattern, times) for ready in redactor.process(frame)] + redactor.flush()
    assert bare(pattern, done) == []


@pytest.mark.parametrize(
    ("pattern", "settings", "lookahead", "every"),
    thinned(product(PATTERNS, [{"detect": "sync"}, {"detect": 2}], [0, 5], [1, 2, 3, 5]), 7),
    ids=str,
)
def test_a_detection_tells_of_no_other_pictures_than_its_own(
    gate: Gate, pattern: str, settings: dict[str, Any], lookahead: int, every: int
) -> None:
    """The detector beside the stream is done with one picture every few frames; where it is not, all is hidden."""
    done = []
    with facered.Redactor(blur="Black", on_overload="hide", lookahead=lookahead, deadline_ms=0, **settings) as redactor:
        for number, frame in enumerate(film(pattern)):
            done += redactor.process(frame)
            if number % every == every - 1:
                gate.open()
        gate.open()
        done += redactor.flush()
    assert bare(pattern, done) == []


def test_a_change_that_comes_while_the_detector_is_at_work_is_not_forgotten(gate: Gate) -> None:
    """Of each shot a number has the first frame detected, and then each hundredth."""
    with facered.Redactor(detect=100, deadline_ms=0) as redactor:
        for number, frame in enumerate(film("A B B A")):
            redactor.process(frame)
            if number == 1:
                gate.open()
        gate.open()
    assert np.array_equal(gate.asked[1], PICTURES[1])
