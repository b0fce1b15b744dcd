"""Measuring the modes on one's own video."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import av
import pytest

import videos
from facered.cli.bench import MEASURED, all_settings, as_asked, compare, encode_again
from facered.errors import JobCanceledError
from facered.jobs.job import Job
from facered.jobs.task import Task
from facered.options import Options
from facered.runtime import cores


@pytest.fixture
def foo(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 15))


def bench(*arguments: object, temporary: Path) -> subprocess.CompletedProcess[str]:
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "facered", "bench", *map(str, arguments)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=temporary)


def test_every_mode_runs_in_turn_and_nothing_is_left(foo: Path, tmp_path: Path) -> None:
    done = bench(foo, "--repeat", 2, "--json", "--precision", "fp32", temporary=tmp_path / "t")
    figures = json.loads(done.stdout)
    assert (done.returncode, figures["frames"], figures["people"]) == (0, 15, 1)
    assert list(figures["modes"]) == list(MEASURED)
    told = [f"... {mode}, run {turn} of 2" for turn in (1, 2) for mode in MEASURED]
    assert done.stderr.splitlines() == told
    floor = figures["modes"]["floor"]["seconds"]
    for mode, found in figures["modes"].items():
        assert len(found["seconds"]) == len(found["cpu_seconds"]) == 2
        assert found["median_seconds"] == pytest.approx(statistics.median(found["seconds"]))
        assert found["frames_per_second"] == pytest.approx(15 / found["median_seconds"])
        ratios = [seconds / base for seconds, base in zip(found["seconds"], floor, strict=True)]
        assert found["floor_ratio"] == pytest.approx(statistics.median(ratios))
        assert (mode == "floor") == (found["floor_ratio"] == 1) == (found["floor_cpu_ratio"] == 1)
        looks = mode in ("analyze", "combined")
        assert (found["inference_calls"] > 0) == (found["inference_megapixels"] > 0) == looks
        assert found["precision"] == ("fp32" if looks else None)
    assert figures["modes"]["analyze"]["inference_calls"] == figures["modes"]["combined"]["inference_calls"]
    assert figures["instruction_sets"] == cores.instruction_sets()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foo.mp4", "t"]
    assert not list((tmp_path / "t").iterdir())


def test_people_get_a_table(foo: Path, tmp_path: Path) -> None:
    done = bench(foo, tmp_path / "nope.mp4", "--repeat", 1, "--quiet", "--detect-size", 128, temporary=tmp_path / "t")
    title, heads, _, *rows, machine = done.stdout.splitlines()
    assert title == f"{foo}: 15 frames, 1 person"
    assert heads.split()[0] == "mode"
    assert [row.split()[0] for row in rows] == list(MEASURED)
    assert re.fullmatch(r"inference in (fp32|int8); \d+ processors? with .+", machine)
    assert set(machine.split(" with ")[1].split()) & {"avx2", "asimd", "sse4_2", "no"}
    assert (done.returncode, done.stderr) == (2, f"facered: {tmp_path / 'nope.mp4'}: no such file\n")


def test_all_settings_are_measured_beside_the_floor_of_their_preset(foo: Path, tmp_path: Path) -> None:
    done = bench(foo, "--all", "--repeat", 1, "--json", "--precision", "fp32", temporary=tmp_path / "t")
    modes = json.loads(done.stdout)["modes"]
    assert list(modes) == [
        *(*MEASURED, "combined, veryfast, int8"),
        *("floor, medium", "combined, medium, fp32", "combined, medium, int8"),
    ]
    for name, found in modes.items():
        mode, preset, precision = (name.split(", ") + ["veryfast", "fp32"][len(name.split(", ")) - 1 :])[:3]
        looks = mode in ("analyze", "combined")
        assert (found["mode"], found["preset"]) == (mode, preset)
        assert found["precision"] == (precision if looks else None)
        assert found["floor"] == ("floor, medium" if preset == "medium" else "floor")
        assert found["floor_ratio"] == pytest.approx(found["seconds"][0] / modes[found["floor"]]["seconds"][0])
        assert found["floor_cpu_ratio"] == pytest.approx(
            found["cpu_seconds"][0] / modes[found["floor"]]["cpu_seconds"][0]
        )


def test_a_model_of_ones_own_is_measured_in_its_own_precision() -> None:
    names = [entry.name for entry in all_settings(Options(model="mine.onnx", preset="fast"))]
    floors = ["floor, veryfast", "combined, veryfast", "floor, medium", "combined, medium"]
    assert names == [*MEASURED, *floors]


def test_the_number_of_turns_is_checked(foo: Path, tmp_path: Path) -> None:
    done = bench(foo, "--repeat", "0", temporary=tmp_path / "t")
    assert done.returncode == 2
    assert "'0' is not a whole number from 1 on" in done.stderr


def test_the_floor_is_the_whole_video_undisturbed(rabbit: Path, tmp_path: Path) -> None:
    rabbit = videos.encode(tmp_path / "foo.mp4", videos.decode(rabbit, 30), audio="aac")
    out = tmp_path / "floor.mp4"
    result = Job(Task("floor", rabbit, out, Options(preset="ultrafast", crf=0)), work=encode_again).run()
    assert result.frames == 30
    assert videos.times(out) == videos.times(rabbit)
    assert videos.packets(out, "audio") == videos.packets(rabbit, "audio")
    with av.open(str(out)) as encoded, av.open(str(rabbit)) as source:
        for ours, theirs in zip(encoded.decode(video=0), source.decode(video=0), strict=True):
            assert all((a == b).all() for a, b in zip(videos.samples(ours), videos.samples(theirs), strict=True))


@pytest.mark.parametrize("mode", [0, 1, 4])
def test_it_can_be_cancelled_in_any_mode(foo: Path, tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    watched: list[Job] = []

    def watch(job: Job) -> None:
        watched.append(job)
        if len(watched) == mode + 1:
            job.cancel()

    with pytest.raises(JobCanceledError):
        compare(foo, as_asked(Options()), 2, watch, lambda _: None)
    assert len(watched) == mode + 1
    assert [path.name for path in tmp_path.iterdir()] == ["foo.mp4"]
