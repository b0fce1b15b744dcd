"""A stage that fails, once or for a while: every frame comes out, in order, and nobody is bare."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import product
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
from facered.detect.detector import Detection, Detector
from facered.detect.turned import TurnedDetector
from facered.hide.hider import Hider
from facered.live.input import GivenFrame
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.online import OnlineTracker
from facered.video.shrink import Shrinker
from thinned import thinned
from working import Working

WIDTH, HEIGHT, FACE = 192, 128, 32
COUNT, FIRST = 36, 12
BLACK = 16
BRIGHT = 228
"""From here on a sample of luma is of the face."""

STAGES: dict[str, tuple[type, str]] = {
    "prepare": (Detector, "prepare"),
    "verify": (Detector, "verify"),
    "shrink": (Shrinker, "__call__"),
    "cuts": (CutDetector, "push"),
    "suspect": (CutDetector, "suspect"),
    "follower": (Follower, "update"),
    "wants": (Follower, "wanted"),
    "present": (OnlineTracker, "present"),
    "past": (OnlineTracker, "past"),
    "hider": (Hider, "hide"),
    "writable": (GivenFrame, "writable"),
}
CALLBACKS = ("detector", "select", "on_faces")


class Fault:
    """Raises in some calls of something, which are counted from its first."""

    def __init__(self, calls: range, error: type[BaseException] = RuntimeError) -> None:
        self.calls, self.error = calls, error
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            number, self._count = self._count, self._count + 1
        if number in self.calls:
            raise self.error("broken\non purpose")


NONE = Fault(range(0))


class Scene:
    """Frames of a bright square that moves, and a detector that finds it; `numbers` are the frames detected so far."""

    def __init__(self, count: int = COUNT) -> None:
        noise = np.random.default_rng(3)
        ground = noise.integers(60, 140, (HEIGHT, WIDTH)).astype(np.uint8)
        face = noise.integers(BRIGHT, 250, (FACE, FACE)).astype(np.uint8)
        self.lumas, self.frames = [], []
        for number in range(count):
            luma = ground.copy()
            luma[40 : 40 + FACE, 20 + number :][:, :FACE] = face
            luma[0, 0] = number
            self.lumas.append(luma)
            frame = av.VideoFrame.from_ndarray(_yuv(luma), format="yuv420p")
            frame.pts, frame.time_base, frame.duration = number, Fraction(1, 25), 1
            self.frames.append(frame)
        self.numbers: list[int] = []
        self.working = Working()

    def detect(self, luma: NDArray[np.uint8]) -> Detection:
        return Detection(_box(luma), np.array([0.9], np.float32))

    def prepared(self, fault: Fault, picture: Any) -> Callable[[], Detection]:
        number, found = int(picture.y[0, 0]), self.detect(picture.y)

        def run() -> Detection:
            fault()
            self.numbers.append(number)
            return found

        return self.working.watched(run)


def _box(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows, columns = np.nonzero(luma >= BRIGHT)
    return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)


def _yuv(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:HEIGHT, :WIDTH].copy()


@pytest.fixture(scope="module", autouse=True)
def _session() -> Iterator[None]:
    """Keep the model's session, which all share, from being loaded for every test."""
    with facered.Redactor():
        yield


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene()
    monkeypatch.setattr(Detector, "prepare", lambda _, picture, *__, **___: scene.prepared(NONE, picture))
    monkeypatch.setattr(TurnedDetector, "compare", lambda _, upright, *__: upright)  # nothing is found at other angles
    monkeypatch.setattr(Detector, "verify", lambda _, picture, *__: scene.detect(picture.y))
    return scene


def _break(monkeypatch: pytest.MonkeyPatch, scene: Scene, stage: str, fault: Fault) -> dict[str, Any]:
    """Have a stage fail; return the settings that this takes."""
    if stage == "detector":
        monkeypatch.setattr(Detector, "prepare", lambda _, picture, *__, **___: scene.prepared(fault, picture))
        return {}
    if stage == "select":
        return {"select": lambda _: (fault(), True)[1]}
    if stage == "on_faces":
        return {"on_faces": lambda *_: fault()}
    owner, name = STAGES[stage]
    whole = getattr(owner, name)

    def failing(*arguments: Any, **settings: Any) -> Any:
        fault()
        return whole(*arguments, **settings)

    monkeypatch.setattr(owner, name, failing)
    return {}


