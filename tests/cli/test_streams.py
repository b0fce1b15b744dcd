"""Everything in the file but the pictures: what is kept, changed and left out, and what must not remain."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

import facered
import videos
from facered.video.output import subtitles

Fill = Callable[[Any], Callable[[], None]]
PLACE = "+48.1000+011.5000/"


@pytest.fixture(scope="module")
def faces(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 5)


def film(path: Path, frames: list[av.VideoFrame], *fills: Fill, codec: str = "libx264") -> Path:
    """Write frames, and what each of `fills` adds to the container: streams at once, packets when it is called."""
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        later = [fill(output) for fill in fills]
        for tick, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = tick, Fraction(1, 25), 0
            output.mux(video.encode(frame))
            if tick == 0:
                for write in later:
                    write()
        output.mux(video.encode(None))
    return path


def sound(codec: str, language: str = "eng", pitch: float = 20, disposition: int = 0) -> Fill:
    def fill(output: Any) -> Callable[[], None]:
        stream = output.add_stream(codec, rate=44100)
        stream.metadata["language"] = language
        stream.disposition = disposition
        form = stream.codec_context.format.name

        def write() -> None:
            tone = np.sin(np.arange(11025) / pitch).astype(np.float32)[None].repeat(2, axis=0)
            piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
            piece.sample_rate, piece.pts = 44100, 0
            for part in av.AudioResampler(form, "stereo", 44100, stream.codec_context.frame_size or 1024).resample(
                piece
            ):
                output.mux(stream.encode(part))
            output.mux(stream.encode(None))

        return write

    return fill


def captions(codec: str, texts: dict[int, str], language: str = "ger") -> Fill:
    def fill(output: Any) -> Callable[[], None]:
        stream = output.add_stream(codec)
        context = stream.codec_context
        context.subtitle_header, context.time_base = subtitles._HEADER, Fraction(1, 1000)
        stream.metadata["language"] = language

        def write() -> None:
            for time, text in texts.items():
                packet = context.encode_subtitle(SubtitleSet.create(f"0,0,Default,,0,0,0,,{text}".encode(), 0, 40))
                packet.pts = packet.dts = time
                packet.duration, packet.time_base, packet.stream = 40, Fraction(1, 1000), stream
                output.mux(packet)

        return write

    return fill


def tags(**values: str) -> Fill:
    def fill(output: Any) -> Callable[[], None]:
        output.metadata.update(values)
        return lambda: None

    return fill


def streams(path: Path, kind: str) -> list[tuple[str, str | None, int]]:
    with av.open(str(path)) as container:
        return [
            (s.codec_context.codec.canonical_name, s.metadata.get("language"), int(s.disposition))
            for s in container.streams
            if s.type == kind
        ]


def all_packets(path: Path, kind: str) -> list[list[tuple[Fraction, bytes]]]:
    with av.open(str(path)) as container:
        chosen = [s for s in container.streams if s.type == kind]
        found: dict[int, Any] = {s.index: [] for s in chosen}
        for packet in container.demux(chosen):
            if packet.size:
                found[packet.stream_index].append(((packet.pts or 0) * packet.time_base, bytes(packet)))
        return list(found.values())


def texts(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        return [
            (packet.pts * packet.time_base, re.sub(rb"{.*?}", b"", part.dialogue))
            for packet in container.demux(stream)
            if packet.size
            for part in packet.decode()
        ]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_all_sound_tracks_are_copied_with_their_tags(faces: list[av.VideoFrame], tmp_path: Path, suffix: str) -> None:
    default = int(Disposition.default)
    source = film(
        tmp_path / "foo.mp4",
        faces,
        sound("aac", "eng", 20, default),
        sound("libmp3lame", "fra", 33),
        sound("ac3", "ger", 7),
    )
    result = facered.combined(source, tmp_path / f"bar.{suffix}")
    assert streams(result.video_path, "audio") == streams(source, "audio")
    before, after = all_packets(source, "audio"), all_packets(result.video_path, "audio")
    assert [[data for _, data in track] for track in before] == [[data for _, data in track] for track in after]
    # In step with the pictures, to the sample; Matroska rounds to milliseconds and begins at 0.
    starts = [videos.times(path)[0] for path in (source, result.video_path)]
    for one, other in zip(before, after, strict=True):
        for (time, _), (later, _) in zip(one, other, strict=True):
            assert abs((time - starts[0]) - (later - starts[1])) <= (Fraction(1, 500) if suffix == "mkv" else 0)


@pytest.mark.parametrize(("audio", "expected"), [("copy", ["mp3", "aac"]), ("aac", ["aac", "aac"]), ("none", [])])
def test_sound_can_be_copied_converted_or_left_out(
    faces: list[av.VideoFrame], tmp_path: Path, audio: str, expected: list[str]
) -> None:
    source = film(tmp_path / "foo.mp4", faces, sound("libmp3lame"), sound("aac"))
    result = facered.combined(source, tmp_path, audio=audio)
    assert [name for name, _, _ in streams(result.video_path, "audio")] == expected


@pytest.mark.parametrize(
    ("codec", "source", "target", "expected"),
    [
        ("subrip", "foo.mkv", "bar.mp4", "mov_text"),
        ("ass", "foo.mkv", "bar.mov", "mov_text"),
        ("ass", "foo.mkv", "bar.mkv", "ass"),
        ("mov_text", "foo.mp4", "bar.mp4", "mov_text"),
        ("mov_text", "foo.mp4", "bar.mkv", "subrip"),
    ],
)
def test_subtitles_of_text_are_kept(
    faces: list[av.VideoFrame], tmp_path: Path, codec: str, source: str, target: str, expected: str
) -> None:
    path = film(tmp_path / source, faces, captions(codec, {40: "Guten {\\i1}Tag{\\i0}", 120: "zwei\\NZeilen"}))
    result = facered.combined(path, tmp_path / target)
    assert [(name, language) for name, language, _ in streams(result.video_path, "subtitle")] == [(expected, "ger")]
    assert texts(result.video_path) == texts(path)
    assert [time for time, _ in texts(path)] == [Fraction(1, 25), Fraction(3, 25)]


def test_what_cannot_be_kept_is_said(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def attachment(output: Any) -> Callable[[], None]:
        output.add_attachment("notes.txt", "text/plain", b"bare words")
        return lambda: None

    source = film(tmp_path / "foo.mkv", faces, attachment)
    result = facered.combined(source, tmp_path)
    assert "attachment stream 1" in caplog.text
    assert b"bare words" not in result.video_path.read_bytes()


@pytest.mark.parametrize("target", ["bar.mp4", "bar.mov", "bar.mkv"])
def test_chapters_titles_dates_and_timecode_are_kept(
    faces: list[av.VideoFrame], tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    def extras(output: Any) -> Callable[[], None]:
        video = output.streams.video[0]
        video.metadata.update({"timecode": "10:20:30:05", "language": "ger", "title": "Camera 2"})
        chapters = [(1, 0, 80, "One"), (2, 80, 200, "Two")]
        output.set_chapters(
            [
                {"id": n, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                for n, start, end, title in chapters
            ]
        )
        return lambda: None

    about = {"title": "Evidence", "comment": "Exhibit 7", "creation_time": "2020-01-02T03:04:05.000000Z"}
    source = film(tmp_path / "foo.mov", faces, extras, tags(**about))
    result = facered.combined(source, tmp_path / target)
    with av.open(str(result.video_path)) as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
        assert {key: found[key] for key in about} == about
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One", "Two"]
        assert [chapter["start"] * chapter["time_base"] for chapter in container.chapters()] == [0, Fraction(2, 25)]
        video = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert (video["language"], video["timecode"]) == ("ger", "10:20:30:05")
        assert video.get("title", video.get("name")) == "Camera 2"
    assert not caplog.text


@pytest.mark.parametrize("target", ["bar.mp4", "bar.mov", "bar.mkv"])
@pytest.mark.parametrize("keep", [False, True])
def test_the_place_is_left_out_unless_asked_for(
    faces: list[av.VideoFrame], tmp_path: Path, target: str, keep: bool, caplog: pytest.LogCaptureFixture
) -> None:
    source = film(tmp_path / "foo.mov", faces, tags(location=PLACE, make="Telephone Co"))
    result = facered.combined(source, tmp_path / target, keep_location=keep)
    content = result.video_path.read_bytes()
    with av.open(str(result.video_path)) as container:
        found = {key.lower(): value for key, value in container.metadata.items() if "location" in key.lower()}
    assert found.get("location") == (PLACE if keep else None)
    assert keep or PLACE.encode() not in content
    assert keep or not found
    assert ("the place of recording is left out" in caplog.text) != keep
    assert b"Telephone" not in content


def cover(faces: list[av.VideoFrame]) -> tuple[bytes, Fill]:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 176, 144, "yuvj420p", Fraction(1, 25)
    data = b"".join(bytes(packet) for packet in context.encode(faces[0].reformat(format="yuvj420p")))

    def fill(output: Any) -> Callable[[], None]:
        stream = output.add_stream("mjpeg")
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuvj420p"
        stream.disposition = Disposition.attached_pic

        def write() -> None:
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 25)
            packet.is_keyframe = True
            output.mux(packet)

        return write

    return data, fill


def pieces(data: bytes, length: int = 24) -> list[bytes]:
    return [data[i : i + length] for i in range(0, len(data) - length, length)]


@pytest.mark.parametrize("target", ["bar.mp4", "bar.mov", "bar.mkv"])
def test_no_original_frame_is_anywhere_in_the_result(
    faces: list[av.VideoFrame], tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither cover pictures, nor another video stream, nor any packet of the source."""
    data, fill = cover(faces)

    def second(output: Any) -> Callable[[], None]:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"

        def write() -> None:
            for tick, frame in enumerate(faces):
                other = frame.reformat(format="yuv420p")
                other.pts, other.time_base, other.pict_type = tick, Fraction(1, 25), 0
                output.mux(stream.encode(other))
            output.mux(stream.encode(None))

        return write

    source = film(tmp_path / "foo.mp4", faces, second, fill)
    bare = [packet for track in all_packets(source, "video") for _, packet in track]
    assert len(bare) == 11
    result = facered.combined(source, tmp_path / target)
    content = result.video_path.read_bytes()
    # Text is what both encoders write about themselves.
    telling = [piece for packet in [*bare, data] for piece in pieces(packet[32:]) if max(piece) > 127]
    assert len(telling) > 100
    assert not [piece for piece in telling if piece in content]
    assert "a cover picture is left out" in caplog.text
    assert "only video stream 0 is redacted; stream 1 is left out" in caplog.text
    assert len(streams(result.video_path, "video")) == 1
    one = facered.combined(source, tmp_path / f"one_{target}", stream=1)
    assert one.people == 1
    with pytest.raises(facered.ConfigurationUnsupportedError, match="no video stream 2; there are 2"):
        facered.combined(source, tmp_path / "never.mp4", stream=2)


