"""What a job tells machines: JSON lines and a report with digests."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import facered
import facered._native
import facered.track
import videos
from thinned import thinned


@pytest.fixture
def foo(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 6))


def run(*arguments: object) -> tuple[int, list[Any], str]:
    """Return the exit code, every line of the output as JSON but those of progress, and the errors."""
    command = [sys.executable, "-m", "facered", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [line for line in told if line["event"] != "progress"], done.stderr


def described(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"path": str(path), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("command", "names"),
    thinned(
        [
            (["analyze"], ["foo_annotations.json", "foo_thumb000001.jpg"]),
            (["combined"], ["foo_redacted.mp4"]),
            (["combined", "--annotations"], ["foo_redacted.mp4", "foo_annotations.json"]),
            (["run", "--config", "{'options': {'mode': 'analyze'}}"], ["foo_annotations.json", "foo_thumb000001.jpg"]),
        ]
    ),
)
def test_every_line_is_json_and_the_last_is_the_report(
    foo: Path, tmp_path: Path, command: list[str], names: list[str]
) -> None:
    out = tmp_path / "out"
    code, told, errors = run(*command, foo, "-o", out, "--json", "--report", tmp_path / "report.jsonl")
    assert (code, errors) == (0, "")
    *states, report = told
    assert {line["event"] for line in states} == {"state"}
    assert [line["previous"] for line in states] == ["Queued", "Scheduled", "Processing"]
    assert [line["state"] for line in states] == ["Scheduled", "Processing", "Finished"]
    assert {line["input"] for line in states} == {str(foo)}
    assert (report["event"], report["state"]) == ("report", "Finished")
    assert report["mode"] == ("combined" if "combined" in command else "analyze")
    assert report["input"] == described(foo)
    assert report["outputs"] == [described(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert (report["people"], report["frames"], report["crowded_frames"], report["missing_frames"]) == (1, 6, 0, 0)
    assert report["frames_per_second"] == pytest.approx(6 / report["seconds"], rel=0.05)
    assert {"python", "facered", "av", "numpy", "onnxruntime"} == set(report["versions"])
    assert report["versions"]["facered"] == facered.__version__
    assert report["compiled"] == {"kernels": facered._native.simd, "tracking": facered.track.backend}
    assert report["film_seconds"] == pytest.approx(6 / 25, abs=0.001)
    assert 0 < report["startup_seconds"] < report["seconds"]
    assert all(datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0) for line in told)
    assert lines(tmp_path / "report.jsonl") == [report]


def test_the_people_hidden_and_the_frames_left_out_are_counted(foo: Path, tmp_path: Path) -> None:
    face = {"x": 0.3, "y": 0.2, "width": 0.3, "height": 0.4}
    fragment = {"start": 0, "interval": 1, "duration": 4, "events": [[{"id": n, **face} for n in (4, 5, 6)]] * 4}
    document = {"timescale": 25, "width": 176, "height": 144, "fragments": [fragment]}
    (tmp_path / "foo_annotations.json").write_text(json.dumps(document))
    code, told, errors = run("redact", foo, "-o", tmp_path, "--json", "--ids", "4,6")
    assert (code, errors.count("\n")) == (0, 1)
    assert "2 of 6 frames have no entry" in errors
    assert (told[-1]["people"], told[-1]["frames"], told[-1]["missing_frames"]) == (2, 6, 2)
    assert told[-1]["outputs"] == [described(tmp_path / "foo_redacted.mp4")]


@pytest.mark.parametrize(
    ("name", "exit_code", "code"), [("nope.mp4", 2, "ConfigurationUnsupported"), ("text.mp4", 3, "ContentMalformed")]
)
def test_an_error_is_reported_with_its_code(tmp_path: Path, name: str, exit_code: int, code: str) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    exited, told, errors = run("analyze", tmp_path / name, "--json", "--report", tmp_path / "report.jsonl")
    assert exited == exit_code
    *states, report = told
    assert [line["state"] for line in states] == ["Scheduled", "Processing", "Error"]
    assert (report["event"], report["state"]) == ("report", "Error")
    assert report["error"]["code"] == code
    assert errors == f"facered: {report['error']['message']}\n"
    assert "outputs" not in report
    assert report["input"]["path"] == str(tmp_path / name)
    assert ("sha256" in report["input"]) == (name == "text.mp4")
    assert lines(tmp_path / "report.jsonl") == [report]


def test_there_is_a_report_for_each_video(foo: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.jsonl"
    code, told, errors = run("analyze", tmp_path / "nope.mp4", foo, "-o", tmp_path / "out", "--report", target, "-q")
    assert (code, told) == (2, [])
    assert errors.splitlines()[0] == "facered: 1 of 2 videos failed:"
    assert [(line["input"]["path"], line["state"]) for line in lines(target)] == [
        (str(tmp_path / "nope.mp4"), "Error"),
        (str(foo), "Finished"),
    ]


def test_a_wrong_option_is_reported_too(foo: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.jsonl"
    code, told, errors = run("analyze", foo, "--threshold", 7, "-o", tmp_path / "out", "--json", "--report", target)
    assert code == 2
    (report,) = lines(target)
    assert told[-1] == report
    assert report["error"]["code"] == "ConfigurationUnsupported"
    assert errors == f"facered: {report['error']['message']}\n"


def test_a_report_that_cannot_be_written_is_said(foo: Path, tmp_path: Path) -> None:
    code, _, errors = run("analyze", foo, "-o", tmp_path / "out", "--report", tmp_path / "no" / "r.json", "--json")
    assert code == 2
    assert "r.json: cannot be written (No such file or directory)" in errors
    assert not (tmp_path / "out").exists()
