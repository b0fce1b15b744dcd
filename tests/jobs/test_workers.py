"""Segments analyzed and parts encoded by worker processes: the same files, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import facered
import videos
from facered.jobs.state import place_of
from facered.runtime import cancellation
from facered.runtime.dispatch import Dispatcher
from facered.runtime.pool import Pool
from facered.runtime.workers import ApartError, Worker
from facered.video.input.excerpt import Recording
from lumas import texture
from thinned import thinned

THREADS = 5
"""With which there are two workers, however few cores there are."""
SIZE = 160
"""Of the detector, so that it takes less time."""
SHOTS, MAN, WALL = 4, 40, 100


@pytest.fixture(autouse=True)
def few_cores() -> None:
    """Have workers here."""


def made(path: Path, carphone: Path, begin: int = 0) -> Path:
    """Write a film of eight shots, a man and a wall by turns, which is of two parts; its key frames follow no cuts."""
    man, frames = videos.decode(carphone), []
    for number in range(SHOTS):
        wall = av.VideoFrame.from_ndarray(np.repeat(texture(number, 176, 144, 12)[..., None], 3, axis=2), "rgb24")
        frames += man[begin + 5 * number :][:MAN] + [wall.reformat(format="yuv420p")] * WALL
    options = {"preset": "superfast", "g": "70", "sc_threshold": "0", "x264-params": "open-gop=1:bframes=3"}
    return videos.encode(path, frames, options=options, audio="aac", audio_seconds=20)


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("films") / "foo.mp4", carphone)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def alone(film: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return all files that come of the film without workers."""
    folder = tmp_path_factory.mktemp("alone")
    facered.analyze(film, folder, threads=1, detect_size=SIZE)
    facered.redact(film, folder, threads=1, preset="ultrafast")
    return files(folder)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Future[Any]]]]:
    """Return a list of what is given to workers, and what becomes of it."""
    found: list[tuple[str, Future[Any]]] = []
    submit = Pool.submit

    def noted(self: Pool, *arguments: Any, kind: str, **settings: Any) -> Future[Any]:
        future = submit(self, *arguments, kind=kind, **settings)
        found.append((kind, future))
        return future

    monkeypatch.setattr(Pool, "submit", noted)
    yield found
    assert children(os.getpid()) == []


