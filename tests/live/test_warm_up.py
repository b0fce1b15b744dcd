"""`Redactor.warm_up`: what is set up once is set up before the first frame comes; an event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import facered
import videos
from facered.detect import detector


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one for every tensor that is made for whole pictures of a size."""
    made: list[None] = []
    sizes = detector.Detector._sizes

    def counted(*arguments: Any) -> Any:
        made.append(None)
        return sizes(*arguments)

    monkeypatch.setattr(detector.Detector, "_sizes", counted)
    return made


SETTINGS: list[dict[str, Any]] = [{}, {"detect": "async"}, {"deadline_ms": 1}, {"lookahead": 3}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_what_comes_after_it_is_as_without_it(carphone: Path, settings: dict[str, Any]) -> None:
    told: list[tuple[facered.Face, ...]] = []
    with facered.Redactor(on_faces=lambda _, faces: told.append(faces), **settings) as redactor:
        redactor.warm_up(176, 144)
        assert told == []
        assert redactor.faces == ()
        stats = redactor.stats
        assert (stats.frames, stats.detections, stats.late, stats.inference_calls) == (0, 0, 0, 0)
        redactor.process(videos.decode(carphone, 1)[0])
        redactor.flush()
    assert len(told) == 1
    if "deadline_ms" not in settings:  # which may be over before anything is found
        assert [face.id for face in told[0]] == [1]


def test_the_first_frame_makes_no_view_of_the_whole_picture(carphone: Path, views: list[None]) -> None:
    frame = videos.decode(carphone, 1)[0]
    with facered.Redactor(deadline_ms=60_000) as cold:
        cold.process(frame)
    before = len(views)
    assert before > 0
    with facered.Redactor(deadline_ms=60_000) as warm:
        warm.warm_up(176, 144)
        before = len(views)
        warm.process(videos.decode(carphone, 1)[0])
    assert len(views) == before


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv420p10le", "gray", "bgr24", "i420", "rgba"])
def test_all_formats_can_be_warmed_up(name: str) -> None:
    with facered.Redactor(detect_size=64) as redactor:
        redactor.warm_up(64, 48, name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 48), "width is 0; it can be a whole number from 1 to"),
        ((64, None), "height is None; it can be a whole number"),
        ((64, 48, "pal8"), "there are no frames in 'pal8' that are redacted as they are"),
        ((64, 48, 3), "format is 3; it can be the name of a pixel format"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments: tuple[Any, ...], message: str) -> None:
    with facered.Redactor() as redactor, pytest.raises(facered.FaceredError) as caught:
        redactor.warm_up(*arguments)
    assert str(caught.value).startswith(message)


def test_amid_a_stream_it_is_refused(carphone: Path) -> None:
    with facered.Redactor() as redactor:
        redactor.process(videos.decode(carphone, 1)[0])
        with pytest.raises(facered.ConfigurationUnsupportedError, match="a stream is under way"):
            redactor.warm_up(176, 144)
        redactor.flush()
        redactor.warm_up(176, 144)


def test_an_event_loop_goes_on_while_one_is_made_and_warmed_up_in_a_thread() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.002)
            ticks += 1

    async def held(work: Callable[..., object], *arguments: object, **settings: object) -> tuple[float, object]:
        """Return for which part of the time the loop did not tick, and what comes of the work."""
        begun, before = time.perf_counter(), ticks
        made = await asyncio.to_thread(work, *arguments, **settings)
        took = time.perf_counter() - begun
        # As if each tick took ten times as long as it should: the machine may be busy.
        return max(took - 0.02 * (ticks - before + 1), 0) / took, made

    async def run() -> list[float]:
        ticking = asyncio.create_task(tick())
        making, redactor = await held(facered.Redactor, detect_size=448, threads=1)
        assert isinstance(redactor, facered.Redactor)
        warming, _ = await held(redactor.warm_up, 640, 360)
        ticking.cancel()
        redactor.close()
        return [making, warming]

    assert max(asyncio.run(run())) < 0.5
