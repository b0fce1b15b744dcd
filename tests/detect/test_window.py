"""Parts of pictures in their usual size: the same faces as in the whole picture, no fragments, less inference."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import videos
from facered.detect.detector import Detection, Detector
from facered.detect.turned import TurnedDetector
from facered.track.boxes import centred, iou
from facered.track.schedule import TileRequest
from facered.track.window import WHOLE, Window
from facered.video.orientation import QUARTER_TURNS, UPRIGHT
from facered.video.picture import Picture, view
from lumas import texture
from thinned import thinned

WIDTH, HEIGHT = 641, 431
CERTAIN = 0.5
PLACES = [(8, 6), (236, 10), (460, 12), (20, 280), (250, 281), (464, 286)]
"""Of six people, two of them at the lower and the right border."""
FORMATS = ["yuv420p", "yuv422p10le", "yuv444p", "nv12", "p010le", "gray", "yuv422p"]
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(precision="fp32")


@pytest.fixture(scope="module")
def people(carphone: Path) -> Pixels:
    """Six people before a wall, in a picture of odd sides."""
    picture = np.repeat(texture(5, WIDTH, HEIGHT, 8)[..., None], 3, axis=2)
    frames = videos.decode(carphone, 111)
    for number, (x, y) in enumerate(PLACES):
        picture[y : y + 144, x : x + 176] = frames[20 * number].to_ndarray(format="rgb24")
    return picture


def picture_of(pixels: Pixels, name: str = "yuv444p") -> Picture:
    return view(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(format=name))


def part(left: float, top: float, right: float, bottom: float) -> Window:
    return Window(np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]))


def inside(found: Detection, window: Window, margin: float = 12) -> Detection:
    """Return the faces that lie well within a window, or at its border where that is the picture's."""
    assert window.within is not None
    low, high = window.within[:2] - window.within[2:] / 2, window.within[:2] + window.within[2:] / 2
    low, high = np.where(low > 0, low + margin, -99), np.where(high < [WIDTH, HEIGHT], high - margin, 9999)
    whole = (found.boxes[:, :2] >= low).all(axis=1) & (found.boxes[:, 2:] <= high).all(axis=1)
    return Detection(found.boxes[whole], found.scores[whole])


def likeness(a: Detection, b: Detection) -> NDArray[np.float64]:
    """Return the IoU of each face of one with each of the other."""
    return np.array([iou(box, centred(b.boxes)) for box in centred(a.boxes)]).reshape(len(a.boxes), len(b.boxes))


def assert_same(a: Detection, b: Detection, least: float = 0.8, near: float = 0.12) -> None:
    assert len(a.scores) == len(b.scores)
    if len(a.scores):
        alike = likeness(a, b)
        assert alike.max(axis=1).min() > least
        np.testing.assert_allclose(a.scores, b.scores[alike.argmax(axis=1)], atol=near)


@pytest.mark.parametrize("name", thinned(FORMATS, 2))
@pytest.mark.parametrize("window", [
    part(0, 0, 420, 220), part(220, 200, WIDTH, HEIGHT), part(401, 0, WIDTH, HEIGHT), part(0, 231, WIDTH, HEIGHT),
], ids=["left and top", "right and bottom", "right", "bottom"])  # fmt: skip
def test_a_window_shows_the_faces_that_the_whole_picture_shows_there(
    detector: Detector, people: Pixels, name: str, window: Window
) -> None:
    picture = picture_of(people, name)
    whole = detector.detect(picture, CERTAIN)
    assert len(whole.scores) == 6
    found = detector.detect(picture, CERTAIN, window=window)
    assert len(found.scores) >= 2
    assert_same(found, inside(whole, window))
    assert found.within is window.within
    assert whole.within is None


def test_a_window_takes_so_much_less_inference(people: Pixels) -> None:
    pixels = []
    for window in (WHOLE, part(0, 0, 420, 220)):
        detector = Detector(precision="fp32")
        detector.detect(picture_of(people), CERTAIN, window=window)
        pixels.append(detector.inference.pixels)
    assert pixels[1] < 0.5 * pixels[0]


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_border_through_a_face_makes_no_fragment_of_it(detector: Detector, people: Pixels, side: str) -> None:
    picture = picture_of(people)
    whole = detector.detect(picture, CERTAIN).boxes
    face = whole[np.hypot(*((whole[:, :2] + whole[:, 2:]) / 2 - [325, 350]).T).argmin()]
    sure = 0
    for share in np.linspace(0.1, 0.9, 9):
        x, y = face[:2] + share * (face[2:] - face[:2])
        window = {
            "left": part(x, 100, WIDTH, HEIGHT), "right": part(0, 100, x, HEIGHT),
            "top": part(100, y, WIDTH, HEIGHT), "bottom": part(100, 0, WIDTH, y),
        }[side]  # fmt: skip
        found = detector.detect(picture, 0.3, window=window).boxes
        alike = iou(centred(face[None])[0], centred(found))
        assert (alike[alike > 0] > 0.4).all()  # only where most of the face is in the window
        sure += len(found)
    assert sure


