from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input.file import Reader
from thinned import thinned


def read(path: Path, **options: bool) -> int:
    with Reader(path, **options) as reader:
        return sum(1 for _ in reader.frames())


def remux(source: Path, target: Path, kinds: tuple[str, ...], **options: str) -> Path:
    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as output:
        copies = {s.index: output.add_stream_from_template(s, opaque=True) for s in given.streams if s.type in kinds}
        for packet in given.demux([s for s in given.streams if s.type in kinds]):
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    return target


def test_what_is_known_before_decoding(carphone: Path) -> None:
    with Reader(carphone) as reader:
        info = reader.info
    assert (info.width, info.height, info.frames, info.pixel_format) == (176, 144, 120, "yuv420p")
    assert (info.rate, info.time_base) == (Fraction(30000, 1001), Fraction(1, 30000))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"nope\.mp4: no such file"):
        Reader(tmp_path / "nope.mp4")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match="directory"):
        Reader(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 1000])
def test_not_a_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(facered.ContentMalformedError, match="not a readable video"):
        Reader(path)


def test_no_video_stream(rabbit: Path, tmp_path: Path) -> None:
    sound = remux(rabbit, tmp_path / "sound.m4a", ("audio",))
    with pytest.raises(facered.ContentUnsupportedError, match="no video stream"):
        Reader(sound)


@pytest.mark.parametrize("part", thinned([0.3, 0.9, 0.5]))
def test_what_is_left_of_a_truncated_file_is_read(
    rabbit: Path, tmp_path: Path, part: float, caplog: pytest.LogCaptureFixture
) -> None:
    whole = remux(rabbit, tmp_path / "whole.mp4", ("video", "audio"), movflags="faststart").read_bytes()
    path = tmp_path / "part.mp4"
    path.write_bytes(whole[: int(len(whole) * part)])
    with Reader(path) as reader:
        times = [frame.pts * frame.time_base for frame in reader.frames()]
    assert times == videos.times(rabbit)[: len(times)]
    assert part - 0.2 < len(times) / 132 < part + 0.1
    assert 0 < len(reader.damaged) < 5
    assert f"of {len(times)} frames are damaged" in caplog.text
    with pytest.raises(facered.ContentMalformedError, match=r"damaged or truncated after frame \d+"):
        read(path, strict=True)


def test_a_file_without_its_index_is_an_error(rabbit: Path, tmp_path: Path) -> None:
    path = tmp_path / "part.mp4"
    path.write_bytes(rabbit.read_bytes()[:500_000])
    with pytest.raises(facered.ContentMalformedError, match="not a readable video"):
        read(path)


def test_an_early_end_is_told(carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = videos.decode(carphone, 100)
    whole = videos.encode(tmp_path / "whole.mkv", frames, time_base=Fraction(1, 1000), ticks=range(0, 10000, 100))
    path = tmp_path / "part.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert read(path) < 100
    assert "it may be truncated" in caplog.text
    caplog.clear()
    assert read(whole) == 100
    assert not caplog.text


def test_a_change_of_size_is_scaled_away_and_said_once(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = videos.decode(carphone, 5)
    small = videos.encode(tmp_path / "small.ts", frames).read_bytes()
    large = videos.encode(tmp_path / "large.ts", [videos.enlarge(f, 352, 288) for f in frames]).read_bytes()
    path = tmp_path / "both.ts"
    path.write_bytes(small + large)
    with Reader(path) as reader:
        pictures = [frame.to_ndarray(format="gray") for frame in reader.frames()]
    assert [picture.shape for picture in pictures] == [(144, 176)] * 10
    differences = [np.abs(a.astype(int) - b).mean() for a, b in zip(pictures[:5], pictures[5:], strict=True)]
    assert max(differences) < 4
    assert caplog.text.count("the picture changes from 176x144 to 352x288 in the middle") == 1


def test_times_grow_where_the_source_has_none(carphone: Path, tmp_path: Path) -> None:
    """Raw H.264 has no times of its own."""
    path = videos.encode(tmp_path / "raw.h264", videos.decode(carphone, 10), container_format="h264")
    with Reader(path) as reader:
        pts = [frame.pts for frame in reader.frames()]
    assert len(pts) == 10
    assert all(a < b for a, b in itertools.pairwise(pts))
