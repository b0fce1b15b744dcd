"""Numbers that no face has, at the doors to the kernels: an error or an effect, never a signal.

Each is tried in a process of its own, so that a signal is seen and ends no other test.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import facered
from facered.hide.areas import Area
from facered.hide.hider import Hider
from facered.hide.style import chosen_style
from facered.options import Options
from facered.video.picture import Picture
from thinned import thinned

HIDING = """
import itertools
import numpy as np
from facered.errors import FaceredError
from facered.hide.hider import Hider
from facered.hide.style import chosen_style
from facered.options import Options
from facered.video.picture import Picture

WILD = [float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 1e18, 2.0**31, -(2.0**31), 1e-300, -5.0, 10.0]
BOXES = list(itertools.product(WILD[:6], WILD[3:], WILD[3:8], WILD[5:]))[:: 7]
for width, height in ((40, 30), (1, 1), (100_000, 1), (1, 100_000)):
    for number, box in enumerate(BOXES):
        for shape in ("ellipse", "rectangle"):
            style = chosen_style(Options(blur=("Med", "High", "Mosaic", "Black", "Box")[number % 5], shape=shape))
            chroma = (height + 1) // 2, (width + 1) // 2
            planes = [np.zeros(size, np.uint8) for size in ((height, width), chroma, chroma)]
            picture = Picture(*planes, "bt601", False, interlaced=number % 2 == 0 and height > 1)
            try:
                Hider(style).hide(picture, np.array([box]), [1])
                assert np.isfinite(box).all()
            except FaceredError:
                assert not np.isfinite(box).all()
"""
FOLLOWING = """
import itertools
import numpy as np
from facered.errors import FaceredError
from facered.track.appearance import RecentPictures

WILD = [float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 1e18, 2.0**31, -(2.0**31), 1e-300, -5.0, 10.0]
for width, height in ((64, 48), (1, 1), (960, 1), (1, 960)):
    pictures = RecentPictures(np.array([width, height], np.float64), 3)
    for _ in range(2):
        pictures.push(np.zeros((height, width), np.uint8))
    patch = pictures.patch(np.array([1.0, 1.0, 2.0, 2.0]))
    for box in itertools.product(WILD, WILD[3:], WILD[::2], WILD[1::2]):
        for look in (pictures.patch, pictures.find, pictures.compare):
            try:
                look(np.array(box)) if look == pictures.patch else look([patch], np.array([box]))
                assert np.isfinite(box).all()
            except FaceredError:
                assert not np.isfinite(box).all()
    for boxes, patches in ((np.ones((2, 4)), [patch]), (np.ones((1, 3)), [patch]), (np.ones((0, 4)), [patch])):
        try:
            pictures.find(patches, boxes)
        except FaceredError:
            continue
        raise AssertionError("patches without a place are looked for")
"""


@pytest.mark.parametrize("program", [HIDING, FOLLOWING], ids=["hiding", "following"])
def test_wild_numbers_end_in_an_error_or_an_effect(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def _picture(width: int = 40, height: int = 30) -> Picture:
    y = np.full((height, width), 99, np.uint8)
    u, v = np.full((2, height // 2, width // 2), 99, np.uint8)
    return Picture(y, u, v, "bt601", False)


@pytest.mark.parametrize("box", [[-1e300, -1e300, 1e300, 1e300], [-1e9, -1e9, 1e9, 1e9], [1e9, 1e9, -1e9, -1e9]])
def test_a_huge_box_hides_all_and_corners_may_be_exchanged(box: list[float]) -> None:
    picture = _picture()
    Hider(chosen_style(Options(blur="Black"))).hide(picture, np.array([box]))
    assert (picture.y == 16).all()


def test_a_box_with_its_corners_exchanged_is_that_box() -> None:
    pictures = [_picture(), _picture()]
    for picture, box in zip(pictures, ([5, 6, 25, 28], [25, 28, 5, 6]), strict=True):
        Hider(chosen_style(Options(blur="Black"))).hide(picture, np.array([box], np.float64))
    assert (pictures[0].y == pictures[1].y).all()
    assert (pictures[0].y == 16).any()


@pytest.mark.parametrize(
    "boxes",
    [np.zeros(4), np.zeros((1, 3)), np.zeros((2, 2, 4)), np.array([["a"] * 4]), np.full((1, 4), None)],
    ids=repr,
)
def test_what_are_no_boxes_are_an_error(boxes: np.ndarray) -> None:
    with pytest.raises(facered.ServiceError, match="four a box"):
        Hider(chosen_style(Options())).hide(_picture(), boxes)


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (31, 0), (0, 21), (10**18, 0)])
def test_an_area_outside_is_an_error(place: tuple[int, int]) -> None:
    area = Area(*place, np.full((10, 10), 128, np.uint8))
    with pytest.raises(facered.ServiceError, match="is not part of the picture"):
        Hider(chosen_style(Options())).hide_area(_picture(), area)


def test_spared_samples_are_those_of_the_picture() -> None:
    with pytest.raises(facered.ServiceError, match="spared is of"):
        Hider(chosen_style(Options())).hide(_picture(), np.zeros((1, 4)), spared=np.zeros((3, 3), np.bool_))


@pytest.mark.parametrize(
    ("name", "width", "height"),
    thinned(
        [
            ("yuv420p", 100_000, 1),
            ("yuv420p", 1, 100_000),
            ("yuv420p", 1, 1),
            ("gray10le", 16_384, 1),
            ("gray10le", 2, 9000),
        ]
    ),
)
def test_extreme_shapes_go_through(name: str, width: int, height: int) -> None:
    program = f"""
import av, facered
with facered.Redactor(threshold=0.02, hide_regions=[[(0, 0), (1, 0), (1, 1), (0, 1)]], lookahead=1) as redactor:
    for number in range(3):
        frame = av.VideoFrame({width}, {height}, "{name}")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = number
        redactor.process(frame)
    redactor.flush()
    assert (redactor.stats.frames, redactor.stats.hidden) == (3, 3), redactor.stats
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
