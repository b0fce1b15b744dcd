"""The command line, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.cli.entry import main
from thinned import thinned


@pytest.fixture(scope="module")
def carphone(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the beginning of the clip, called as it is."""
    return videos.encode(tmp_path_factory.mktemp("short") / carphone.name, videos.decode(carphone, 50))


def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facered", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_it_works_and_says_where_the_result_is(carphone: Path, tmp_path: Path) -> None:
    done = run("combined", carphone, "-o", tmp_path / "out", "--annotations")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 person, 2.0 s of film (50 frames) in" in done.stdout
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
        (["combined", "CARPHONE", "--preset", "warp"], 2, "preset is 'warp'; it can be ultrafast, "),
        (["combined", "CARPHONE", "--blur", "Medium"], 2, "blur is 'Medium'; it can be Low, Med, High"),
        (["combined", "CARPHONE", "--shape", "star"], 2, "shape is 'star'; it can be ellipse, rectangle"),
        (["combined", "CARPHONE", "--start", "2", "--end", "1"], 2, "end is 1.0; it must be after start"),
        (["combined", "CARPHONE", "--ids", "1"], 2, "--ids"),
        (["analyze", "nope.mp4"], 2, "nope.mp4: no such file"),
        (["analyze", "text.mp4"], 3, "text.mp4: not a readable video"),
        (["analyze", "CARPHONE", "-o", "text.mp4/deep"], 2, "cannot be written"),
        (["analyze", "CARPHONE", "--blur", "High"], 2, "--blur"),
        (["redact", "nope.mp4"], 2, "nope.mp4: no such file"),
        (["redact", "text.mp4"], 3, "text.mp4: not a readable video"),
        (["redact", "CARPHONE"], 2, "no annotations, not carphone_pristine_annotations.json nor "),
        (["redact", "CARPHONE", "--annotations", "nope.json"], 2, "nope.json: no such annotations file"),
        (["redact", "CARPHONE", "--annotations", "text.mp4"], 2, "text.mp4: "),
        (["redact", "CARPHONE", "--annotations", "none.json", "--ids", "7"], 2, "no face has the id 7"),
        (["redact", "CARPHONE", "--annotations", "none.json", "--ids", "who.txt"], 2, "who.txt: no such list of ids"),
        (["redact", "CARPHONE", "--annotations", "none.json", "--except-ids", "x"], 2, "except_ids is 'x'"),
        (["redact", "CARPHONE", "--ids", "1", "--except-ids", "2"], 2, "ids and except_ids"),
        (["redact", "CARPHONE", "--threshold", "0.5"], 2, "--threshold"),
        (["run", "CARPHONE"], 2, "--config"),
        (["run", "CARPHONE", "--config", "nope.json"], 2, "nope.json"),
        (["run", "CARPHONE", "--config", "{'options': {'mode':'blur'}}"], 2, "mode is 'blur'"),
        (["run", "CARPHONE", "--config", "{'options': {'mode':'redact'}}"], 2, "no annotations, not"),
        (["combined", "CARPHONE", "--threads", "-1"], 2, "threads is -1"),
        (["combined", "CARPHONE", "--model", "text.mp4"], 2, "not a model that onnxruntime can load"),
        (["combined", "CARPHONE", "--model", "nope.onnx"], 2, "nope.onnx: no such model file"),
        (["combined"], 2, "VIDEO"),
        (["combine"], 2, "combined"),
        ([], 2, "COMMAND"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    carphone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "taken.mp4").write_text("precious")
    (tmp_path / "none.json").write_text('{"timescale": 30000, "width": 176, "height": 144, "fragments": []}')
    before = files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["facered", *[str(carphone) if a == "CARPHONE" else a for a in arguments]])
    assert main() == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
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


def test_analyze_then_redact(carphone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("analyze", carphone, "-o", out)
    assert (done.returncode, done.stderr) == (0, "")
    found = ["carphone_pristine_annotations.json", "carphone_pristine_thumb000001.jpg"]
    assert files(out) == found
    assert "1 person, 2.0 s of film (50 frames) in" in done.stdout
    assert all(str(out / name) in done.stdout for name in found)
    done = run("redact", carphone, "-o", out, "--ids", "1", "--blur", "black")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 person hidden, 2.0 s of film (50 frames) in" in done.stdout
    assert files(out) == [found[0], "carphone_pristine_redacted.mp4", found[1]]
    again = run("redact", carphone, "-o", out)
    assert (again.returncode, "exists already; add --overwrite" in again.stderr) == (2, True)
    (out / "carphone_pristine_IDList.txt").write_text("1\n")
    listed = run("redact", carphone, "-o", out, "--overwrite")
    assert (listed.returncode, "only the 1 ids of" in listed.stderr) == (0, True)


@pytest.mark.parametrize("from_file", thinned([True, False]))
def test_a_configuration_says_what_to_do(carphone: Path, tmp_path: Path, from_file: bool) -> None:
    text = "{'version':'1.0', 'options': {'mode':'combined', 'blurType':'High'}}"
    (tmp_path / "job.json").write_text(text)
    done = run("run", carphone, "-o", tmp_path / "out", "--config", tmp_path / "job.json" if from_file else text)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "out") == ["carphone_pristine_redacted.mp4"]
    expected = facered.combined(carphone, tmp_path, blur="High").video_path
    assert (tmp_path / "out" / expected.name).read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("command", ["combined", "redact"])
