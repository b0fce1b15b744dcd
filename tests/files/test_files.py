"""Files of the kinds that people have, made from a table; docs/formats.md holds what comes of each, proved here.

Every one goes through analyze, redact and combined. The scene is known: somebody comes into the picture, and stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import entering
import facered
import videos
from entering import FRAMES, Scene, bare

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"

Ticks = Callable[[int, int], int]
"""The time of a frame by its number and the clock's ticks a second."""


def steady(rate: int) -> Ticks:
    return lambda number, clock: clock * number // rate


def trembling(number: int, clock: int) -> int:
    return clock * number // 25 + int(np.random.default_rng(number).integers(-clock // 90, clock // 90))


def slowing(number: int, clock: int) -> int:
    return clock * min(number, 30) // 25 + clock * max(number - 30, 0) // 3


def pausing(number: int, clock: int) -> int:
    return clock * number // 25 + (8 * clock if number >= 40 else 0)


USUAL = steady(25)


@dataclass(frozen=True)
class File:
    """How a film is made."""

    row: str
    """What it is called in the table."""
    name: str
    codec: str = "libx264"
    sound: str | None = None
    clock: int = 1000
    """Ticks a second of its times."""
    ticks: Ticks = USUAL
    rate: int = 25
    options: dict[str, str] = field(default_factory=dict)
    container: str | None = None


FILES = [
    File("MP4, 25 a second, AAC", "foo.mp4", sound="aac", clock=12800),
    File("MP4, 1 a second", "foo.mp4", ticks=steady(1), rate=1),
    File("MOV, 5 a second, PCM", "foo.mov", sound="pcm_s16le", ticks=steady(5), rate=5),
    File("MP4, 240 a second", "foo.mp4", clock=12000, ticks=steady(240), rate=240),
    File("MPEG-TS, MP2", "foo.ts", "mpeg2video", "mp2", clock=25, options={"bf": "2"}),
    File("WMV, WMA", "foo.wmv", "wmv2", "wmav2"),
    File("AVI, MPEG-4, PCM", "foo.avi", "mpeg4", "pcm_s16le", clock=25),
    File("AVI, H.264 with B-frames", "foo.avi", clock=25, options={"bf": "3"}),
    File("FLV, AAC", "foo.flv", sound="aac"),
    File("MKV, times in milliseconds, FLAC", "foo.mkv", sound="flac"),
    File("MKV, 25, then 3 a second", "foo.mkv", ticks=slowing),
    File("MKV, a pause of 8 seconds", "foo.mkv", ticks=pausing),
    File("WebM, times that tremble, Opus", "foo.webm", "libvpx-vp9", "libopus", ticks=trembling,
         options={"cpu-used": "8"}),
    File("raw H.264", "foo.h264", clock=30, ticks=steady(30), rate=30, container="h264"),
    File("raw HEVC", "foo.hevc", "libx265", clock=24, ticks=steady(24), rate=24, container="hevc",
         options={"x265-params": "log-level=none"}),
    File("raw MPEG-2", "foo.m2v", "mpeg2video", clock=25, container="mpeg2video"),
    File("MP4 of twelve million ticks, all within a moment", "foo.mp4", clock=12_000_000,
         ticks=lambda number, _: number),
    File("called `22:57:44.mp4`", "22:57:44.mp4", sound="aac"),
    File("called `http:host.mp4`", "http:host.mp4"),
    File("called `50%off %04d.mp4`", "50%off %04d.mp4"),
    File("called `-x.mkv`", "-x.mkv"),
    File("called by 240 letters", "é" * 110 + "a" * 16 + ".mp4"),
]  # fmt: skip


@pytest.fixture(scope="module")
def scene(carphone: Path) -> Scene:
    return entering.make(carphone)


def made(file: File, scene: Scene, folder: Path) -> Path:
    ticks = [file.ticks(number, file.clock) for number in range(FRAMES)]
    return videos.encode(
        folder / file.name,
        scene.frames,
        codec=file.codec,
        time_base=Fraction(1, file.clock),
        ticks=ticks,
        options=file.options,
        audio=file.sound,
        container_format=file.container,
        rate=Fraction(file.rate),
    )


def steps(times: Sequence[Fraction]) -> list[float]:
    """Return the frames' times from the first one on."""
    return [float(time - times[0]) for time in times]


def seconds_of_sound(path: Path) -> float:
    with av.open(f"file:{path}") as container:
        if not container.streams.audio:
            return 0.0
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def said(records: Sequence[logging.LogRecord], file: File) -> str:
    messages = dict.fromkeys(record.getMessage() for record in records if record.levelno >= logging.WARNING)
    return "; ".join(message.partition(f"{file.name}: ")[2] or message for message in messages) or "–"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.row)
def test_files(file: File, scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = made(file, scene, tmp_path)
    result = facered.combined(source, tmp_path / "combined", annotations=True)
    spoken = said(caplog.records, file)
    found = facered.analyze(source, tmp_path / "passes").annotations
    again = facered.redact(source, tmp_path / "passes")
    assert result.video_path is not None
    assert again.video_path is not None
    assert again.video_path.read_bytes() == result.video_path.read_bytes()

    assert result.frames == len(found.pts) == FRAMES
    assert bare(scene, found) == []
    wanted = steps([Fraction(file.ticks(number, file.clock), file.clock) for number in range(FRAMES)])
    shown = steps([Fraction(frame.pts) * frame.time_base for frame in videos.decode(result.video_path)])
    late = max(abs(a - b) for a, b in zip(wanted, shown, strict=True))
    assert late <= 0.0011
    sound = seconds_of_sound(result.video_path)
    assert abs(sound - seconds_of_sound(source)) < 0.06
    heard = f"{sound:.1f} s" if file.sound else "–"
    row = f"| {file.row} | {FRAMES} of {FRAMES} | {len(scene.faces)} of {len(scene.faces)} | {heard} | {spoken} |"
    page = PAGE.read_text().splitlines()
    assert row in page, f"{PAGE.name} lacks {row}"
