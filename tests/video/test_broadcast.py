"""What transport streams of television bring along: several programmes, closed captions, interlaced stretches."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.sidedata.sidedata import Type
from av.stream import Disposition

import facered
import videos
from broadcasts import programmes
from facered.video.input.file import Reader
from facered.video.input.programme import foreign


def broadcast(folder: Path, frames: list[av.VideoFrame], streams: list[str]) -> Path:
    """Write a transport stream of several programmes: each has pictures (v), sound (a) or both."""
    path = videos.encode(folder / "foo.ts", frames, audio="mp2")
    path.write_bytes(programmes(path.read_bytes(), streams))
    return path


@pytest.mark.parametrize("number", [0, 1])
def test_only_the_sound_of_the_programme_itself_comes_along(
    carphone: Path, tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    two = broadcast(tmp_path, videos.decode(carphone, 12), ["va", "va"])
    with av.open(str(two)) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (2, 2)
        foreign = sorted(stream.index for stream in container.streams.audio)[1 - number]
    result = facered.combined(two, tmp_path, stream=number)
    with av.open(str(result.video_path)) as container:
        assert len(container.streams.audio) == 1
    assert f"audio stream {foreign} (mp2) is left out; it is of another programme" in caplog.text


@pytest.mark.parametrize(
    ("streams", "number"),
    [(["v", "va"], 0), (["va", "v"], 1), (["v", "va", "va"], 0), (["v", "va", "a"], 0), (["v", "a", "a"], 0)],
)
def test_pictures_of_a_programme_without_sound_get_none(
    carphone: Path, tmp_path: Path, streams: list[str], number: int, caplog: pytest.LogCaptureFixture
) -> None:
    source = broadcast(tmp_path, videos.decode(carphone, 12), streams)
    with av.open(str(source)) as container:
        count = len(container.streams.audio)
    assert count == "".join(streams).count("a")
    result = facered.combined(source, tmp_path / "out", stream=number)
    with av.open(str(result.video_path)) as container:
        assert not container.streams.audio
    assert caplog.text.count("is left out; it is of another programme") == count


def test_dispositions_stay_as_they_are(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mkv", videos.decode(carphone, 6), audio="aac")
    with Reader(source) as reader:
        reader.container.streams.audio[0].disposition = Disposition.dub
        assert foreign(reader.container, reader.stream) == set()
        assert reader.container.streams.audio[0].disposition == Disposition.dub


def test_a_radio_programme_does_not_come_along(carphone: Path, tmp_path: Path) -> None:
    source = broadcast(tmp_path, videos.decode(carphone, 12), ["a", "va", "a"])
    result = facered.combined(source, tmp_path / "out")
    with av.open(str(result.video_path)) as container:
        assert len(container.streams.audio) == 1


@pytest.fixture
def captioned(carphone: Path, tmp_path: Path) -> Path:
    """Return ten frames with closed captions."""
    caption = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c\xff"  # a message of the decoder to itself, ATSC A/53
    message = b"\0\0\1\x06\x04" + bytes((len(caption),)) + caption + b"\x80"
    plain = videos.encode(
        tmp_path / "plain.h264", videos.decode(carphone, 10), container_format="h264", options={"bf": "0"}
    )
    path = tmp_path / "foo.h264"
    with av.open(str(plain)) as container:
        pictures = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    with path.open("wb") as file:
        for data in pictures:
            slice_at = min(at for at in (data.find(b"\0\0\1\x65"), data.find(b"\0\0\1\x41"), data.find(b"\0\0\1\x61"),
                                         data.find(b"\0\0\1\x01")) if at >= 0)  # fmt: skip
            file.write(data[:slice_at] + message + data[slice_at:])
    return path


def captions(path: Path) -> int:
    return sum(frame.side_data.get(Type.A53_CC) is not None for frame in videos.decode(path))


@pytest.mark.parametrize(("codec", "kept"), [("h264", 10), ("hevc", 10), ("av1", 0)])
def test_closed_captions_are_kept_or_that_they_are_not_is_said(
    captioned: Path, tmp_path: Path, codec: str, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert captions(captioned) == 10
    result = facered.combined(captioned, tmp_path, codec=codec)
    assert captions(result.video_path) == kept
    assert caplog.text.count("closed captions are lost") == (kept == 0)


def test_interlaced_frames_after_progressive_ones_are_told(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = videos.decode(carphone, 10)
    flags = {"flags": "+ildct+ilme"}
    parts = [
        videos.encode(
            tmp_path / f"{number}.m2v", frames, codec="mpeg2video", container_format="mpeg2video", options=options
        )
        for number, options in enumerate(({}, flags))
    ]
    source = tmp_path / "foo.m2v"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    interlaced = [frame.interlaced_frame for frame in videos.decode(source)]
    assert (interlaced[0], interlaced[-1]) == (False, True)
    facered.combined(source, tmp_path)
    assert caplog.text.count("interlaced frames are encoded as progressive, as the first one is") == 1
