"""Pictures whose size changes in the middle keep their shape, and the faces in them are hidden."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.formats import Converter
from facered.video.input.file import Reader
from facered.video.letterbox import fit, letterbox
from facered.video.picture import view


@pytest.fixture
def turned(carphone: Path, tmp_path: Path) -> Path:
    """Return a film of a phone that is turned after ten frames: 320x176, then 176x320, somebody in both."""
    frames = videos.decode(carphone, 20)
    wide = [videos.enlarge(frame, 320, 262) for frame in frames[:10]]
    high = [videos.enlarge(frame, 392, 320) for frame in frames[10:]]
    parts = [
        [cut(frame, 0, 40, 320, 176) for frame in wide],
        [cut(frame, 112, 0, 176, 320) for frame in high],
    ]
    path = tmp_path / "foo.ts"
    data = [videos.encode(tmp_path / f"{n}.ts", part, options={"crf": "12"}) for n, part in enumerate(parts)]
    path.write_bytes(b"".join(part.read_bytes() for part in data))
    return path


def cut(frame: av.VideoFrame, left: int, top: int, width: int, height: int) -> av.VideoFrame:
    picture = frame.to_ndarray(format="rgb24")[top : top + height, left : left + width]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")


def test_a_phone_that_is_turned(turned: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    originals = [frame.to_ndarray(format="gray") for frame in videos.decode(tmp_path / "1.ts")]
    with Reader(turned) as reader:
        frames = list(reader.frames())
    assert [(frame.width, frame.height) for frame in frames] == 20 * [(320, 176)]
    assert caplog.text.count("the picture changes from 320x176 to 176x320 in the middle; it is fitted into") == 1
    for frame, original in zip(frames[10:], originals, strict=True):
        picture = view(frame).y
        assert (picture[:, :108] == 16).all()
        assert (picture[:, 208:] == 16).all()
        small = av.VideoFrame.from_ndarray(original, format="gray").reformat(96, 176, format="gray").to_ndarray()
        assert np.abs(picture[:, 112:208].astype(int) - small).mean() < 16


def test_faces_in_it_are_hidden(turned: Path, tmp_path: Path) -> None:
    result = facered.combined(turned, tmp_path / "out", annotations=True, blur="Black")
    assert result.annotations is not None
    for number in range(20):
        (box,) = result.annotations.pixel_boxes(number)
        if number >= 10:  # within the picture, and as high as a face is
            assert 112 <= (box[0] + box[2]) / 2 <= 208
            assert 1 < (box[3] - box[1]) / (box[2] - box[0]) < 1.8
    before, after = ([*Reader(path).frames()] for path in (turned, result.video_path))
    for number in (0, 12, 19):
        x1, y1, x2, y2 = result.annotations.pixel_boxes(number)[0]
        middle = slice(round((y1 + y2) / 2) - 5, round((y1 + y2) / 2) + 5), slice(round((x1 + x2) / 2) - 5, None)
        assert view(before[number]).y[middle][:, :10].mean() > 40
        assert view(after[number]).y[middle][:, :10].mean() < 20


@pytest.mark.parametrize(
    ("shape", "size", "fitted"),
    [
        (Fraction(16, 9), (640, 360), (640, 360)),
        (Fraction(1920, 1088), (640, 360), (640, 360)),
        (Fraction(9, 16), (640, 360), (204, 360)),
        (Fraction(4, 3), (360, 640), (360, 272)),
        (Fraction(100_000), (640, 360), (640, 4)),
        (Fraction(1, 100_000), (2, 360), (2, 360)),
    ],
)
def test_the_largest_size_that_fits(shape: Fraction, size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit(shape, size) == fitted


@pytest.mark.parametrize(
    "name", ["yuv420p", "yuvj420p", "nv12", "yuv410p", "yuv422p10le", "p010le", "gray", "gray12le"]
)
@pytest.mark.parametrize("size", [(161, 91), (90, 160)])
def test_bars_are_black_in_every_format(carphone: Path, name: str, size: tuple[int, int]) -> None:
    frame = videos.decode(carphone, 1)[0]
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    boxed = letterbox(frame.reformat(format=name), Fraction(1), size, Converter(name))
    assert (boxed.width, boxed.height, boxed.format.name, boxed.pts) == (*size, name, 7)
    shown = boxed.to_ndarray(format="rgb24").astype(int)
    bars = shown[:, :20] if size[0] > size[1] else shown[:36]
    assert bars.max() <= (16 if name.startswith("gray") else 3)  # shown as if it were of full range
    assert shown[size[1] // 2, size[0] // 2].mean() > 10


def test_samples_that_change_their_shape_fill_the_picture_as_before(carphone: Path, tmp_path: Path) -> None:
    """As broadcasts do: 720 or 544 samples a row for the same picture."""
    frames = videos.decode(carphone, 6)
    path = tmp_path / "foo.ts"
    parts = [
        videos.encode(
            tmp_path / f"{width}.ts", [videos.enlarge(frame, width, 144) for frame in frames],
            tags={"sample_aspect_ratio": Fraction(176, width)},
        )
        for width in (176, 132)
    ]  # fmt: skip
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with Reader(path) as reader:
        pictures = [view(frame).y.astype(int) for frame in reader.frames()]
    assert np.abs(pictures[11] - pictures[5]).mean() < 5
