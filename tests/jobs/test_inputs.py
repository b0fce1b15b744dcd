"""Where videos and images come from, and what shape they are in."""

from __future__ import annotations

import http.server
import io
import itertools
import threading
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import facered
import videos
from facered.detect.detector import Detector
from facered.video import formats
from facered.video.input.file import Reader
from facered.video.picture import view
from thinned import thinned

QUIET = {"libx265": {"x265-params": "log-level=none"}}


@pytest.fixture(scope="module")
def faces(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 6)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def bare(detector: Detector, path: Path) -> int:
    """Return in how many frames a face is found."""
    pictures = (view(formats.to_native(frame)) for frame in videos.decode(path))
    return sum(len(detector.detect(picture, 0.5).scores) > 0 for picture in pictures)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "audio", "time_base"),
    thinned(
        [
            ("wmv", "wmv2", "yuv420p", "wmav2", Fraction(1, 1000)),
            ("mov", "libx265", "yuv420p10le", "aac", Fraction(1, 25)),
            ("mov", "prores_ks", "yuv422p10le", "pcm_s16le", Fraction(1, 25)),
            ("mp4", "libx264", "yuv420p", "aac", Fraction(1, 25)),
            ("mp4", "libsvtav1", "yuv420p", "aac", Fraction(1, 25)),
            ("mp4", "mpeg4", "yuv420p", "libmp3lame", Fraction(1, 25)),
            ("mkv", "libx265", "yuv420p", "ac3", Fraction(1, 1000)),
            ("webm", "libvpx-vp9", "yuv420p", "libopus", Fraction(1, 1000)),
            ("avi", "mjpeg", "yuvj420p", "pcm_s16le", Fraction(1, 25)),
            ("ts", "libx264", "yuv420p", "mp2", Fraction(1, 90000)),
            ("mpg", "mpeg2video", "yuv420p", "mp2", Fraction(1, 25)),
            ("gif", "gif", "rgb8", None, Fraction(1, 100)),
        ]
    ),
)
def test_kinds_of_files(
    faces: list[av.VideoFrame],
    tmp_path: Path,
    detector: Detector,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    codec: str,
    pixel_format: str,
    audio: str | None,
    time_base: Fraction,
) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    ticks = [round(n / (25 * time_base)) for n in range(len(faces))]
    source = videos.encode(
        tmp_path / f"foo.{suffix}", faces, codec=codec, pixel_format=pixel_format, audio=audio, time_base=time_base,
        ticks=ticks, options=QUIET.get(codec),
    )  # fmt: skip
    result = facered.combined(source, tmp_path)
    assert (result.people, result.frames, result.damaged_frames) == (1, len(faces), 0)
    assert bare(detector, source) == len(faces)
    assert bare(detector, result.video_path) == 0
    assert videos.times(result.video_path) == videos.times(source)
    with av.open(str(result.video_path)) as container:
        assert len(container.streams.audio) == (audio is not None)


