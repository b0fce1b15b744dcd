"""Sound that is damaged, changes in the middle, or that a container does not take."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input.source import Source
from facered.video.input.stream import Feed
from facered.video.output.settings import Encoding
from facered.video.output.stream import EncodedSink
from thinned import thinned


def recording(
    path: Path,
    frames: Sequence[av.VideoFrame],
    codec: str,
    *,
    layout: str = "stereo",
    rate: int = 48000,
    start: int = 0,
) -> Path:
    """Write frames, 25 a second, and a second of sound, both from `start` seconds on."""
    with av.open(str(path), "w", container_options={"muxdelay": "0"} if path.suffix == ".ts" else {}) as output:
        video = output.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        sound = output.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"})
        sound.codec_context.open()
        context = sound.codec_context
        channels = av.AudioLayout(layout).nb_channels
        noise = np.random.default_rng(start).integers(-3000, 3000, (1, channels * rate), np.int16)
        piece = av.AudioFrame.from_ndarray(noise, format="s16", layout=layout)
        piece.sample_rate, piece.pts, piece.time_base = rate, start * rate, Fraction(1, rate)
        for part in av.AudioResampler(context.format, layout, rate, context.frame_size or 1024).resample(piece):
            output.mux(sound.encode(part))
        output.mux(sound.encode(None))
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = number + 25 * start, Fraction(1, 25), 0
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def heard(path: Path) -> tuple[float, set[tuple[int, int]]]:
    """Return how many seconds of sound can be decoded, and its channels and rates; what cannot is an error."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    kinds = {(frame.layout.nb_channels, frame.sample_rate) for frame in frames}
    return sum(frame.samples / frame.sample_rate for frame in frames), kinds


@pytest.fixture(scope="module")
def second(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 25)


CHANGES = [
    ("aac", ("stereo", 32000), ("stereo", 48000)),
    ("aac", ("5.1", 48000), ("mono", 44100)),
    ("aac", ("stereo", 48000), ("5.1", 48000)),
    ("ac3", ("stereo", 48000), ("5.1", 48000)),
    ("mp2", ("mono", 44100), ("stereo", 48000)),
]


@pytest.mark.parametrize(
    ("codec", "first", "then", "audio"),
    thinned([(*change, audio) for change, audio in product(CHANGES, ["copy", "aac"])], 3),
)
def test_sound_that_changes_goes_on(
    second: list[av.VideoFrame], tmp_path: Path, codec: str, first: tuple[str, int], then: tuple[str, int], audio: str
) -> None:
    parts = [
        recording(tmp_path / f"{start}.ts", second, codec, layout=layout, rate=rate, start=start)
        for start, (layout, rate) in enumerate([first, then, first])
    ]
    source = joined(tmp_path / "foo.ts", *parts)
    result = facered.combined(source, tmp_path, audio=audio)
    assert len(videos.times(result.video_path)) == 75
    length, kinds = heard(result.video_path)
    assert length == pytest.approx(heard(source)[0], abs=0.06)
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[first[0]]
    if audio == "aac" or codec == "aac":  # the others say it in every packet
        assert kinds == {(channels, first[1])}
    # In step to the end: what is said of times is kept where sound was made anew.
    ends = [videos.packets(path, "audio")[-1][0] - videos.times(path)[-1] for path in (source, result.video_path)]
    assert float(ends[1]) == pytest.approx(float(ends[0]), abs=0.06)


def test_sound_that_does_not_change_is_copied_beside_that_which_does(
    second: list[av.VideoFrame], tmp_path: Path
) -> None:
    parts = [
        recording(tmp_path / f"{start}.ts", second, "aac", layout=layout, start=start)
        for start, layout in enumerate(["stereo", "5.1"])
    ]
    result = facered.combined(joined(tmp_path / "foo.ts", *parts), tmp_path)
    before = [data[7:] for _, data in videos.packets(parts[0], "audio")]  # without their headers
    after = [data for _, data in videos.packets(result.video_path, "audio")]
    assert after[: len(before)] == before


def test_a_stream_of_sound_that_changes_is_of_one_kind(second: list[av.VideoFrame], tmp_path: Path) -> None:
    parts = [
        recording(tmp_path / f"{start}.ts", second, "aac", layout=layout, start=start)
        for start, layout in enumerate(["stereo", "5.1"])
    ]
    feed = Feed(Source(str(joined(tmp_path / "foo.ts", *parts))))
    sink, early = None, []
    for item in feed.items():
        if sink is None and isinstance(item, av.Packet):
            early.append(item)
        elif sink is None:
            sink = EncodedSink(str(tmp_path / "bar.ts"), None, feed, Encoding())
            for packet in early:
                sink.write_packet(packet)
        if isinstance(item, av.VideoFrame):
            sink.write_frame(item)
        elif item not in early:
            sink.write_packet(item)
    sink.close()
    length, kinds = heard(tmp_path / "bar.ts")
    assert length == pytest.approx(2, abs=0.06)
    assert kinds == {(2, 48000)}


