"""What the result is encoded as: depth, chroma, range, colours, fields, and what the caller asks for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type as SideDataType
from bench import fidelity

import facered
import videos

QUIET = {"libx265": {"x265-params": "log-level=none"}, "libx264": {"crf": "5"}}


@pytest.fixture(scope="module")
def faces(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 3)


def encoded(path: Path, frames: list[av.VideoFrame], codec: str, pixel_format: str, **options: Any) -> Path:
    frames = [frame.reformat(format=pixel_format, **options.pop("reformat", {})) for frame in frames]
    return videos.encode(path, frames, codec=codec, pixel_format=pixel_format, options=QUIET.get(codec), **options)


def kind(path: Path) -> tuple[str, str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.codec.canonical_name, next(container.decode(stream)).format.name


def assert_alike(before: Path, after: Path, step: int = 1) -> None:
    """The corner, far from the face, looks as it did, to the last bits of its depth."""
    for one, other in zip(videos.decode(before), videos.decode(after), strict=True):
        pictures = [frame.reformat(format="gray16le").to_ndarray()[:40, :40].astype(int) for frame in (one, other)]
        assert np.abs(pictures[0] - pictures[1]).mean() < 2.5 * 256 * step


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix", "expected"),
    [
        ("libx264", "yuv420p", "mp4", ("h264", "yuv420p")),
        ("libx264", "yuv422p", "mp4", ("h264", "yuv422p")),
        ("libx264", "yuv444p", "mp4", ("h264", "yuv444p")),
        ("libx264", "yuvj420p", "mp4", ("h264", "yuvj420p")),
        ("mjpeg", "yuvj422p", "avi", ("h264", "yuvj422p")),
        ("libx265", "yuv420p10le", "mp4", ("hevc", "yuv420p10le")),
        ("libx265", "yuv422p12le", "mkv", ("hevc", "yuv422p12le")),
        ("prores_ks", "yuv422p10le", "mov", ("hevc", "yuv422p10le")),
        ("prores_ks", "yuva444p10le", "mov", ("hevc", "yuv444p12le")),
        ("rawvideo", "yuv411p", "nut", ("h264", "yuv422p")),
        ("libvpx-vp9", "yuv440p", "mkv", ("h264", "yuv444p")),
        ("rawvideo", "gray12le", "nut", ("hevc", "gray12le")),
        ("rawvideo", "nv21", "nut", ("h264", "yuv420p")),
        ("rawvideo", "uyvy422", "nut", ("h264", "yuv422p")),
        ("rawvideo", "yuv420p16le", "nut", ("hevc", "yuv420p12le")),
        ("ffv1", "gbrp10le", "mkv", ("hevc", "yuv444p10le")),
        ("gif", "rgb8", "gif", ("h264", "yuv444p")),
    ],
)
def test_depth_and_chroma_are_kept(
    faces: list[av.VideoFrame], tmp_path: Path, codec: str, pixel_format: str, suffix: str, expected: tuple[str, str]
) -> None:
    source = encoded(tmp_path / f"foo.{suffix}", faces, codec, pixel_format)
    result = facered.combined(source, tmp_path, crf=4)
    assert kind(result.video_path) == expected
    assert result.people == 1
    assert_alike(source, result.video_path)


def test_rgb_is_converted_once_and_said(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = encoded(tmp_path / "foo.mov", faces, "png", "rgb24")
    result = facered.combined(source, tmp_path, crf=1)
    assert caplog.text.count("rgb24 frames are converted to yuv444p") == 1
    frame = videos.decode(result.video_path, 1)[0]
    assert (frame.format.name, frame.colorspace, frame.color_range) == ("yuv444p", 1, 1)
    before, after = (videos.decode(path, 1)[0].to_ndarray(format="rgb24") for path in (source, result.video_path))
    assert np.abs(before[:40, :40].astype(int) - after[:40, :40]).mean() < 1.5


@pytest.mark.parametrize(
    ("options", "suffix", "expected"),
    [
        ({"codec": "hevc"}, "mp4", ("hevc", "yuvj420p")),
        ({"codec": "av1"}, "mp4", ("av1", "yuv420p")),
        ({"codec": "prores"}, "mov", ("prores", "yuv422p10le")),
        ({"codec": "h264", "pix_fmt": "yuv444p10le"}, "mkv", ("h264", "yuv444p10le")),
        ({"pix_fmt": "yuvj444p"}, "mp4", ("h264", "yuvj444p")),
    ],
)
def test_codec_and_pixel_format_can_be_chosen_and_black_stays_black(
    faces: list[av.VideoFrame], tmp_path: Path, options: dict[str, Any], suffix: str, expected: tuple[str, str]
) -> None:
    source = encoded(tmp_path / "foo.mov", faces, "libx264", "yuvj420p")
    result = facered.combined(source, tmp_path / f"bar.{suffix}", crf=4, **options)
    assert kind(result.video_path) == expected
    if expected[0] == "av1":
        assert videos.decode(result.video_path, 1)[0].color_range == 2
    before, after = (videos.decode(path, 1)[0].to_ndarray(format="rgb24") for path in (source, result.video_path))
    assert abs(before[:40, :40].mean() - after[:40, :40].mean()) < 1.5


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ({"codec": "prores"}, "bar.mp4", "cannot hold prores"),
        ({"pix_fmt": "yuv999p"}, "bar.mp4", "for h264 it can be yuv420p"),
        ({"encoder_options": {"nonsense": "1"}}, "bar.mp4", "'nonsense' is not known"),
        ({"codec": "h264", "encoder_options": {"profile": "nonsense"}}, "bar.mp4", "with these options"),
    ],
)
def test_what_cannot_be_encoded_is_an_error_before_anything_is_written(
    faces: list[av.VideoFrame], tmp_path: Path, options: dict[str, Any], name: str, message: str
) -> None:
    source = encoded(tmp_path / "foo.mp4", faces, "libx264", "yuv420p")
    with pytest.raises(facered.ConfigurationUnsupportedError, match=message):
        facered.combined(source, tmp_path / "out" / name, **options)
    assert not list((tmp_path / "out").iterdir())


def test_bitrate_and_encoder_options_reach_the_encoder(faces: list[av.VideoFrame], tmp_path: Path) -> None:
    source = encoded(tmp_path / "foo.mp4", faces * 20, "libx264", "yuv420p")
    small, large = (
        facered.combined(source, tmp_path / f"{rate}.mp4", bitrate=rate).video_path.stat().st_size
        for rate in ("30k", "0.6M")
    )
    assert large > 3 * small
    tuned = facered.combined(
        source, tmp_path / "tuned.mp4", encoder_options={"tune": "grain", "x264-params": "keyint=7"}
    )
    with av.open(str(tuned.video_path)) as container:
        keys = [index for index, packet in enumerate(container.demux(video=0)) if packet.is_keyframe]
    assert len(keys) >= 8


HDR = {
    "x265-params": "log-level=none:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400"
}


@pytest.mark.parametrize("codec", [None, "av1", "h264"])
def test_hdr_stays_hdr(faces: list[av.VideoFrame], tmp_path: Path, codec: str | None) -> None:
    frames = [frame.reformat(format="yuv420p10le") for frame in faces]
    tags = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
    source = videos.encode(
        tmp_path / "foo.mp4", frames, codec="libx265", pixel_format="yuv420p10le", options=HDR, tags=tags
    )
    result = facered.combined(source, tmp_path, codec=codec)
    before, after = (videos.decode(path, 1)[0] for path in (source, result.video_path))
    assert after.format.name == "yuv420p10le"
    assert {name: getattr(after, name) for name in tags} == tags
    for data in (SideDataType.MASTERING_DISPLAY_METADATA, SideDataType.CONTENT_LIGHT_LEVEL):
        numbers = [memoryview(frame.side_data[data]).cast("B").cast("i").tolist() for frame in (before, after)]
        if data is SideDataType.CONTENT_LIGHT_LEVEL:
            assert numbers[0][:2] == numbers[1][:2] == [1000, 400]
        else:
            lights = [[a / b for a, b in zip(n[0:20:2], n[1:20:2], strict=True)] for n in numbers]
            np.testing.assert_allclose(lights[0], lights[1], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "flags", "expected"),
    [
        ("libx264", "yuv420p", "+ildct+ilme", "h264"),
        ("mpeg2video", "yuv422p", "+ildct+ilme", "h264"),
        ("prores_ks", "yuv422p10le", "+ildct", "h264"),
    ],
)
def test_interlaced_pictures_stay_interlaced_and_their_fields_apart(
    faces: list[av.VideoFrame], tmp_path: Path, codec: str, pixel_format: str, flags: str, expected: str
) -> None:
    """Odd rows are of another moment: here of another picture, much darker."""
    woven = []
    for frame in faces:
        picture = frame.to_ndarray(format="rgb24").copy()
        picture[1::2] //= 4
        woven.append(av.VideoFrame.from_ndarray(picture).reformat(format=pixel_format))
    options = {"flags": flags, **({"crf": "3"} if codec == "libx264" else {"b": "20000k"})}
    source = videos.encode(tmp_path / "foo.mov", woven, codec=codec, pixel_format=pixel_format, options=options)
    found = facered.analyze(encoded(tmp_path / "whole.mov", faces, "libx264", "yuv420p"), tmp_path).annotations
    result = facered.redact(source, tmp_path, annotations=found, crf=3)
    assert kind(result.video_path) == (expected, pixel_format)
    for index, frame in enumerate(videos.decode(result.video_path)):
        assert frame.interlaced_frame
        ((x1, y1, x2, y2),) = found.pixel_boxes(index).astype(int)
        box = frame.to_ndarray(format="gray")[
            (3 * y1 + y2) // 4 : (y1 + 3 * y2) // 4, (3 * x1 + x2) // 4 : (x1 + 3 * x2) // 4
        ]
        top = ((3 * y1 + y2) // 4) % 2
        even, odd = (box[(row + top) % 2 :: 2].mean() for row in (0, 1))
        assert even > 1.6 * odd


def test_an_odd_size_is_kept(faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = [videos.enlarge(frame, 175, 143) for frame in faces]
    source = encoded(tmp_path / "foo.mp4", odd, "mpeg4", "yuv420p")
    result = facered.combined(source, tmp_path)
    frame = videos.decode(result.video_path, 1)[0]
    assert (frame.width, frame.height, frame.format.name) == (175, 143, "yuv444p")
    assert "yuv420p frames are encoded as yuv444p" in caplog.text


def test_a_change_of_the_pixel_format_is_mended(faces: list[av.VideoFrame], tmp_path: Path) -> None:
    parts = [encoded(tmp_path / f"{name}.ts", faces, "libx264", name).read_bytes() for name in ("yuv420p", "yuv422p")]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    result = facered.combined(path, tmp_path)
    assert [frame.format.name for frame in videos.decode(result.video_path)] == ["yuv420p"] * 6


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_the_usual_quality_is_visually_lossless(carphone: Path, tmp_path: Path, codec: str) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 12))
    result = facered.combined(source, tmp_path, codec=codec, threshold=1.0)
    assert result.people == 0
    similar = [
        fidelity.similarity(one.to_ndarray(format="gray"), other.to_ndarray(format="gray")).mean()
        for one, other in zip(videos.decode(source), videos.decode(result.video_path), strict=True)
    ]
    assert np.mean(similar) >= 0.98


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25)])
def test_rates_times_and_durations_are_exact(carphone: Path, tmp_path: Path, codec: str, rate: Fraction) -> None:
    time_base, step = Fraction(1, rate.numerator), rate.denominator
    ticks = [n * step for n in (0, 1, 2, 3, 4, 5, 6)]
    source = videos.encode(
        tmp_path / "foo.mp4", videos.decode(carphone, 7), time_base=time_base, ticks=ticks, rate=rate
    )
    result = facered.combined(source, tmp_path, codec=codec)
    assert videos.times(result.video_path) == videos.times(source) == [n / rate for n in range(7)]
    lengths = []
    for path in (source, result.video_path):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            lengths.append((stream.duration * stream.time_base, stream.average_rate))
    assert lengths[0] == lengths[1] == (7 / rate, rate)
