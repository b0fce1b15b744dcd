"""``facered pipe`` for a minute each between real servers and over networks that lose datagrams."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import records
from servers import (
    FFMPEG,
    NGINX,
    RATE,
    LossyRelay,
    Piped,
    Received,
    UdpRecorder,
    free_port,
    make_film,
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

MAX_SECONDS = 60
MAX_OFFSET = 0.04
LEAST_SOUND = 1.5
CALL_SECONDS = 4.0
"""How long a chain may take until its first picture is through."""

Chain = Callable[[Path, Path], Path]


@contextmanager
def _piped(folder: Path, *arguments: object) -> Iterator[Piped]:
    with piped(folder, *arguments, "--reconnect", 20) as pipe:
        yield pipe
        if pipe.process.poll() is None:
            pipe.process.send_signal(signal.SIGINT)
            pipe.process.wait(30)


def rtsp_to_rtmp(film: Path, folder: Path) -> Path:
    """Pass a camera on to a server."""
    with (
        rtmp_server(folder / "server", free_port()) as server,
        rtsp_server(film, free_port()) as camera,
        piped(folder, camera, "-o", f"{server}/out/b", "--reconnect", 0) as pipe,
    ):
        assert pipe.process.wait(MAX_SECONDS + 60) == 0, pipe.said
        wait_until(lambda: recordings(folder / "server"), "nothing was recorded")
    return recordings(folder / "server")[0]


def rtmp_to_rtmp(film: Path, folder: Path) -> Path:
    """Pass what one server has on to another."""
    with (
        rtmp_server(folder / "server", free_port()) as server,
        publishing(film, f"{server}/in/a") as publisher,
        _piped(folder, f"{server}/in/a", "-o", f"{server}/out/b") as pipe,
    ):
        assert publisher.wait(MAX_SECONDS + 60) == 0
        pipe.wait_for("lost (")
    return recordings(folder / "server")[0]


def over_udp(loss: float, reordering: float) -> Chain:
    """Return a chain over a network that loses so many datagrams."""

    def chain(film: Path, folder: Path) -> Path:
        port = free_port(socket.SOCK_DGRAM)
        with (
            UdpRecorder(folder / "out.ts") as recorder,
            LossyRelay(port, loss, reordering) as relay,
            _piped(folder, f"udp://127.0.0.1:{port}", "-o", f"udp://127.0.0.1:{recorder.port}?pkt_size=1316"),
            publishing(film, f"udp://127.0.0.1:{relay.port}?pkt_size=1316") as publisher,
        ):
            assert publisher.wait(MAX_SECONDS + 60) == 0
            wait_until_still(folder / "out.ts")
        return folder / "out.ts"

    return chain


def hls_to_file(film: Path, folder: Path) -> Path:
    """Record a list that grows and ends."""
    web = folder / "web"
    web.mkdir()
    command = [str(FFMPEG), "-loglevel", "error", "-nostdin", "-re", "-i", film, "-c", "copy"]
    with (
        web_server(web) as server,
        running([*command, "-f", "hls", "-hls_time", 2, "-hls_list_size", 0, web / "list.m3u8"]) as publisher,
    ):
        wait_until((web / "list.m3u8").exists, "there is no list")
        with piped(folder, f"{server}/list.m3u8", "-o", folder / "out.mkv") as pipe:
            assert publisher.wait(MAX_SECONDS + 60) == 0
            assert pipe.process.wait(60) == 0, pipe.said
    return folder / "out.mkv"


CHAINS: dict[str, tuple[Chain, float]] = {
    "RTSP to RTMP": (rtsp_to_rtmp, 0),
    "RTMP to RTMP": (rtmp_to_rtmp, 0),
    "UDP to UDP": (over_udp(0, 0), 0),
    "UDP to UDP, 1 % lost": (over_udp(0.01, 0), 0.01),
    "UDP to UDP, 5 % lost": (over_udp(0.05, 0), 0.05),
    "UDP to UDP, 2 % reordered": (over_udp(0, 0.02), 0.02),
    "HLS to a file": (hls_to_file, 0),
}
"""Chains, and which part of the datagrams does not come as it was sent."""


def judge(received: Received, seconds: float, lost: float) -> list[str]:
    """Return what is wrong with what came through."""
    numbers, offsets = received.numbers, received.offsets()
    least = (seconds - CALL_SECONDS) * RATE * (1 - 4 * lost)  # what is lost takes others along
    wrong = []
    if len(numbers) < least:
        wrong.append(f"{len(numbers)} pictures in place of {least:.0f} at least")
    if not lost and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        wrong.append("pictures are left out, or come twice")
    if received.sound_with(numbers) < LEAST_SOUND * (1 - 2 * lost):
        wrong.append(f"{received.sound_with(numbers):.2f} packets of sound to a picture")
    if len(offsets) < (seconds - CALL_SECONDS) * (1 - 8 * lost) - 1:
        wrong.append(f"{len(offsets)} beeps with flashes in {seconds:.0f} s")
    if not lost and offsets and max(map(abs, offsets)) > MAX_OFFSET:
        wrong.append(f"sound and pictures are {max(map(abs, offsets)):.3f} s apart")
    return wrong


def main() -> int:
    """Run the chains; return 1 if any has failed."""
    parser = argparse.ArgumentParser(prog="soak.chains", description="Streams between servers.")
    parser.add_argument("--seconds", type=int, default=8 * MAX_SECONDS, help="for all (default: %(default)s)")
    parser.add_argument("names", nargs="*", help="which chains (default: all)")
    given = parser.parse_args()
    if FFMPEG is None or NGINX is None:
        print("chains are left out: ffmpeg, nginx and their modules are not installed")
        return 0
    chosen = [name for name in CHAINS if not given.names or any(part in name for part in given.names)]
    seconds = max(10, min(MAX_SECONDS, given.seconds // (len(chosen) + 1)))
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        film = make_film(Path(place) / "film.mp4", seconds)
        for number, name in enumerate(chosen):
            folder = Path(place) / str(number)
            folder.mkdir()
            chain, lost = CHAINS[name]
            begun = time.monotonic()
            received = Received.of(chain(film, folder))
            wrong = judge(received, seconds, lost)
            apart = 1e3 * max(map(abs, received.offsets()), default=0)
            counts = {"pictures": len(received.numbers), "ms between beep and flash": round(apart, 1)}
            records.note(name, time.monotonic() - begun, counts, ok=not wrong)
            print(*wrong, sep="\n", end="\n" if wrong else "")
            failed += bool(wrong)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
