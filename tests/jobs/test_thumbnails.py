"""The best picture of each face."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import videos
from facered.jobs.thumbnails import Thumbnails, crop, encode, face_quality
from facered.video.picture import view

FACE = np.array([50, 30, 115, 105], np.float32)
"""About where the man's face is in the first frame of carphone."""


def decoded(content: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(content), format="jpeg_pipe") as container:
        return next(container.decode(video=0))


def picture_of(thumbnails: Thumbnails, keys: list[int]) -> bytes | None:
    best = thumbnails.best(keys)
    return None if best is None else best[1]


@pytest.fixture
def frame(carphone: Path) -> av.VideoFrame:
    return videos.decode(carphone, 1)[0]


def blurred(frame: av.VideoFrame, times: int = 12) -> av.VideoFrame:
    small = frame.reformat(width=frame.width // times, height=frame.height // times)
    return small.reformat(width=frame.width, height=frame.height)


def middle(picture: av.VideoFrame) -> NDArray[np.float64]:
    return picture.to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "nv12", "yuvj420p", "gray"])
def test_it_has_the_colours_of_the_face(frame: av.VideoFrame, pixel_format: str) -> None:
    picture = decoded(encode(crop(frame.reformat(format=pixel_format), FACE)))
    source = frame.reformat(format="gray") if pixel_format == "gray" else frame
    rgb = source.to_ndarray(format="rgb24")[picture_rows(picture), picture_columns(picture)]
    np.testing.assert_allclose(middle(picture), rgb.reshape(-1, 3).mean(axis=0), atol=4)


def picture_rows(picture: av.VideoFrame) -> slice:
    return slice(6, 6 + picture.height)


def picture_columns(picture: av.VideoFrame) -> slice:
    return slice(30, 30 + picture.width)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((50, 30, 115, 105), (105, 122)),  # 1.6 times the face, cut by nothing but rounding
        ((0, 0, 40, 40), (52, 52)),
        ((150, 120, 190, 170), (38, 39)),
        ((80, 70, 80.5, 70.5), (2, 2)),
    ],
)
def test_it_shows_the_surroundings_as_far_as_the_picture_goes(
    frame: av.VideoFrame, box: tuple[float, ...], size: tuple[int, int]
) -> None:
    picture = crop(frame, np.array(box, np.float32))
    assert abs(picture.width - size[0]) <= 2
    assert abs(picture.height - size[1]) <= 2
    assert decoded(encode(picture)).width == picture.width


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (4096, 64)])
def test_it_is_at_most_512_pixels_long(width: int, height: int, frame: av.VideoFrame) -> None:
    large = videos.enlarge(frame, width, height)
    picture = decoded(encode(crop(large, np.array([0, 0, width, height], np.float32))))
    assert max(picture.width, picture.height) == 512
    assert picture.width / picture.height == pytest.approx(width / height, rel=0.1)


def test_a_sharp_look_is_better_than_a_blurred_one(frame: av.VideoFrame) -> None:
    assert face_quality(view(frame), FACE) > 1.2 * face_quality(view(blurred(frame)), FACE)


def test_a_whole_face_is_better_than_a_part(frame: av.VideoFrame) -> None:
    assert face_quality(view(frame), FACE) > 1.2 * face_quality(view(frame), FACE + np.float32([90, 0, 90, 0]))


@pytest.mark.parametrize("box", [(500, 500, 600, 600), (-90, -90, -10, -10), (50, 30, 52, 31)])
def test_next_to_nothing_is_no_thumbnail(frame: av.VideoFrame, box: tuple[float, ...]) -> None:
    assert face_quality(view(frame), np.array(box, np.float32)) == 0
    thumbnails = Thumbnails()
    thumbnails.offer(1, frame, np.array(box, np.float32), 0.9)
    assert picture_of(thumbnails, [1]) is None


@pytest.mark.parametrize("order", [1, -1])
def test_the_best_picture_is_kept_whenever_it_comes(frame: av.VideoFrame, order: int) -> None:
    sharp, poor = encode(crop(frame, FACE)), blurred(frame)
    thumbnails = Thumbnails()
    for picture in (frame, poor)[::order]:
        thumbnails.offer(5, picture, FACE, 0.9)
    assert picture_of(thumbnails, [5]) == sharp


def test_a_doubtful_detection_does_not_replace_a_sure_one(frame: av.VideoFrame) -> None:
    thumbnails = Thumbnails()
    thumbnails.offer(1, blurred(frame, 2), FACE, 0.9)
    kept = picture_of(thumbnails, [1])
    thumbnails.offer(1, frame, FACE, 0.3)
    assert kept is not None
    assert picture_of(thumbnails, [1]) == kept


def test_everyone_has_his_own(frame: av.VideoFrame) -> None:
    thumbnails = Thumbnails()
    thumbnails.offer(1, frame, FACE, 0.9)
    thumbnails.offer(2, blurred(frame), FACE, 0.9)
    assert picture_of(thumbnails, [1]) != picture_of(thumbnails, [2])
    assert picture_of(thumbnails, [3]) is None


def test_who_is_known_by_several_keys_gets_the_best_picture_of_all(frame: av.VideoFrame) -> None:
    thumbnails = Thumbnails()
    thumbnails.offer(4, blurred(frame), FACE, 0.9)
    thumbnails.offer(7, frame, FACE, 0.9)
    sharp = encode(crop(frame, FACE))
    assert picture_of(thumbnails, [4, 7]) == picture_of(thumbnails, [7, 4]) == picture_of(thumbnails, [7, 9]) == sharp
    assert picture_of(thumbnails, [4]) not in (sharp, None)
    assert picture_of(thumbnails, []) is None


def test_the_frame_is_only_read(frame: av.VideoFrame) -> None:
    before = videos.samples(frame)
    Thumbnails().offer(1, frame, FACE, 0.9)
    assert all(map(np.array_equal, before, videos.samples(frame)))
    assert frame.pts == 0
