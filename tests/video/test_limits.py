"""Pictures that are larger than is asked for are refused before they take their memory."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input.decode import PictureStream
from facered.video.input.file import Reader


def png(path: Path, width: int, height: int) -> Path:
    """Write a black picture, which has few bytes whatever its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(1), bytes(1 + 3 * width)
    data = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def test_a_huge_picture_is_refused_and_takes_no_memory(tmp_path: Path) -> None:
    path = png(tmp_path / "foo.png", 16000, 16000)
    code = (
        "import re, sys, facered\n"
        "try: facered.combined(sys.argv[1], sys.argv[2])\n"
        "except facered.ContentUnsupportedError as error: print(error)\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "out"], capture_output=True, text=True, check=True
    )
    message, memory = done.stdout.splitlines()
    assert "cannot be decoded, or has more than --max-pixels 50000000" in message
    assert int(memory) < 300
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_film_may_have_as_many_pixels_as_is_said(carphone: Path, tmp_path: Path, suffix: str) -> None:
    source = videos.encode(tmp_path / f"foo.{suffix}", videos.decode(carphone, 3))
    assert facered.combined(source, tmp_path, max_pixels=176 * 144).frames == 3
    with pytest.raises(facered.ContentUnsupportedError, match=r"pixels are larger than|has more than"):
        facered.combined(source, tmp_path / "out", max_pixels=176 * 144 - 1)


def test_pictures_that_become_larger_in_the_middle_are_not_decoded(carphone: Path, tmp_path: Path) -> None:
    frames = videos.decode(carphone, 6)
    parts = [
        videos.encode(tmp_path / f"{width}.ts", [videos.enlarge(frame, width, 144) for frame in frames])
        for width in (176, 352)
    ]
    source = tmp_path / "foo.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    with Reader(source) as reader:
        assert len(list(reader.frames())) == 12
    with Reader(source, max_pixels=200 * 144) as reader:
        assert len(list(reader.frames())) <= 6


@pytest.mark.parametrize(("width", "height"), [(70_000, 100), (100, 70_000)])
def test_sides_that_the_annotations_cannot_hold_are_refused(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(facered.ContentUnsupportedError, match="at most 65536"):
        facered.combined(png(tmp_path / "foo.png", width, height), tmp_path / "out")


def test_many_streams_take_no_time(carphone: Path, tmp_path: Path) -> None:
    frames = videos.decode(carphone, 3)
    path = tmp_path / "foo.mkv"
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 176, 144, "yuv420p"
        for _ in range(120):
            output.add_stream("pcm_u8", rate=8000, layout="mono")
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert facered.combined(path, tmp_path).frames == 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 20


def test_a_film_of_which_nothing_can_be_decoded_is_an_error(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PictureStream, "decode", lambda *_: [])
    with pytest.raises(facered.ContentMalformedError, match="no frame can be decoded"):
        facered.combined(carphone, tmp_path / "out")


@pytest.mark.parametrize("name", ["yuv420p10le", "gbrp10le", "gray12le"])
def test_raw_samples_that_a_format_cannot_have_are_refused(carphone: Path, tmp_path: Path, name: str) -> None:
    """Nobody would be found in them."""
    frames = [frame.reformat(format=name) for frame in videos.decode(carphone, 3)]
    with Reader(videos.encode(tmp_path / "sound.nut", frames, codec="rawvideo", pixel_format=name)) as reader:
        assert len(list(reader.frames())) == 3
    for frame in frames:
        for plane in frame.planes:
            samples = np.frombuffer(memoryview(plane), np.uint16) << 4
            memoryview(plane)[:] = samples.tobytes()
    path = videos.encode(tmp_path / "foo.nut", frames, codec="rawvideo", pixel_format=name)
    with pytest.raises(facered.ContentMalformedError, match=f"larger than those of {name} can be"):
        facered.combined(path, tmp_path / "bar.mp4")
    assert not (tmp_path / "bar.mp4").exists()
