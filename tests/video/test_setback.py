"""Clocks that are set back in the middle: the film goes on, frame by frame, and its sound with it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.video.input.file import Reader

MILLISECOND = Fraction(1, 1000)
FLV_HEADER = 13


@pytest.fixture(scope="module")
def frames(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 75)


def film(path: Path, frames: list[av.VideoFrame], sound: float = 3.0, bf: int = 2) -> Path:
    """Write three seconds."""
    options = {"cluster_time_limit": "500"} if path.suffix == ".mkv" else {}
    return videos.encode(
        path, frames, time_base=MILLISECOND, ticks=range(0, 3000, 40), options={"bf": str(bf), "g": "12"}, audio="aac",
        audio_seconds=sound, container_options=options,
    )  # fmt: skip


def joined_flv(folder: Path, frames: list[av.VideoFrame], sound: float) -> Path:
    data = film(folder / "part.flv", frames, sound).read_bytes()
    path = folder / "foo.flv"
    path.write_bytes(data + data[FLV_HEADER:])
    return path


def joined_mkv(folder: Path, frames: list[av.VideoFrame], sound: float) -> Path:
    path = film(folder / "foo.mkv", frames, sound)
    path.write_bytes(2 * path.read_bytes())
    return path


def walk(path: Path) -> tuple[list[Fraction], list[Fraction]]:
    """Return the times of frames and of packets of sound, in milliseconds."""
    pictures, sound = [], []
    with Reader(path) as reader:
        for item in reader.demux(*reader.container.streams.audio):
            (pictures if isinstance(item, av.VideoFrame) else sound).append(1000 * item.pts * item.time_base)
    return pictures, sound


def steps(times: list[Fraction]) -> list[int]:
    return [round(later - earlier) for earlier, later in pairwise(times)]


@pytest.mark.parametrize("by", [1000, 2000])
def test_a_camera_whose_clock_is_set_back(
    frames: list[av.VideoFrame], tmp_path: Path, by: int, caplog: pytest.LogCaptureFixture
) -> None:
    plain = film(tmp_path / "plain.mkv", frames, bf=0)
    source = videos.set_back(tmp_path / "foo.mkv", plain, 2000, by)
    assert walk(source) == walk(plain)
    assert caplog.text.count("foo.mkv: the clock breaks off 1 times; the times go on instead") == 1


def test_a_clock_that_is_set_back_amid_pictures_out_of_order(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mkv", frames, bf=3)
    wanted, got = walk(plain), walk(videos.set_back(tmp_path / "foo.mkv", plain, 2000, 2000))
    assert sorted(steps(got[0]))[:-1] == 73 * [40]
    assert max(steps(got[0])) <= 240
    assert got[1][-1] - got[0][-1] == wanted[1][-1] - wanted[0][-1]


@pytest.mark.parametrize("join", [joined_flv, joined_mkv])
@pytest.mark.parametrize("sound", [2.9, 3.1])
def test_files_that_were_joined(
    frames: list[av.VideoFrame],
    tmp_path: Path,
    join: Callable[[Path, list[av.VideoFrame], float], Path],
    sound: float,
) -> None:
    source = join(tmp_path, frames, sound)
    pictures, heard = walk(source)
    assert steps(pictures) == 149 * [40]
    packets = round(sound * 44100 / 1024)
    assert len(heard) >= 2 * packets - 6
    assert max(steps(heard)) <= 150
    assert min(steps(heard)) >= 10
    # The second part's sound is as far from its pictures as the first one's.
    wanted = walk(film(tmp_path / f"part{source.suffix}", frames, sound))
    assert heard[-1] - pictures[-1] == pytest.approx(wanted[1][-1] - wanted[0][-1], abs=2)


def test_sound_that_is_much_longer_than_its_part_is_heard_to_its_end(
    frames: list[av.VideoFrame], tmp_path: Path
) -> None:
    pictures, heard = walk(joined_flv(tmp_path, frames, 6.0))
    assert max(steps(heard)) <= 60
    assert len(heard) == pytest.approx(12 * 44100 / 1024, abs=8)
    assert sorted(steps(pictures))[:-1] == 148 * [40]


def test_a_single_wrong_time_does_not_move_the_rest(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.flv", frames, bf=0)
    data = bytearray(plain.read_bytes())
    with av.open(str(plain)) as container:
        packet = next(packet for packet in container.demux(video=0) if packet.size and packet.pts >= 2000)
    tag = data.index(bytes(packet)[:40]) - 16  # its header and that of the picture stand before it
    assert data[tag] == 9
    data[tag + 4 : tag + 7] = bytes(3)
    source = tmp_path / "foo.flv"
    source.write_bytes(data)
    wanted, got = walk(plain), walk(source)
    assert got[1] == wanted[1]
    assert got[0][-20:] == wanted[0][-20:]


def test_low_rates_with_pictures_out_of_order_are_no_break(
    frames: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = videos.encode(
        tmp_path / "foo.mkv", frames[:40], time_base=MILLISECOND, ticks=range(0, 80_000, 2000), options={"bf": "8"}
    )
    pictures, _ = walk(source)
    assert steps(pictures) == 39 * [2000]
    assert not caplog.text


def test_the_result_has_all_frames_and_its_sound(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    source = joined_flv(tmp_path, frames, 3.0)
    result = facered.combined(source, tmp_path / "out")
    assert result.video_path is not None
    times = videos.times(result.video_path)
    assert steps([1000 * time for time in times]) == 149 * [40]
    sound = [1000 * time for time, _ in videos.packets(result.video_path, "audio")]
    assert min(steps(sound)) > 0
    assert sound[-1] == pytest.approx(6050, abs=20)
