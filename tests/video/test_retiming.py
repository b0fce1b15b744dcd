"""Sound and subtitles whose times stand still, fall or begin before 0."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.video.output.retiming import MAX_WAITING, Retimer

LONG = 20
"""Ticks that a packet of sound lasts here."""


def packets(times: Sequence[int | None]) -> list[av.Packet]:
    made = []
    for number, time in enumerate(times):
        packet = av.Packet(bytes([number % 256]))
        packet.pts = packet.dts = time
        packet.duration = LONG
        made.append(packet)
    return made


def retimed(times: Sequence[int | None], retimer: Retimer) -> list[tuple[int, int | None]]:
    """Return number and time of each packet that comes out."""
    out = [ready for packet in packets(times) for ready in retimer.take(packet)] + retimer.flush()
    return [(bytes(packet)[0], packet.dts) for packet in out]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 20, 40, 100, 120], [0, 20, 40, 100, 120]),  # a pause stays
        ([0, 19, 39, 58, 77], [0, 19, 39, 58, 77]),  # so does a clock that is a little slow
        ([0, 0, 0, 60, 80], [0, 20, 40, 60, 80]),
        ([0, 40, 20, 60, 80], [0, 20, 40, 60, 80]),  # two have exchanged their times
        ([0, 20, 15, 60, 80], [0, 20, 40, 60, 80]),
        ([0, 20, 9000, 60, 80], [0, 20, 40, 60, 80]),  # one leaps
        ([None, 20, None, 60], [0, 20, 40, 60]),
        ([0, 0, 0, 0], [0, 20, 40, 60]),  # they never go on
    ],
)
def test_sound_gets_the_times_that_it_must_have_had(times: list[int | None], expected: list[int]) -> None:
    retimer = Retimer(sound=True)
    assert retimed(times, retimer) == list(enumerate(expected))
    assert retimer.retimed == sum(own is not None and own != time for own, time in zip(times, expected, strict=True))
    assert (retimer.taken, retimer.dropped) == (len(times), 0)


def test_sound_that_comes_twice_is_left_out() -> None:
    retimer = Retimer(sound=True)
    assert retimed([0, 20, 40, 60, 35, 55, 75, 95], retimer) == [(0, 0), (1, 20), (2, 40), (3, 60), (6, 75), (7, 95)]
    assert (retimer.retimed, retimer.dropped) == (0, 2)


def test_sound_whose_clock_is_reset_goes_on_without_waiting_for_ever() -> None:
    times = [*range(10_000, 10_200, LONG), *range(0, 4 * MAX_WAITING * LONG, LONG)]
    assert [time for _, time in retimed(times, Retimer(sound=True))] == list(
        range(10_000, 10_000 + len(times) * LONG, LONG)
    )
    retimer = Retimer(sound=True)
    out = [ready for packet in packets(times) for ready in retimer.take(packet)]
    assert len(times) - len(out) <= MAX_WAITING


def test_containers_that_allow_it_keep_times_that_stand_still() -> None:
    assert retimed([0, 0, 1, 1], Retimer(sound=True, strict=False)) == [(0, 0), (1, 0), (2, 1), (3, 1)]


def test_subtitles_do_not_wait() -> None:
    retimer = Retimer(sound=False)
    begun = [[ready.dts for ready in retimer.take(packet)] for packet in packets([0, 500, 500, 100, 900])]
    assert begun == [[0], [500], [500], [510], [900]]
    assert (retimer.retimed, retimer.dropped) == (1, 0)


def joined(path: Path, frames: list[av.VideoFrame], starts: Sequence[int]) -> Path:
    """Write a transport stream of one recording behind the other, with half a second of sound, which begin at ticks."""
    parts = [
        videos.encode(
            path.with_name(f"{start}.ts"),
            frames,
            audio="mp2",
            time_base=Fraction(1, 90000),
            ticks=range(start, start + 3600 * len(frames), 3600),
            audio_start=Fraction(start, 90000),
        )
        for start in starts
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def seconds(path: Path) -> float:
    """Return how much sound can be decoded."""
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_recordings_that_overlap_are_one_film(
    carphone: Path, tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = joined(tmp_path / "foo.ts", videos.decode(carphone, 12), [0, 90000 // 2 - 5000])
    result = facered.combined(source, tmp_path / f"bar.{suffix}")
    assert len(videos.times(result.video_path)) == 24
    heard = [time for time, _ in videos.packets(source, "audio")]
    assert min(later - earlier for earlier, later in itertools.pairwise(heard)) < -Fraction(1, 20)
    assert seconds(result.video_path) == pytest.approx(float(heard[-1] - heard[0]), abs=1.1 * 1152 / 44100)
    assert (
        "audio stream 1: times stand still or fall; of 38 packets 0 got other times and 5 were left out" in caplog.text
    )
    times = [time for time, _ in videos.packets(result.video_path, "audio")]
    assert all(one < other for one, other in itertools.pairwise(times))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("lead", [0, 4500])
def test_a_film_that_begins_before_0_is_shown_from_its_beginning(
    carphone: Path, tmp_path: Path, suffix: str, lead: int
) -> None:
    """A transport stream whose clock wraps: FFmpeg tells times before 0."""
    begin = 2**33 - 40_000
    frames = videos.decode(carphone, 12)
    source = videos.encode(
        tmp_path / "foo.ts",
        frames,
        audio="mp2",
        time_base=Fraction(1, 90000),
        ticks=range(begin, begin + 3600 * 12, 3600),
        audio_start=Fraction(begin - lead, 90000),
    )
    result = facered.combined(source, tmp_path / f"bar.{suffix}")
    before, after = videos.times(source), videos.times(result.video_path)
    assert len(before) == len(after) == 12
    assert [round(float(time - after[0]), 2) for time in after] == [round(n / 25, 2) for n in range(12)]
    assert seconds(result.video_path) == pytest.approx(seconds(source), abs=0.001)
    apart = [videos.packets(path, "audio")[0][0] - videos.times(path)[0] for path in (source, result.video_path)]
    assert float(apart[1]) == pytest.approx(float(apart[0]), abs=0.002)
