"""Whatever a job waits for, it is cancelled within a second, and a source that sends no more is an error."""

from __future__ import annotations

import http.server
import io
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

import facered
import videos
from facered.jobs.job import JobState
from facered.video.input import decoding, opening
from facered.video.output import encoder
from thinned import thinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WITHIN = 2.0
SHARES = [0.0, 0.02, 0.6]


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("film") / "foo.ts", videos.decode(carphone, 120), options={"crf": "8"})


@dataclass(frozen=True)
class Server:
    """An address that sends a part of a film, and then nothing: `stalls` is set when it has sent the part."""

    address: str
    stalls: threading.Event


@pytest.fixture
def serve(film: Path) -> Iterator[Callable[[float], Server]]:
    """Return what makes a server that sends a share of a film."""
    content, over, stalls = film.read_bytes(), threading.Event(), threading.Event()
    servers = []

    def stalling(share: float) -> Server:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: int(share * len(content))])
                self.wfile.flush()
                stalls.set()
                over.wait(60)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Server(f"http://127.0.0.1:{server.server_port}/foo.ts", stalls)

    yield stalling
    over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


class Stalling(io.RawIOBase):
    """A file whose bytes stop coming after a part of it, for whoever reads on."""

    def __init__(self, content: bytes, share: float, over: threading.Event, *, seekable: bool = True) -> None:
        self._file, self._end, self._over = io.BytesIO(content), int(share * len(content)), over
        self._seekable, self.stalls = seekable, threading.Event()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if size and self._file.tell() >= self._end:
            self.stalls.set()
            self._over.wait(60)
        return self._file.read(size)


def cancelled_after(job: facered.Job, stalls: threading.Event, seconds: float = 0.3) -> float:
    """Return how long it takes a job to end that is cancelled some seconds after something stalls."""
    assert stalls.wait(60)
    time.sleep(seconds)
    assert job.state is JobState.PROCESSING, job.result(0)
    begun = time.monotonic()
    assert job.cancel()
    with pytest.raises(facered.JobCanceledError):
        job.result(20)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("mode", "threads", "share"),
    thinned((*way, share) for way in [("analyze", 0), ("combined", 1)] for share in SHARES),
)
def test_a_job_whose_server_stalls_can_be_cancelled(
    serve: Callable[[float], Server], tmp_path: Path, share: float, mode: str, threads: int
) -> None:
    server = serve(share)
    job = facered.submit(server.address, tmp_path / "out", mode=mode, threads=threads)
    assert cancelled_after(job, server.stalls) < WITHIN
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize(("seekable", "share"), thinned(product([True, False], SHARES)))
def test_a_job_whose_file_stalls_can_be_cancelled(film: Path, tmp_path: Path, share: float, seekable: bool) -> None:
    over = threading.Event()
    try:
        file = Stalling(film.read_bytes(), share, over, seekable=seekable)
        job = facered.submit(file, tmp_path / "out")  # type: ignore[arg-type]
        assert cancelled_after(job, file.stalls) < WITHIN
    finally:
        over.set()