@pytest.mark.parametrize("number", thinned([signal.SIGINT, signal.SIGTERM], 2))
def test_an_interrupted_job_leaves_nothing(rabbit: Path, tmp_path: Path, number: signal.Signals, command: str) -> None:
    none = tmp_path / "none.json"
    none.write_text('{"timescale": 25, "width": 1280, "height": 720, "fragments": []}')
    more = ["--annotations", str(none)] if command == "redact" else []
    job = subprocess.Popen(
        [sys.executable, "-m", "facered", command, str(rabbit), "-o", "out", "--preset", "placebo", *more],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(name.endswith(".facered") for name in files(tmp_path / "out")):  # it is writing
        assert time.monotonic() < deadline
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(number)
    _, errors = job.communicate(timeout=30)
    assert job.returncode == 130
    assert errors == "facered: cancelled; nothing half-written is left\n"
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("number", "seconds"), thinned([(signal.SIGINT, 0), (signal.SIGINT, 0.8), (signal.SIGTERM, 0.8)])
)
def test_an_interrupted_analysis_leaves_nothing(
    rabbit: Path, tmp_path: Path, number: signal.Signals, seconds: float
) -> None:
    # However fast the machine is, it is not over that soon.
    long = videos.repeat(tmp_path / "long.mp4", rabbit, 40)
    job = subprocess.Popen(
        [sys.executable, "-m", "facered", "analyze", str(long), "-o", str(tmp_path / "out"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None
    while json.loads(job.stdout.readline())["state"] != "Processing":
        pass
    time.sleep(seconds)
    job.send_signal(number)
    rest, errors = job.communicate(timeout=30)
    assert job.returncode == 130
    assert errors == "facered: cancelled; nothing half-written is left\n"
    told = [json.loads(line) for line in rest.splitlines()]
    assert [line["state"] for line in told if line["event"] == "state"] == ["Canceling", "Canceled"]
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


GENERAL = ["examples:", "exit codes:", "--threads", "--json", "--quiet", "--timings", "--trace"]
OUTPUTS = ["--output", "--overwrite", "--start", "--end", "--report"]
DETECTION = [
    "--threshold",
    "--margin",
    "--max-faces",
    "--detect ",
    "--detect-size",
    "--resolution",
    "--precision",
    "--model",
]
HIDING = ["--blur ", "--blur-radius", "--shape", "--feather", "--preset", "--crf"]


@pytest.mark.parametrize(
    ("command", "parts", "others"),
    [
        ("combined", OUTPUTS + DETECTION + HIDING, ["--ids", "--config"]),
        ("analyze", OUTPUTS + DETECTION, [*HIDING, "--ids"]),
        (
            "redact",
            [*OUTPUTS, *HIDING, "--ids", "--except-ids", "--annotations", "--margin", "_IDList.txt"],
            [*(option for option in DETECTION if option != "--margin"), "--config"],
        ),
        ("bench", ["--repeat", *DETECTION, *HIDING], [*OUTPUTS, "--ids", "--config"]),
        ("run", [*OUTPUTS, "--config", "--ids", "--annotations", "'blurType'"], DETECTION + HIDING),
    ],
)
def test_help_reads_well(command: str, parts: list[str], others: list[str]) -> None:
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [part for part in GENERAL + parts if part not in done.stdout] == []
    options = done.stdout.partition("examples:")[0]
    assert [part for part in others if part in options] == []
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_help_names_the_commands_and_the_version() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("analyze", "redact", "combined", "run", "bench"):
        assert f"    {command} " in done.stdout
    assert run("--version").stdout.startswith("facered 0.")


def test_the_film_is_encoded_as_asked_for(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 4), audio="aac")
    wishes = ["--codec", "hevc", "--bitrate", "900k", "--pix-fmt", "yuv420p10le", "--audio", "none"]
    options = ["--encoder-option", "tune=grain", "--encoder-option", "g=2"]
    done = run("combined", str(source), "-o", str(tmp_path / "bar.mkv"), *wishes, *options)
    assert done.returncode == 0
    assert done.stderr == f"facered: {source}: yuv420p frames are encoded as yuv420p10le\n"
    with av.open(str(tmp_path / "bar.mkv")) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["hevc"]
        assert next(container.decode(video=0)).format.name == "yuv420p10le"
    wrong = run("combined", str(source), "-o", str(tmp_path), "--encoder-option", "tune")
    assert (wrong.returncode, "is not KEY=VALUE" in wrong.stderr) == (2, True)


def test_damage_is_told_and_strict_stops_there(carphone: Path, tmp_path: Path) -> None:
    whole = videos.encode(
        tmp_path / "whole.mkv", videos.decode(carphone, 20), time_base=Fraction(1, 1000), ticks=range(0, 800, 40)
    )
    source = tmp_path / "foo.mkv"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    done = run("combined", str(source), "-o", str(tmp_path))
    assert done.returncode == 0
    assert "it may be truncated" in done.stderr
    strict = run("combined", str(source), "-o", str(tmp_path / "strict"), "--strict")
    assert (strict.returncode, "damaged or truncated after frame" in strict.stderr) == (3, True)
