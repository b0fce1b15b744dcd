"""Files of the kinds that people have, as a table, and what comes of each: a row of docs/formats.md."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

import facered
import videos
from broadcasts import programmes
from entering import FRAMES, Scene, bare

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


def set_back(path: Path) -> None:
    videos.set_back(path, path, 1000, 1000)


def begin_before_zero(path: Path) -> None:
    videos.begin_before_zero(path, path, 600)


def damage_sound(path: Path) -> None:
    videos.damage_sound(path, (3, 4, 9))


def second_programme(path: Path) -> None:
    path.write_bytes(programmes(path.read_bytes(), ["va", "va"]))


def programme_without_sound(path: Path) -> None:
    path.write_bytes(programmes(path.read_bytes(), ["v", "va"]))


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
    container_options: dict[str, str] = field(default_factory=dict)
    sound_seconds: float = 0.5
    size: tuple[int, int] | None = None
    """To which the scene is stretched."""
    heard: bool = True
    """Whether its sound comes along."""
    change: Callable[[Path], object] | None = None
    """What is done to the file when it is written."""


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
    File("raw DV", "foo.dv", "dvvideo", clock=25, size=(720, 576), container="dv"),
    File("MKV that begins before 0", "foo.mkv", options={"bf": "2"}, change=begin_before_zero),
    File("MPEG-TS across the clock's wrap, AAC", "foo.ts", sound="aac", clock=90000,
         container_options={"output_ts_offset": "95442.5"}),
    File("MKV whose clock is set back by a second, AAC", "foo.mkv", sound="aac", options={"bf": "0"},
         container_options={"cluster_time_limit": "500"}, sound_seconds=2.4, change=set_back),
    File("MPEG-TS, broken packets of AAC", "foo.ts", sound="aac", sound_seconds=2.4, clock=90000, change=damage_sound),
    File("MPEG-TS, another programme", "foo.ts", sound="mp2", clock=90000, change=second_programme),
    File("MPEG-TS, only another programme has sound", "foo.ts", clock=90000, sound="mp2", heard=False,
         change=programme_without_sound),
    File("MP4 of twelve million ticks, all within a moment", "foo.mp4", clock=12_000_000,
         ticks=lambda number, _: number),
    File("called `22:57:44.mp4`", "22:57:44.mp4", sound="aac"),
    File("called `http:host.mp4`", "http:host.mp4"),
    File("called `50%off %04d.mp4`", "50%off %04d.mp4"),
    File("called `-x.mkv`", "-x.mkv"),
    File("called by 240 letters", "é" * 110 + "a" * 16 + ".mp4"),
]  # fmt: skip


def made(file: File, scene: Scene, folder: Path) -> Path:
    """Make the file."""
    ticks = [file.ticks(number, file.clock) for number in range(FRAMES)]
    path = videos.encode(
        folder / file.name,
        scene.frames if file.size is None else [frame.reformat(*file.size) for frame in scene.frames],
        codec=file.codec,
        time_base=Fraction(1, file.clock),
        ticks=ticks,
        options=file.options,
        audio=file.sound,
        container_format=file.container,
        container_options=file.container_options,
        rate=Fraction(file.rate),
        audio_seconds=file.sound_seconds,
    )
    if file.change is not None:
        file.change(path)
    return path


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Attributes
    ----------
    frames : int
        Frames that came back.
    late : float
        By how many seconds a frame is shown early or late, at most.
    bare : int
        Frames of those with a face in which some of it is not hidden.
    sound, sound_before : float
        Seconds of sound, and in the source.
    said : str
        All warnings.
    same : bool
        Whether analyze and redact made what combined made.
    """

    frames: int
    late: float
    bare: int
    sound: float
    sound_before: float
    said: str
    same: bool


def outcome(file: File, scene: Scene, folder: Path, records: Sequence[logging.LogRecord]) -> Outcome:
    """Make a file and see what comes of it; `records` is where warnings go."""
    source = made(file, scene, folder)
    result = facered.combined(source, folder / "combined", annotations=True)
    spoken = said(records, file)
    found = facered.analyze(source, folder / "passes").annotations
    again = facered.redact(source, folder / "passes")
    assert result.video_path is not None
    assert again.video_path is not None
    wanted = steps([Fraction(file.ticks(number, file.clock), file.clock) for number in range(FRAMES)])
    shown = steps([Fraction(frame.pts) * frame.time_base for frame in videos.decode(result.video_path)])
    return Outcome(
        frames=min(result.frames, len(found.pts), len(shown)),
        late=max(abs(a - b) for a, b in zip(wanted, shown, strict=False)),
        bare=len(bare(scene if file.size is None else scene.scaled(*file.size), found)),
        sound=seconds_of_sound(result.video_path),
        sound_before=seconds_of_sound(source),
        said=spoken,
        same=again.video_path.read_bytes() == result.video_path.read_bytes(),
    )


def row(file: File, scene: Scene, came: Outcome) -> str:
    """Return the line of the table."""
    faces, heard = len(scene.faces), f"{came.sound:.1f} s" if file.sound else "–"
    return f"| {file.row} | {came.frames} of {FRAMES} | {faces - came.bare} of {faces} | {heard} | {came.said or '–'} |"


def steps(times: Sequence[Fraction]) -> list[float]:
    """Return the frames' times from the first one on."""
    return [float(time - times[0]) for time in times]


def seconds_of_sound(path: Path) -> float:
    """Return how many seconds of sound can be decoded."""
    seconds = 0.0
    with av.open(f"file:{path}") as container:
        for packet in container.demux(container.streams.audio[:1]) if container.streams.audio else ():
            with suppress(FFmpegError):
                seconds += sum(frame.samples / frame.sample_rate for frame in packet.decode())
    return seconds


def said(records: Sequence[logging.LogRecord], file: File) -> str:
    """Return what was said of a file."""
    messages = dict.fromkeys(record.getMessage() for record in records if record.levelno >= logging.WARNING)
    return "; ".join(message.partition(f"{file.name}: ")[2] or message for message in messages)
