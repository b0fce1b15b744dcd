"""``facered pipe`` between real servers: what comes through, and what is still there after the source was away."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from servers import (
    FFMPEG,
    SRT,
    LossyRelay,
    Received,
    UdpRecorder,
    free_port,
    make_film,
    needs_ffmpeg,
    needs_rtmp,
    needs_rtsp,
    needs_srt,
    piped,
    publishing,
    recordings,
    rtmp_server,
    rtsp_server,
    running,
    wait_until,
    wait_until_still,
    web_server,
)
from thinned import thinned

MAX_OFFSET = 0.04
"""Seconds by which sound and pictures may be apart."""
LEAST_SOUND = 1.5
"""Packets of sound to a picture; 1.87 are sent."""


def assert_in_step(received: Received, least: int) -> None:
    """Make sure that a few beeps at least were heard, each with its flash."""
    offsets = received.offsets()
    assert len(offsets) >= least
    assert max(map(abs, offsets)) <= MAX_OFFSET


@needs_rtmp
@pytest.mark.soak  # once it is tried where servers are killed
def test_a_publisher_that_comes_back_three_times_is_heard_each_time(tmp_path: Path) -> None:
    turns = 4
    films = [make_film(tmp_path / f"{turn}.mp4", 6, 1000 * turn) for turn in range(turns)]
    with (
        rtmp_server(tmp_path / "server", free_port()) as server,
        piped(tmp_path, f"{server}/in/a", "-o", f"{server}/out/b") as pipe,
    ):
        pipe.wait_for("trying again")  # nobody publishes yet
        for turn, film in enumerate(films):
            with publishing(film, f"{server}/in/a"):
                pipe.wait_for("back again" if turn else ": there", max(turn, 1))
                time.sleep(0.4)
            pipe.wait_for("lost (", turn + 1)
        assert pipe.stop() == 130
    (recording,) = recordings(tmp_path / "server")
    received = Received.of(recording)
    assert f"stopped after {len(received.numbers)} frames" in pipe.said
    parts = received.parts(1000)
    assert [part[0] // 1000 for part in parts] == list(range(turns))
    for part in parts:  # no picture is left out
        assert part == list(range(part[0], part[-1] + 1))
        assert len(part) > 25
        assert received.sound_with(part) > LEAST_SOUND
    assert_in_step(received, turns)


@needs_rtmp
def test_servers_on_both_sides_may_be_killed_and_started_again(tmp_path: Path) -> None:
    films = [make_film(tmp_path / f"{turn}.mp4", 10, 1000 * turn) for turn in range(2)]
    ports, sinks = [free_port(), free_port()], [tmp_path / "sink0", tmp_path / "sink1"]
    source, sink = (f"rtmp://127.0.0.1:{port}" for port in ports)
    with ExitStack() as first, ExitStack() as last, piped(tmp_path, f"{source}/in/a", "-o", f"{sink}/out/b") as pipe:
        for stack, film in ((first, films[0]), (last, films[1])):
            stack.enter_context(rtmp_server(tmp_path / film.stem, ports[0]))
            stack.enter_context(publishing(film, f"{source}/in/a"))
            if stack is first:
                pipe.wait_for("takes no more (")  # nobody is there yet
                with rtmp_server(sinks[0], ports[1]):
                    wait_until(
                        lambda: recordings(sinks[0]) and recordings(sinks[0])[0].stat().st_size > 10_000, "no pictures"
                    )
                pipe.wait_for("takes no more (", 2)
                last.enter_context(rtmp_server(sinks[1], ports[1]))
                pipe.wait_for("there again; ", 2)
                time.sleep(0.4)
                first.close()
                pipe.wait_for("lost (")
        pipe.wait_for("back again")
        time.sleep(0.4)
        assert pipe.stop() == 130
    early, late = (Received.of(recordings(folder)[0]) for folder in sinks)
    assert_in_step(early, 1)
    assert_in_step(late, 1)
    assert [part[0] // 1000 for part in late.parts(1000)] == [0, 1]
    for part in late.parts(1000):
        assert part == list(range(part[0], part[-1] + 1))
        assert late.sound_with(part) > LEAST_SOUND
    _, missed = map(int, re.findall("there again; ([0-9]+) frames were not sent", pipe.said))
    assert late.numbers[0] - early.numbers[-1] - 1 == pytest.approx(missed, abs=12)  # those on the way
    (sent,) = map(int, re.findall("stopped after ([0-9]+) frames", pipe.said))
    assert len(early.numbers) + len(late.numbers) == pytest.approx(sent, abs=12)


@needs_rtsp
@needs_rtmp
def test_a_camera_that_speaks_rtsp_is_sent_on_to_a_server(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 3)
    with (
        rtmp_server(tmp_path / "server", free_port()) as server,
        rtsp_server(film, free_port()) as camera,
        piped(tmp_path, camera, "-o", f"{server}/out/b", "--reconnect", 0) as pipe,
    ):
        assert pipe.process.wait(60) == 0
        wait_until(lambda: recordings(tmp_path / "server"), "nothing was recorded")
    (recording,) = recordings(tmp_path / "server")
    received = Received.of(recording)
    assert received.numbers == list(range(75))
    assert received.sound_with(received.numbers) > LEAST_SOUND
    assert_in_step(received, 3)


@needs_ffmpeg
def test_a_list_that_grows_and_ends_is_played_once(tmp_path: Path) -> None:
    film, folder = make_film(tmp_path / "film.mp4", 4), tmp_path / "web"
    folder.mkdir()
    command = [str(FFMPEG), "-loglevel", "error", "-nostdin", "-re", "-i", film, "-c", "copy"]
    pieces = ["-f", "hls", "-hls_time", 1, "-hls_list_size", 0, folder / "list.m3u8"]
    with web_server(folder) as server, running([*command, *pieces]) as publisher:
        wait_until((folder / "list.m3u8").exists, "there is no list")
        with piped(tmp_path, f"{server}/list.m3u8", "-o", tmp_path / "out.mkv") as pipe:
            assert publisher.wait(30) == 0
            assert pipe.process.wait(60) == 0
    received = Received.of(tmp_path / "out.mkv")
    assert received.numbers == list(range(100))
    assert received.sound_with(received.numbers) > LEAST_SOUND
    assert_in_step(received, 3)


@needs_ffmpeg
def test_a_list_that_is_lost_while_it_grows_is_no_end(tmp_path: Path) -> None:
    film, folder = make_film(tmp_path / "film.mp4", 12), tmp_path / "web"
    folder.mkdir()
    command = [str(FFMPEG), "-loglevel", "error", "-nostdin", "-re", "-i", film, "-c", "copy"]
    pieces = ["-f", "hls", "-hls_time", 1, "-hls_list_size", 0, folder / "list.m3u8"]
    with web_server(folder) as server, running([*command, *pieces]) as publisher:
        wait_until((folder / "list.m3u8").exists, "there is no list")
        with piped(tmp_path, f"{server}/list.m3u8", "-o", tmp_path / "out.mkv", "--reconnect", 1) as pipe:
            wait_until(lambda: (tmp_path / "out.mkv").exists(), "nothing comes")
            publisher.kill()
            publisher.wait()
            for path in folder.iterdir():
                path.unlink()
            assert pipe.process.wait(60) == 3
            assert "not back within 1 s" in pipe.said


@needs_ffmpeg
@pytest.mark.parametrize(("loss", "reordering"), thinned([(0, 0), (0.01, 0), (0.05, 0), (0, 0.02)], 4))
def test_a_network_that_loses_datagrams_ends_nothing(tmp_path: Path, loss: float, reordering: float) -> None:
    out, port = tmp_path / "out.ts", free_port(socket.SOCK_DGRAM)
    earlier, film = make_film(tmp_path / "earlier.mp4", 3), make_film(tmp_path / "film.mp4", 3, 1000)
    with (
        UdpRecorder(out) as recorder,
        LossyRelay(port, loss, reordering) as relay,
        piped(tmp_path, f"udp://127.0.0.1:{port}", "-o", f"udp://127.0.0.1:{recorder.port}?pkt_size=1316") as pipe,
    ):
        target = f"udp://127.0.0.1:{relay.port}?pkt_size=1316"
        with publishing(earlier, target, "-stream_loop", -1):  # what is sent before the program listens is nobody's
            wait_until(lambda: out.stat().st_size, "nothing comes")
        with publishing(film, target) as publisher:
            assert publisher.wait(30) == 0
        wait_until_still(out, 0.7)
        assert pipe.stop() == 130
    received = Received.of(out)
    assert f"stopped after {len(received.numbers)} frames" in pipe.said
    sent = received.parts(1000)[-1]
    assert sent[0] in range(1000, 1013)
    assert len(sent) >= 60 if loss or reordering else sent == list(range(1000, sent[-1] + 1))
    assert received.sound_with(sent) > LEAST_SOUND * (1 - loss)
    assert_in_step(received, 2)


_TO_SRT = ("-o", "/dev/stdout", "--format", "mpegts")


@needs_srt
def test_srt_comes_and_goes_through_programs_beside(tmp_path: Path) -> None:
    """As the error says that tells that this FFmpeg does not know it."""
    film, out = make_film(tmp_path / "film.mp4", 3), tmp_path / "out.ts"
    ports = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    reads, writes = subprocess.PIPE, ["--input-option", "analyzeduration=500000", *_TO_SRT]
    source, sink = (f"srt://127.0.0.1:{port}" for port in ports)
    with (
        out.open("wb") as file,
        running([SRT, f"{sink}?mode=listener", "file://con"], grace=0.1, stdout=file),
        running([SRT, f"{source}?mode=listener", "file://con"], grace=0.1, stdout=reads) as receiver,
        piped(tmp_path, *writes, stdin=receiver.stdout, stdout=subprocess.PIPE) as pipe,
        running([SRT, "file://con", sink], grace=0.1, stdin=pipe.process.stdout),
        running([FFMPEG, "-loglevel", "error", "-nostdin", "-re", "-i", film, "-c", "copy", "-f", "mpegts", "-"],
                stdout=reads) as publisher,
        running([SRT, "file://con", source], grace=0.1, stdin=publisher.stdout),
    ):  # fmt: skip
        assert publisher.wait(30) == 0
        wait_until_still(out, 0.7)
    received = Received.of(out)
    assert received.numbers == list(range(received.numbers[-1] + 1))
    assert len(received.numbers) > 40  # the programs hold back what is not followed by more
    assert received.sound_with(received.numbers) > LEAST_SOUND
    assert_in_step(received, 2)
