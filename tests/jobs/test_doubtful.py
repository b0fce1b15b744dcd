"""Faces that the detector sees faintly all the time: believed, or doubtful and hidden to be safe."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import facered
import videos
from facered.cli.report import final_report
from facered.cli.summary import summary
from facered.detect.detector import Detection, Detector
from facered.jobs.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = 30


@pytest.fixture(scope="module")
def clip(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first frames of carphone."""
    folder = tmp_path_factory.mktemp("clip")
    return videos.encode(folder / "clip.mp4", videos.decode(carphone, FRAMES), options={"crf": "14"})


def dim(monkeypatch: pytest.MonkeyPatch, whole: float, look: float) -> None:
    """Let the detector give faces these scores: in the whole picture, and on crops."""

    def lowered(found: Detection, score: float) -> Detection:
        return replace(found, scores=np.minimum(found.scores, np.float32(score)))

    detect, prepare, verify = Detector.detect, Detector.prepare, Detector.verify
    monkeypatch.setattr(Detector, "detect", lambda *args, **options: lowered(detect(*args, **options), whole))
    monkeypatch.setattr(Detector, "verify", lambda *args, **options: lowered(verify(*args, **options), look))

    def prepare_lowered(*args: Any, **options: Any) -> Callable[[], Detection]:
        rest = prepare(*args, **options)
        return lambda: lowered(rest(), whole)

    monkeypatch.setattr(Detector, "prepare", prepare_lowered)


@pytest.fixture
def doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    dim(monkeypatch, 0.35, 0.47)


def changed(video: Path, clip: Path) -> int:
    """Return in how many frames the man's face is not what it was."""
    count = 0
    for frame, before in zip(videos.decode(video), videos.decode(clip), strict=True):
        face, same = (picture.to_ndarray(format="gray")[40:100, 60:110].astype(float) for picture in (frame, before))
        count += bool(np.abs(face - same).mean() > 8)
    return count


@pytest.mark.parametrize(("whole", "look", "people"), [(0.22, 0.7, 1), (0.22, 0.56, 1), (0.5, 0.1, 1), (0.22, 0.3, 0)])
def test_who_is_seen_faintly_is_there_from_the_first_frame_to_the_last(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: float, look: float, people: int
) -> None:
    dim(monkeypatch, whole, look)
    found = facered.analyze(clip, tmp_path).annotations
    assert found.people == people
    assert np.diff(found.starts).tolist() == [people] * FRAMES


def test_a_lower_threshold_finds_who_is_fainter(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dim(monkeypatch, 0.12, 0.2)
    assert facered.analyze(clip, tmp_path / "a").people == 0
    assert facered.analyze(clip, tmp_path / "b", threshold=0.1).people == 1


def test_every_face_has_a_score_and_the_doubtful_are_marked(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facered.analyze(clip, tmp_path / "sure")
    dim(monkeypatch, 0.35, 0.47)
    facered.analyze(clip, tmp_path / "doubtful")
    for folder, doubtful, low, high in (("sure", None, 0.8, 1.0), ("doubtful", True, 0.47, 0.47)):
        document = json.loads((tmp_path / folder / "clip_annotations.json").read_text())
        faces = [face for part in document["fragments"] for event in part["events"] for face in event]
        assert len(faces) == FRAMES
        assert {face.get("doubtful") for face in faces} == {doubtful}
        assert all(low <= face["score"] <= high for face in faces)


@pytest.mark.usefixtures("doubtful")
def test_who_is_doubtful_is_hidden_unless_that_is_not_wanted(clip: Path, tmp_path: Path) -> None:
    hidden = facered.combined(clip, tmp_path / "hidden")
    assert hidden.video_path is not None
    assert changed(hidden.video_path, clip) == FRAMES
    bare = facered.combined(clip, tmp_path / "bare", doubtful="show", annotations=True)
    assert bare.video_path is not None
    assert changed(bare.video_path, clip) == 0
    assert facered.Annotations.read(tmp_path / "bare" / "clip_annotations.json").doubtful_ids == [1]
    again = tmp_path / "bare" / "clip_annotations.json"
    for options, frames in (({"ids": [1]}, FRAMES), ({}, 0)):
        result = facered.redact(clip, tmp_path, annotations=again, doubtful="show", overwrite=True, **options)
        assert result.video_path is not None
        assert changed(result.video_path, clip) == frames


@pytest.mark.usefixtures("doubtful")
def test_the_summary_and_the_report_tell_of_them(clip: Path, tmp_path: Path) -> None:
    found = facered.analyze(clip, tmp_path)
    assert "1 doubtful person: id 1; they will be hidden" in "\n".join(summary(found, 0))
    hidden = facered.redact(clip, tmp_path, annotations=found.annotations)
    assert "1 doubtful person hidden: id 1" in "\n".join(summary(hidden, 0))
    bare = facered.combined(clip, tmp_path, doubtful="show", overwrite=True)
    assert "1 doubtful person BARE, as --doubtful show asks: id 1" in "\n".join(summary(bare, 0))
    for result, is_hidden in ((hidden, True), (bare, False)):
        (told,) = final_report(clip, JobState.FINISHED, result.mode, result, None)["doubtful"]  # type: ignore[misc]
        assert told == {"id": 1, "from": 0.0, "to": pytest.approx((FRAMES - 1) / 25, rel=0.2), "hidden": is_hidden}


@pytest.mark.usefixtures("doubtful")
def test_live_they_are_hidden_too_and_told_of(clip: Path) -> None:
    for doubtful in ("hide", "show"):
        told: list[facered.Face] = []
        with facered.Redactor(doubtful=doubtful, on_faces=lambda _, faces, told=told: told.extend(faces)) as redactor:
            for frame in videos.decode(clip):
                redactor.process(frame)
            redactor.flush()
        assert len(told) == FRAMES
        assert all(face.doubtful and face.hidden == (doubtful == "hide") for face in told)