def children(process: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return [child for child in found if b"runtime.workers" in Path(f"/proc/{child}/cmdline").read_bytes()]


def kinds(tasks: list[tuple[str, Future[Any]]]) -> list[str]:
    """Return the kinds of those that workers have done."""
    return sorted(kind for kind, future in tasks if future.exception() is None)


def combined(film: Path, folder: Path, **options: Any) -> dict[str, bytes]:
    facered.combined(film, folder, annotations=True, preset="ultrafast", threads=THREADS, detect_size=SIZE, **options)
    return files(folder)


DONE = ["analyze"] * 2 * SHOTS + ["encode"] * 2


def test_analyze_and_redact_make_the_same_files(
    film: Path,
    alone: dict[str, bytes],
    tmp_path: Path,
    tasks: list[tuple[str, Future[Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancellation, "POLL_SECONDS", 0.005)
    told: list[facered.Progress] = []
    facered.analyze(film, tmp_path, threads=THREADS, detect_size=SIZE, progress=told.append)
    assert kinds(tasks) == DONE[:-2]
    facered.redact(film, tmp_path, threads=THREADS, preset="ultrafast", progress=told.append)
    assert files(tmp_path) == alone
    assert kinds(tasks) == DONE
    for stage in ("analyze", "redact"):
        counts = [progress.done for progress in told if progress.stage == stage]
        assert counts == sorted(counts)
        assert counts[-1] == SHOTS * (MAN + WALL)
    assert any(1 < later - count < 250 for count, later in pairwise([0, *counts]))  # of a part that is being encoded


def test_of_a_part_of_a_film_they_see_the_same(film: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"start": 3.24, "end": 8.04, "detect_size": SIZE}
    found = [facered.analyze(film, tmp_path / str(n), threads=n, **options).annotations for n in (1, THREADS)]
    assert (np.diff(found[1].starts) == np.diff(found[0].starts)).all()
    assert (found[1].boxes == found[0].boxes).all()
    assert len(found[0].boxes) > MAN // 2


def test_combined_does_too_in_any_order_and_when_a_worker_dies(
    film: Path,
    alone: dict[str, bytes],
    tmp_path: Path,
    tasks: list[tuple[str, Future[Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add, call, calls = Dispatcher.add, Worker.call, [0]

    def call_and_kill(self: Worker, function: Callable[..., Any], arguments: tuple[object, ...], tick: Any) -> Any:
        calls[0] += 1
        dying = calls[0] == 3
        return call(self, function, arguments, (lambda _: self.kill()) if dying else tick)

    monkeypatch.setattr(Dispatcher, "add", lambda self, position, task: add(self, -position, task))
    monkeypatch.setattr(Worker, "call", call_and_kill)
    made = combined(film, tmp_path)
    assert made == {name: content for name, content in alone.items() if "thumb" not in name}
    assert kinds(tasks) == DONE
    assert calls[0] == len(DONE) + 1


@pytest.mark.parametrize("number", thinned([300, 0]))
def test_where_workers_see_other_frames_the_rest_is_done_here(
    film: Path,
    alone: dict[str, bytes],
    tmp_path: Path,
    tasks: list[tuple[str, Future[Any]]],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add = Recording.add

    def added(self: Recording, frame: av.VideoFrame, luma: Any) -> None:
        add(self, frame, 255 - luma if len(self) == number else luma)

    monkeypatch.setattr(Recording, "add", added)
    told: list[int] = []
    facered.analyze(
        film, tmp_path, threads=THREADS, detect_size=SIZE, progress=lambda progress: told.append(progress.done)
    )  # fmt: skip
    assert files(tmp_path) == {name: content for name, content in alone.items() if "redacted" not in name}
    errors = [future.exception() for _, future in tasks]
    assert any(isinstance(error, ApartError) and "another frame" in str(error) for error in errors)
    assert told == sorted(told)


def test_a_part_that_workers_cannot_encode_is_encoded_here(
    film: Path, alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "call", lambda self, *_: self.kill() or (_ for _ in ()).throw(ApartError("no")))
    (tmp_path / "foo_annotations.json").write_bytes(alone["foo_annotations.json"])
    facered.redact(film, tmp_path, threads=THREADS, preset="ultrafast")
    assert files(tmp_path)["foo_redacted.mp4"] == alone["foo_redacted.mp4"]


@pytest.mark.soak
@pytest.mark.parametrize("place", [0.4, 0.7])
def test_a_damaged_film_gives_the_same(film: Path, tmp_path: Path, place: float) -> None:
    damaged = bytearray(film.read_bytes())
    for number in range(40):
        damaged[round(len(damaged) * place) + 7 * number] ^= 0x55
    source = tmp_path / "foo.mp4"
    source.write_bytes(damaged)
    found = []
    for threads in (1, THREADS):
        folder = tmp_path / str(threads)
        result = facered.combined(source, folder, annotations=True, preset="ultrafast", threads=threads)
        assert result.damaged_frames
        facered.redact(source, folder / "bar.mp4", annotations=result.annotations_path, threads=threads)
        found.append(files(folder))
    assert found[0] == found[1]


def test_a_film_that_another_one_replaces_is_told(
    film: Path, carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "foo.mp4"
    source.write_bytes(film.read_bytes())
    other = made(tmp_path / "other.mp4", carphone, begin=20)
    begin = Worker.__init__

    def begin_late(self: Worker) -> None:
        if other.exists():
            other.replace(source)
        begin(self)

    monkeypatch.setattr(Worker, "__init__", begin_late)
    with pytest.raises(facered.ContentMalformedError, match="has changed while it was read"):
        facered.analyze(source, tmp_path / "out", threads=THREADS)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("memory", [0, "500M"])
def test_with_too_little_memory_there_are_no_workers(
    film: Path, alone: dict[str, bytes], tmp_path: Path, memory: object, tasks: list[tuple[str, Future[Any]]]
) -> None:
    (tmp_path / "foo_annotations.json").write_bytes(alone["foo_annotations.json"])
    facered.redact(film, tmp_path, threads=THREADS, preset="ultrafast", memory=memory)
    assert files(tmp_path)["foo_redacted.mp4"] == alone["foo_redacted.mp4"]
    assert tasks == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_is_left_when_the_job_is_struck(
    film: Path, alone: dict[str, bytes], tmp_path: Path, how: signal.Signals
) -> None:
    call = [sys.executable, "-m", "facered", "combined", str(film), "-o", str(tmp_path), "--annotations"]
    call += ["--preset", "ultrafast", "--threads", str(THREADS), "--detect-size", str(SIZE), "-q"]
    job = subprocess.Popen(call)
    state = place_of(tmp_path / "foo_redacted.mp4")
    while job.poll() is None and not (list(state.glob("part*[0-9]")) and children(job.pid)):
        time.sleep(0.002)
    workers = children(job.pid)
    job.send_signal(how)
    assert job.wait() == (130 if how == signal.SIGINT else -signal.SIGKILL)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{worker}/fd/0").exists() for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert workers
    if how == signal.SIGINT:
        assert list(tmp_path.iterdir()) == []
        return
    assert len(list(state.glob("segment-*[0-9]"))) >= SHOTS - 1  # those of the part, but for the short first one
    assert combined(film, tmp_path, resume=True)["foo_redacted.mp4"] == alone["foo_redacted.mp4"]