class Run:
    """What came of the frames: `returned` says in which call each came, `failed` which calls failed, `raised` what."""

    def __init__(self, scene: Scene, settings: dict[str, Any], *, blackens: bool = False) -> None:
        self.scene, self.blackens = (
            scene,
            blackens,
        )  # what cannot be hidden whole becomes black, and nothing is forgotten
        self.out: list[av.VideoFrame] = []
        self.returned: list[int] = []
        self.failed: list[int] = []
        self.raised: list[BaseException] = []
        self.detected: list[set[int]] = []  # after each call, which frames have been
        with facered.Redactor(blur="Black", **settings) as redactor:
            for number, frame in enumerate(scene.frames):
                self._call(redactor, number, lambda frame=frame: redactor.process(frame))
            for number in range(len(scene.frames), len(scene.frames) + 3):
                self._call(redactor, number, redactor.flush)
            self.stats = redactor.stats

    def _call(self, redactor: facered.Redactor, number: int, call: Callable[[], list[av.VideoFrame]]) -> None:
        before, ready, error = redactor.stats.failures, [], None
        try:
            ready = call()
        except BaseException as caught:
            error = caught
            self.raised.append(caught)
        if redactor.stats.failures > before and (error is not None or not self.blackens):
            self.failed.append(number)
        self.scene.working.wait()
        self.detected.append(set(self.scene.numbers))
        self.out += ready
        self.returned += [number] * len(ready)

    def wholes(self) -> list[bool]:
        """Tell of each frame whether nothing of it is left."""
        return [bool((_luma(frame) == BLACK).all()) for frame in self.out]

    def check(self) -> None:
        """Compare every frame with what it must show."""
        assert [id(frame) for frame in self.out] == [id(frame) for frame in self.scene.frames]
        wholes = self.wholes()
        for number, (frame, returned) in enumerate(zip(self.out, self.returned, strict=True)):
            luma = _luma(frame)
            assert (luma[self.scene.lumas[number] >= BRIGHT] == BLACK).mean() > 0.9, f"frame {number} is bare"
            before = [call for call in self.failed if call <= returned]
            if before:
                since = [one for one in self.detected[returned] if one > before[-1]]
                assert wholes[number] or (since and number > before[-1]), f"frame {number} is not hidden whole"
            clear = (not wholes[number]) & (np.abs(np.arange(WIDTH) - 20 - number - FACE / 2) > 70)
            assert (luma == self.scene.lumas[number])[:, clear].all(), f"frame {number} is hidden elsewhere"
        assert self.stats.frames == len(self.out)
        assert all(isinstance(error, facered.FaceredError) for error in self.raised)


WAYS = [({}, 0), ({"detect": 3}, 10), ({"detect": "async"}, 0), ({"deadline_ms": 5}, 10)]
FAILURES = [(1, MemoryError), (8, RuntimeError), (999, OSError)]


@pytest.mark.parametrize(
    ("stage", "calls", "error", "how", "lookahead"),
    thinned([(stage, *failure, *way) for stage, failure, way in product([*STAGES, *CALLBACKS], FAILURES, WAYS)], 7),
    ids=str,
)
def test_nobody_is_bare_after_a_stage_has_failed(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    calls: int,
    error: type[BaseException],
    how: dict[str, Any],
    lookahead: int,
) -> None:
    first = 3 if stage in ("detector", "prepare", "verify", "writable") else FIRST
    settings = _break(monkeypatch, scene, stage, Fault(range(first, first + calls), error))
    run = Run(scene, {**how, **settings, "lookahead": lookahead}, blackens=stage == "hider")
    if stage == "writable" and calls > 8:
        return  # nothing can be hidden any more, and so nothing comes out
    run.check()
    assert bool(run.failed) == bool(run.stats.failures)
    assert bool(run.raised) == bool(run.failed)
    assert all(type(raised) is facered.ServiceError and type(raised.__cause__) is error for raised in run.raised)
    assert not any("\n" in str(raised) for raised in run.raised)
    if run.failed and calls < 999:
        assert len(run.raised) == 1 or calls > 1
        wholes = run.wholes()
        assert how or not any(wholes[: max(run.failed[0] - lookahead, 0)])
        assert how or not any(wholes[run.failed[-1] + 5 :])