@pytest.fixture
def film(faces: list[av.VideoFrame], tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", faces, audio="aac")


@pytest.fixture
def expected(film: Path, tmp_path: Path) -> bytes:
    return facered.combined(film, tmp_path / "expected").video_path.read_bytes()


def test_an_open_file(film: Path, expected: bytes, tmp_path: Path) -> None:
    with film.open("rb") as file:
        file.seek(100)
        result = facered.combined(file, tmp_path / "out")
    assert result.video_path == tmp_path / "out" / "foo_redacted.mp4"
    assert result.video_path.read_bytes() == expected


def test_bytes_in_memory(film: Path, expected: bytes, tmp_path: Path) -> None:
    content = io.BytesIO(film.read_bytes())
    found = facered.analyze(content, tmp_path)
    assert found.annotations_path == tmp_path / "video_annotations.json"
    result = facered.redact(content, tmp_path)
    assert result.video_path == tmp_path / "video_redacted.mp4"
    assert result.video_path.read_bytes() == expected


def test_a_file_that_can_be_read_only_once(film: Path, expected: bytes, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self._file = film.open("rb")

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self._file.readinto(buffer)

        def close(self) -> None:
            self._file.close()

    with Pipe() as pipe:
        result = facered.combined(pipe, tmp_path / "out.mp4")  # type: ignore[arg-type]
    assert result.video_path.read_bytes() == expected


def test_a_file_open_as_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match="open it with mode 'rb'"):
        facered.combined(io.StringIO("text"), tmp_path)  # type: ignore[arg-type]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.usefixtures("film")
def test_a_url(expected: bytes, tmp_path: Path, server: str) -> None:
    result = facered.combined(f"{server}/foo.mp4?key=1", tmp_path / "out")
    assert result.video_path == tmp_path / "out" / "foo_redacted.mp4"
    assert result.video_path.read_bytes() == expected
    with pytest.raises(facered.ContentMalformedError, match="not a readable video"):
        facered.combined(f"{server}/none.mp4", tmp_path / "out")


def image(frame: av.VideoFrame, path: Path) -> Path:
    codec, form = ("png", "rgb24") if path.suffix == ".png" else ("mjpeg", "yuvj420p")
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = frame.width, frame.height, form, Fraction(1, 1)
    if codec == "mjpeg":
        context.options = {"qmin": "1", "qmax": "2"}
    path.write_bytes(b"".join(bytes(packet) for packet in context.encode(frame.reformat(format=form))))
    return path


def colours(path: Path) -> Any:
    return videos.decode(path, 1)[0].to_ndarray(format="rgb24").astype(int)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_an_image_becomes_an_image(faces: list[av.VideoFrame], tmp_path: Path, detector: Detector, suffix: str) -> None:
    source = image(faces[0], tmp_path / f"foo.{suffix}")
    result = facered.combined(source, tmp_path / "out")
    assert result.video_path == tmp_path / "out" / f"foo_redacted.{suffix}"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [result.video_path.name]
    assert (bare(detector, source), bare(detector, result.video_path)) == (1, 0)
    before, after = colours(source), colours(result.video_path)
    assert before.shape == after.shape
    assert np.abs(before - after)[:40, :40].mean() < 1.5
    with pytest.raises(facered.ConfigurationUnsupportedError, match="exists already"):
        facered.combined(source, tmp_path / "out")


def test_a_turned_photo_is_written_upright(faces: list[av.VideoFrame], tmp_path: Path) -> None:
    """Phones tell by EXIF how a photo is turned; nothing of EXIF, which tells more than that, is kept."""
    turned = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(faces[0].to_ndarray(format="rgb24"))))
    source = image(turned, tmp_path / "foo.jpg")
    data = source.read_bytes()
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tiff
    source.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    with Reader(source) as reader:
        assert (reader.info.width, reader.info.height) == (176, 144)
    result = facered.combined(source, tmp_path)
    assert result.people == 1
    expected = faces[0].to_ndarray(format="rgb24").astype(int)
    for path in (result.video_path, facered.combined(source, tmp_path / "bar.png").video_path):
        after = colours(path)
        assert after.shape == expected.shape
        assert np.abs(after - expected)[:40, :40].mean() < 4
        assert b"Exif" not in path.read_bytes()


def test_a_sequence_of_images_becomes_a_sequence(
    faces: list[av.VideoFrame], tmp_path: Path, detector: Detector
) -> None:
    for number, frame in enumerate(faces, 1):
        image(frame, tmp_path / f"shot{number:03d}.png")
    result = facered.combined(tmp_path / "shot%03d.png", tmp_path / "out")
    assert (result.people, result.frames) == (1, 6)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"shot{number:03d}_redacted.png" for number in range(1, 7)]
    assert sum(bare(detector, tmp_path / "out" / name) for name in names) == 0
    with pytest.raises(facered.ConfigurationUnsupportedError, match="exists already"):
        facered.combined(tmp_path / "shot%03d.png", tmp_path / "out")


def test_a_video_cannot_become_an_image(film: Path, tmp_path: Path) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"only .mp4, .mov, .mkv can be written"):
        facered.combined(film, tmp_path / "bar.png")


