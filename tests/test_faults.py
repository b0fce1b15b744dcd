"""Every stage of the work fails once: what was there is whole, nothing is left, and nobody is bare in what came out.

The stages are those of `facered.runtime.stages.Stage`, so that a new one is tried as well; one that no way of working
passes, or of which nobody says what may be wrong with its results, fails here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnxruntime import InferenceSession

import facered
import videos
from facered.annotations.model import Annotations
from facered.detect.detector import Detector
from facered.detect.tensor import View
from facered.jobs import finder, task, thumbnails
from facered.jobs.job import JobState
from facered.runtime.stages import Stage
from facered.track.cuts import CutDetector
from facered.track.follower import Follower
from facered.track.online import OnlineTracker
from facered.video.input.decode import Normalizer
from facered.video.output import roi
from facered.video.output.encoder import VideoEncoder
from facered.video.output.images import encode_image
from facered.video.shrink import Shrinker
from faults import ERRORS, Counting, Faulty, Slow, threads_left
from thinned import thinned
from ways import COUNT, WAYS, Film


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("faults")
    path, frames = videos.encode(folder / "foo.mp4", videos.decode(carphone, COUNT)), videos.decode(carphone, COUNT)
    for number, frame in enumerate(frames):
        (folder / f"{number:02d}.png").write_bytes(encode_image(frame.reformat(format="rgb24"), "png"))
    annotations = facered.analyze(path, folder).annotations
    assert np.diff(annotations.starts).tolist() == [1] * COUNT
    return Film(
        path, folder / "%02d.png", annotations, [tuple(annotations.pixel_boxes(number)[0]) for number in range(COUNT)]
    )


LATE = {Stage.CARRY: "live, async"}
"""Stages that are passed only where the detector is slow, and by chance how often."""
PASSES: dict[str, frozenset[Stage]] = {}
"""Which stages each way passes; `test_every_stage_is_passed` compares it with what is counted."""
_FILES = {Stage.OPEN, Stage.DECODE}
_LOOKS = {Stage.SHRINK, Stage.CUTS, Stage.FOLLOW, Stage.TENSOR, Stage.INFER, Stage.BOXES, Stage.TRACK}
_HIDES = {Stage.COPY, Stage.HIDE}
_WRITES = {Stage.ENCODE, Stage.MUX}
_PUBLISHES = {Stage.WRITE_ANNOTATIONS, Stage.PUBLISH}
_OFFLINE = _FILES | _LOOKS | {Stage.TRACK_BACK} | _HIDES | _WRITES
PASSES |= {
    "analyze": frozenset(
        _FILES | _LOOKS | {Stage.THUMBNAILS, Stage.TRACK_BACK, Stage.WRITE_ANNOTATIONS, Stage.PUBLISH}
    ),
    "redact": frozenset(_FILES | {Stage.READ_ANNOTATIONS, Stage.MARK, Stage.PUBLISH} | _HIDES | _WRITES),
    "combined": frozenset(_OFFLINE | {Stage.MARK} | _PUBLISHES),
    "combined, one thread": frozenset(_OFFLINE | {Stage.MARK} | _PUBLISHES),
    "combined, pictures": frozenset(_OFFLINE | {Stage.PUBLISH}),
    "combined, streamed": frozenset(_OFFLINE | {Stage.MARK}),
    "pipe": frozenset(_LOOKS | _HIDES | _WRITES | {Stage.PRESENT, Stage.REDACT, Stage.WRITE}),
    "live": frozenset(_LOOKS | _HIDES | {Stage.PRESENT}),
    "live, lookahead": frozenset(_LOOKS | _HIDES | {Stage.PRESENT}),
    "live, async": frozenset(_LOOKS | _HIDES | {Stage.PRESENT, Stage.CARRY}),
}


@contextmanager
def nothing_left() -> Iterator[None]:
    """Make sure that no thread and no descriptor are left that have come in the block."""
    threads, files = set(threading.enumerate()), open_files()
    yield
    assert not threads_left(threads)
    until = time.monotonic() + 5
    while (left := open_files() - files) and time.monotonic() < until:
        time.sleep(0.02)
    assert not left


def open_files() -> set[str]:
    """Return the files that this process has open, of those that the tests know."""
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
    return {place for place in found if "facered" in place or "foo" in place or "out" in place}


@pytest.mark.parametrize("way", WAYS)
def test_every_stage_is_passed(film: Film, tmp_path: Path, way: str) -> None:
    counting, work = Counting(), WAYS[way]()
    work.prepare(tmp_path)
    with counting:
        work.run(film, tmp_path)
    work.check_files(film, tmp_path, failed=False)
    passed = {Stage(step) for step in counting.passed if step in set(Stage)}
    assert passed | ({Stage.CARRY} & PASSES[way]) == PASSES[way]


def test_the_table_has_every_stage() -> None:
    assert set().union(*PASSES.values()) == set(Stage)
    assert set(WRONG) == set(Stage)


def run_with(film: Film, folder: Path, way: str, profile: facered.Profile) -> BaseException | None:
    """Work with a fault; return what is raised."""
    work = WAYS[way]()
    work.prepare(folder)
    error: BaseException | None = None
    with nothing_left():
        try:
            with profile:
                work.run(film, folder)
        except BaseException as raised:
            error = raised
    work.check_files(film, folder, failed=error is not None)
    return error


PLACES = (1, 2, 5, COUNT)
"""When the stage fails: at its so many-th passage."""
CASES = [(way, stage) for way in WAYS for stage in Stage if stage in PASSES[way] and (stage, way) not in LATE.items()]


@pytest.mark.parametrize(("way", "stage"), thinned(CASES, 9))
def test_a_stage_fails(film: Film, tmp_path: Path, way: str, stage: Stage) -> None:
    number = (CASES.index((way, stage)) * 7) % len(ERRORS)
    fails(film, tmp_path, way, stage, list(ERRORS)[number], 1 + 3 * (number % 2), after=bool(number & 2))


@pytest.mark.soak
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("way", "stage"), CASES)
def test_a_stage_fails_in_every_way(film: Film, tmp_path: Path, way: str, stage: Stage, error: str) -> None:
    for place, after in product(PLACES, (False, True)):
        folder = tmp_path / f"passage {place}, {'after' if after else 'before'}"
        folder.mkdir()
        fails(film, folder, way, stage, error, place, after=after)


def fails(film: Film, folder: Path, way: str, stage: Stage, error: str, place: int, *, after: bool) -> None:
    profile = Faulty(stage, place, ERRORS[error], after=after)
    raised = run_with(film, folder, way, profile)
    # What a detector beside the stream fails with after the last frame nobody asks for.
    assert (raised is not None) == profile.struck or (way == "live, async" and raised is None)
    ends = error == "a thread that dies" and not isinstance(raised, facered.FaceredError)
    assert raised is None or isinstance(raised, SystemExit if ends else facered.FaceredError), repr(raised)


@dataclass(frozen=True)
class Wrong:
    """What a function gives is replaced by what `spoil` makes of it; `spoil` is given the first argument, too."""

    owner: Any
    name: str
    spoil: Callable[[Any, Any], Any]


def result(owner: Any, name: str, spoil: Callable[[Any], Any]) -> Wrong:
    return Wrong(owner, name, lambda _, given: spoil(given))


def _scaled(factor: float) -> Callable[[Any], Any]:
    return lambda given: given * factor


def _filled(value: float) -> Callable[[Any], Any]:
    return lambda given: [np.full_like(array, value) for array in given]


def _tracks(value: float) -> Callable[[Any], Any]:
    def spoil(tracks: Any) -> Any:
        for track in tracks:
            track.boxes[:] = value
        return tracks

    return spoil


def _boxes(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda given: replace(given, boxes=change(given.boxes))


def _people(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda given: [replace(presence, box=change(presence.box)) for presence in given]


def _lost_track(follower: Any, given: Any) -> Any:
    for tracklet in follower.active:
        tracklet.boxes[-1] = tracklet.boxes[-1] * NAN
    return given


def _blind(view: Any, given: Any) -> Any:
    view.tensor[:] = NAN
    return given


def _timeless(given: Any) -> Any:
    for item in given if isinstance(given, list) else [given]:
        item.pts = None
    return given


NAN, INFINITE, HUGE = float("nan"), float("inf"), 1e300
CHANGES: dict[str, Callable[[Any], Any]] = {
    "NaN": _scaled(NAN),
    "infinite": _scaled(INFINITE),
    "three columns": lambda boxes: boxes[..., :3],
    "none of an axis": lambda boxes: boxes.ravel()[:0],
}
NOTHING_GIVEN = "it gives nothing that could be wrong"
WRONG: dict[Stage, dict[str, Wrong] | str] = {
    Stage.OPEN: "what it gives is tried where it is used: its frames, under decode",
    Stage.DECODE: {
        "larger": result(Normalizer, "convert", lambda frame: videos.enlarge(frame, 352, 288)),
        "smaller": result(Normalizer, "convert", lambda frame: videos.enlarge(frame, 88, 72)),
        "no time": result(Normalizer, "convert", _timeless),
        "another format": result(Normalizer, "convert", lambda frame: frame.reformat(format="rgb24")),
    },
    Stage.SHRINK: {
        "half": result(Shrinker, "__call__", lambda luma: luma[::2, ::2].copy()),
        "empty": result(Shrinker, "__call__", lambda luma: luma[:0]),
        "NaN": result(Shrinker, "__call__", lambda luma: luma * np.float32(NAN)),
    },
    Stage.CUTS: {
        "everywhere": result(CutDetector, "push", lambda _: True),
        "suspected everywhere": result(CutDetector, "suspect", lambda _: True),
    },
    Stage.FOLLOW: {"NaN": result(Follower, "expected", _scaled(NAN))},
    Stage.TENSOR: {"NaN": Wrong(View, "fill", _blind)},
    Stage.INFER: {
        "NaN": result(InferenceSession, "run", _filled(NAN)),
        "infinite": result(InferenceSession, "run", _filled(INFINITE)),
        "one output": result(InferenceSession, "run", lambda given: given[:1]),
        "halves": result(InferenceSession, "run", lambda given: [array[..., ::2] for array in given]),
    },
    Stage.BOXES: {name: result(Detector, "_merged", _boxes(change)) for name, change in CHANGES.items()},
    Stage.TRACK: {"NaN": Wrong(Follower, "update", _lost_track)},
    Stage.PRESENT: {
        **{name: result(OnlineTracker, "present", _people(change)) for name, change in CHANGES.items()},
        "NaN in the past": result(OnlineTracker, "past", _people(_scaled(NAN))),
    },
    Stage.CARRY: {name: result(OnlineTracker, "carried", change) for name, change in CHANGES.items()},
    Stage.THUMBNAILS: {"NaN": result(thumbnails, "face_quality", _scaled(NAN))},
    Stage.TRACK_BACK: {
        name: result(finder, "finish", _tracks(value))
        for name, value in {"NaN": NAN, "infinite": INFINITE, "huge": HUGE, "negative": -5.0}.items()
    },
    Stage.READ_ANNOTATIONS: {
        name: result(task, "_read_annotations", _boxes(change)) for name, change in CHANGES.items()
    },
    Stage.WRITE_ANNOTATIONS: NOTHING_GIVEN,
    Stage.COPY: NOTHING_GIVEN,
    Stage.HIDE: {name: result(Annotations, "pixel_boxes", change) for name, change in CHANGES.items()},
    Stage.MARK: {
        "negative": result(roi, "inside", lambda _: ((0, 0, -5, 7),)),
        "outside": result(roi, "inside", lambda _: ((10**6, 10**6, 10**7, 10**7),)),
    },
    Stage.ENCODE: {
        "lost": result(VideoEncoder, "_next", lambda _: None),
        "no time": result(VideoEncoder, "encode", _timeless),
    },
    Stage.MUX: NOTHING_GIVEN,
    Stage.PUBLISH: NOTHING_GIVEN,
    Stage.REDACT: "what it gives is tried under hide and present",
    Stage.WRITE: NOTHING_GIVEN,
}
QUICK = ("combined, one thread", "live, async")
"""The ways that `make test` tries, where a stage is passed in one of them."""


def _quick(stage: Stage) -> tuple[str, ...]:
    """Return the ways that `make test` tries: some, or the first that passes the stage at all."""
    passes = [way for way in PASSES if stage in PASSES[way]]
    return tuple(way for way in QUICK if way in passes) or (passes[0],)


def _is_quick(way: str, stage: Stage, number: int) -> bool:
    """Tell whether `make test` tries what may be wrong with a stage in a way: each in one of them, in turn."""
    ways = _quick(stage)
    return way in ways if len(WRONG[stage]) == 1 else way == ways[number % len(ways)]


SPOILED = [
    pytest.param(way, stage, what, marks=() if _is_quick(way, stage, number) else pytest.mark.soak)
    for way, stage in [*CASES, *((way, stage) for stage, way in LATE.items())]
    for number, what in enumerate(WRONG[stage] if isinstance(WRONG[stage], dict) else ())
]


@pytest.mark.parametrize(("way", "stage", "what"), SPOILED)
def test_what_a_stage_gives_is_wrong(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, stage: Stage, what: str
) -> None:
    kinds = WRONG[stage]
    assert isinstance(kinds, dict)
    wrong = kinds[what]
    whole, struck = getattr(wrong.owner, wrong.name), threading.Event()

    def spoiled(*arguments: Any, **settings: Any) -> Any:
        given = whole(*arguments, **settings)
        struck.set()
        return given if given is None and wrong.name != "fill" else wrong.spoil(arguments[0], given)

    monkeypatch.setattr(wrong.owner, wrong.name, spoiled)
    raised = run_with(film, tmp_path, way, facered.Profile())
    assert raised is None or isinstance(raised, facered.FaceredError), repr(raised)
    if not struck.is_set():
        pytest.skip("it is not passed in this way")


@pytest.mark.parametrize(
    ("way", "stage"),
    [
        pytest.param(way, stage, marks=() if way == "combined" or stage not in _OFFLINE else pytest.mark.soak)
        for way, stage in CASES
        if way in ("analyze", "redact", "combined")
    ],
)
def test_a_stage_stalls(film: Film, tmp_path: Path, way: str, stage: Stage) -> None:
    """A job that is cancelled meanwhile ends when the stage does, and leaves what was there."""
    if (way, stage) == ("combined", Stage.WRITE_ANNOTATIONS):
        pytest.skip("a job that was submitted writes none")
    over = threading.Event()
    slow, work = Slow(stage, 1, over), WAYS[way]()
    work.files = tuple(name for name in work.files if way != "combined" or name.endswith(".mp4"))
    work.prepare(tmp_path)
    with nothing_left():
        with slow:
            job = work.submit(film, tmp_path)
        assert slow.reached.wait(60)
        assert job.cancel()
        over.set()
        with suppress(facered.JobCanceledError):
            job.result(10)
    work.check_files(film, tmp_path, failed=job.state is not JobState.FINISHED)
    assert stage is Stage.PUBLISH or job.state is JobState.CANCELED


@pytest.mark.parametrize(
    ("way", "stage"),
    [
        pytest.param(way, stage, marks=() if stage is Stage.INFER else pytest.mark.soak)
        for way, stage in CASES
        if way == "pipe" or way.startswith("live")
    ],
)
def test_a_stage_takes_long_live(film: Film, tmp_path: Path, way: str, stage: Stage) -> None:
    """Frames wait for it, or go on without a detection: either way, all come and nobody is bare."""
    over = threading.Event()
    slow = Slow(stage, 2, over)
    timer = threading.Timer(0.5, over.set)
    timer.start()
    assert run_with(film, tmp_path, way, slow) is None
    timer.cancel()
