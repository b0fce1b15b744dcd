"""Jobs in the background: states, progress, cancellation, configurations."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import facered
import videos
from facered import JobState
from facered.hide.style import STYLES
from facered.jobs import job

WITHIN = 1.0
"""Seconds in which a canceled job must be over."""


@pytest.fixture
def foo(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 8))


@pytest.fixture
def analyzed(foo: Path) -> Path:
    facered.analyze(foo, foo.parent)
    return foo


class Gate:
    """A progress callback that lets nothing pass before it is opened."""

    def __init__(self, stage: str, done: int = 1) -> None:
        self.stage, self.done = stage, done
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, progress: facered.Progress) -> None:
        if (progress.stage, progress.done) == (self.stage, self.done):
            self.reached.set()
            assert self.opened.wait(30)


@pytest.fixture
def blocked(foo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Have a job that waits occupy the only worker."""
    gate = Gate("analyze")
    with ThreadPoolExecutor(1) as executor:
        monkeypatch.setattr(job, "_executor", lambda: executor)
        facered.submit(foo, tmp_path / "blocking", mode="analyze", progress=gate)
        assert gate.reached.wait(30)
        yield gate
        gate.opened.set()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


@pytest.mark.parametrize("mode", ["analyze", "combined", "redact"])
def test_a_job_goes_from_queued_to_finished(blocked: Gate, foo: Path, tmp_path: Path, mode: str) -> None:
    if mode == "redact":
        document = {"timescale": 25, "width": 176, "height": 144, "fragments": []}
        (tmp_path / "foo_annotations.json").write_text(json.dumps(document))
    submitted = facered.submit(foo, tmp_path / "out", mode=mode)  # returns although nothing can be done yet
    assert (submitted.state, submitted.progress) == (JobState.QUEUED, None)
    changes: list[tuple[str, str]] = []
    submitted.add_state_callback(lambda before, now: changes.append((before.value, now.value)))
    with pytest.raises(TimeoutError, match=r"foo.mp4: the job is not over after 0.05 s"):
        submitted.result(timeout=0.05)
    blocked.opened.set()
    result = submitted.result(30)
    assert changes == [("Queued", "Scheduled"), ("Scheduled", "Processing"), ("Processing", "Finished")]
    assert submitted.state is JobState.FINISHED
    assert (result.mode, result.frames) == (mode, 8)
    assert submitted.result() is result
    assert sorted(path.name for path in result.outputs) == files(tmp_path / "out") != []
    assert submitted.progress is not None
    assert submitted.progress.fraction == 1


@pytest.mark.parametrize("mode", ["analyze", "redact", "combined"])
def test_progress_grows_from_nought_to_one(analyzed: Path, tmp_path: Path, mode: str) -> None:
    told: list[facered.Progress] = []
    annotations = tmp_path / "foo_annotations.json"
    facered.submit(analyzed, tmp_path / "out", mode=mode, annotations=annotations, progress=told.append).result(30)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    stages = 2 if mode == "combined" else 1
    assert (fractions[0], fractions[-1]) == (1 / 8 / stages, 1)
    assert len(set(fractions)) == 8 * stages
    assert {progress.stages for progress in told} == {("analyze", "redact") if stages == 2 else (mode,)}


def end(submitted: facered.Job) -> float:
    """Cancel a job and return how long it took to be over."""
    begun = time.monotonic()
    assert submitted.cancel()
    with pytest.raises(facered.JobCanceledError) as raised:
        submitted.result(30)
    assert raised.value.code == "Canceled"
    assert submitted.state is JobState.CANCELED
    return time.monotonic() - begun