@pytest.mark.parametrize("turn", [UPRIGHT, *QUARTER_TURNS], ids=["upright", "right", "over", "left"])
def test_a_window_of_a_picture_that_lies(people: Pixels, turn: object) -> None:
    """The picture as it is stored lies; the detector has found out how."""
    angle = [UPRIGHT, *QUARTER_TURNS].index(turn)
    lying = picture_of(np.rot90(people, angle))
    detector = TurnedDetector(Detector(precision="fp32"))
    detector.turn = turn  # type: ignore[assignment]
    whole = detector.detect(lying, CERTAIN, WHOLE, None)
    assert len(whole.scores) >= 6
    best = whole.boxes[0].astype(np.float64)
    middle, size = (best[:2] + best[2:]) / 2, best[2:] - best[:2]
    window = Window(np.concatenate([middle, 3 * size]))
    found = detector.detect(lying, CERTAIN, window, None)
    assert len(found.scores) >= 1
    assert iou(centred(whole.boxes[:1])[0], centred(found.boxes)).max() > 0.75
    assert (np.abs((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - middle) <= 1.5 * size).all()
    assert found.within is window.within


@pytest.mark.parametrize(
    "window", [(-50, -50, 20, 20), (600, 400, 900, 900), (300, 200, 301, 201), (639, 429, 641, 431)]
)
def test_windows_at_and_beyond_the_rim_are_taken(
    detector: Detector, people: Pixels, window: tuple[float, float, float, float]
) -> None:
    found = detector.detect(picture_of(people, "yuv420p"), CERTAIN, window=part(*window))
    assert (found.boxes[:, :2] < [WIDTH, HEIGHT]).all()
    assert (found.boxes[:, 2:] > 0).all()


def test_windows_side_by_side_show_everybody(detector: Detector, people: Pixels) -> None:
    picture = picture_of(people)
    columns, rows = [0, 210, 430, WIDTH], [0, 215, HEIGHT]
    found = [
        detector.detect(picture, CERTAIN, window=part(left, top, right, bottom))
        for (left, right), (top, bottom) in product(pairwise(columns), pairwise(rows))
    ]
    assert_same(
        Detection(np.concatenate([some.boxes for some in found]), np.concatenate([some.scores for some in found])),
        detector.detect(picture, CERTAIN),
        near=0.2,
    )


@pytest.mark.parametrize(("window", "tiles", "within"), [
    (WHOLE, None, None), (WHOLE, TileRequest(np.array([100.0, 90, 80, 60])), None), (None, TileRequest(), None),
    (None, TileRequest(np.array([100.0, 90, 80, 60])), [100, 90, 80, 60]),
    (part(0, 0, 420, 220), TileRequest(), [210, 110, 420, 220]),
    (part(0, 0, 420, 220), TileRequest(np.array([100.0, 90, 80, 60])), [210, 110, 420, 220]),
], ids=str)  # fmt: skip
def test_what_was_looked_at_is_said(
    detector: Detector, people: Pixels, window: Window | None, tiles: TileRequest | None, within: list[float] | None
) -> None:
    for found in (
        detector.detect(picture_of(people), CERTAIN, window=window, tiles=tiles),
        detector.prepare(picture_of(people), CERTAIN, window=window, tiles=tiles)(),
    ):
        assert (None if found.within is None else found.within.tolist()) == within
        assert found.split(1, CERTAIN)[0].within is found.within


@pytest.mark.parametrize(("size", "calls"), [((900, 500), 1), ((1280, 720), 3), ((640, 360), 1)])
def test_a_larger_picture_of_one_tile_is_looked_at_alone(size: tuple[int, int], calls: int) -> None:
    detector = Detector(precision="fp32")
    picture = picture_of(np.zeros((size[1], size[0], 3), np.uint8))
    detector.detect(picture, CERTAIN, window=WHOLE, tiles=TileRequest())
    assert detector.inference.calls == calls
