"""Real servers, publishers and lossy networks on this machine, and a film by which one sees what came through.

Each picture of the film carries its number as a row of black and white fields; at each whole second the picture
flashes and a tone beeps.
"""

from __future__ import annotations

import http.server
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
import pytest

RATE, SOUND_RATE = 25, 48000
WIDTH, HEIGHT, BITS = 320, 192, 16
FIELD = WIDTH // BITS
"""Pixels of a field, by which each bit is shown."""
BEEP_SECONDS = 0.08
FFMPEG, NGINX, SRT = (shutil.which(name) for name in ("ffmpeg", "nginx", "srt-live-transmit"))
SYSTEM_PYTHON = "/usr/bin/python3"
"""The one that has GStreamer's bindings."""
_RTMP_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")


def _has_rtsp_server() -> bool:
    code = "import gi; gi.require_version('GstRtspServer', '1.0')"
    with suppress(OSError):
        return subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, check=False).returncode == 0
    return False


needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")
needs_rtmp = pytest.mark.skipif(
    FFMPEG is None or NGINX is None or not _RTMP_MODULE.exists(), reason="nginx with its RTMP module is not installed"
)
needs_rtsp = pytest.mark.skipif(not _has_rtsp_server(), reason="GStreamer's RTSP server is not installed")
needs_srt = pytest.mark.skipif(FFMPEG is None or SRT is None, reason="srt-live-transmit is not installed")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return the number of a port of this machine that nobody uses."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def wait_until_still(file: Path, seconds: float = 1.5) -> None:
    """Wait until a file has not grown for some seconds."""
    size, since = file.stat().st_size, time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.1)
        if file.stat().st_size != size:
            size, since = file.stat().st_size, time.monotonic()


def listens(port: int) -> bool:
    """Tell whether somebody listens at a TCP port; calls it."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def running(command: Sequence[object], *, grace: float = 5, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block runs, and end it, after some seconds of grace by force."""
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
    with subprocess.Popen(list(map(str, command)), **more) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()


# ---- the film


