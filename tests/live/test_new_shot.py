"""`on_new_shot="hide"`: nothing of a shot is shown until something has been detected in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
from facered.detect.detector import NOTHING, Detector

WIDTH, HEIGHT = 192, 128


def scene(which: int) -> NDArray[np.uint8]:
    cells = np.random.default_rng(which).integers(40, 200, (HEIGHT // 16, WIDTH // 16)).astype(np.uint8)
    return np.repeat(np.repeat(cells, 16, 0), 16, 1)


def film(*lengths: int) -> Iterator[av.VideoFrame]:
    """Yield shots of some lengths, in which there is nobody."""
    for which, length in enumerate(lengths):
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        for _ in range(length):
            yield av.VideoFrame.from_ndarray(np.concatenate([scene(which), chroma]), format="yuv420p")


class Gate:
    """Has a detection wait until `open` lets it through."""

    def __init__(self) -> None:
        self._given, self._ended = threading.Semaphore(0), threading.Semaphore(0)

    def open(self) -> None:
        self._given.release()
        assert self._ended.acquire(timeout=60)
        time.sleep(0.05)  # until the thread has taken what it returned

    def let_go(self) -> None:
        self._given.release(100)

    def wait(self) -> Any:
        assert self._given.acquire(timeout=60)
        self._ended.release()
        return NOTHING


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(Detector, "prepare", lambda *_, **__: gate.wait)
    return gate


def hidden(frame: av.VideoFrame) -> bool:
    return bool((frame.to_ndarray()[:HEIGHT, :WIDTH] < 20).mean() > 0.9)


@pytest.mark.parametrize("lookahead", [0, 2])
@pytest.mark.parametrize("choice", ["hide", "show"])
def test_frames_are_hidden_whole_until_something_is_detected(gate: Gate, choice: str, lookahead: int) -> None:
    opened = (2, 10, 11)  # the detection that ends after the eleventh frame is of the shot before
    done = []
    settings: dict[str, Any] = {"on_new_shot": choice, "lookahead": lookahead, "detect": 1, "detect_size": 64}
    with facered.Redactor(deadline_ms=0, blur="Black", **settings) as redactor:
        for number, frame in enumerate(film(6, 12)):
            done += redactor.process(frame)
            if number in opened:
                gate.open()
        gate.let_go()
        done += redactor.flush()
    second = list(range(6, 12 - lookahead)) if choice == "hide" else []
    assert [number for number, frame in enumerate(done) if hidden(frame)] == [0, 1, 2, *second]


def test_inline_no_frame_comes_before_its_shot_was_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detector, "prepare", lambda *_, **__: lambda: NOTHING)
    monkeypatch.setattr(Detector, "detect", lambda *_, **__: NOTHING)
    with facered.Redactor(blur="Black", on_new_shot="hide") as redactor:
        done = [ready for frame in film(8, 8, 8) for ready in redactor.process(frame)]
    assert not any(map(hidden, done))


def test_other_choices_are_refused() -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"on_new_shot is 'blur'; it can be show, hide"):
        facered.Redactor(on_new_shot="blur")
