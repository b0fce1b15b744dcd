"""Times of pictures that their file does not tell, or tells wrongly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import facered
import videos
from facered.video.input.decode import Packet, PictureStream, Stream
from facered.video.input.file import Reader


@pytest.fixture(scope="module")
def frames(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 40)


def read(path: Path) -> list[Fraction]:
    with Reader(path) as reader:
        return [frame.pts * frame.time_base for frame in reader.frames()]


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24000, 1001), Fraction(50)])
@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "h264"), ("libx265", "hevc"), ("mpeg2video", "m2v")])
def test_bare_pictures_have_the_rate_of_their_header(
    frames: list[av.VideoFrame], tmp_path: Path, codec: str, suffix: str, rate: Fraction
) -> None:
    form = {"m2v": "mpeg2video"}.get(suffix, suffix)
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = videos.encode(
        tmp_path / f"foo.{suffix}",
        frames,
        codec=codec,
        container_format=form,
        rate=rate,
        time_base=1 / rate,
        options=options,
    )
    times = read(path)
    assert len(times) == 40
    assert float(times[-1] - times[0]) == pytest.approx(float(39 / rate), abs=0.001)
    with Reader(path) as reader:
        assert reader.info.rate == rate


@pytest.mark.parametrize(
    ("codec", "options"), [("libx264", {"bf": "3"}), ("libx264", {"bf": "0"}), ("mpeg4", {"bf": "2"})]
)
def test_pictures_of_avi_last_equally_long(
    frames: list[av.VideoFrame], tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    """AVI has no times, and FFmpeg numbers pictures in the order in which they are stored."""
    path = videos.encode(tmp_path / "foo.avi", frames, codec=codec, options=options)
    result = facered.combined(path, tmp_path)
    times = videos.times(result.video_path)
    assert [time - times[0] for time in times] == [Fraction(number, 25) for number in range(40)]


def test_pictures_of_matroska_before_0_keep_their_rate(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    """FFmpeg tells no times for them."""
    plain = videos.encode(
        tmp_path / "plain.mkv", frames, time_base=Fraction(1, 1000), ticks=range(0, 1600, 40), options={"bf": "2"}
    )
    path = videos.begin_before_zero(tmp_path / "foo.mkv", plain, 800)
    with av.open(str(path)) as container:
        assert sum(packet.pts is None for packet in container.demux(video=0) if packet.size) > 10
    times = read(path)
    assert [float(time - times[0]) for time in times] == [pytest.approx(number / 25, abs=0.002) for number in range(40)]
    shown = videos.times(facered.combined(path, tmp_path).video_path)
    assert [float(time) for time in shown] == [pytest.approx(number / 25, abs=0.002) for number in range(40)]


def test_frames_without_times_are_spread_between_those_that_have_them(
    frames: list[av.VideoFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = [0, 10, 20, 30, 130, 230, 240, 250, 260, 270]
    path = videos.encode(
        tmp_path / "foo.mkv", frames[:10], time_base=Fraction(1, 1000), ticks=ticks, options={"bf": "0"}
    )
    decode = PictureStream.decode

    def forgetful(self: PictureStream, packet: Packet[Stream], *others: Any) -> list[av.VideoFrame]:
        found = decode(self, packet, *others)
        for frame in found:
            if frame.pts in (10, 20, 130, 240, 270):
                frame.pts = frame.dts = None
        return found

    monkeypatch.setattr(PictureStream, "decode", forgetful)
    times = [1000 * time for time in read(path)]
    assert times[:9] == ticks[:9]
    assert times[9] > 260