@pytest.mark.parametrize(
    ("suffix", "codec", "audio"),
    [
        ("ts", "aac", "copy"),
        ("ts", "aac", "aac"),
        ("mkv", "flac", "aac"),
        ("mkv", "opus", "aac"),
    ],
)
def test_damaged_sound_is_left_out_and_counted(
    second: list[av.VideoFrame], tmp_path: Path, suffix: str, codec: str, audio: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = {"opus": "libopus"}.get(codec, codec)
    source = videos.damage_sound(recording(tmp_path / f"foo.{suffix}", second, encoder), [2, 3, 6])
    result = facered.combined(source, tmp_path, audio=audio)
    assert len(videos.times(result.video_path)) == 25
    assert 0.65 < heard(result.video_path)[0] < 1.1
    if codec != "opus":  # whose decoder makes something of anything
        assert "audio stream 1: " in caplog.text
        assert "damaged packets are left out" in caplog.text
        with pytest.raises(facered.ContentMalformedError, match="audio stream 1 is damaged"):
            facered.combined(source, tmp_path / "strict", audio=audio, strict=True)
        assert not list((tmp_path / "strict").iterdir())


@pytest.mark.parametrize(
    ("codec", "rate", "layout", "suffix"),
    [
        ("libmp3lame", 8000, "mono", "mp4"),
        ("pcm_alaw", 7000, "mono", "mp4"),
        ("wavpack", 192000, "stereo", "mov"),
        ("pcm_s16le", 48000, "hexadecagonal", "mp4"),
    ],
)
def test_sound_that_the_container_refuses_is_transcoded(
    second: list[av.VideoFrame], tmp_path: Path, codec: str, rate: int, layout: str, suffix: str
) -> None:
    kind = "mov" if codec == "pcm_alaw" else "mkv"
    source = recording(tmp_path / f"foo.{kind}", second, codec, rate=rate, layout=layout)
    result = facered.combined(source, tmp_path / f"bar.{suffix}")
    with av.open(str(result.video_path)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert len(videos.times(result.video_path)) == 25
    assert heard(result.video_path)[0] == pytest.approx(1, abs=0.13)


@pytest.mark.parametrize("audio", ["copy", "aac"])
def test_speakers_in_an_order_of_their_own(second: list[av.VideoFrame], tmp_path: Path, audio: str) -> None:
    """PyAV frees the order of such sound twice; what follows would crash."""
    source = recording(tmp_path / "foo.mov", second, "pcm_s16le", layout="3.0")
    data = source.read_bytes()
    usual, other = ((tag << 16 | 3).to_bytes(4, "big") for tag in (113, 114))  # left first, centre first
    assert data.count(usual) == 1
    source.write_bytes(data.replace(usual, other))
    target = tmp_path / "bar.mov"
    command = [sys.executable, "-m", "facered", "combined", str(source), "-o", str(target), "--audio", audio]
    subprocess.run(command, check=True)
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.name == {"copy": "pcm_s16le", "aac": "aac"}[audio]
    if audio == "copy":
        copied = [data for _, data in videos.packets(target, "audio")]
        assert b"".join(copied) == b"".join(data for _, data in videos.packets(source, "audio"))


def test_times_that_stand_still_in_matroska(second: list[av.VideoFrame], tmp_path: Path) -> None:
    plain, source = recording(tmp_path / "plain.mkv", second, "aac"), tmp_path / "foo.mkv"
    with av.open(str(plain)) as container, av.open(str(source), "w") as output:
        copies = [output.add_stream_from_template(stream, opaque=True) for stream in container.streams]
        number, held = itertools.count(), 0
        for packet in container.demux():
            if packet.size:
                if packet.stream_index == 1:
                    held = packet.dts if next(number) % 5 == 0 else held
                    packet.pts = packet.dts = held
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    result = facered.combined(source, tmp_path)
    after = videos.packets(result.video_path, "audio")
    assert [data for _, data in after] == [data for _, data in videos.packets(plain, "audio")]
    for (time, _), (expected, _) in zip(after, videos.packets(plain, "audio"), strict=True):
        assert float(time) == pytest.approx(float(expected), abs=0.03)
