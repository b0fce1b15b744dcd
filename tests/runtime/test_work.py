"""How much inference a job took: calls of the model, pixels that it was given, and what it computed with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import facered
import videos
from facered.detect import inference
from facered.detect.detector import Detector
from facered.runtime.work import Inference
from facered.video.picture import view


class Given:
    """What the model was given, by thread of the job: width, height of each tensor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[tuple[int, int]] = []
        run = inference.run

        def noting(session, family, tensor):  # type: ignore[no-untyped-def]
            self.sizes.append((tensor.shape[3], tensor.shape[2]))
            return run(session, family, tensor)

        monkeypatch.setattr(inference, "run", noting)

    @property
    def total(self) -> tuple[int, int]:
        """Calls and pixels."""
        return len(self.sizes), sum(width * height for width, height in self.sizes)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    return Given(monkeypatch)


@pytest.fixture
def foo(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 12))


def counted(done: Inference) -> tuple[int, int]:
    return done.calls, done.pixels


def test_pixels_are_those_of_the_models_input(carphone: Path) -> None:
    picture = view(videos.decode(carphone, 1)[0])
    detector = Detector(threads=1, size=176)
    for _ in range(2):
        detector.detect(picture, 0.5)
    assert counted(detector.inference) == (2, 2 * 192 * 160)  # 176 x 144, filled up to multiples of 32
    assert detector.inference.megapixels == 2 * 192 * 160 / 1e6


@pytest.mark.parametrize("mode", ["analyze", "combined"])
def test_the_result_tells_what_the_model_was_given(foo: Path, tmp_path: Path, given: Given, mode: str) -> None:
    with facered.Profile() as profile:
        result = getattr(facered, mode)(foo, tmp_path / "out")
    assert counted(result.inference) == counted(profile.inference) == given.total
    assert result.inference.calls > 1


def test_redaction_takes_none(foo: Path, tmp_path: Path, given: Given) -> None:
    found = facered.analyze(foo, tmp_path)
    before = given.total
    with facered.Profile() as profile:
        result = facered.redact(foo, tmp_path, annotations=found.annotations)
    assert given.total == before
    assert (counted(result.inference), result.inference.precision) == ((0, 0), None)
    assert "inference" not in profile.table()


def test_jobs_side_by_side_count_their_own_alone(foo: Path, carphone: Path, tmp_path: Path) -> None:
    bar = videos.encode(tmp_path / "bar.mp4", videos.decode(carphone, 20))
    alone = {path: facered.analyze(path, tmp_path / path.stem, detect="every").inference for path in (foo, bar)}
    together: dict[Path, Inference] = {}

    def work(path: Path) -> None:
        out = tmp_path / f"again {path.stem}"
        together[path] = facered.analyze(path, out, detect="every").inference

    threads = [threading.Thread(target=work, args=(path,)) for path in alone]
    with facered.Profile():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert together == alone
    assert alone[foo].calls < alone[bar].calls


@pytest.mark.parametrize("detect", ["sync", "async"])
def test_a_redactor_counts_its_own(carphone: Path, given: Given, detect: str) -> None:
    frames = videos.decode(carphone, 12)
    with facered.Redactor(detect=detect) as redactor, facered.Redactor(detect=detect) as other:
        for frame in frames:
            redactor.process(frame)
        redactor.flush()
    stats = redactor.stats
    assert (stats.inference_calls, round(1e6 * stats.inference_megapixels)) == given.total
    assert stats.inference_calls >= 1
    assert other.stats.inference_calls == other.stats.inference_megapixels == 0


def test_the_precision_that_was_taken_is_told(foo: Path, tmp_path: Path) -> None:
    with facered.Profile() as profile:
        auto = facered.analyze(foo, tmp_path / "auto")
        forced = facered.analyze(foo, tmp_path / "forced", precision="int8")
    assert (auto.inference.precision, forced.inference.precision) == ("fp32", "int8")
    assert profile.inference.precision == "fp32 and int8"


def test_a_model_of_somebodys_own_has_its_own_precision(foo: Path, tmp_path: Path) -> None:
    model = inference.model_path(None, "fp32")
    assert facered.analyze(foo, tmp_path, model=model).inference.precision == "own"


def test_report_and_timings_tell_it(foo: Path, tmp_path: Path) -> None:
    expected = facered.analyze(foo, tmp_path / "python", precision="int8").inference
    command = [sys.executable, "-m", "facered", "analyze", str(foo), "-o", str(tmp_path), "--precision", "int8"]
    done = subprocess.run([*command, "--json", "--timings"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["inference_calls"], report["inference_megapixels"]) == (expected.calls, expected.megapixels)
    assert report["precision"] == "int8"
    told = re.search(
        r"12 frames in .* s; inference in int8: (\d+) calls, ([\d.]+) megapixels, ([\d.]+) a f", done.stderr
    )
    assert told is not None
    assert (int(told[1]), float(told[2])) == (expected.calls, expected.megapixels)
    assert float(told[3]) == pytest.approx(expected.megapixels / 12, abs=1e-4)


def test_annotations_keep_the_precision_and_redaction_does_not_mind(foo: Path, tmp_path: Path) -> None:
    found = facered.analyze(foo, tmp_path, precision="int8")
    assert found.annotations_path is not None
    document = json.loads(found.annotations_path.read_bytes())
    assert list(document)[-3:] == ["precision", "segments", "fragments"]
    assert document["precision"] == "int8"
    again = tmp_path / "again.json"
    facered.Annotations.read(found.annotations_path).write(again)
    assert json.loads(again.read_bytes()) == document
    del document["precision"]
    (tmp_path / "bare.json").write_text(json.dumps(document))
    results = [
        facered.redact(foo, tmp_path / name, annotations=tmp_path / f"{name}.json").video_path
        for name in ("again", "bare")
    ]
    assert results[0] is not None and results[1] is not None  # noqa: PT018
    assert results[0].read_bytes() == results[1].read_bytes()
