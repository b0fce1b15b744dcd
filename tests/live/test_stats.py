"""What `Redactor.stats` tells of how a stream fares: how old the last detection is, and which frames took too long."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import facered
import videos
from facered.detect.detector import Detector


def test_the_age_of_the_last_detection_is_in_seconds_of_the_stream(carphone: Path) -> None:
    ages = []
    with facered.Redactor(detect=4) as redactor:
        assert redactor.stats.detection_age is None
        for number, frame in enumerate(videos.decode(carphone, 10)):
            frame.pts, frame.time_base = number, Fraction(1, 10)
            redactor.process(frame)
            ages.append(redactor.stats.detection_age)
        redactor.flush()
        assert redactor.stats.detection_age is None
    assert ages == pytest.approx([0, 0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.3, 0, 0.1])


def test_frames_that_take_longer_than_the_deadline_are_counted(carphone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any) -> None:
        time.sleep(0.06)

    frames = videos.decode(carphone, 3)
    with facered.Redactor(deadline_ms=50, on_faces=slow) as redactor:
        for frame in frames:
            redactor.process(frame)
        assert redactor.stats.overruns == 3
    with facered.Redactor(deadline_ms=60_000, on_faces=slow) as redactor:
        redactor.process(videos.decode(carphone, 1)[0])
        assert redactor.stats.overruns == 0
    monkeypatch.setattr(Detector, "prepare", lambda *_, **__: 1 / 0)
    with facered.Redactor(on_faces=slow) as redactor:
        with pytest.raises(facered.ServiceError):
            redactor.process(videos.decode(carphone, 1)[0])
        assert (redactor.stats.overruns, redactor.stats.failures) == (0, 1)


def test_the_detector_is_waited_for_so_that_the_rest_is_done_by_the_deadline(
    carphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Detector.prepare

    def slow(*arguments: Any, **settings: Any) -> Any:
        run = prepare(*arguments, **settings)
        return lambda: (time.sleep(0.5), run())[1]

    monkeypatch.setattr(Detector, "prepare", slow)
    took = []
    with facered.Redactor(deadline_ms=400, detect=1, on_faces=lambda *_: time.sleep(0.3)) as redactor:
        for frame in videos.decode(carphone, 2):
            begun = time.monotonic()
            redactor.process(frame)
            took.append(time.monotonic() - begun)
    assert took[0] > 0.65  # nobody knew how long the rest would take
    assert took[1] < 0.55
