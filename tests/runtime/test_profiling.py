"""Tables and traces of where the time goes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

import facered
import videos
from facered.runtime import profiling
from facered.runtime.ahead import Ahead

HEAD = ["step", "calls", "total s", "ms/frame", "share %", "p50 ms", "p99 ms"]


@pytest.fixture
def foo(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 12))


def rows(table: str) -> dict[str, list[str]]:
    lines = [re.split(r"  +", line) for line in table.splitlines()]
    assert lines[0] == HEAD
    return {line[0]: line[1:] for line in lines[2:-1]}


def test_without_a_profile_nothing_is_made() -> None:
    assert profiling.timed("a") is profiling.timed("b")
    with profiling.timed("a"):
        pass
    assert list(profiling.timed_items([1, 2], "c")) == [1, 2]


def test_times_are_those_that_passed() -> None:
    with facered.Profile() as profile:
        for _ in range(3):
            with profiling.timed("sleep"):
                time.sleep(0.02)
        with pytest.raises(ZeroDivisionError), profiling.timed("fail"):
            1 / 0  # noqa: B018
        assert list(profiling.timed_items(iter("ab"), "letters")) == ["a", "b"]
        profiling.count_frames(2)
    with profiling.timed("too late"):
        pass
    durations = profile.durations()
    assert {step: len(times) for step, times in durations.items()} == {"sleep": 3, "fail": 1, "letters": 2}
    assert all(0.02 <= seconds < 0.2 for seconds in durations["sleep"])
    assert 0.06 <= profile.seconds < 1
    found = rows(profile.table())
    assert list(found) == ["sleep", "fail", "letters"]
    calls, total, a_frame, share, median, slowest = map(float, found["sleep"])
    assert (calls, total) == (3, pytest.approx(sum(durations["sleep"]), abs=1e-3))
    assert a_frame == pytest.approx(1e3 * total / 2, abs=1)
    assert share == pytest.approx(100 * total / profile.seconds, rel=0.05)
    assert 20 <= median <= slowest
    assert profile.table().endswith(f"2 frames in {profile.seconds:.3f} s")


def test_threads_of_the_job_are_recorded_and_others_are_not() -> None:
    def letters() -> list[str]:
        return list(profiling.timed_items("abc", "letters"))

    with facered.Profile() as profile:
        with Ahead(profiling.timed_items("ab", "mine"), 1, "mine") as items:
            list(items)
        stranger = threading.Thread(target=letters)
        stranger.start()
        stranger.join()
    assert len(profile.durations()["mine"]) == 2
    assert "letters" not in profile.durations()


@pytest.mark.parametrize("background", [False, True])
def test_a_job_is_recorded_from_decoding_to_muxing(foo: Path, tmp_path: Path, background: bool) -> None:
    with facered.Profile() as profile:
        if background:
            facered.submit(foo, tmp_path).result(timeout=60)
        else:
            facered.combined(foo, tmp_path)
    assert profile.frames == 12
    calls = {step: len(times) for step, times in profile.durations().items()}
    assert calls["decode"] == 24  # of two passes
    assert calls["track"] == calls["hide"] == calls["mux"] == 12
    assert 12 < calls["encode"] <= 25  # and what the encoder still held, until it has no more
    assert {"tensor", "infer"} < set(calls)


def test_the_trace_has_a_row_a_thread(foo: Path, tmp_path: Path) -> None:
    with facered.Profile() as profile:
        facered.combined(foo, tmp_path)
    profile.write_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    threads = {f"facered {name}" for name in ("decode", "analyze", "decode and hide")}
    assert set(names.values()) == {threading.current_thread().name, *threads}
    by_row = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            by_row[names[event["tid"]]].append((event["ts"], event["ts"] + event["dur"], event["name"]))
    assert {name for _, _, name in by_row["facered decode"]} <= {
        "decode",
        "decode: waiting for room",
        "shrink",
        "cuts",
    }
    assert {"infer", "track"} < {name for _, _, name in by_row["facered analyze"]}
    assert {"encode", "mux"} < {name for _, _, name in by_row[threading.current_thread().name]}
    for spans in by_row.values():
        spans.sort()
        assert spans[0][0] >= 0
        assert max(end for _, end, _ in spans) <= 1e6 * profile.seconds
        for (first, end, _), (begin, last, _) in pairwise(sorted(spans, key=lambda span: (span[0], -span[1]))):
            # A thread does one thing at a time, or one inside the other: looking again is a part of tracking.
            assert end <= begin + 0.01 or first - 0.01 <= begin <= last <= end + 0.01


def test_on_one_thread_one_thing_is_done_after_the_other(foo: Path, tmp_path: Path) -> None:
    with facered.Profile() as profile:
        facered.combined(foo, tmp_path, threads=1)
    profile.write_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {event["tid"] for event in events} == {1}
    assert not [event["name"] for event in events if "waiting" in event["name"]]


def test_a_trace_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with facered.Profile() as profile:
        pass
    (tmp_path / "trace.json").mkdir()
    with pytest.raises(OSError, match=r"trace\.json"):
        profile.write_trace(tmp_path / "trace.json")
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]


def test_the_command_line_prints_the_table_and_writes_the_trace(foo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facered", "combined", str(foo), "-o", str(tmp_path / "out")]
    more = ["--timings", "--trace", str(tmp_path / "trace.json")]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=True)
    assert {"decode", "infer", "encode"} < set(rows(done.stderr))
    assert "12 frames" in done.stdout
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    assert done.returncode == 2  # the result exists already
    assert "exists already" in done.stderr
    nowhere = str(tmp_path / "no" / "trace.json")
    done = subprocess.run([*command, "--overwrite", "--trace", nowhere], capture_output=True, text=True, check=False)
    told = f"facered: {nowhere}: cannot be written (No such file or directory); choose another file\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_what_it_costs_is_little() -> None:
    def milliseconds(count: int) -> float:
        begun = time.thread_time_ns()
        for _ in range(count):
            with profiling.timed("step"):
                pass
        return (time.thread_time_ns() - begun) / 1e6

    # About a dozen steps a frame; at 140 frames/s, 1 % of a frame's time is 70 microseconds.
    assert min(milliseconds(1000) for _ in range(5)) < 1
    with facered.Profile():
        assert min(milliseconds(1000) for _ in range(5)) < 5
