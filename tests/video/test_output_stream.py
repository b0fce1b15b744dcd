"""A live stream that is encoded as it comes, and who takes it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.video.input.source import Source
from facered.video.input.stream import Feed
from facered.video.output import calling
from facered.video.output.calling import CallingSink
from facered.video.output.settings import Encoding
from facered.video.output.stream import EncodedSink


def write(source: Path, address: str, container_format: str | None = None) -> None:
    """Encode a video into an address, and close that."""
    feed = Feed(Source(str(source)))
    items: Iterator[object] = feed.items()
    frame = next(items)
    sink = EncodedSink(address, container_format, feed, Encoding())
    for item in (frame, *items):
        assert isinstance(item, av.VideoFrame)
        sink.write_frame(item)
    sink.close()


def test_nothing_is_held_back(carphone: Path, tmp_path: Path) -> None:
    write(carphone, str(tmp_path / "out.mkv"))
    with av.open(str(tmp_path / "out.mkv")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(packets) == 120
    assert all(packet.pts == packet.dts for packet in packets)


def test_there_is_a_key_frame_every_two_seconds(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone), rate=Fraction(10), time_base=Fraction(1, 10))
    write(source, str(tmp_path / "out.mkv"))
    with av.open(str(tmp_path / "out.mkv")) as container:
        keys = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.is_keyframe]
    assert keys == list(range(0, 12, 2))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
def test_a_full_disk_is_an_error(carphone: Path) -> None:
    with pytest.raises(facered.ServiceError, match=r"/dev/full: writing failed \(No space left"):
        write(carphone, "/dev/full", "mpegts")


def test_a_reader_that_goes_away_is_told_as_such(carphone: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with pytest.raises(BrokenPipeError):
            write(carphone, f"/dev/fd/{writing}", "mpegts")
    finally:
        os.close(writing)


class Stuck:
    """A sink whose first one never returns from writing, and what the second one took."""

    missed = 0

    def __init__(self, made: list[Stuck], release: threading.Event) -> None:
        self._stuck, self._release, self.taken = not made, release, 0
        made.append(self)

    def write_frame(self, frame: av.VideoFrame) -> None:  # noqa: ARG002
        if self._stuck:
            self._release.wait(30)
        self.taken += 1

    def write_packet(self, packet: object) -> None: ...

    def drop(self) -> None: ...

    def close(self) -> None: ...


def test_a_server_that_takes_nothing_and_says_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "READ_TIMEOUT", 0.3)
    made: list[Stuck] = []
    release = threading.Event()
    sink = CallingSink(lambda _: Stuck(made, release), "foo", 10, live=True)
    frame = av.VideoFrame(16, 16, "yuv420p")
    begun = time.monotonic()
    while len(made) < 2 or not made[1].taken:
        sink.write_frame(frame)
        assert time.monotonic() - begun < 10
    release.set()
    sink.close()
    assert made[1].taken + sink.missed + 1 >= sink._given  # the one in which it was stuck