@pytest.mark.parametrize("stage", ["hider", "past", "on_faces"])
def test_what_fails_when_the_stream_ends_is_returned_by_the_next_flush(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    fault = Fault(range(3, 4))
    with facered.Redactor(blur="Black", lookahead=10, **_break(monkeypatch, scene, stage, fault)) as redactor:
        assert not [ready for frame in scene.frames[:10] for ready in redactor.process(frame)]
        with pytest.raises(facered.ServiceError, match="broken on purpose"):
            redactor.flush()
        assert redactor.flush() == scene.frames[:10]
        assert all((_luma(frame) == BLACK).all() for frame in scene.frames[:10])
        assert not [ready for frame in scene.frames[10:20] for ready in redactor.process(frame)]
        assert redactor.flush() == scene.frames[10:20]
        assert not any((_luma(frame) == BLACK).all() for frame in scene.frames[10:20])
        assert redactor.stats.failures == 1


def test_what_fails_where_the_size_changes_loses_no_frame(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _break(monkeypatch, scene, "cuts", Fault(range(10, 11)))
    larger = [frame.reformat(width=2 * WIDTH, height=2 * HEIGHT) for frame in scene.frames[10:20]]
    done: list[av.VideoFrame] = []
    with facered.Redactor(blur="Black", lookahead=10, **settings) as redactor:
        for frame in [*scene.frames[:10], *larger]:
            with suppress(facered.ServiceError):
                done += redactor.process(frame)
        done += redactor.flush()
    assert done == [*scene.frames[:10], *larger]
    assert all((_luma(frame) == BLACK).all() for frame in scene.frames[:10])


def test_an_interrupt_is_raised_as_it_is(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _break(monkeypatch, scene, "follower", Fault(range(5, 8), KeyboardInterrupt))
    run = Run(scene, settings)
    assert [type(raised) for raised in run.raised] == [KeyboardInterrupt] * 3
    assert run.out == scene.frames
    assert run.wholes()[4:10] == [False, True, True, True, False, False]


def test_a_function_is_told_every_frame_once_though_it_fails(scene: Scene) -> None:
    told: list[int] = []

    def tell(frame: av.VideoFrame, _: object) -> None:
        told.append(frame.pts)
        raise ValueError

    with facered.Redactor(blur="Black", lookahead=3, on_faces=tell) as redactor:
        for frame in scene.frames:
            with suppress(facered.ServiceError):
                redactor.process(frame)
        redactor.flush()
        assert redactor.stats.failures >= len(scene.frames) - 3
    assert told == list(range(COUNT))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(
    "found",
    [
        *(Detection(np.array([[1, 2, wrong, 9]], np.float32), np.ones(1, np.float32)) for wrong in (np.nan, np.inf)),
        Detection(np.array([[1, 2, 8, 9]], np.float32), np.array([np.nan], np.float32)),
        Detection(np.ones((2, 4), np.float32), np.ones(1, np.float32)),
        Detection(np.ones((1, 5), np.float32), np.ones(1, np.float32)),
        Detection(np.ones(4, np.float32), np.ones(1, np.float32)),
    ],
    ids=repr,
)
def test_a_detector_that_finds_faces_at_no_place_is_a_failure(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, found: Detection, beside: bool
) -> None:
    whole = scene.detect
    monkeypatch.setattr(scene, "detect", lambda luma: found if luma[0, 0] in range(9, 14) else whole(luma))
    run = Run(scene, {"detect": "async" if beside else 1})
    run.check()
    assert run.failed
    assert all(isinstance(raised, facered.ServiceError) for raised in run.raised)
    assert "the detector gave boxes of" in str(run.raised[0])
    assert beside or run.wholes()[8:16] == [False, True, True, True, True, True, False, False]


def test_a_verification_at_no_place_is_a_failure(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Detection(np.full((1, 4), np.nan, np.float32), np.ones(1, np.float32))
    monkeypatch.setattr(Detector, "verify", lambda *_: nowhere)
    monkeypatch.setattr(scene, "detect", lambda luma: Detection(_box(luma), np.array([0.45], np.float32)))
    run = Run(scene, {})
    run.check()
    assert run.failed
