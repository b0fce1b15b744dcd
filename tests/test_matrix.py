"""Kinds of input against properties of the film; docs/formats.md holds what comes of it, and this proves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
from bench import fidelity

import facered
import videos

PAGE = Path(__file__).resolve().parent.parent / "docs" / "formats.md"
HEAD = (
    "| input | becomes | frames, times | size, depth, chroma | colours | aspect | turned | sound | title | chapters |"
)


@dataclass(frozen=True)
class Kind:
    """How a film is made: the name of its row, its codecs and pixel format, and its clock."""

    name: str
    suffix: str
    codec: str
    pixel_format: str
    sound: str
    clock: int
    options: dict[str, str] = field(default_factory=dict)


KINDS = [
    Kind("MP4, H.264, AAC", "mp4", "libx264", "yuv420p", "aac", 25),
    Kind("MP4, H.264 of full range, MP3", "mp4", "libx264", "yuvj420p", "libmp3lame", 90000),
    Kind("MP4, HEVC 10 bits, AC-3", "mp4", "libx265", "yuv420p10le", "ac3", 24000, {"x265-params": "log-level=none"}),
    Kind("MP4, AV1, Opus", "mp4", "libsvtav1", "yuv420p10le", "libopus", 25),
    Kind("MP4, MPEG-4, AAC", "mp4", "mpeg4", "yuv420p", "aac", 25),
    Kind("MOV, ProRes 422, PCM", "mov", "prores_ks", "yuv422p10le", "pcm_s16le", 25),
    Kind("MOV, H.264 4:4:4, AAC", "mov", "libx264", "yuv444p", "aac", 600),
    Kind("MKV, FFV1 4:2:2 12 bits, FLAC", "mkv", "ffv1", "yuv422p12le", "flac", 1000),
    Kind("WebM, VP9, Opus", "webm", "libvpx-vp9", "yuv420p", "libopus", 1000),
    Kind("AVI, MJPEG, PCM", "avi", "mjpeg", "yuvj422p", "pcm_s16le", 25),
    Kind("WMV, WMV2, WMA", "wmv", "wmv2", "yuv420p", "wmav2", 1000),
    Kind("MPEG-TS, H.264, MP2", "ts", "libx264", "yuv420p", "mp2", 90000),
    Kind("MPEG-PS, MPEG-2, MP2", "mpg", "mpeg2video", "yuv420p", "mp2", 25),
]


def cells(source: fidelity.Film, result: fidelity.Film) -> list[str]:
    """Return what became of each property: kept, changed to something, or nothing to keep."""

    def fate(*names: str, nothing: str | None = None) -> str:
        before, after = ([film.facts[name] for name in names] for film in (source, result))
        if before == [nothing] * len(names):
            return "–" if after == before else "changed"
        return "kept" if after == before else "changed"

    same_format = source.facts["pixel format"] == result.facts["pixel format"]
    shape = fate("size as shown") if same_format else result.facts["pixel format"]
    sound = "bit for bit" if source.sounds_like(result) else "AAC" if result.facts["sound"] == "aac" else "changed"
    return [
        {"h264": "H.264", "hevc": "HEVC"}[result.facts["codec"]],
        "kept" if source.times == result.times else "changed",
        shape,
        fate("range, matrix", "primaries, transfer"),
        fate("aspect of a pixel", nothing="1"),
        fate("turned", nothing="no"),
        sound,
        fate("title", nothing="-"),
        fate("chapters", nothing="0"),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_matrix(carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    frames = videos.decode(carphone, 8)
    turned = kind.suffix in ("mp4", "mov", "mkv")
    ticks = [round(Fraction(kind.clock * n, 25)) for n in range(len(frames))]
    made = fidelity.make(
        tmp_path / f"foo.{kind.suffix}", iter(frames), kind.codec, kind.pixel_format, ticks, Fraction(1, kind.clock),
        options=kind.options, aspect=Fraction(12, 11), matrix=fidelity.QUARTER if turned else None,
        colours={"color_primaries": 1, "color_trc": 1, "colorspace": 1}, sound=[(kind.sound, "eng")],
        tags={"title": "Exhibit 7"}, chapters=True,
    )  # fmt: skip
    result = facered.combined(made, tmp_path, threshold=0.9)
    found = "| " + " | ".join([kind.name, *cells(fidelity.describe(made), fidelity.describe(result.video_path))]) + " |"
    page = PAGE.read_text().splitlines()
    assert HEAD in page
    assert found in page
