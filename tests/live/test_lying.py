"""Live pictures that lie on their side or stand on their head without saying so."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import WHOLE, Detector
from facered.detect.turned import TurnedDetector
from facered.live.angles import Angles
from facered.video.picture import view
from lumas import texture
from thinned import thinned

WIDTH, HEIGHT = 480, 320
ANGLES = [90, 180, 270]
SAID = "the picture is turned, and nothing says so"

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def crowd(carphone: Path) -> Pixels:
    """Twelve small people before a wall: faces of about 20 pixels, which are not found at another angle."""
    picture = np.repeat(texture(5, WIDTH, HEIGHT, 8)[..., None], 3, axis=2)
    people = videos.decode(carphone, 111)
    for number, (row, column) in enumerate(product(range(3), range(4))):
        person = people[10 * number].to_ndarray(format="rgb24")[0:144, 36:144]
        small = person[::2, ::2] // 2 + person[1::2, 1::2] // 2
        picture[20 + 100 * row : 92 + 100 * row, 40 + 110 * column : 94 + 110 * column] = small
    return picture


def frames(pixels: Pixels, angle: int, count: int, first: int = 0) -> list[av.VideoFrame]:
    picture = np.ascontiguousarray(np.rot90(pixels, -angle // 90))
    made = []
    for number in range(first, first + count):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        made.append(frame)
    return made


def told(given: list[av.VideoFrame], **settings: Any) -> list[int]:
    """Return how many faces are told of in each frame."""
    counts: list[int] = []
    with facered.Redactor(on_faces=lambda _, faces: counts.append(len(faces)), **settings) as redactor:
        for frame in given:
            redactor.process(frame)
        redactor.flush()
    return counts


SETTINGS: list[dict[str, Any]] = [{}, {"detect": 2}, {"lookahead": 3}, {"detect_size": 480}]


@pytest.mark.parametrize(("angle", "settings"), thinned(product(ANGLES, SETTINGS), 3), ids=str)
def test_they_are_hidden_from_the_first_frame_on_and_it_is_said_once(
    crowd: Pixels, angle: int, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    upright = told(frames(crowd, 0, 6), **settings)
    assert min(upright) >= 8
    assert SAID not in caplog.text
    assert min(told(frames(crowd, angle, 6), **settings)) >= 0.8 * min(upright)
    assert caplog.text.count(SAID) == 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one for every detection at an angle that is not upright."""
    asked: list[None] = []
    detect = Detector.detect

    def counted(*arguments: Any, **settings: Any) -> Any:
        asked.append(None)
        return detect(*arguments, **settings)

    monkeypatch.setattr(Detector, "detect", counted)
    return asked


def test_a_flash_changes_nothing(crowd: Pixels, asked: list[None]) -> None:
    flash = np.repeat(texture(9, HEIGHT, WIDTH, 30)[..., None], 3, axis=2)
    given = [*frames(crowd, 90, 10), *frames(flash, 0, 2, 10), *frames(crowd, 90, 14, 12)]
    with facered.Redactor(detect=1) as redactor:
        for number, frame in enumerate(given):
            before = len(asked)
            redactor.process(frame)
            assert number in (10, 11) or len(redactor.faces) >= 8
            assert len(asked) > before


def test_an_upright_shot_after_one_that_lay_is_detected_upright_alone(
    crowd: Pixels, carphone: Path, asked: list[None]
) -> None:
    man = videos.decode(carphone, 1)[0]
    wide = man.reformat(width=HEIGHT, height=WIDTH).to_ndarray(format="rgb24")
    given = [*frames(crowd, 90, 5), *frames(wide, 0, 30, 5)]
    with facered.Redactor(detect=1) as redactor:
        counts = []
        for frame in given:
            redactor.process(frame)
            counts.append(len(asked))
    assert counts[0] == 3  # the three other angles
    assert counts[4] == 3 + 4
    assert counts[5] == 3 + 4 + 3
    assert counts[-1] == counts[5]


@pytest.mark.parametrize(
    ("settings", "angle"),
    [
        *(({"detect": "async"}, angle) for angle in ANGLES),
        *(({"deadline_ms": 60_000}, angle) for angle in (180, 270)),  # upright nobody is found there
    ],
)
def test_beside_the_stream_they_are_hidden_too(crowd: Pixels, settings: dict[str, Any], angle: int) -> None:
    upright = told(frames(crowd, 0, 1), **settings)
    first = 0 if settings == {"detect": "async"} else 12  # the first detection is an ordinary one
    assert min(told(frames(crowd, angle, 24), **settings)[first:]) >= 0.8 * min(upright)


def test_a_thread_looks_at_what_the_picture_was(crowd: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    at, hidden = TurnedDetector.at, threading.Event()

    def late(*arguments: Any) -> Any:
        assert hidden.wait(60)
        return at(*arguments)

    monkeypatch.setattr(TurnedDetector, "at", late)
    with facered.Redactor(deadline_ms=1, blur="Black") as redactor:
        for frame in frames(crowd, 180, 300):
            hidden.clear()
            redactor.process(frame)
            hide = frame.planes[0]
            hide.update(bytes(hide.buffer_size))  # it may have been hidden, or be used again, before the thread is done
            hidden.set()
            if len(redactor.faces) >= 8:
                break
            time.sleep(0.05)
        assert len(redactor.faces) >= 8


def test_what_was_found_in_the_shot_before_says_nothing_of_this_one(crowd: Pixels, asked: list[None]) -> None:
    wall = np.repeat(texture(9, WIDTH, HEIGHT, 30)[..., None], 3, axis=2)
    somebody, nobody = (view(frames(pixels, 0, 1)[0]) for pixels in (crowd, wall))
    angles = Angles(Detector(), 0.5)
    angles.begin_shot(0)
    look = angles.prepare(somebody, 0.0, WHOLE, None, keeps=True)
    found = look.run()
    angles.begin_shot(1)
    angles.note(look, found)
    assert len(asked) == 3
    for _ in range(2):  # when nobody has been found
        look = angles.prepare(nobody, 1.0, WHOLE, None, keeps=True)
        angles.note(look, look.run())
    for count in (4, 5, 6):  # it is looked at from all sides, one after the other
        assert angles.waits
        look = angles.prepare_angle(nobody, 1.0, keeps=True)
        angles.note(look, look.run())
        assert len(asked) == count
    assert not angles.waits


def test_who_lies_and_comes_later_is_found_and_no_frame_waits_for_several_detections(
    crowd: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    wall = np.repeat(texture(9, WIDTH, HEIGHT, 30)[..., None], 3, axis=2)
    given = [*frames(wall, 90, 10), *frames(crowd, 90, 50, 10)]
    calls = []
    with facered.Redactor() as redactor:
        for frame in given:
            before = redactor.stats.inference_calls
            redactor.process(frame)
            calls.append(redactor.stats.inference_calls - before)
            if SAID in caplog.text and len(redactor.faces) >= 8:
                break
        assert len(redactor.faces) >= 8
    assert calls[0] == 4  # only a stream's beginning waits for all sides
    assert max(calls[1:-1]) <= 2
