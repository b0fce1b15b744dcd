"""Videos that can be read only once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import facered
import videos
from facered.jobs.spool import spooled


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("spool") / "film.mp4", videos.decode(carphone, 3))


@pytest.fixture
def expected(film: Path, tmp_path: Path) -> bytes:
    return facered.combined(film, tmp_path / "expected").video_path.read_bytes()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of temporary files, and have it used."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "foo.mp4")
    return tmp_path / "foo.mp4"


def write(fifo: Path, content: bytes, pause: float = 0.0) -> threading.Thread:
    """Write into a named pipe in a thread, once somebody reads, and go away after a pause."""

    def work() -> None:
        with fifo.open("wb") as file:
            file.write(content)
            file.flush()
            time.sleep(pause)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def descriptor(film: Path) -> Iterator[int]:
    """Return a pipe that all of the film is in, and that its writer has left."""
    reading, writing = os.pipe()
    assert os.write(writing, film.read_bytes()) == film.stat().st_size
    os.close(writing)
    yield reading
    os.close(reading)


def test_a_named_pipe(film: Path, fifo: Path, expected: bytes, temporary: Path, tmp_path: Path) -> None:
    writer = write(fifo, film.read_bytes())
    result = facered.combined(fifo, tmp_path / "out")
    writer.join()
    assert result.video_path == tmp_path / "out" / "foo_redacted.mp4"
    assert result.video_path.read_bytes() == expected
    assert not list(temporary.iterdir())


def test_a_pipe_that_is_open_already(descriptor: int, expected: bytes, tmp_path: Path) -> None:
    result = facered.combined(f"/dev/fd/{descriptor}", tmp_path / "out")
    assert result.video_path == tmp_path / "out" / "video_redacted.mp4"
    assert result.video_path.read_bytes() == expected


def test_a_socket(film: Path, expected: bytes, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(film.read_bytes())
        ours.close()
        result = facered.combined(f"/dev/fd/{theirs.fileno()}", tmp_path / "out")
    assert result.video_path.read_bytes() == expected


@pytest.mark.parametrize("given", ["pipe", "file"])
def test_standard_input(film: Path, expected: bytes, tmp_path: Path, given: str) -> None:
    command = [sys.executable, "-m", "facered", "combined", "-", "-o", "out", "-q"]
    with film.open("rb") as file:
        more = {"stdin": file} if given == "file" else {"input": film.read_bytes()}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, **more)  # type: ignore[call-overload]
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out" / "stdin_redacted.mp4").read_bytes() == expected


def test_the_copy_is_its_owners_alone_and_does_not_stay(descriptor: int, film: Path, temporary: Path) -> None:
    with spooled(Path("video"), Path(f"/dev/fd/{descriptor}"), lambda: None) as opened:
        assert isinstance(opened, Path)
        assert opened.read_bytes() == film.read_bytes()
        assert opened.stat().st_mode & 0o777 == 0o600
        assert opened.stat().st_dev == temporary.stat().st_dev
        assert not list(temporary.iterdir())
    assert not opened.exists()


@pytest.mark.parametrize("writes", [True, False])
def test_waiting_can_be_cancelled(film: Path, fifo: Path, tmp_path: Path, writes: bool) -> None:
    job = facered.submit(fifo, tmp_path / "out")
    writer = write(fifo, film.read_bytes()[:1000], pause=1) if writes else None
    time.sleep(0.5)
    assert job.cancel()
    with pytest.raises(facered.JobCanceledError):
        job.result(timeout=2)
    if writer is not None:
        writer.join()
    assert not (tmp_path / "out").exists()


def test_an_empty_pipe(fifo: Path) -> None:
    writer = write(fifo, b"")
    with pytest.raises(facered.ContentMalformedError, match=r"foo.mp4: it is empty"):
        facered.combined(fifo)
    writer.join()


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_copied(device: str) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match="a terminal or a device"):
        facered.combined(device)


def test_no_room_for_the_copy(descriptor: int, temporary: Path) -> None:
    temporary.rmdir()
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"no room for a copy in .*; choose another"):
        facered.combined(f"/dev/fd/{descriptor}")


def test_a_copy_that_does_not_fit(film: Path, tmp_path: Path) -> None:
    line = f"ulimit -f 4; cat '{film}' | '{sys.executable}' -m facered combined - -o out"  # 4 KiB a file
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert film.stat().st_size > 4096
    assert (done.returncode, b"no room for a copy" in done.stderr) == (2, True)


def test_the_input_of_another_name_is_not_overwritten(film: Path, tmp_path: Path) -> None:
    path = shutil.copy(film, tmp_path / "foo.mp4")
    with path.open("rb") as file, pytest.raises(facered.ConfigurationUnsupportedError, match="the input itself"):
        facered.combined(f"/dev/fd/{file.fileno()}", path, overwrite=True)