def make_film(path: Path, seconds: float = 4, first: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Write the film; its first picture has the number `first`."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "bf": "0", "g": "12"})
        video.width, video.height, video.pix_fmt = size[0], size[1], "yuv420p"
        sound = output.add_stream("aac", rate=SOUND_RATE)
        sound.codec_context.layout = "stereo"
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(_picture(first + number, number % RATE == 0, *size), format="gray")
            frame = frame.reformat(format="yuv420p", src_color_range="MPEG", dst_color_range="MPEG")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for start, samples in enumerate(_sound(seconds)):
            piece = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
            piece.sample_rate, piece.pts, piece.time_base = SOUND_RATE, 1024 * start, Fraction(1, SOUND_RATE)
            output.mux(sound.encode(piece))
        output.mux(sound.encode(None))
    return path


def _picture(number: int, flash: bool, width: int, height: int) -> Any:
    picture = np.full((height, width), 200 if flash else 60, np.uint8)
    field = width // BITS
    for bit in range(BITS):
        picture[-height // 4 :, field * bit : field * (bit + 1)] = 220 if number >> bit & 1 else 20
    return picture


def _sound(seconds: float) -> Iterator[Any]:
    times = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave = np.where(times % 1 < BEEP_SECONDS, 0.6 * np.sin(2 * np.pi * 1000 * times), 0).astype(np.float32)
    for start in range(0, len(wave) - 1023, 1024):
        yield np.stack([wave[start : start + 1024]] * 2)


@dataclass(frozen=True)
class Received:
    """What came through.

    Attributes
    ----------
    numbers : list of int
        Those of the pictures, in order.
    times : list of float
        When each is shown.
    beeps, flashes : list of float
        When they begin.
    heard : list of float
        When each packet of sound begins.
    """

    numbers: list[int]
    times: list[float]
    flashes: list[float]
    beeps: list[float]
    heard: list[float]

    @classmethod
    def of(cls, path: Path) -> Received:
        """Read what was recorded."""
        numbers, times, flashes, beeps, heard, loud = [], [], [], [], [], -1.0
        with av.open(str(path)) as container:
            streams = [container.streams.video[0], *container.streams.audio[:1]]
            for packet in container.demux(streams):
                with suppress(av.FFmpegError):
                    for frame in packet.decode():
                        time = float(frame.pts * frame.time_base)
                        if isinstance(frame, av.VideoFrame):
                            luma = frame.to_ndarray(format="gray")
                            if luma[luma.shape[0] // 4].mean() > 130 and not (flashes and time - flashes[-1] < 0.5):
                                flashes.append(time)
                            numbers.append(read_number(luma))
                            times.append(time)
                            continue
                        heard.append(time)
                        level = np.abs(frame.to_ndarray().astype(float)).reshape(-1)
                        above = np.flatnonzero(level[: frame.samples] > 0.2)
                        if len(above) and time - loud > 0.5:
                            beeps.append(time + above[0] / frame.sample_rate)
                        loud = time if len(above) else loud
        return cls(numbers, times, flashes, beeps, heard)

    def offsets(self) -> list[float]:
        """Return by how many seconds each beep is later than the flash that is next to it.

        Where pictures are missing between the two, the flash is another one's.
        """
        near = [(min(self.flashes, key=lambda flash: abs(flash - beep)), beep) for beep in self.beeps]
        return [beep - flash for flash, beep in near if abs(beep - flash) < 0.4 and self._shows_all(flash, beep)]

    def _shows_all(self, one: float, other: float) -> bool:
        """Tell whether pictures come one after the other between two moments, and about them."""
        low, high = min(one, other) - 2 / RATE, max(one, other) + 2 / RATE
        moments = [low, *(time for time in self.times if low < time < high), high]
        return all(later - earlier < 4 / RATE for earlier, later in pairwise(moments))

    def parts(self, length: int) -> list[list[int]]:
        """Return the numbers of the pictures, apart by the films they are of, which have `length` numbers each."""
        found: dict[int, list[int]] = {}
        for number in self.numbers:
            found.setdefault(number // length, []).append(number)
        return list(found.values())

    def sound_with(self, numbers: Sequence[int]) -> float:
        """Return how many packets of sound there are to each of some pictures, whose numbers are given."""
        chosen = [time for number, time in zip(self.numbers, self.times, strict=True) if number in set(numbers)]
        heard = [time for time in self.heard if chosen[0] <= time <= chosen[-1]]
        return len(heard) / len(chosen)


def read_number(luma: Any) -> int:
    """Return the number that a picture shows."""
    height, width = luma.shape
    row = luma[-height // 8, width // BITS // 2 :: width // BITS]
    return sum(1 << bit for bit, level in enumerate(row[:BITS]) if level > 120)


# ---- those who send


@contextmanager
def publishing(film: Path, address: str, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Have FFmpeg send a film to an address, in real time."""
    assert FFMPEG is not None
    kind = {"rtmp": "flv", "udp": "mpegts", "tcp": "mpegts"}[address.partition(":")[0]]
    command = [FFMPEG, "-loglevel", "error", "-nostdin", "-re", *options, "-i", film]
    with running([*command, "-c", "copy", "-flush_packets", 1, "-f", kind, address]) as process:
        yield process


@contextmanager
def rtmp_server(folder: Path, port: int) -> Iterator[str]:
    """Yield the address of nginx with an application ``in``, and one ``out`` that records in FLV what it is sent."""
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(
        f"load_module {_RTMP_MODULE}; daemon off; master_process off; worker_processes 1; pid {folder}/pid;\n"
        f"error_log {folder}/error.log; events {{ worker_connections 64; }}\n"
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; chunk_size 4096;\n"
        "application in { live on; idle_streams off; drop_idle_publisher 5s; }\n"
        f"application out {{ live on; record all; record_path {folder}; record_unique on; }} }} }}\n",
        encoding="ascii",
    )
    with running([NGINX, "-c", folder / "nginx.conf", "-p", folder]) as process:
        wait_until(lambda: process.poll() is not None or listens(port), "nginx does not listen")
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"rtmp://127.0.0.1:{port}"


def recordings(folder: Path) -> list[Path]:
    """Return what the server in a folder recorded, in order."""
    return sorted(folder.glob("*.flv"), key=lambda path: path.stat().st_mtime)


_RTSP = """
import sys, gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(sys.argv[2])
factory.set_shared(True)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
GLib.MainLoop().run()
"""


@contextmanager
def rtsp_server(film: Path, port: int) -> Iterator[str]:
    """Yield the address at which GStreamer's server shows a film, an MP4, to who asks."""
    launch = (
        f"( filesrc location={film} ! qtdemux name=d d.video_0 ! queue ! h264parse ! rtph264pay name=pay0 pt=96 "
        "config-interval=1 d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
    )
    with running([SYSTEM_PYTHON, "-c", _RTSP, port, launch]) as process:
        wait_until(lambda: process.poll() is not None or listens(port), "GStreamer does not listen")
        assert process.poll() is None
        yield f"rtsp://127.0.0.1:{port}/live"


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Yield the address of a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# ---- networks, and those who receive


class _Datagrams:
    """Takes what comes to a port of its own while the block runs; an empty datagram ends it."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        raise NotImplementedError

    def _received(self) -> Iterator[bytes]:
        while data := self._socket.recv(65536):
            yield data


class LossyRelay(_Datagrams):
    """Passes datagrams on, but for some that are lost, and some that come after the next one.

    Parameters
    ----------
    target : int
        The port that they go to.
    loss, reordering : float
        Which part of them.
    """

    def __init__(self, target: int, loss: float = 0, reordering: float = 0) -> None:
        super().__init__()
        self._target, self._loss, self._reordering = ("127.0.0.1", target), loss, reordering
        self._random = random.Random(7)  # noqa: S311

    def _run(self) -> None:
        late: bytes | None = None
        for data in self._received():
            if self._random.random() < self._loss:
                continue
            if late is None and self._random.random() < self._reordering:
                late = data
                continue
            for passed in (data, late):
                if passed is not None:
                    self._socket.sendto(passed, self._target)
            late = None


class UdpRecorder(_Datagrams):
    """Writes the datagrams into a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def _run(self) -> None:
        with self._path.open("wb") as file:
            for data in self._received():
                file.write(data)


# ---- facered between them


class Piped:
    """``facered pipe`` with what it says line by line."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, text: str, times: int = 1, seconds: float = 30) -> None:
        """Wait until it has said a text, so many times."""
        wait_until(lambda: self.said.count(text) >= times or self.process.poll() is not None, text, seconds)
        assert self.said.count(text) >= times, self.said

    def stop(self, seconds: float = 30) -> int:
        """Have it end as by Ctrl-C, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)


@contextmanager
def piped(folder: Path, *arguments: object, **more: Any) -> Iterator[Piped]:
    """Run ``facered pipe`` so that nobody's face is looked for: all pictures pass as they are."""
    log = folder / "said.txt"
    command = [sys.executable, "-m", "facered", "pipe", "--threshold", 1, "--on-new-shot", "show", *arguments]
    with log.open("wb") as file, running(command, stderr=file, cwd=folder, **more) as process:
        yield Piped(process, log)