def test_a_clock_that_breaks_off_goes_on(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two recordings in one transport stream: the second one's clock starts far before, or far behind."""
    for first, second in ((900_000, 0), (0, 90_000_000)):
        parts = [
            videos.encode(
                tmp_path / f"{start}.ts",
                faces,
                audio="mp2",
                time_base=Fraction(1, 90000),
                ticks=range(start, start + 6 * 3600, 3600),
                audio_start=Fraction(start, 90000),
            )
            for start in (first, second)
        ]
        path = tmp_path / "both.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        result = facered.combined(path, tmp_path, overwrite=True)
        times = videos.times(result.video_path)
        steps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(times) == 12
        assert max(steps) < 1
        assert min(steps) > 0
        assert steps[:5] == steps[6:] == [Fraction(1, 25)] * 5
        assert "the clock breaks off 1 times" in caplog.text
        sound = [time for time, _ in videos.packets(result.video_path, "audio")]
        assert max(later - earlier for earlier, later in itertools.pairwise(sound)) < 1
        caplog.clear()


class TestDamage:
    @pytest.fixture
    def broken(self, carphone: Path, tmp_path: Path) -> Path:
        """Return 60 frames with a key frame every 20, of which some in the second part are overwritten."""
        frames = videos.decode(carphone, 60)
        path = videos.encode(
            tmp_path / "whole.mkv",
            frames,
            time_base=Fraction(1, 1000),
            ticks=range(0, 2400, 40),
            options={"g": "20", "bf": "0"},
        )
        with av.open(str(path)) as container:
            packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
        data = bytearray(path.read_bytes())
        for number in (25, 27, 30):
            position, size = packets[number]
            data[position + 40 : position + size - 4] = bytes(n * 37 % 251 for n in range(size - 44))
        path = tmp_path / "broken.mkv"
        path.write_bytes(data)
        return path

    def test_what_can_be_decoded_is_redacted_in_its_time(
        self, broken: Path, tmp_path: Path, detector: Detector, caplog: pytest.LogCaptureFixture
    ) -> None:
        result = facered.combined(broken, tmp_path, annotations=True)
        assert 55 <= result.frames <= 60
        assert 10 <= result.damaged_frames <= 25
        assert f"{result.damaged_frames} of {result.frames} frames are damaged" in caplog.text
        times = videos.times(result.video_path)
        assert times == [Fraction(int(pts), 1000) for pts in result.annotations.pts]
        assert set(times) <= {Fraction(n, 25) for n in range(60)}
        assert bare(detector, result.video_path) == 0
        assert (np.diff(result.annotations.starts) >= 1).all()

    def test_strict_stops_and_leaves_nothing(self, broken: Path, tmp_path: Path) -> None:
        with pytest.raises(facered.ContentMalformedError, match="damaged or truncated after frame"):
            facered.combined(broken, tmp_path / "out", strict=True)
        assert not list((tmp_path / "out").iterdir())

    @pytest.fixture
    def gone(self, carphone: Path, tmp_path: Path) -> Path:
        """Return 16 frames of which the last eight show nothing, and all from there on are damaged by a lost piece."""
        frames = videos.decode(carphone, 16)
        for frame in frames[8:]:
            frame.make_writable()
            for plane in view(frame).y, view(frame).u, view(frame).v:
                plane[:] = 90
        options = {"g": "250", "bf": "0", "sc_threshold": "0"}
        path = videos.encode(
            tmp_path / "foo.ts", frames, time_base=Fraction(1, 90000), ticks=range(0, 57600, 3600), options=options
        )
        data, begun = bytearray(path.read_bytes()), 0
        for start in range(0, len(data), 188):
            header = int.from_bytes(data[start : start + 4], "big")
            if header >> 8 & 0x1FFF == 0x100:  # the packets of the pictures
                begun += header >> 22 & 1
                if begun > 8:  # what counts them jumps: a receiver takes some for lost
                    data[start + 3] = data[start + 3] & 0xF0 | (data[start + 3] + 5) & 0x0F
        path.with_name("gone.ts").write_bytes(data)
        return path.with_name("gone.ts")

    def test_the_last_known_mask_stays_where_no_face_can_be_seen(self, gone: Path, tmp_path: Path) -> None:
        whole = facered.analyze(tmp_path / "foo.ts", tmp_path)
        assert np.diff(whole.annotations.starts).tolist()[-1] == 0
        result = facered.combined(gone, tmp_path)
        assert np.diff(result.annotations.starts).tolist() == [1] * 16
        assert result.damaged_frames >= 8

    def test_the_last_known_mask_stays_where_the_annotations_know_nothing(
        self, carphone: Path, gone: Path, tmp_path: Path
    ) -> None:
        beginning = videos.encode(
            tmp_path / "beginning.ts",
            videos.decode(carphone, 8),
            time_base=Fraction(1, 90000),
            ticks=range(0, 28800, 3600),
            options={"bf": "0"},
        )
        facered.analyze(beginning, tmp_path)
        known = tmp_path / "beginning_annotations.json"
        result = facered.redact(gone, tmp_path / "out", annotations=known, blur="Black")
        after = [frame.to_ndarray(format="gray") for frame in videos.decode(result.video_path)[8:]]
        assert [bool((luma < 50).any()) for luma in after] == [True] * 8
        with pytest.raises(facered.ConfigurationUnsupportedError, match="tell nothing of the frame at 0"):
            facered.redact(tmp_path / "foo.ts", tmp_path / "bare", annotations=known)