class TestCancel:
    def test_in_the_queue(self, blocked: Gate, foo: Path, tmp_path: Path) -> None:
        submitted = facered.submit(foo, tmp_path / "out")
        changes: list[JobState] = []
        submitted.add_state_callback(lambda _, now: changes.append(now))
        assert end(submitted) < WITHIN
        blocked.opened.set()
        facered.submit(foo, tmp_path / "next", mode="analyze").result(30)  # the one before has had its turn
        assert changes[-1] is JobState.CANCELED
        assert JobState.PROCESSING not in changes
        assert files(tmp_path / "out") == []

    @pytest.mark.parametrize("mode", ["analyze", "combined"])
    def test_while_analyzing(self, rabbit: Path, tmp_path: Path, mode: str) -> None:
        gate = Gate("analyze", 5)
        submitted = facered.submit(rabbit, tmp_path / "out", mode=mode, progress=gate)
        changes: list[JobState] = []
        submitted.add_state_callback(lambda _, now: changes.append(now))
        assert gate.reached.wait(30)
        gate.opened.set()
        assert end(submitted) < WITHIN
        assert changes[-2:] == [JobState.CANCELING, JobState.CANCELED]
        assert files(tmp_path / "out") == []

    @pytest.mark.parametrize("preset", ["veryfast", "placebo"])
    @pytest.mark.parametrize("done", [1, 60])
    def test_while_redacting(self, rabbit: Path, tmp_path: Path, preset: str, done: int) -> None:
        document = {"timescale": 25, "width": 1280, "height": 720, "fragments": []}
        (tmp_path / "empty.json").write_text(json.dumps(document))
        gate = Gate("redact", done)
        submitted = facered.submit(
            rabbit, tmp_path / "out", mode="redact", annotations=tmp_path / "empty.json", progress=gate, preset=preset
        )
        assert gate.reached.wait(60)
        assert [name.endswith(".facered") for name in files(tmp_path / "out")] == [True]
        gate.opened.set()
        assert end(submitted) < WITHIN
        assert files(tmp_path / "out") == []

    def test_after_the_end_is_too_late(self, analyzed: Path, tmp_path: Path) -> None:
        submitted = facered.submit(
            analyzed, tmp_path / "out", mode="redact", annotations=tmp_path / "foo_annotations.json"
        )
        result = submitted.result(30)
        assert submitted.cancel() is False
        assert submitted.state is JobState.FINISHED
        assert submitted.result() is result

    @pytest.mark.usefixtures("blocked")
    def test_twice_is_no_worse(self, foo: Path, tmp_path: Path) -> None:
        submitted = facered.submit(foo, tmp_path / "out")
        end(submitted)
        assert submitted.cancel() is False


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "error", "code"),
        [
            ("nope.mp4", facered.ConfigurationUnsupportedError, "ConfigurationUnsupported"),
            ("text.mp4", facered.ContentMalformedError, "ContentMalformed"),
        ],
    )
    def test_are_raised_by_result(
        self, tmp_path: Path, name: str, error: type[facered.FaceredError], code: str
    ) -> None:
        (tmp_path / "text.mp4").write_text("not a video\n" * 100)
        submitted = facered.submit(tmp_path / name, tmp_path / "out")
        for _ in range(2):
            with pytest.raises(error, match=name) as raised:
                submitted.result(30)
            assert raised.value.code == code
        assert submitted.state is JobState.ERROR
        assert submitted.cancel() is False

    @pytest.mark.parametrize(
        "options", [{"threshold": 7}, {"nope": 1}, {"mode": "blur"}, {"ids": []}, {"config": "{'options': {'x': 1}}"}]
    )
    def test_of_the_call_are_raised_at_once(self, foo: Path, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(facered.ConfigurationUnsupportedError):
            facered.submit(foo, tmp_path / "out", **options)

    def test_in_a_state_callback_do_not_stop_the_job(
        self, blocked: Gate, foo: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(before: JobState, now: JobState) -> None:
            raise ValueError(f"{before} to {now}")

        submitted = facered.submit(foo, tmp_path / "out", mode="analyze")
        seen: list[JobState] = []
        submitted.add_state_callback(fail)
        submitted.add_state_callback(lambda _, now: seen.append(now))
        blocked.opened.set()
        assert submitted.result(30).frames == 8
        assert seen == [JobState.SCHEDULED, JobState.PROCESSING, JobState.FINISHED]
        assert caplog.text.count("a state callback failed") == 3

    @pytest.mark.parametrize("mode", ["analyze", "redact", "combined"])
    def test_in_a_progress_callback_reach_the_caller(self, analyzed: Path, tmp_path: Path, mode: str) -> None:
        def fail(progress: facered.Progress) -> None:
            raise LookupError(progress.stage)

        more = {"annotations": tmp_path / "foo_annotations.json"} if mode == "redact" else {}
        with pytest.raises(LookupError):
            getattr(facered, mode)(analyzed, tmp_path / "out", progress=fail, **more)
        assert files(tmp_path / "out") == []

    def test_in_a_progress_callback_end_a_job_in_the_background(self, foo: Path, tmp_path: Path) -> None:
        def fail(progress: facered.Progress) -> None:
            raise LookupError(f"oh, {progress.stage}")

        submitted = facered.submit(foo, tmp_path / "out", progress=fail)
        with pytest.raises(facered.ServiceError, match="LookupError: oh, analyze") as raised:
            submitted.result(30)
        assert isinstance(raised.value.__cause__, LookupError)
        assert submitted.state is JobState.ERROR
        assert files(tmp_path / "out") == []


def test_several_jobs_at_once_all_finish(foo: Path, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    jobs = [facered.submit(foo, tmp_path / name) for name in names]
    results = [submitted.result(60) for submitted in jobs]
    assert [result.video_path for result in results] == [tmp_path / name / "foo_redacted.mp4" for name in names]
    assert len({path.read_bytes() for result in results for path in result.outputs}) == 1


def test_a_state_callback_may_ask_for_the_result(blocked: Gate, foo: Path, tmp_path: Path) -> None:
    submitted = facered.submit(foo, tmp_path / "out", mode="analyze")
    frames: list[int] = []

    def ask(_: JobState, now: JobState) -> None:
        if now is JobState.FINISHED:
            frames.append(submitted.result(timeout=60).frames)

    submitted.add_state_callback(ask)
    blocked.opened.set()
    submitted.result(30)
    assert frames == [8]


def test_running_a_job_that_runs_already_waits_for_it(foo: Path, tmp_path: Path) -> None:
    gate = Gate("analyze")
    submitted = facered.submit(foo, tmp_path / "out", mode="analyze", progress=gate)
    assert gate.reached.wait(30)
    results: list[facered.Result] = []
    other = threading.Thread(target=lambda: results.append(submitted.run()), daemon=True)
    other.start()
    time.sleep(0.05)
    gate.opened.set()
    assert submitted.result(5).frames == 8
    other.join(5)
    assert results == [submitted.result()]


class TestConfiguration:
    @pytest.mark.parametrize("blur", STYLES)
    @pytest.mark.parametrize("mode", ["redact", "combined"])
    def test_says_mode_and_style(self, analyzed: Path, tmp_path: Path, mode: str, blur: str) -> None:
        text = f"{{'version':'1.0', 'options': {{'mode':'{mode}', 'blurType':'{blur.lower()}'}}}}"
        annotations = tmp_path / "foo_annotations.json" if mode == "redact" else None
        result = facered.submit(analyzed, tmp_path / "out", config=text, annotations=annotations).result(30)
        expected = facered.redact(analyzed, tmp_path, blur=blur)
        assert (result.mode, files(tmp_path / "out")) == (mode, ["foo_redacted.mp4"])
        assert result.video_path.read_bytes() == expected.video_path.read_bytes()

    @pytest.mark.parametrize(
        "config",
        [
            "{'version':'1.0', 'options': {'mode':'Analyze', 'maxFaces': 1}}",
            {"version": "1.0", "options": {"mode": "analyze"}},
        ],
    )
    def test_may_ask_for_analysis(self, foo: Path, tmp_path: Path, config: Any) -> None:
        facered.submit(foo, tmp_path / "out", config=config).result(30)
        assert files(tmp_path / "out") == ["foo_annotations.json", "foo_thumb000001.jpg"]

    def test_gives_way_to_what_stands_beside_it(self, analyzed: Path, tmp_path: Path) -> None:
        path = tmp_path / "job.json"
        path.write_text("{'version':'1.0', 'options': {'mode':'combined', 'blurType':'Low', 'crf': 30}}")
        result = facered.submit(
            analyzed,
            tmp_path / "out",
            config=path,
            mode="redact",
            blur="Black",
            annotations=tmp_path / "foo_annotations.json",
        ).result(30)
        expected = facered.redact(analyzed, tmp_path, blur="Black", crf=30)
        assert result.mode == "redact"
        assert result.video_path.read_bytes() == expected.video_path.read_bytes()