@pytest.mark.parametrize("name", ["annotations", "ids"])
def test_a_job_whose_pipe_nobody_fills_can_be_cancelled(film: Path, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    facered.analyze(film, tmp_path / "out", end=1)
    given, submitted = {name: tmp_path / "fifo"}, threading.Event()
    job = facered.submit(film, tmp_path / "out", mode="redact", **given)  # type: ignore[arg-type]
    submitted.set()
    try:
        assert cancelled_after(job, submitted, 0.8) < WITHIN
    finally:
        os.close(os.open(tmp_path / "fifo", os.O_RDWR))  # the thread that waits for it goes on


def test_a_job_whose_encoder_takes_long_to_end_can_be_cancelled(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, flushing = threading.Event(), threading.Event()

    def slow(_: object, packets: Iterator[object]) -> Iterator[object]:
        flushing.set()
        over.wait(60)
        yield from packets

    whole = encoder.VideoEncoder._next
    monkeypatch.setattr(encoder.VideoEncoder, "_next", lambda self, packets: whole(self, slow(self, packets)))
    try:
        job = facered.submit(film, tmp_path / "out")
        assert cancelled_after(job, flushing, 0.0) < WITHIN
    finally:
        over.set()


@pytest.mark.parametrize("threads", [0, 1])
def test_a_job_that_decodes_a_damaged_film_once_more_can_be_cancelled(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    content, again, whole = bytearray(film.read_bytes()), threading.Event(), decoding.Decoding._decode_carefully
    at = len(content) * 9 // 10
    content[at : at + 300] = bytes(300)
    (tmp_path / "foo.ts").write_bytes(content)
    decoded = []

    def slowly(*given: Any) -> Any:
        again.set()
        time.sleep(0.1)
        decoded.append(given)
        return whole(*given)

    monkeypatch.setattr(decoding.Decoding, "_decode_carefully", slowly)
    job = facered.submit(tmp_path / "foo.ts", tmp_path / "out", threads=threads)
    assert cancelled_after(job, again) < WITHIN
    count = len(decoded)
    time.sleep(0.4)
    assert len(decoded) <= count + 1 < 50  # no thread goes on


@pytest.mark.parametrize("share", SHARES[1:])
def test_a_server_that_stalls_is_an_error_after_a_while(
    serve: Callable[[float], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(opening, "TIMEOUTS", (1.0, 1.0))
    with pytest.raises(facered.ContentMalformedError, match=r"nothing has come for|no answer in"):
        facered.combined(serve(share).address, tmp_path / "out")
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "facered", *map(str, arguments)],
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def test_a_process_with_a_cancelled_job_that_still_waits_ends_well(
    serve: Callable[[float], Server], tmp_path: Path
) -> None:
    """Its thread is amid a library, which must not be torn down under it."""
    script = """
import sys, time, facered
from facered.video.input import opening
from facered.video.output import encoder
opening.TIMEOUTS = 3.0, 3.0
job = facered.submit(sys.argv[1], sys.argv[2])
while job.state is not facered.JobState.PROCESSING:
    time.sleep(0.05)
time.sleep(1)
job.cancel()
try:
    job.result(10)
except facered.JobCanceledError:
    print("cancelled", flush=True)
"""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, serve(0.6).address, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "cancelled\n")
    assert time.monotonic() - begun > 3  # it waits for the thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_call_whose_server_stalls(
    serve: Callable[[float], Server], tmp_path: Path, number: signal.Signals
) -> None:
    server = serve(0.6)
    job = start("combined", server.address, "-o", tmp_path / "out")
    assert server.stalls.wait(60)
    time.sleep(0.3)
    begun = time.monotonic()
    job.send_signal(number)
    _, errors = job.communicate(timeout=30)
    assert (job.returncode, errors) == (130, b"facered: cancelled; nothing half-written is left\n")
    assert time.monotonic() - begun < 2 * WITHIN


def test_a_second_signal_ends_it_at_once_even_amid_a_library(film: Path, tmp_path: Path) -> None:
    """The library lets other threads run, and looks for no signals."""
    script = """
import hashlib, signal, sys
from facered.cli.entry import main
from facered.jobs import passes

def amid_a_library(*_, **__):
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000_000)

passes.analyzed = amid_a_library
sys.exit(main())
"""
    command = [sys.executable, "-c", script, "combined", str(film), "-o", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == b"begun\n"
        begun = time.monotonic()
        job.send_signal(signal.SIGINT)
        time.sleep(0.2)
        job.send_signal(signal.SIGINT)
        assert job.wait(30) == 130
    assert time.monotonic() - begun < 2 * WITHIN


def test_a_call_goes_on_without_its_terminal_if_it_was_begun_so(film: Path, tmp_path: Path) -> None:
    job = start("combined", film, "-o", tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    time.sleep(0.6)
    job.send_signal(signal.SIGHUP)
    job.communicate(timeout=60)
    assert job.returncode == 0


def test_a_call_whose_result_nobody_takes_can_be_cancelled(film: Path, tmp_path: Path) -> None:
    """The pipe is full, and nobody reads it."""
    reading, writing = os.pipe()
    job = start("combined", film, "-o", "-", "--format", "nut", "--crf", "0", stdout=writing, cwd=tmp_path)
    os.close(writing)
    time.sleep(3)
    job.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, errors = job.communicate(timeout=30)
    os.close(reading)
    assert (job.returncode, errors) == (130, b"facered: cancelled; nothing half-written is left\n")
    assert time.monotonic() - begun < 2 * WITHIN


def test_a_second_signal_ends_it_at_once_and_the_next_call_cleans_up(rabbit: Path, film: Path, tmp_path: Path) -> None:
    long = videos.repeat(tmp_path / "long.mp4", rabbit, 10)
    job = start("combined", long, "-o", tmp_path / "out")
    while not (tmp_path / "out" / ".long_redacted.mp4.facered").exists():
        assert job.poll() is None
        time.sleep(0.01)
    job.send_signal(signal.SIGINT)
    job.send_signal(signal.SIGTERM)
    assert job.wait(10) == 130
    job.communicate()
    done = start("combined", film, "-o", tmp_path / "out")
    done.communicate(timeout=60)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["foo_redacted.mp4"]
