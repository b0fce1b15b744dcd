"""More faces than can be followed: those beyond are hidden all the same."""

from __future__ import annotations

from collections.abc import Callable
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
from working import Working

WIDTH, HEIGHT, FACE, COUNT = 400, 240, 20, 30
BLACK, BRIGHT = 16, 228
PLACES = [(x, y) for y in range(20, 200, 60) for x in range(10, 340, 60)]
"""Of eighteen faces in the first frame."""
FLASH = range(12, 14)


class Scene:
    """Frames of bright squares that move to the right, which are the faces, and a detector that finds them all."""

    def __init__(self) -> None:
        noise = np.random.default_rng(3)
        ground = noise.integers(60, 140, (HEIGHT, WIDTH)).astype(np.uint8)
        self.faces = [noise.integers(BRIGHT, 250, (FACE, FACE)).astype(np.uint8) for _ in PLACES]
        self.lumas = []
        for number in range(COUNT):
            luma = ground.copy()
            for (x, y), face in zip(PLACES, self.faces, strict=True):
                luma[y : y + FACE, x + number : x + number + FACE] = face
            luma[0, 0] = number
            self.lumas.append(luma)
        self.full: set[int] = set()
        self.flash: range = range(0)
        self.detected: list[int] = []
        self.working = Working()

    def frames(self) -> list[av.VideoFrame]:
        made = []
        for number, luma in enumerate(self.lumas):
            if number in self.flash:
                luma = np.tile(np.arange(WIDTH) * 210 // WIDTH, (HEIGHT, 1)).astype(np.uint8)
                luma[0, 0] = number
            chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
            frame.pts, frame.time_base, frame.duration = number, Fraction(1, 25), 1
            made.append(frame)
        return made

    def prepare(self, picture: Any) -> Callable[[], Detection]:
        number = int(picture.y[0, 0])
        self.detected.append(number)
        boxes = np.array([(x + number, y, x + number + FACE, y + FACE) for x, y in PLACES], np.float32)
        if number in self.flash:
            boxes = boxes[:0]
        found = Detection(boxes, np.linspace(0.9, 0.8, len(boxes), dtype=np.float32), number in self.full)
        return self.working.watched(lambda: found)

    def covered(self, number: int, luma: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return how much of each face is hidden in a frame."""
        parts = [luma[y : y + FACE, x + number : x + number + FACE] for x, y in PLACES]
        return np.array([(part == BLACK).mean() for part in parts])


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene()
    monkeypatch.setattr(Detector, "prepare", lambda _, picture, *__, **___: scene.prepare(picture))
    monkeypatch.setattr(TurnedDetector, "compare", lambda _, upright, *__: upright)  # nothing is found at other angles
    monkeypatch.setattr(Detector, "verify", lambda *_: Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32)))
    return scene


def redacted(scene: Scene, **settings: Any) -> tuple[list[NDArray[np.uint8]], facered.live.face.Stats, list[int]]:
    told: list[int] = []
    with facered.Redactor(blur="Black", on_faces=lambda _, faces: told.append(len(faces)), **settings) as redactor:
        done = []
        for frame in scene.frames():
            done += redactor.process(frame)
            scene.working.wait()
        done += redactor.flush()
        planes = [np.frombuffer(frame.planes[0], np.uint8).reshape(HEIGHT, -1)[:, :WIDTH].copy() for frame in done]
        return planes, redactor.stats, told


HOW: list[dict[str, Any]] = [{}, {"detect": 4}, {"detect": "async"}, {"deadline_ms": 5}]


@pytest.mark.parametrize(("most", "how", "lookahead"), thinned(product([1, 3, 17, 9], HOW, [0, 8]), 5), ids=str)
def test_those_beyond_the_most_are_hidden_and_have_no_id(
    scene: Scene, most: int, how: dict[str, Any], lookahead: int
) -> None:
    lumas, stats, told = redacted(scene, max_faces=most, lookahead=lookahead, **how)
    assert len(lumas) == COUNT
    for number, luma in enumerate(lumas):
        assert scene.covered(number, luma).min() > 0.8, number
    assert max(told) == most
    assert stats.crowded >= COUNT - 8
    assert np.mean([(luma == BLACK).mean() for luma in lumas[10:]]) < 0.6


def test_nobody_is_beyond_where_all_are_followed(scene: Scene) -> None:
    lumas, stats, told = redacted(scene, max_faces=18)
    assert set(told) == {18}
    assert stats.crowded == 0
    assert all(scene.covered(number, luma).min() > 0.8 for number, luma in enumerate(lumas))


@pytest.mark.parametrize("lookahead", [0, 8])
def test_where_the_detector_is_full_all_is_hidden_until_it_is_not(scene: Scene, lookahead: int) -> None:
    scene.full = set(range(10, 15))
    lumas, _, _ = redacted(scene, lookahead=lookahead, detect=5)
    whole = [bool((luma == BLACK).all()) for luma in lumas]
    assert all(whole[10:15])
    assert not any(whole[15:])
    assert not any(whole[:5])
    assert all(whole[6:10]) == bool(lookahead)  # nobody knows either who has come since the detection before


@pytest.mark.parametrize("lookahead", [0, 8])
@pytest.mark.parametrize("how", [{}, {"detect": 7}], ids=str)
def test_a_flash_bares_nobody_of_a_crowd(scene: Scene, how: dict[str, Any], lookahead: int) -> None:
    scene.flash = FLASH
    lumas, _, _ = redacted(scene, max_faces=2, lookahead=lookahead, **how)
    for number, luma in enumerate(lumas):
        assert number in FLASH or scene.covered(number, luma).min() > 0.8, number
