"""Animated WebP."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
from facered.video.input.file import Reader
from facered.video.input.webp import is_animated, write_film

RED, GREEN, GLASS, NOTHING = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 128), (0, 0, 0, 0)
GREY = (1, 2, 3)
"""The background."""
WIPED, INSTEAD = 1, 2


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def number(value: int) -> bytes:
    return value.to_bytes(3, "little")


def picture(colour: tuple[int, ...], place: tuple[int, int], size: tuple[int, int], time: int, flags: int = 0) -> bytes:
    context = av.CodecContext.create("libwebp", "w")
    context.width, context.height, context.pix_fmt, context.time_base = *size, "bgra", Fraction(1)
    context.options = {"lossless": "1"}
    samples = np.full((size[1], size[0], 4), colour, np.uint8)
    frame = av.VideoFrame.from_ndarray(samples, format="rgba").reformat(format="bgra")
    still = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
    header = b"".join(number(value) for value in (place[0] // 2, place[1] // 2, size[0] - 1, size[1] - 1, time))
    return chunk(b"ANMF", header + bytes([flags]) + still[12:])


def animation(*pictures: bytes, width: int = 16) -> bytes:
    header = chunk(b"VP8X", bytes([0x12, 0, 0, 0]) + number(width - 1) + number(15))
    body = b"WEBP" + header + chunk(b"ANIM", bytes([*GREY[::-1], 255, 0, 0])) + b"".join(pictures)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


PICTURES = [
    picture(RED, (0, 0), (16, 16), 100),
    picture(GREEN, (2, 4), (4, 4), 50, WIPED),
    picture(GLASS, (0, 0), (4, 4), 0),
    picture(NOTHING, (8, 8), (4, 4), 30),
    picture(GLASS, (8, 8), (4, 4), 20, INSTEAD),
]


def test_pictures_are_drawn_over_each_other_in_their_time() -> None:
    film = io.BytesIO()
    write_film(io.BytesIO(animation(*PICTURES)), film, "foo.webp")
    with av.open(io.BytesIO(film.getvalue())) as container:
        frames = list(container.decode(video=0))
        assert [frame.pts * frame.time_base * 1000 for frame in frames] == [0, 100, 150, 250, 280]
    expected = np.full((16, 16, 3), RED[:3], np.uint8)
    told = [frame.to_ndarray(format="rgb24") for frame in frames]
    np.testing.assert_array_equal(told[0], expected)
    expected[4:8, 2:6] = GREEN[:3]
    np.testing.assert_array_equal(told[1], expected)
    expected[4:8, 2:6] = GREY
    expected[:4, :4] = (127, 0, 128)
    np.testing.assert_array_equal(told[2], expected)
    np.testing.assert_array_equal(told[3], expected)
    expected[8:12, 8:12] = (0, 1, 129)
    np.testing.assert_array_equal(told[4], expected)


def test_it_becomes_a_film(carphone: Path, tmp_path: Path) -> None:
    path = tmp_path / "foo.webp"
    with av.open(str(path), "w", format="webp") as output, av.open(str(carphone)) as source:
        stream = output.add_stream("libwebp_anim", rate=10)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "bgra"
        for tick, frame in zip(range(4), source.decode(video=0), strict=False):
            picture = frame.reformat(format="bgra")
            picture.pts, picture.time_base = tick, Fraction(1, 10)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    result = facered.combined(path, tmp_path)
    assert (result.video_path, result.frames, result.people) == (tmp_path / "foo_redacted.mp4", 4, 1)
    assert result.film_seconds == pytest.approx(0.4)
    in_memory = facered.combined(io.BytesIO(path.read_bytes()), tmp_path)
    assert in_memory.video_path.read_bytes() == result.video_path.read_bytes()


def test_a_still_one_stays_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "foo.webp"
    path.write_bytes(b"RIFF" + chunk(b"", b"WEBP" + PICTURES[0][24:]))
    assert not is_animated(path)
    with Reader(path) as reader:
        assert reader.is_image
    path.write_bytes(animation(*PICTURES))
    assert is_animated(path)


@pytest.mark.parametrize(
    "data",
    [
        animation(*PICTURES)[:-10],
        animation(),
        animation(PICTURES[0], width=8),
        animation(chunk(b"ANMF", b"short")),
        animation(chunk(b"ANMF", PICTURES[0][8:24] + chunk(b"VP8L", b"nothing"))),
    ],
)
def test_what_is_damaged_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "foo.webp"
    path.write_bytes(data)
    with pytest.raises(facered.ContentMalformedError, match=r"foo.webp"):
        Reader(path)


@pytest.mark.parametrize(("width", "message"), [(1 << 24, "larger than --max-pixels"), (1 << 17, "is a line")])
def test_a_canvas_that_is_too_large_is_refused(tmp_path: Path, width: int, message: str) -> None:
    path = tmp_path / "foo.webp"
    path.write_bytes(animation(PICTURES[0], width=width))
    with pytest.raises(facered.ContentUnsupportedError, match=message):
        Reader(path)


def test_a_missing_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "foo.webp"
    path.write_bytes(animation(*PICTURES)[:-10])
    with pytest.raises(facered.ContentMalformedError, match=r"foo.webp: .*its end is missing"):
        Reader(path)
