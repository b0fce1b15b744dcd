"""The command line, as a person or a script meets it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facered", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_it_works_and_says_where_the_result_is(carphone: Path, tmp_path: Path) -> None:
    done = run("combined", carphone, "-o", tmp_path / "out", "--annotations")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 person, 120 frames in" in done.stdout
    assert "frames/s" in done.stdout
    assert str(tmp_path / "out" / "carphone_pristine_redacted.mp4") in done.stdout
    assert files(tmp_path / "out") == ["carphone_pristine_annotations.json", "carphone_pristine_redacted.mp4"]


def test_the_output_may_be_named(carphone: Path, tmp_path: Path) -> None:
    assert run("combined", carphone, "-o", tmp_path / "deep" / "released.mp4", "-q").returncode == 0
    assert files(tmp_path / "deep") == ["released.mp4"]


def test_quiet_means_quiet(carphone: Path, tmp_path: Path) -> None:
    done = run("combined", carphone, "-o", tmp_path, "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["combined", "nope.mp4"], 2, "nope.mp4: no such file"),
        (["combined", "text.mp4"], 3, "text.mp4: not a readable video"),
        (["combined", "."], 2, "this is a directory"),
        (["combined", "CARPHONE", "-o", "text.mp4/deep"], 2, "cannot be written"),
        (["combined", "CARPHONE", "-o", "taken.mp4"], 2, "exists already; add --overwrite"),
        (["combined", "CARPHONE", "--threshold", "7"], 2, "threshold is 7.0; it can be a number from 0.01 to 1"),
        (["combined", "CARPHONE", "--threshold", "nan"], 2, "threshold is nan"),
        (["combined", "CARPHONE", "--threshold", "x"], 2, "--threshold"),
        (["combined", "CARPHONE", "--margin", "0.5"], 2, "margin is 0.5"),
        (["combined", "CARPHONE", "--blur-radius", "0"], 2, "blur_radius is 0"),
        (["combined", "CARPHONE", "--preset", "warp"], 2, "warp"),
        (["combined", "CARPHONE", "--threads", "-1"], 2, "threads is -1"),
        (["combined", "CARPHONE", "--model", "text.mp4"], 2, "not a model that onnxruntime can load"),
        (["combined", "CARPHONE", "--model", "nope.onnx"], 2, "nope.onnx: no such model file"),
        (["combined"], 2, "VIDEO"),
        (["combine"], 2, "combined"),
        ([], 2, "COMMAND"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    carphone: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "taken.mp4").write_text("precious")
    before = files(tmp_path)
    done = run(*[str(carphone) if a == "CARPHONE" else a for a in arguments], cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert files(tmp_path) == before
    assert (tmp_path / "taken.mp4").read_text() == "precious"


def test_the_input_is_never_overwritten(carphone: Path, tmp_path: Path) -> None:
    source = tmp_path / "foo.mp4"
    source.write_bytes(carphone.read_bytes())
    done = run("combined", source, "-o", source, "--overwrite")
    assert done.returncode == 2
    assert "this is the input itself" in done.stderr
    assert source.read_bytes() == carphone.read_bytes()


def test_overwrite_replaces(carphone: Path, tmp_path: Path) -> None:
    target = tmp_path / "result.mp4"
    target.write_text("old")
    assert run("combined", carphone, "-o", target, "--overwrite").returncode == 0
    assert target.stat().st_size > 10_000


def test_a_bad_input_does_not_stop_the_others(carphone: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(carphone.read_bytes())
    done = run("combined", tmp_path / "text.mp4", carphone, copy, "-o", tmp_path / "out")
    assert done.returncode == 3
    assert files(tmp_path / "out") == ["carphone_pristine_redacted.mp4", "copy_redacted.mp4"]
    assert done.stderr.splitlines()[0] == "facered: 1 of 3 videos failed:"
    assert "text.mp4" in done.stderr.splitlines()[1]


def test_two_inputs_with_one_result_do_not_overwrite_each_other(carphone: Path, tmp_path: Path) -> None:
    twin = tmp_path / carphone.name
    twin.write_bytes(carphone.read_bytes())
    done = run("combined", carphone, twin, "-o", tmp_path / "out", "--overwrite")
    assert done.returncode == 2
    assert "run it by itself" in done.stderr
    assert files(tmp_path / "out") == ["carphone_pristine_redacted.mp4"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_leaves_nothing(rabbit: Path, tmp_path: Path, number: signal.Signals) -> None:
    job = subprocess.Popen(
        [sys.executable, "-m", "facered", "combined", str(rabbit), "-o", str(tmp_path / "out"), "--preset", "placebo"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(name.endswith(".part") for name in files(tmp_path / "out")):  # it is writing
        assert time.monotonic() < deadline
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(number)
    _, errors = job.communicate(timeout=30)
    assert job.returncode == 130
    assert errors == "facered: cancelled; nothing half-written is left\n"
    assert files(tmp_path / "out") == []


def test_a_terminal_gets_a_progress_bar(carphone: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    job = subprocess.Popen(
        [sys.executable, "-m", "facered", "combined", str(carphone), "-o", str(tmp_path)],
        stderr=follower,
        stdout=subprocess.DEVNULL,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
    os.close(leader)
    assert job.wait(timeout=30) == 0
    assert b"carphone_pristine.mp4: analyze" in shown
    assert b"carphone_pristine.mp4: redact" in shown
    assert b"frames/s" in shown


def test_help_reads_well() -> None:
    done = run("combined", "--help")
    assert done.returncode == 0
    for part in ("examples:", "exit codes:", "--threshold", "--margin", "--blur-radius", "--threads", "--overwrite"):
        assert part in done.stdout
    assert run("--version").stdout.startswith("facered 0.")
