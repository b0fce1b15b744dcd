"""Many jobs at once, some cancelled, and processes that are forked meanwhile: each ends as asked."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import facered
import videos
from facered.jobs.job import JobState
from faults import threads_left

LONG = pytest.mark.soak


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("film") / "foo.mp4", videos.decode(carphone, 12))


@pytest.fixture(scope="module")
def right(film: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Return the files that each kind of job makes alone."""
    made = {}
    for mode in ("analyze", "combined", "broken"):
        folder = tmp_path_factory.mktemp(mode)
        if mode != "broken":
            facered.submit(film, folder, mode=mode, threads=1).result()
        made[mode] = contents(folder)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("jobs", "seed"), [(16, 1), pytest.param(100, 2, marks=LONG), pytest.param(300, 3, marks=LONG)]
)
def test_each_of_many_jobs_ends_as_asked(
    film: Path,
    right: dict[str, dict[str, bytes]],
    tmp_path: Path,
    jobs: int,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:600])
    threads, open_files = set(threading.enumerate()), descriptors()
    ended: Counter[JobState] = Counter()

    def one(number: int) -> None:
        chance = random.Random(f"{seed} {number}")  # noqa: S311
        mode, out = chance.choice(["analyze", "combined", "combined", "broken"]), tmp_path / f"out{number}"
        cancels, pause = chance.random() < 0.4, chance.uniform(0, 0.5)
        settings = {"mode": "combined" if mode == "broken" else mode, "threads": 1}
        job = facered.submit(broken if mode == "broken" else film, out, **settings)  # type: ignore[arg-type]
        asked = False
        if cancels:
            time.sleep(pause)
            asked = job.cancel()
        try:
            job.result(240)
        except facered.JobCanceledError:
            assert asked
            assert job.state is JobState.CANCELED
        except facered.FaceredError:
            assert mode == "broken"
            assert job.state is JobState.ERROR
        else:
            assert mode != "broken"
            assert job.state is JobState.FINISHED
        assert contents(out) == (right[mode] if job.state is JobState.FINISHED else {})
        ended[job.state] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(jobs)))
    assert ended.total() == jobs
    assert len(ended) == 3
    assert not threads_left(threads)
    until = time.monotonic() + 5
    while descriptors() > open_files and time.monotonic() < until:
        time.sleep(0.05)
    assert descriptors() <= open_files
    for state, count in ended.items():
        record_property(f"jobs {state.value.lower()}", count)


FORKING = """
import os, random, signal, sys, threading, time, warnings
import facered

warnings.simplefilter("ignore")
film, folder, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
chance, over, done = random.Random(seed), threading.Event(), []

def work(number):
    while not over.is_set():
        job = facered.submit(film, f"{folder}/parent{number}", overwrite=True, threads=1 + number)
        done.append(job.result(120).frames)

threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for number in range(count):
    time.sleep(chance.uniform(0, 0.3))
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            mode = chance.choice(["analyze", "combined"])
            job = facered.submit(film, f"{folder}/child{number}", mode=mode)
            os._exit(job.result().frames != 12)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        over.set()
        sys.exit(f"child {number} ended with {code}")
over.set()
for thread in threads:
    thread.join()
assert set(done) == {12}, done
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")
@pytest.mark.parametrize("forks", [3, pytest.param(50, marks=LONG)])
def test_children_forked_at_any_moment_do_jobs_of_their_own(
    film: Path, tmp_path: Path, forks: int, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-c", FORKING, str(film), str(tmp_path), str(forks), "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(contents(tmp_path / f"child{number}") for number in range(forks))
    assert not list(tmp_path.rglob(".*"))
    record_property("forks", forks)


def in_a_process(film: Path, out: Path) -> int:
    return facered.submit(film, out, mode="analyze").result().frames


@pytest.mark.parametrize(("method", "count"), [pytest.param("spawn", count, marks=LONG) for count in (2, 12)])
def test_processes_that_are_spawned_meanwhile_do_jobs_of_their_own(
    film: Path, tmp_path: Path, method: str, count: int, record_property: Callable[[str, object], None]
) -> None:
    over, running = threading.Event(), []

    def work() -> None:
        while not over.is_set():
            running.append(facered.submit(film, tmp_path / "parent", overwrite=True).result(120).frames)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with multiprocessing.get_context(method).Pool(2) as pool:
            places = [(film, tmp_path / f"child{number}") for number in range(count)]
            assert pool.starmap_async(in_a_process, places).get(240) == [12] * count
    finally:
        over.set()
        thread.join()
    assert set(running) == {12}
    record_property(f"processes by {method}", count)
