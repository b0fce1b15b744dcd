"""A stream that comes late: how late is told, and it catches up by being looked at less, never by showing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import facered
import videos
from facered.detect.detector import Detector
from facered.live import lag
from facered.live.lag import DRIFT, PATIENCE, Lag

RATE = 25


def in_time(frames: list[av.VideoFrame], begun: float) -> Iterator[av.VideoFrame]:
    """Yield frames as a camera gives them, or as soon as they are asked for."""
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        time.sleep(max(begun + number / RATE - time.monotonic(), 0))
        yield frame


def slowed(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    prepare = Detector.prepare

    def slow(*arguments: Any, **settings: Any) -> Any:
        run = prepare(*arguments, **settings)
        return lambda: (time.sleep(seconds), run())[1]

    monkeypatch.setattr(Detector, "prepare", slow)


@pytest.mark.parametrize("max_lag_ms", [None, 200])
def test_a_stream_that_is_late_catches_up_by_looking_less(
    carphone: Path, monkeypatch: pytest.MonkeyPatch, max_lag_ms: float | None
) -> None:
    slowed(monkeypatch, 0.1)
    monkeypatch.setattr(lag, "PATIENCE", 0.1)
    count = 8 if max_lag_ms is None else 40
    with facered.Redactor(detect=1, detect_size=96, max_lag_ms=max_lag_ms, threshold=0.2) as redactor:
        for frame in in_time(videos.decode(carphone, count), time.monotonic()):
            redactor.process(frame)
        stats = redactor.stats
    assert stats.lag is not None
    assert stats.hidden == stats.frames == count
    if max_lag_ms is None:
        assert stats.lag > count * (0.1 - 1 / RATE)
        assert (stats.hurried, stats.detections) == (0, count)
    else:
        assert stats.lag < 0.9
        assert stats.hurried > 10
        assert stats.overloaded == 0


def test_who_comes_late_is_hidden_whole_where_nothing_recent_is_known(
    carphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, over = videos.decode(carphone, 20), threading.Event()
    prepare, calls = Detector.prepare, iter(range(100))

    def stuck(*arguments: Any, **settings: Any) -> Any:
        run, number = prepare(*arguments, **settings), next(calls)
        return lambda: (number >= 1 and over.wait(60), run())[1]

    monkeypatch.setattr(Detector, "prepare", stuck)
    monkeypatch.setattr(lag, "PATIENCE", 0)
    grey = []
    settings: dict[str, Any] = {"detect": "async", "rate": RATE, "detect_size": 96, "blur": "Black"}
    with facered.Redactor(max_lag_ms=0, **settings) as redactor:
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 100_000)  # as if each of them came later
            (done,) = redactor.process(frame)
            grey.append(bool((done.to_ndarray()[:144] < 20).mean() > 0.9))
        assert redactor.stats.hurried == 19
        over.set()
    assert grey == [number > RATE / 2 for number in range(20)]


def test_how_late_frames_are_is_told_from_the_one_that_came_most_promptly() -> None:
    moment = 100.0
    late = Lag(lambda: moment)
    found = []
    for seconds, at in ((5, 100.5), (5.5, 100.7), (6, 103.2)):
        moment = at
        found.append(late.arrive(seconds))
    assert found == pytest.approx([0, 0, 2], abs=0.01)
    moment = 104.0
    assert late.leave(6) == pytest.approx(2.8, abs=0.01)
    assert late.arrive(0) == 0  # it begins anew
    for minute in range(1, 61):  # the source's clock is slower
        moment = 104 + 60 * minute
        assert late.arrive(60 * minute * (1 - DRIFT / 2)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("behind", [0, 1])
def test_what_comes_in_pieces_is_not_late(behind: float) -> None:
    """As from lists on the network, whose pieces of some seconds come at once; unless all of it is."""
    moment = 0.0
    late = Lag(lambda: moment)
    found = []
    for piece in range(20):
        for number in range(6 * RATE):
            moment = 6 * (piece + 1) + number * 0.005 + (behind if piece > 4 else 0)
            found.append(late.is_late(6 * piece + number / RATE, 0.5))
    assert not any(found[: 5 * 6 * RATE])
    assert found[-1] == bool(behind)
    assert PATIENCE > 6


def test_where_frames_come_in_pieces_there_is_time_to_look(carphone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All were gone before a few of them had been looked at."""
    slowed(monkeypatch, 0.03)
    frames = videos.decode(carphone, 40)
    detections = []
    with facered.Redactor(detect="async", detect_size=96, max_lag_ms=500) as redactor:
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            redactor.process(frame)
            detections.append(redactor.stats.detections)
        assert (redactor.stats.lag or 0) < 0.5
    assert detections[-1] - detections[0] > 40 / 5


def test_without_times_nothing_is_late() -> None:
    with facered.Redactor(detect="async", max_lag_ms=0) as redactor:
        redactor.process(np.zeros((64, 64, 3), np.uint8), "bgr24")
        assert (redactor.stats.lag, redactor.stats.hurried) == (None, 0)
