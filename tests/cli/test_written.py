"""What is read and written beside the film: pipes are read once, and what cannot be written is told first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import facered
import videos
from thinned import thinned


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("film") / "foo.mp4", videos.decode(carphone, 6))


@pytest.fixture(scope="module")
def analyzed(film: Path) -> Path:
    facered.analyze(film, film.parent)
    return film.parent / "foo_annotations.json"


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facered", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def bash(command: str, **variables: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, **{name: str(value) for name, value in variables.items()}}
    line = command.replace("facered", '"$PYTHON" -m facered')
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=environment)


def test_annotations_ids_and_configurations_may_come_out_of_pipes(film: Path, analyzed: Path, tmp_path: Path) -> None:
    expected = facered.redact(film, tmp_path / "expected", annotations=analyzed, ids=[1]).video_path
    assert expected is not None
    for number, command in enumerate(
        (
            'facered redact "$FILM" -o "$OUT" --annotations <(cat "$FOUND")',
            'facered redact "$FILM" -o "$OUT" --annotations "$FOUND" --ids <(echo 1)',
            'facered redact "$FILM" -o "$OUT" --annotations <(cat "$FOUND") --ids <(printf "")',
            """facered run "$FILM" -o "$OUT" --annotations <(cat "$FOUND") --ids <(echo 1) \\
                --config <(echo "{'version': '1.0', 'options': {'mode': 'redact'}}")""",
        )
    ):
        out = tmp_path / f"out{number}"
        done = bash(command, FILM=film, FOUND=analyzed, OUT=out)
        assert (done.returncode, done.stderr) == (0, "")
        assert (out / "foo_redacted.mp4").read_bytes() == expected.read_bytes()


def test_they_are_read_once_for_all_films(film: Path, analyzed: Path, tmp_path: Path) -> None:
    other = tmp_path / "bar.mp4"
    other.write_bytes(film.read_bytes())
    command = 'facered redact "$FILM" "$OTHER" -o "$OUT" --annotations <(cat "$FOUND") --ids <(echo 1)'
    done = bash(command, FILM=film, OTHER=other, FOUND=analyzed, OUT=tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "out") == ["bar_redacted.mp4", "foo_redacted.mp4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('--annotations <(echo "{}")', "timescale"),
        ('--annotations "$FOUND" --ids <(echo 7)', "no face has the id 7"),
        ('--annotations "$FOUND" --ids <(echo Anna)', "line 1 is 'Anna'"),
        ('--annotations "$FOUND" --ids <(yes 1)', "is larger than 17 MB"),
    ],
)
def test_what_comes_out_of_them_is_checked(
    film: Path, analyzed: Path, tmp_path: Path, options: str, message: str
) -> None:
    done = bash(f'facered redact "$FILM" -o "$OUT" {options}', FILM=film, FOUND=analyzed, OUT=tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert not files(tmp_path / "out")


def test_python_reads_a_pipe_once(film: Path, analyzed: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1\n")
    os.close(writing)
    result = facered.redact(film, tmp_path, annotations=analyzed, ids=f"/dev/fd/{reading}")
    os.close(reading)
    assert result.people == 1


@pytest.mark.parametrize("option", thinned(["--report", "--trace"]))
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none/report.jsonl", "cannot be written (No such file or directory)"),
        (".", "cannot be written (Is a directory)"),
        ("foo.mp4/report.jsonl", "cannot be written (Not a directory)"),
        ("x" * 300, "cannot be written (File name too long)"),
        ("out/foo_redacted.mp4", "this is a result"),
        ("out/foo_annotations.json", "this is a result"),
    ],
)
def test_what_cannot_be_written_is_told_first(film: Path, tmp_path: Path, option: str, name: str, message: str) -> None:
    (tmp_path / "foo.mp4").write_bytes(film.read_bytes())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "foo_redacted.mp4").write_text("old")
    done = run("combined", "foo.mp4", "-o", "out", "--overwrite", option, name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert (files(tmp_path), files(tmp_path / "out")) == (["foo.mp4", "out"], ["foo_redacted.mp4"])
    assert (tmp_path / "out" / "foo_redacted.mp4").read_text() == "old"


def test_a_report_may_lie_among_the_results_whose_directory_is_not_there_yet(film: Path, tmp_path: Path) -> None:
    done = run("combined", film, "-q", "-o", "a/b", "--report", "a/b/report.jsonl", "--trace", "a/t.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "a" / "b") == ["foo_redacted.mp4", "report.jsonl"]
    assert (tmp_path / "a" / "t.json").is_file()


def test_report_and_trace_need_a_file_each(film: Path, tmp_path: Path) -> None:
    done = run("combined", film, "-o", tmp_path, "--report", tmp_path / "x", "--trace", tmp_path / "x")
    assert (done.returncode, "need a file each" in done.stderr) == (2, True)


def test_a_report_goes_into_a_pipe_and_replaces_no_device(film: Path, tmp_path: Path) -> None:
    done = bash('facered combined "$FILM" -q -o "$OUT" --report >(cat >&2)', FILM=film, OUT=tmp_path / "a")
    assert (done.returncode, json.loads(done.stderr)["state"]) == (0, "Finished")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        assert run("combined", film, "-q", "-o", tmp_path / "b", "--report", fifo).returncode == 0
        assert reader.stdout is not None
        assert json.loads(reader.stdout.read())["state"] == "Finished"
    assert fifo.is_fifo()


@pytest.mark.parametrize("kind", ["report", "trace"])
def test_what_cannot_be_written_in_the_end_is_no_success(film: Path, tmp_path: Path, kind: str) -> None:
    done = run("combined", film, "-q", "-o", tmp_path, f"--{kind}", "/dev/full")
    assert done.returncode == 1
    assert f"the {kind} cannot be written (No space left on device)" in done.stderr


@pytest.mark.parametrize("output", thinned(["out/deep", "out", "out/deep/bar.mp4", "out/bar.mp4"]))
def test_a_report_may_lie_beside_results_whose_directory_is_yet_to_be_made(
    film: Path, tmp_path: Path, output: str
) -> None:
    done = run("combined", film, "-o", output, "--report", "out/report.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "out" / "report.jsonl").read_text())["state"] == "Finished"
    assert run("combined", film, "-o", output, "--report", "no/report.jsonl", cwd=tmp_path).returncode == 2
