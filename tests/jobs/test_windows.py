"""Somebody comes into a corner of a still picture: found there and then, without looking at all of it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import Detector
from facered.video.picture import view
from lumas import wall

WIDTH, HEIGHT, COUNT, ENTERS = 640, 360, 50, 30
CORNERS = {"left and top": (0, 0), "right and bottom": (WIDTH - 176, HEIGHT - 144)}


@pytest.fixture(scope="module")
def person(carphone: Path) -> av.VideoFrame:
    return videos.decode(carphone, 1)[0]


def film(path: Path, person: av.VideoFrame, place: tuple[int, int] | None, enters: int = ENTERS) -> Path:
    """Return a film of a wall, before which somebody stands from some frame on."""
    background = np.repeat(wall(WIDTH, HEIGHT)[..., None], 3, axis=2)
    there = background.copy()
    if place is not None:
        x, y = place
        there[y : y + 144, x : x + 176] = person.to_ndarray(format="rgb24")
    pictures = [background if number < enters else there for number in range(COUNT)]
    return videos.encode(path, [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures])


def face(person: av.VideoFrame, place: tuple[int, int]) -> NDArray[np.float64]:
    (box,) = Detector().detect(view(person), 0.5).boxes
    return box + np.tile(place, 2)


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("enters", [30, 33, COUNT - 1], ids=["in the middle", "between", "in the last frame"])
def test_whoever_comes_into_a_corner_is_found_from_the_first_frame_on(
    corner: str, enters: int, person: av.VideoFrame, tmp_path: Path
) -> None:
    place = CORNERS[corner]
    facered.analyze(film(tmp_path / "foo.mp4", person, place, enters), tmp_path)
    found = facered.Annotations.read(tmp_path / "foo_annotations.json")
    middle = (face(person, place)[:2] + face(person, place)[2:]) / 2
    for number in range(enters, COUNT):
        assert any((box[:2] < middle).all() and (middle < box[2:]).all() for box in np.array(found.pixel_boxes(number)))
    assert not any(len(found.pixel_boxes(number)) for number in range(enters - 12))


def test_that_takes_less_inference_than_another_whole_picture(person: av.VideoFrame, tmp_path: Path) -> None:
    whole = Detector()
    whole.detect(view(av.VideoFrame(WIDTH, HEIGHT, "yuv420p")), 0.5)
    empty = facered.analyze(film(tmp_path / "empty.mp4", person, None), tmp_path).inference
    enters = facered.analyze(film(tmp_path / "foo.mp4", person, (0, 0)), tmp_path).inference
    assert enters.calls > empty.calls
    assert enters.pixels - empty.pixels < (enters.calls - empty.calls) * 0.6 * whole.inference.pixels


def test_who_only_shows_in_the_larger_picture_is_hidden_as_long_as_nothing_changes(
    person: av.VideoFrame, tmp_path: Path
) -> None:
    """A face of 14 pixels in a picture of 1280 x 720, for ten seconds."""
    picture = np.clip(np.random.default_rng(0).normal(110, 2, (720, 1280, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    picture[300:336, 600:644] = videos.enlarge(person, 44, 36).to_ndarray(format="rgb24")
    path = videos.encode(tmp_path / "foo.mp4", [av.VideoFrame.from_ndarray(picture, format="rgb24")] * 250)
    facered.analyze(path, tmp_path)
    found = facered.Annotations.read(tmp_path / "foo_annotations.json")
    assert all(len(found.pixel_boxes(number)) for number in range(250))
