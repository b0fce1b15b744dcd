"""Clocks that are set back in the middle: the film goes on, frame by frame, and its sound with it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input.file import Reader
from thinned import thinned

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


YEAR = 365 * 24 * 3600 * 1000


def leaping(folder: Path, frames: list[av.VideoFrame], by: int, bf: int, until: int = 75) -> tuple[Path, Path]:
    """Write a film of which the clock is `by` milliseconds ahead from 1.6 s on, and the same without that."""
    paths = []
    for name, leap in (("plain.mkv", 0), ("foo.mkv", by)):
        ticks = [40 * number + (leap if 40 <= number < until else 0) for number in range(75)]
        paths.append(folder / name)
        with av.open(str(paths[-1]), "w") as output:
            video = output.add_stream("libx264", rate=25, options={"bf": str(bf), "g": "25"})
            video.width, video.height, video.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
            video.codec_context.time_base = MILLISECOND
            sound = output.add_stream("pcm_s16le", rate=8000, layout="mono")
            for number, frame in enumerate(frames):
                frame.pts, frame.time_base, frame.pict_type = ticks[number], MILLISECOND, 0
                output.mux(video.encode(frame))
                piece = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.int16), format="s16", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 8000, ticks[number], MILLISECOND
                output.mux(sound.encode(piece))
            output.mux(video.encode(None))
            output.mux(sound.encode(None))
    return paths[0], paths[1]


@pytest.mark.parametrize(("bf", "by"), thinned(product([0, 3], [2 * 86400 * 1000, YEAR, 100 * YEAR])))
def test_a_clock_that_is_set_on_by_days_or_years(
    frames: list[av.VideoFrame], tmp_path: Path, bf: int, by: int, caplog: pytest.LogCaptureFixture
) -> None:
    plain, source = leaping(tmp_path, frames, by, bf)
    wanted, got = walk(plain), walk(source)
    assert len(got[0]) == 75
    assert sorted(steps(got[0]))[:-1] == 73 * [40]
    assert max(steps(got[0])) <= (40 if bf == 0 else 200)
    assert abs((got[1][-1] - got[0][-1]) - (wanted[1][-1] - wanted[0][-1])) <= 1
    assert caplog.text.count("foo.mkv: the clock breaks off 1 times") == 1
    assert "truncated" not in caplog.text
    result = facered.combined(source, tmp_path / "out")
    assert len(videos.times(result.video_path)) == 75


def test_a_pause_of_hours_stays(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    _, source = leaping(tmp_path, frames, 20 * 3600 * 1000, 0)
    assert max(steps(walk(source)[0])) == 20 * 3600 * 1000 + 40
    times = videos.times(facered.combined(source, tmp_path / "out").video_path)
    assert len(times) == 75
    assert round(max(later - earlier for earlier, later in pairwise(times))) == 20 * 3600


def test_a_clock_that_begins_in_the_far_future_begins_at_0(frames: list[av.VideoFrame], tmp_path: Path) -> None:
    source = videos.encode(
        tmp_path / "foo.mkv", frames, time_base=MILLISECOND, ticks=[400 * YEAR + 40 * number for number in range(75)],
        options={"bf": "0"},
    )  # fmt: skip
    pictures, _ = walk(source)
    assert (pictures[0], steps(pictures)) == (0, 74 * [40])


def test_a_picture_that_a_container_cannot_hold_is_an_error_and_not_left_out(
    frames: list[av.VideoFrame], tmp_path: Path
) -> None:
    clock = 10_000_000
    ticks = [clock // 25 * number + (number >= 40) * 600 * clock for number in range(75)]
    source = videos.encode(
        tmp_path / "foo.nut", frames, time_base=Fraction(1, clock), ticks=ticks, options={"bf": "0"}, audio="mp2"
    )
    with pytest.raises(facered.ContentUnsupportedError, match=r"a frame lasts 600 s, more than .* such as film\.mkv"):
        facered.combined(source, tmp_path / "out")
    assert len(videos.times(facered.combined(source, tmp_path / "foo.mkv").video_path)) == 75
