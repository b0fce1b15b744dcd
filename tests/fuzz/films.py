"""Targets that read films: tiny ones of every kind, broken in places, through whole jobs."""

from __future__ import annotations

import contextlib
import io
import tempfile
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import av
import numpy as np
from numpy.typing import NDArray

import facered
import videos
from facered.cli.main import main
from facered.errors import FaceredError
from facered.jobs.outputs import Outputs
from facered.video.sequence import ImageSequence
from fuzz.mutation import mutated_bytes
from fuzz.target import Target, check, check_only

WIDTH, HEIGHT, FRAMES = 96, 64, 8
MAX_PIXELS = 4_000_000
"""The option for the jobs here: with the one that is usual a gigabyte does not hold the pictures of a decoder."""
DETECT_SIZE = 128
"""The least that finds the face."""
OLD = b"what was there before"


@dataclass(frozen=True)
class Kind:
    """A kind of file, and how one is made."""

    suffix: str
    codec: str = "libx264"
    sound: str | None = None
    pixel_format: str = "yuv420p"
    container: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (WIDTH, HEIGHT)
    sequence: bool = False
    """Whether it is one of several images."""


KINDS = {
    "mp4": Kind("mp4", sound="aac"),
    "mov": Kind("mov", "mpeg4", "pcm_s16le"),
    "wmv": Kind("wmv", "wmv2", "wmav2"),
    "mkv": Kind("mkv", sound="flac"),
    "webm": Kind("webm", "libvpx-vp9", "libopus", options={"cpu-used": "8"}),
    "ts": Kind("ts", "mpeg2video", "mp2"),
    "avi": Kind("avi", "mpeg4", "pcm_s16le"),
    "mpg": Kind("mpg", "mpeg1video", "mp2", container="mpeg"),
    "flv": Kind("flv", sound="aac"),
    "gif": Kind("gif", "gif", pixel_format="rgb8"),
    "apng": Kind("apng", "apng", pixel_format="rgb24", container="apng"),
    "webp": Kind("webp", "libwebp_anim", pixel_format="yuv420p"),
    "png": Kind("png", "png", pixel_format="rgb24", container="image2", sequence=True),
    "jpg": Kind("jpg", "mjpeg", pixel_format="yuvj420p", container="image2", sequence=True),
    "tif": Kind("tif", "tiff", pixel_format="rgb24", container="image2", sequence=True),
    "h264": Kind("h264", container="h264"),
    "hevc": Kind("hevc", "libx265", container="hevc", options={"x265-params": "log-level=none"}),
    "dv": Kind("dv", "dvvideo", container="dv", size=(720, 576)),
}  # fmt: skip
HEAD = [
    (0, -0.35, 0.85, 1.0, (50, 35, 25)), (0, 0, 0.72, 1.0, (205, 155, 125)),
    (-0.3, -0.12, 0.16, 0.07, (60, 40, 35)), (0.3, -0.12, 0.16, 0.07, (60, 40, 35)),
    (-0.3, -0.3, 0.2, 0.05, (80, 50, 40)), (0.3, -0.3, 0.2, 0.05, (80, 50, 40)),
    (0, 0.2, 0.1, 0.14, (180, 125, 100)), (0, 0.5, 0.26, 0.07, (150, 70, 70)),
]  # fmt: skip
"""Hair, skin, eyes, brows, nose and mouth: middle and size in parts of the head, and colour."""
NAMED = ("mp4", "mov", "mkv", "png", "gif")

WAYS: list[dict[str, object]] = [
    {},
    {},
    {"output": "in.mkv", "audio": "aac"},
    {"start": 0.1, "end": 0.25},
    {"strict": True},
    {"mode": "redact"},
    {"mode": "redact", "blur": "Mosaic", "output": "in.mov"},
]
"""How a film is treated: by its checksum, so that the same film always is in the same way."""


def frames(width: int, height: int) -> list[av.VideoFrame]:
    """Return pictures of a drawn face that moves before stripes, with a cut after the fifth."""
    return [
        av.VideoFrame.from_ndarray(_face(width, height, 0.35 + 0.04 * number, number > 4), format="rgb24")
        for number in range(FRAMES)
    ]


def _face(width: int, height: int, across: float, dark: bool) -> NDArray[np.uint8]:
    """Return a face as far from the left as is told; detectors find it."""
    y, x = np.mgrid[:height, :width]
    picture = np.array([30, 40, 60] if dark else [70, 90, 110]) * (0.8 + 0.2 * np.sin(x / 7))[..., None]
    size = 0.4 * height
    for left, top, wide, high, colour in HEAD:
        away = np.hypot(
            (x - width * across - left * size) / (wide * size), (y - (0.55 + top * 0.4) * height) / (high * size)
        )
        opaque = np.clip((1.25 - away) / 0.25, 0, 1)[..., None]
        picture = picture * (1 - opaque) + np.array(colour) * opaque
    return np.clip(picture, 0, 255).astype(np.uint8)


@cache
def seed_of(name: str) -> bytes:
    """Return a whole file of a kind."""
    kind = KINDS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"seed.{kind.suffix}")
        videos.encode(
            path,
            frames(*kind.size)[: 1 if kind.sequence else FRAMES if kind.suffix != "dv" else 2],
            codec=kind.codec,
            pixel_format=kind.pixel_format,
            audio=kind.sound,
            audio_seconds=0.1 if "pcm" in (kind.sound or "") else 0.3,
            container_format=kind.container,
            options={"threads": "1", "flags": "+bitexact", **kind.options},
            container_options={"fflags": "+bitexact", **({"update": "1"} if kind.sequence else {})},
        )
        return path.read_bytes()


