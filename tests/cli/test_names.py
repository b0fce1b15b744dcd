"""Names as terminals, machines and pipes meet them."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import videos
from facered.cli.report import ProgressLines
from facered.jobs.progress import Progress
from thinned import thinned

NASTY = "e\x1b[31m\r\n\x9b\x7f\u202e\udcff.mp4"
SHOWN = r"e\x1b[31m\r\n\x9b\x7f\u202e\xff.mp4"


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("names") / "film.mp4", videos.decode(carphone, 3), audio="aac")


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "facered", *map(os.fspath, arguments)]  # type: ignore[arg-type]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **more)


def on_a_terminal(*arguments: object, cwd: Path) -> tuple[int, bytes]:
    """Return the exit code and what a terminal is sent."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "facered", *map(os.fspath, arguments)]  # type: ignore[arg-type]
    job = subprocess.Popen(command, cwd=cwd, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
    os.close(leader)
    return job.wait(timeout=30), shown


def is_harmless(shown: bytes) -> bool:
    """Tell whether a terminal only shows letters: the bar moves the cursor, and nothing else."""
    text = shown.decode().replace("\x1b[A", "")
    return not set(text) - {"\r", "\n"} & {chr(code) for code in (*range(32), *range(127, 160), 0x202E)}


class TestTerminals:
    @pytest.mark.parametrize("command", ["combined", "analyze"])
    def test_names_do_nothing_to_it(self, film: Path, tmp_path: Path, command: str) -> None:
        shutil.copy(film, tmp_path / NASTY)
        code, shown = on_a_terminal(command, NASTY, "-o", "out", cwd=tmp_path)
        assert code == 0
        assert SHOWN.encode() + b": 1 person" in shown
        assert b"\x1b[31m" not in shown
        assert is_harmless(shown)
        code, shown = on_a_terminal(command, NASTY, "-o", "out", "--json", cwd=tmp_path)
        assert code == 2
        assert b"exists already" in shown
        assert is_harmless(shown)

    @pytest.mark.parametrize(
        "arguments",
        thinned(
            [
                ["combined", NASTY],
                ["combined", "film.mp4", NASTY, "-o", "out"],
                ["redact", "film.mp4", "--annotations", NASTY],
                ["redact", "film.mp4", "--annotations", "none.json", "--ids", NASTY],
                ["run", "film.mp4", "--config", NASTY],
                ["combined", "film.mp4", f"--{NASTY}"],
                ["combined", "film.mp4", "--report", f"none/{NASTY}", "-o", "out"],
                ["bench", NASTY],
                ["pipe", NASTY],
            ]
        ),
    )
    def test_errors_do_nothing_to_it(self, film: Path, tmp_path: Path, arguments: list[str]) -> None:
        shutil.copy(film, tmp_path)
        (tmp_path / "none.json").write_text('{"timescale": 25, "width": 176, "height": 144, "fragments": []}')
        done = run(*arguments, cwd=tmp_path)
        assert rb"\x1b[31m" in done.stderr
        assert is_harmless(done.stderr)
        assert done.stderr.count(b"\n") <= 2

    def test_warnings_do_nothing_to_it(self, film: Path, tmp_path: Path) -> None:
        shutil.copy(film, tmp_path / NASTY)
        done = run("combined", NASTY, "--end", "0.1", cwd=tmp_path)
        assert done.stderr.startswith(b"facered: " + SHOWN.encode())

    def test_whatever_it_can_show(self, film: Path, tmp_path: Path) -> None:
        shutil.copy(film, tmp_path / "é.mp4")
        done = run("combined", "é.mp4", cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert (done.returncode, done.stderr) == (0, b"")
        assert rb"\xe9.mp4: 1 person" in done.stdout


def test_machines_are_told_names_that_are_not_utf_8(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / NASTY)
    done = run("combined", NASTY, "-o", "out", "--json", "--report", "report.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    *_, report = (json.loads(line) for line in done.stdout.splitlines())
    assert report == json.loads((tmp_path / "report.jsonl").read_bytes())
    assert report["input"]["path"] == NASTY.replace("\udcff", r"\xff")
    failed = run("combined", NASTY, "-o", "out", "--json", cwd=tmp_path)
    assert json.loads(failed.stdout.splitlines()[-1])["error"]["message"].startswith(r"out/e")


def test_a_report_or_a_trace_does_not_replace_an_input(film: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(film, tmp_path))
    for option in ("--report", "--trace"):
        done = run("combined", path, "-o", tmp_path / "out", option, path)
        assert (done.returncode, b"this is an input" in done.stderr) == (2, True)
    done = run("pipe", path, "--trace", path, "-o", tmp_path / "out.mkv")
    assert (done.returncode, b"this is an input" in done.stderr) == (2, True)
    done = run("pipe", path, "--faces", path, "-o", tmp_path / "out.mkv")
    assert (done.returncode, b"this is the input itself" in done.stderr) == (2, True)
    done = run("pipe", path, "--faces", tmp_path / "out.mkv", "-o", tmp_path / "out.mkv")
    assert (done.returncode, b"this is the output too" in done.stderr) == (2, True)
    assert path.read_bytes() == film.read_bytes()


def test_how_to_name_a_file_that_begins_with_a_dash_is_said(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "-x.mp4")
    assert b"for the file -x.mp4 write ./-x.mp4" in run("combined", "-x.mp4", cwd=tmp_path).stderr
    for arguments in (["./-x.mp4"], ["--overwrite", "--", "-x.mp4"]):
        assert run("combined", *arguments, cwd=tmp_path).returncode == 0


def test_a_stream_is_written_under_the_name_that_it_is_given(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "12:30.mp4")
    assert run("pipe", "12:30.mp4", "-o", "http:12:31.mkv", cwd=tmp_path).returncode == 0
    assert len(videos.decode(tmp_path / "http:12:31.mkv")) == 3


class TestStandardOutput:
    @pytest.mark.parametrize("options", thinned([["--format", "nut"], []]))
    def test_a_film(self, film: Path, tmp_path: Path, options: list[str]) -> None:
        done = run("combined", film, "-o", "-", *options, cwd=tmp_path)
        assert done.returncode == 0
        assert b"1 person" in done.stderr
        assert not list(tmp_path.iterdir())
        run("combined", film, "-o", tmp_path / "out.mp4", "-q")
        with av.open(io.BytesIO(done.stdout)) as container, av.open(str(tmp_path / "out.mp4")) as file:
            assert container.format.name.startswith("nut" if options else "mov")
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            told, expected = [*container.decode(video=0)], [*file.decode(video=0)]
            assert [bytes(frame.planes[0]) for frame in told] == [bytes(frame.planes[0]) for frame in expected]
            assert steps(told) == steps(expected)

    def test_a_picture(self, carphone: Path, tmp_path: Path) -> None:
        videos.decode(carphone, 1)[0].save(tmp_path / "foo.png")
        done = run("combined", "foo.png", "-o", "-", cwd=tmp_path)
        run("combined", "foo.png", "-o", "bar.png", cwd=tmp_path)
        assert done.stdout == (tmp_path / "bar.png").read_bytes()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["combined", "film.mp4", "film.mp4", "-o", "-"], b"only one video at a time"),
            (["combined", "film.mp4", "-o", "-", "--annotations"], b"annotations cannot go to standard output"),
            (["analyze", "film.mp4", "-o", "-"], b"annotations cannot go to standard output"),
            (["combined", "film.mp4", "--format", "nut"], b"--format is for standard output"),
        ],
    )
    def test_what_cannot_go_there(self, film: Path, tmp_path: Path, arguments: list[str], message: bytes) -> None:
        shutil.copy(film, tmp_path)
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert message in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]

    def test_a_terminal_is_refused(self, film: Path, tmp_path: Path) -> None:
        code, shown = on_a_terminal("combined", film, "-o", "-", cwd=tmp_path)
        assert code == 2
        assert b"standard output is a terminal" in shown

    @pytest.mark.parametrize("name", thinned(["film.mp4", "foo.png"]))
    def test_nobody_reads_it_or_there_is_no_room(self, film: Path, carphone: Path, tmp_path: Path, name: str) -> None:
        shutil.copy(film, tmp_path)
        videos.decode(carphone, 1)[0].save(tmp_path / "foo.png")
        command = f"'{sys.executable}' -m facered combined {name} -o -"
        unread = subprocess.run(["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"], cwd=tmp_path, check=False)
        assert unread.returncode == 141
        full = subprocess.run(["bash", "-c", f"{command} > /dev/full"], cwd=tmp_path, capture_output=True, check=False)
        assert (full.returncode, b"writing failed (No space left on device)" in full.stderr) == (1, True)

    def test_there_is_none(self, film: Path) -> None:
        for command in ("combined", "pipe"):
            line = f"'{sys.executable}' -m facered {command} '{film}' -o - >&-"
            done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
            assert (done.returncode, b"standard output is closed" in done.stderr) == (2, True)

    def test_nobody_reads_the_summary(self, film: Path, tmp_path: Path) -> None:
        line = f"'{sys.executable}' -m facered combined '{film}' | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (141, b"")
        assert (tmp_path / "film_redacted.mp4").is_file()

    def test_json_goes_past_it(self, film: Path) -> None:
        done = run("combined", film, "-o", "-", "--json")
        assert json.loads(done.stderr.splitlines()[-1])["state"] == "Finished"
        with av.open(io.BytesIO(done.stdout)) as container:
            assert len([*container.decode(video=0)]) == 3


def steps(frames: list[av.VideoFrame]) -> list[Fraction]:
    times = [frame.pts * frame.time_base for frame in frames]
    return [time - times[0] for time in times]


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    told: list[Any] = []
    lines = ProgressLines(Path("foo\udcff.mp4"), told.append)
    for number in range(1, 101):
        now = number / 25
        lines(Progress("redact", number, 100, now, ("analyze", "redact")))
    assert [line["frames"] for line in told] == [25, 50, 75, 100]
    assert {line["event"] for line in told} == {"progress"}
    assert told[1] | {"time": ""} == {
        "event": "progress",
        "input": r"foo\xff.mp4",
        "stage": "redact",
        "frames": 50,
        "total_frames": 100,
        "fraction": 0.75,
        "frames_per_second": 25.0,
        "remaining_seconds": 2.0,
        "time": "",
    }


def test_progress_is_printed_between_states(rabbit: Path, tmp_path: Path) -> None:
    done = run("analyze", rabbit, "-o", tmp_path / "out", "--json", "--end", "1.2")
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events[:2] == ["state", "state"]
    assert events[-2:] == ["state", "report"]
    assert set(events[2:-2]) == {"progress"}
