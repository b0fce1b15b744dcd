"""Pictures that lie on their side or stand on their head without saying so."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import NOTHING, WHOLE, Detection, Detector
from facered.detect.turned import FIRST_WAIT, LookingAround, TurnedDetector
from facered.track.verification import KNOWN
from facered.video.orientation import QUARTER_TURNS, UPRIGHT, Orientation
from facered.video.picture import Picture, view
from lumas import texture
from thinned import thinned

WIDTH, HEIGHT = 480, 320
ANGLES = [0, 90, 180, 270]
THRESHOLD = 0.12
EIGHT = [Orientation(*flags) for flags in product((False, True), repeat=3)]

Pixels = NDArray[np.uint8]


def turned(picture: Pixels, angle: int) -> Pixels:
    """Return an upright (height, width, 3) picture turned clockwise."""
    return np.ascontiguousarray(np.rot90(picture, -angle // 90))


@pytest.fixture(scope="module")
def crowd(carphone: Path) -> Pixels:
    """Twelve small people before a wall, 60 x 80 pixels each: faces of about 20 pixels."""
    picture = np.repeat(texture(5, WIDTH, HEIGHT, 8)[..., None], 3, axis=2)
    frames = videos.decode(carphone, 111)
    for number, (row, column) in enumerate(product(range(3), range(4))):
        person = frames[10 * number].to_ndarray(format="rgb24")[0:144, 36:144]
        small = person[::2, ::2] // 2 + person[1::2, 1::2] // 2
        picture[20 + 100 * row : 92 + 100 * row, 40 + 110 * column : 94 + 110 * column] = small
    return picture


def picture_of(pixels: Pixels) -> Picture:
    return view(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv444p"))


def film(path: Path, pixels: Pixels, frames: int = 8) -> Path:
    return videos.encode(path, [av.VideoFrame.from_ndarray(pixels, format="rgb24")] * frames)


@pytest.mark.parametrize(("first", "second"), list(product(EIGHT, EIGHT)))
def test_an_orientation_after_another(first: Orientation, second: Orientation) -> None:
    stored = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(first.then(second).turn(stored), second.turn(first.turn(stored)))


@pytest.mark.parametrize(("turn", "angle"), list(zip(QUARTER_TURNS, ANGLES[1:], strict=True)))
def test_turns_are_clockwise(turn: Orientation, angle: int) -> None:
    stored = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(turn.turn(stored), np.rot90(stored, -angle // 90))


@pytest.mark.parametrize("angle", ANGLES)
def test_a_crowd_is_found_at_every_angle(angle: int, crowd: Pixels) -> None:
    upright = Detector().detect(picture_of(crowd), 0.5)
    assert len(upright.scores) >= 8
    detector = TurnedDetector(Detector())
    picture = picture_of(turned(crowd, angle))
    around = detector.look_around(picture, 0.5, None)
    assert bool(detector.turn) == bool(angle)
    assert len(around.scores) >= 0.8 * len(upright.scores)
    again = detector.detect(picture, 0.5, WHOLE, None)
    np.testing.assert_array_equal(np.sort(again.boxes, axis=0), np.sort(around.boxes, axis=0))
    for box in around.boxes[:3]:
        centred = np.array([box[0] + box[2], box[1] + box[3], 2 * (box[2] - box[0]), 2 * (box[3] - box[1])]) / 2
        found = detector.verify(picture, centred, KNOWN[0], 0.3).boxes
        middle = (found[:, :2] + found[:, 2:]) / 2
        assert np.hypot(*(middle - centred[:2]).T).min() < centred[2] / 2


@pytest.mark.parametrize("angle", thinned(ANGLES, 2))
def test_a_film_that_lies_is_hidden_as_well_and_said(
    angle: int, crowd: Pixels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    upright = facered.analyze(film(tmp_path / "upright.mp4", crowd), tmp_path / "out").people
    caplog.clear()
    found = facered.analyze(film(tmp_path / "foo.mp4", turned(crowd, angle)), tmp_path / "out")
    assert upright >= 10
    assert found.people >= upright - 1
    assert ("is turned" in caplog.text) == bool(angle)


def test_a_part_of_a_larger_picture_is_turned_along(crowd: Pixels) -> None:
    asked = []

    class Spy(Detector):
        def detect(self, picture: Picture, *_: object, tiles: object = None, **__: object) -> Detection:
            asked.append((picture.shown_size, tiles.within if tiles is not None else None))
            return NOTHING

    class Part:
        within = np.array([100.0, 50.0, 40.0, 20.0])
        native = False

    detector = TurnedDetector(Spy())
    detector.turn = QUARTER_TURNS[0]
    detector.detect(picture_of(crowd), THRESHOLD, None, Part())
    (size, within), (turned_size, turned_within) = asked
    assert (size, turned_size) == ((WIDTH, HEIGHT), (HEIGHT, WIDTH))
    np.testing.assert_array_equal(within, Part.within)
    np.testing.assert_array_equal(turned_within, [HEIGHT - 50, 100, 20, 40])


class TestWhen:
    SOMEBODY = Detection(np.ones((1, 4), np.float32), np.array([0.9], np.float32))

    def looks(self, found: Detection, *, lying: bool = False, first: bool = True, seconds: int = 20) -> list[float]:
        """Return the moments at which a shot is looked at, detected twice a second."""
        around, moments = LookingAround(), []
        if not first:
            around.begin(0.0, lying=False)
        around.begin(0.0, lying=lying)
        for half in range(2 * seconds):
            if around.is_due(half / 2):
                moments.append(half / 2)
            around.note(found, half / 2)
        return moments

    def test_ever_less_often_while_nobody_is_found(self) -> None:
        assert self.looks(NOTHING) == [0, FIRST_WAIT, 2, 4, 8, 16]

    def test_once_where_somebody_is_found(self) -> None:
        assert self.looks(self.SOMEBODY) == [0]

    def test_a_later_shot_only_where_nobody_is_found_or_the_one_before_lay(self) -> None:
        assert self.looks(self.SOMEBODY, first=False) == []
        assert self.looks(self.SOMEBODY, first=False, lying=True) == [0]
        assert self.looks(NOTHING, first=False)[0] == 0.5


def test_upright_is_what_nothing_says(crowd: Pixels) -> None:
    detector = TurnedDetector(Detector())
    assert detector.turn == UPRIGHT
    assert len(detector.look_around(picture_of(np.full_like(crowd, 90)), 0.5, None).scores) == 0
    assert detector.turn == UPRIGHT