@cache
def smallest() -> bytes:
    """Return a film of two frames."""
    with tempfile.TemporaryDirectory() as folder:
        return videos.encode(Path(folder, "small.mp4"), frames(32, 32)[:2]).read_bytes()


def check_readable(path: Path, count: int) -> None:
    """Make sure that a result can be read, from its first frame to its last."""
    sequence = ImageSequence.of(path)
    found, times = 0, []
    for file in [path] if sequence is None or path.is_file() else sequence.files():
        with av.open(f"file:{file}") as container:
            for frame in container.decode(video=0):
                found += 1
                times.append(frame.time or 0.0)
    check(found == count, f"the result has {found} frames, {count} were promised")
    # Matroska's times are in milliseconds, which pictures of a broken clock may be less than apart.
    grow = all(a < b or (a == b and path.suffix == ".mkv") for a, b in pairwise(times))
    check(sequence is not None or grow, "the result's times do not grow")


def _run(name: str, data: bytes, folder: Path) -> str:
    kind, way = KINDS[name], dict(WAYS[crc32(data) % len(WAYS)])
    folder, out = folder / "in", folder / "out"
    folder.mkdir()
    out.mkdir()
    source = folder / f"in.{kind.suffix}"
    if kind.sequence:
        source = folder / f"in%02d.{kind.suffix}"
        for number in range(3):
            Path(str(source) % number).write_bytes(data if number == 1 else seed_of(name))
        way.pop("output", None)
    else:
        source.write_bytes(data)
    given = set(folder.iterdir())
    mode, target = way.pop("mode", "combined"), out / str(way.pop("output", ""))
    before = _files(Outputs.of(source, target))
    for path in before:
        path.write_bytes(OLD)
    try:
        result = _done(mode, source, target, way)
    except FaceredError:
        for path in before:
            check(path.is_file() and path.read_bytes() == OLD, f"{path.name}, which was there before, is damaged")
        written = out.glob("*_annotations.json") if mode == "redact" else ()
        check_only(out, [*before, *written, *out.glob("*_thumb*.jpg")])
        raise
    finally:
        check_only(folder, given)
    assert result.video_path is not None
    check_readable(result.video_path, result.frames)
    results = _files(Outputs.of(source, target))
    check_only(out, [*results, *out.glob("*_annotations.json"), *out.glob("*_thumb*.jpg")])
    return f"{min(result.frames, 9)} frames, {min(result.people or 0, 3)} people"


def _done(mode: object, source: Path, target: Path, way: dict[str, object]) -> facered.Result:
    options = {"threshold": 0.1, "detect_size": DETECT_SIZE, "max_pixels": MAX_PIXELS, "threads": 1, "overwrite": True}
    encoding = {"preset": "ultrafast", **way}
    if mode == "combined":
        return facered.combined(source, target, **options, **encoding)
    place = target if target.suffix == "" else target.parent
    analyzed = facered.analyze(source, place, **options)
    shared = {name: options[name] for name in ("max_pixels", "threads", "overwrite")}
    return facered.redact(source, target, annotations=analyzed.annotations_path, **shared, **encoding)


def _files(outputs: Outputs) -> list[Path]:
    if outputs.sequence is None:
        return [outputs.video]
    return outputs.sequence.files() or [outputs.sequence.file(1)]


def _target(name: str) -> Target:
    return Target(
        f"film.{name}",
        lambda: [seed_of(name)],
        mutated_bytes,
        lambda data, folder: _run(name, data, folder),
        share=1.2,
        seconds=60,
    )


def _pipe(name: str, data: bytes, folder: Path) -> str:
    """Give a film to ``facered pipe``, which takes it as it comes and cannot look ahead."""
    source, target, told = folder / f"in.{KINDS[name].suffix}", folder / "out.mkv", io.StringIO()
    source.write_bytes(data)
    options = ["--reconnect", "0", "--threshold", "0.1", "--detect-size", str(DETECT_SIZE), "--lookahead", "2"]
    with contextlib.redirect_stderr(told):
        code = main(["pipe", str(source), "-o", str(target), "--preset", "ultrafast", *options])
    # It writes as it reads, and so may end with 1 where an encoder or a container refuses what comes.
    sound = code in (0, 2, 3) or (code == 1 and "internal error" not in told.getvalue())
    check(sound and "Traceback" not in told.getvalue(), f"exit code {code}: {told.getvalue()[-1500:]}")
    check(code == 0 or told.getvalue().strip(), f"exit code {code} without a word")
    check_only(folder, [source, target])
    frames = 0
    if code == 0:
        with av.open(str(target)) as container:
            frames = sum(1 for _ in container.decode(video=0))
    return f"{code}, {min(frames, 9)} frames, {told.getvalue().splitlines()[-1] if code else ''}"


def _live_target(name: str) -> Target:
    return Target(
        f"live.{name}",
        lambda: [seed_of(name)],
        mutated_bytes,
        lambda data, folder: _pipe(name, data, folder),
        seconds=60,
    )


TARGETS = [*map(_target, KINDS), *map(_live_target, ("ts", "mkv", "flv", "h264"))]
