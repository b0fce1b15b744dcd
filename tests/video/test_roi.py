"""What the encoder is told of hidden faces."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from av.sidedata.sidedata import Type
from hypothesis import given
from hypothesis import strategies as st

import facered
import videos
from facered.annotations.model import Annotations
from facered.video.output import film
from facered.video.output.roi import BLOCK, MAX_GRAPHS, RegionsOfInterest, inside
from thinned import thinned

SIDES = st.floats(1, 400)
PLACES = st.floats(-200, 800)


@given(PLACES, PLACES, SIDES, SIDES)
def test_only_blocks_inside_the_ellipse_and_the_picture_are_marked(
    x: float, y: float, width: float, height: float
) -> None:
    for left, top, across, down in inside(x, y, x + width, y + height, width=640, height=360):
        assert (left % BLOCK, top % BLOCK, across % BLOCK, down % BLOCK) == (0, 0, 0, 0)
        assert min(left, top, across - 1, down - 1) >= 0
        assert left + across <= 640
        assert top + down <= 360
        for corner_x, corner_y in product((left, left + across), (top, top + down)):
            off = (corner_x - x - width / 2) / (width / 2), (corner_y - y - height / 2) / (height / 2)
            assert np.hypot(*off) <= 1.001


def test_large_faces_are_marked_for_the_most_part() -> None:
    marked = np.zeros((720, 1280), np.bool_)
    for left, top, across, down in inside(300, 100, 620, 540, width=1280, height=720):
        marked[top : top + down, left : left + across] = True
    assert marked.sum() > 0.7 * np.pi / 4 * 320 * 440


def test_a_face_smaller_than_a_block_is_not_marked(carphone: Path) -> None:
    (frame,) = videos.decode(carphone, 1)
    assert RegionsOfInterest().mark(frame, np.array([[20.0, 20.0, 30.0, 30.0]])) is frame


def test_marked_frames_share_their_memory_and_keep_all_that_they_say(carphone: Path) -> None:
    regions = RegionsOfInterest()
    for number, frame in enumerate(videos.decode(carphone, 3)):
        boxes = np.array([[10.0, 10.0, 90.0, 110.0], [100.0, 30.0 + 16 * number, 160.0, 110.0 + 16 * number]])
        marked = regions.mark(frame, boxes)
        assert marked.side_data.get(Type.REGIONS_OF_INTEREST) is not None
        assert marked.planes[0].buffer_ptr == frame.planes[0].buffer_ptr
        for name in ("pts", "time_base", "duration", "format", "colorspace", "color_range", "color_trc"):
            assert str(getattr(marked, name)) == str(getattr(frame, name)), name


def test_marks_that_are_not_used_any_more_are_forgotten(carphone: Path) -> None:
    regions = RegionsOfInterest()
    (frame,) = videos.decode(carphone, 1)
    places = [np.array([[16.0 * x, 0, 16.0 * x + 16 * wide, 16.0 * high]]) for x in range(9) for wide in range(2, 9)
              for high in range(2, 9) for _ in range(2)]  # fmt: skip
    for place in places * 2:
        regions.mark(frame, place)
    assert len(regions._graphs) <= MAX_GRAPHS


@pytest.mark.parametrize("codec", thinned(["h264", "hevc"]))
def test_blurred_faces_take_fewer_bits_and_the_rest_is_as_good(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    pictures = [videos.enlarge(frame, 704, 576) for frame in videos.decode(carphone, 30)]
    source = videos.encode(tmp_path / "foo.mp4", pictures, options={"crf": "12"})
    found = facered.analyze(source, tmp_path)
    told = facered.redact(source, tmp_path / "told.mp4", codec=codec).video_path
    monkeypatch.setattr(film, "ROI_CODECS", ())
    untold = facered.redact(source, tmp_path / "untold.mp4", codec=codec).video_path
    assert told is not None
    assert untold is not None
    assert told.stat().st_size < 0.98 * untold.stat().st_size
    outside = _outside(found.annotations)
    originals = videos.decode(source)
    errors = [
        np.mean([(np.subtract(videos.samples(a)[0], videos.samples(b)[0], dtype=np.float64)[mask] ** 2).mean()
                 for a, b, mask in zip(originals, videos.decode(path), outside, strict=True)])
        for path in (told, untold)
    ]  # fmt: skip
    assert errors[0] < 1.1 * errors[1]


def _outside(annotations: Annotations) -> list[np.ndarray]:
    """Return where in each frame nothing is hidden."""
    masks = []
    for number in range(len(annotations.pts)):
        mask = np.ones((annotations.height, annotations.width), np.bool_)
        for x1, y1, x2, y2 in annotations.pixel_boxes(number).astype(int):
            wide, high = (x2 - x1) // 8, (y2 - y1) // 8
            mask[max(y1 - high, 0) : y2 + high, max(x1 - wide, 0) : x2 + wide] = False
        masks.append(mask)
    return masks


def test_a_face_that_moves_a_little_keeps_its_blocks_and_one_that_moves_on_does_not(carphone: Path) -> None:
    regions = RegionsOfInterest()
    frame = videos.enlarge(videos.decode(carphone, 1)[0], 704, 576)
    for step in range(12):
        regions.mark(frame, np.array([[104.0 + step / 2, 104, 376 + step / 2, 488]]))
    assert len(regions._graphs) == 1
    regions.mark(frame, np.array([[304.0, 104, 576, 488]]))
    assert len(regions._graphs) == 2


def test_a_box_without_extent_is_not_marked(carphone: Path) -> None:
    regions = RegionsOfInterest()
    (frame,) = videos.decode(carphone, 1)
    regions.mark(frame, np.array([[10.0, 10, 90, 120]]))
    assert regions.mark(frame, np.array([[50.0, 60, 50, 60]])) is frame