def test_frames_hidden_by_an_edit_list_are_not_in_the_result(faces: list[av.VideoFrame], tmp_path: Path) -> None:
    """Cut by an edit list, as phones do: what is before the cut is still in the source, and nowhere in the result."""
    source = tmp_path / "foo.mp4"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 176, 144, "yuv420p"
        for tick, frame in enumerate(faces):
            frame.pts, frame.time_base, frame.pict_type = tick - 2, Fraction(1, 25), 0
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    times = videos.times(source)
    assert (len(times), len(all_packets(source, "video")[0])) == (3, 5)
    result = facered.combined(source, tmp_path)
    assert videos.times(result.video_path) == times
    with av.open(str(result.video_path)) as container:
        count = sum(1 for packet in container.demux(video=0) if packet.size)
    assert count == len(times)


def test_the_index_goes_first(faces: list[av.VideoFrame], tmp_path: Path) -> None:
    result = facered.combined(film(tmp_path / "foo.mp4", faces), tmp_path)
    content = result.video_path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def click(path: Path) -> float:
    """Return when the loudest sample is heard, in seconds after the first picture."""
    loudest, at, due = 0.0, 0.0, 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            begin = float(frame.pts * frame.time_base) if frame.pts is not None else due
            due = begin + frame.samples / frame.sample_rate
            samples = np.abs(frame.to_ndarray().astype(float)).reshape(frame.layout.nb_channels, -1)[0]
            if samples.size and samples.max() > loudest:
                loudest, at = samples.max(), begin + samples.argmax() / frame.sample_rate
    return at - float(videos.times(path)[0])


@pytest.mark.parametrize(("suffix", "video", "audio"), [("wmv", "wmv2", "wmav2"), ("mp4", "libx264", "aac")])
def test_converted_sound_stays_in_step(carphone: Path, tmp_path: Path, suffix: str, video: str, audio: str) -> None:
    def clicking(output: Any) -> Callable[[], None]:
        stream = output.add_stream(audio, rate=44100)
        stream.codec_context.bit_rate = 128000

        def write() -> None:
            silence = np.zeros((2, 22050), np.float32)
            silence[:, 11025:11065] = 0.9
            piece = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
            piece.sample_rate, piece.pts = 44100, 0
            size = stream.codec_context.frame_size
            for part in av.AudioResampler("fltp", "stereo", 44100, size).resample(piece):
                output.mux(stream.encode(part))
            output.mux(stream.encode(None))

        return write

    source = film(tmp_path / f"foo.{suffix}", videos.decode(carphone, 12), clicking, codec=video)
    result = facered.combined(source, tmp_path, audio="aac")
    assert click(source) == pytest.approx(0.25, abs=0.003)
    assert click(result.video_path) == pytest.approx(click(source), abs=0.003)
