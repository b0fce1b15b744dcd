"""A source that is decoded as it comes."""

from __future__ import annotations

import itertools
import socket
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input import source
from facered.video.input.source import Source
from facered.video.input.stream import Event, Feed


@pytest.fixture(scope="module")
def faces(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 5)


def joined(path: Path, *parts: list[av.VideoFrame]) -> Feed:
    """Return a feed of a file in which several videos follow each other."""
    kinds = [part[0].format.name for part in parts]
    pieces = [
        videos.encode(path.with_name(f"{number}.ts"), part, pixel_format=kind).read_bytes()
        for number, (part, kind) in enumerate(zip(parts, kinds, strict=True))
    ]
    path.write_bytes(b"".join(pieces))
    return Feed(Source(str(path)))


def taken(feed: Feed) -> list[av.VideoFrame]:
    frames = []
    for item in feed.items():
        if item is not Event.RESIZED:
            assert isinstance(item, av.VideoFrame)
            frames.append(item)
    return frames


def test_a_change_of_size_is_scaled_away_and_said_once(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = taken(joined(tmp_path / "both.ts", faces, [videos.enlarge(frame, 352, 288) for frame in faces]))
    assert [(frame.width, frame.height) for frame in frames] == [(176, 144)] * 10
    assert caplog.text.count("it is fitted into the first size") == 1


def test_a_change_of_the_pixel_format_is_mended(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = taken(joined(tmp_path / "both.ts", faces, [frame.reformat(format="yuv422p") for frame in faces]))
    assert [frame.format.name for frame in frames] == ["yuv420p"] * 10
    assert not caplog.text


def test_times_go_on_where_the_clock_breaks_off(carphone: Path, tmp_path: Path) -> None:
    part = videos.decode(carphone, 40)
    times = [frame.pts * frame.time_base for frame in taken(joined(tmp_path / "both.ts", part, part))]
    assert len(times) == 80
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {Fraction(1, 25)}


def test_an_address_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "OPEN_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        given_up = threading.Event()

        def stay_silent() -> None:
            with server.accept()[0]:
                given_up.wait(10)  # not for ever, should nobody give up

        silent = threading.Thread(target=stay_silent)
        silent.start()
        try:
            with pytest.raises(facered.ConfigurationUnsupportedError, match="no answer in"):
                Source(f"tcp://127.0.0.1:{server.getsockname()[1]}", "mpegts").open()
        finally:
            given_up.set()
            silent.join()


def with_sound(path: Path, frames: list[av.VideoFrame], *, sound_first: bool, rate: int = 48000) -> None:
    """Write some frames, and a fifth of a second of silence, in MPEG-TS."""
    with av.open(str(path), "w") as output:
        sound = output.add_stream("mp2", rate=rate) if sound_first else None
        video = output.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height = frames[0].width, frames[0].height
        sound = sound or output.add_stream("mp2", rate=rate)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
            output.mux(video.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * rate // 5), np.int16), "s16", "stereo")
        silence.sample_rate, silence.pts = rate, 0
        for piece in av.AudioResampler("s16", "stereo", rate, 1152).resample(silence):
            output.mux(sound.encode(piece))
        output.mux(sound.encode(None) + video.encode(None))


@pytest.mark.parametrize("again", ["as before", "sound first", "other sound"])
def test_sound_goes_on_in_whatever_order_streams_come_back(
    faces: list[av.VideoFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture, again: str
) -> None:
    """As by RTMP, where the first packet that comes tells which stream is the first."""
    parts = [tmp_path / "0.ts", tmp_path / "1.ts"]
    with_sound(parts[0], faces, sound_first=False)
    with_sound(parts[1], faces, sound_first=again == "sound first", rate=44100 if again == "other sound" else 48000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            for part in parts:
                with server.accept()[0] as connection:
                    connection.sendall(part.read_bytes())
            server.close()

        threading.Thread(target=send, daemon=True).start()
        feed = Feed(Source(f"tcp://127.0.0.1:{server.getsockname()[1]}", "mpegts", reconnect=0.5))
        heard = [0]

        def listen() -> None:
            for item in feed.items():
                if item is Event.LOST:
                    heard.append(0)
                elif isinstance(item, av.Packet):
                    assert item.stream_index == feed.others[0].index == 1
                    heard[-1] += 1

        with pytest.raises(facered.ContentMalformedError, match="not back"):
            listen()
    assert heard[0] > 5
    assert heard[1] == (0 if again == "other sound" else heard[0])
    assert ("audio stream 1 is other than those at the beginning" in caplog.text) == (again == "other sound")


def test_a_source_that_falls_silent_is_lost(
    faces: list[av.VideoFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It sends five frames, and then nothing more, but does not go away."""
    monkeypatch.setattr(source, "READ_TIMEOUT", 1.0)
    content = videos.encode(tmp_path / "foo.ts", faces, options={"bf": "0"}).read_bytes()
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(content)
                over.wait(30)

        sender = threading.Thread(target=send)
        sender.start()
        feed = Feed(Source(f"tcp://127.0.0.1:{server.getsockname()[1]}", "mpegts", {"probesize": "2000"}))
        items = list(feed.items())
        over.set()
        sender.join()
    assert items[-1] is Event.LOST
    assert len([item for item in items if isinstance(item, av.VideoFrame)]) >= 3
    assert "lost (silence)" in caplog.text
