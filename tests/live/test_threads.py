"""A `Redactor` is used by one call at a time; two of them do not know of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest

import facered
import videos
from faults import threads_left

REFUSED = "the redactor is amid another call"


@pytest.fixture
def frames(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 12)


class Holding:
    """Holds a redactor amid a call of another thread, in a function that it calls."""

    def __init__(self, frame: av.VideoFrame, role: str, **settings: Any) -> None:
        self._reached, self._go = threading.Event(), threading.Event()
        self.redactor = facered.Redactor(**{role: self._hold}, **settings)
        self._pool = ThreadPoolExecutor(1)
        self._held = self._pool.submit(self.redactor.process, frame)
        assert self._reached.wait(60)

    def _hold(self, *_: object) -> bool:
        self._reached.set()
        assert self._go.wait(60)
        return True

    def end(self) -> list[av.VideoFrame]:
        """Let the call go on, and return what it returns."""
        self._go.set()
        self._pool.shutdown()
        return self._held.result()


def calls(redactor: facered.Redactor, frame: av.VideoFrame) -> Iterator[Callable[[], object]]:
    yield lambda: redactor.process(frame)
    planes = [plane.copy() for plane in videos.samples(frame)]
    yield lambda: redactor.process_planes(planes, None, "yuv420p", 0, width=176, height=144)
    yield redactor.flush


@pytest.mark.parametrize("role", ["select", "on_faces"])
def test_a_call_amid_one_of_another_thread_is_refused(frames: list[av.VideoFrame], role: str) -> None:
    held = Holding(frames[0], role)
    for call in calls(held.redactor, frames[1]):
        with pytest.raises(facered.ConfigurationUnsupportedError, match=REFUSED) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert held.end() == frames[:1]
    assert held.redactor.process(frames[1]) == frames[1:2]
    assert (held.redactor.stats.frames, held.redactor.stats.failures) == (2, 0)
    held.redactor.close()


@pytest.mark.parametrize("role", ["select", "on_faces"])
def test_a_function_that_is_called_cannot_call_back(frames: list[av.VideoFrame], role: str) -> None:
    told = []

    def call_back(*_: object) -> bool:
        for call in calls(redactor, frames[5]):
            with pytest.raises(facered.ConfigurationUnsupportedError, match=REFUSED):
                call()
            told.append(call)
        return True

    with facered.Redactor(**{role: call_back}) as redactor:  # type: ignore[arg-type]
        assert redactor.process(frames[0]) == frames[:1]
        assert len(told) >= 3
        assert redactor.process(frames[1]) == frames[1:2]


def test_what_a_function_does_not_catch_leaves_the_frame_hidden_whole(frames: list[av.VideoFrame]) -> None:
    def call_back(*_: object) -> None:
        redactor.flush()

    with facered.Redactor(on_faces=call_back, blur="Black") as redactor:
        with pytest.raises(facered.ConfigurationUnsupportedError, match=REFUSED):
            redactor.process(frames[0])
        assert redactor.process(frames[1]) == frames[:2]
    assert (videos.samples(frames[1])[0] == 16).all()


def test_threads_may_take_turns(frames: list[av.VideoFrame]) -> None:
    with facered.Redactor(lookahead=2) as redactor, ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        ready: list[av.VideoFrame] = []
        for number, frame in enumerate(frames):
            ready += (one, other)[number % 2].submit(redactor.process, frame).result()
        assert ready + redactor.flush() == frames


@pytest.mark.parametrize("detect", ["sync", "async"])
def test_the_rest_may_be_called_amid_a_call(frames: list[av.VideoFrame], detect: str) -> None:
    """A redactor that is closed then is emptied when the call ends, and its thread ends."""
    before = set(threading.enumerate())
    held = Holding(frames[0], "select", detect=detect)
    held.redactor.show(1)
    held.redactor.hide(1)
    assert held.redactor.stats.frames == 0
    held.redactor.close()
    assert held.end() == frames[:1]
    assert not threads_left(before)
    with pytest.raises(facered.ConfigurationUnsupportedError, match="closed"):
        held.redactor.process(frames[1])
    assert held.redactor.flush() == []


def test_a_function_that_is_called_may_close(frames: list[av.VideoFrame]) -> None:
    before = set(threading.enumerate())
    redactor = facered.Redactor(detect="async", on_faces=lambda *_: redactor.close(), lookahead=1)
    assert redactor.process(frames[0]) == []
    assert redactor.process(frames[1]) == frames[:1]
    assert redactor.flush() == []
    assert not threads_left(before)


def test_two_in_one_thread_give_what_each_gives_alone(carphone: Path) -> None:
    settings: list[dict[str, Any]] = [{"lookahead": 3, "blur": "Black"}, {"blur": "Box", "detect": 2}]
    alone, films = [], [videos.decode(carphone, 16), videos.decode(carphone, 28)[12:]]
    for one, film in zip(settings, films, strict=True):
        with facered.Redactor(**one) as redactor:
            alone.append([videos.samples(f) for frame in film for f in redactor.process(frame)])
            alone[-1] += [videos.samples(f) for f in redactor.flush()]
    films = [videos.decode(carphone, 16), videos.decode(carphone, 28)[12:]]
    together: list[list[Any]] = [[], []]
    with facered.Redactor(**settings[0]) as first, facered.Redactor(**settings[1]) as second:
        for pair in zip(*films, strict=True):
            for out, redactor, frame in zip(together, (first, second), pair, strict=True):
                out += [videos.samples(f) for f in redactor.process(frame)]
        together[0] += [videos.samples(f) for f in first.flush()]
    for here, there in zip(alone, together, strict=True):
        assert len(here) == len(there) == 16
        assert all(
            (a == b).all() for one, other in zip(here, there, strict=True) for a, b in zip(one, other, strict=True)
        )
