"""Nothing but facered's own errors, of one line each, leaves a Redactor, whatever it is given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import av
import numpy as np
import pytest

import facered
from facered.detect.detector import Detector

WILD: list[Any] = [
    *(None, 5, -1, 1.5, float("nan"), float("inf"), 10**400, "x", "x" * 5000, "a\0b", b"b", [], [1], {}, {1: 2}),
    *(object(), (), lambda *_: 1, True, np.array([1]), np.int64(3), 1j, "\udc80", range(3), [[(0, 0), (1, 1), (0, 1)]]),
]  # fmt: skip
PLANES = [np.zeros(size, np.uint8) for size in ((48, 64), (24, 32), (24, 32))]
CALL: dict[str, Any] = {"planes": PLANES, "strides": None, "format": "yuv420p", "pts": 0, "width": 64, "height": 48}


@pytest.fixture(scope="module")
def redactor() -> Iterator[facered.Redactor]:
    with facered.Redactor(threshold=1) as redactor:
        yield redactor


@pytest.mark.parametrize("value", WILD, ids=lambda value: repr(value)[:20])
def test_wild_values_are_taken_or_refused(redactor: facered.Redactor, value: Any) -> None:
    settings = list(inspect.signature(facered.Redactor).parameters)
    calls: list[Any] = [lambda name=name: facered.Redactor(**{name: value}).close() for name in settings]
    calls += [lambda: redactor.process(value), lambda: redactor.show(value), lambda: redactor.hide(value)]
    names = [*CALL, "matrix", "full_range", "interlaced"]
    calls += [lambda name=name: redactor.process_planes(**{**CALL, name: value}) for name in names]
    calls += [lambda: redactor.process_planes(**{**CALL, "planes": [value, *PLANES[1:]]})]
    calls += [lambda: redactor.process_planes(**{**CALL, "strides": [value, 32, 32]})]
    for call in calls:
        with suppress(facered.FaceredError):
            call()
    assert redactor.stats.failures == 0


@pytest.mark.parametrize("value", ["text", None, 3])
def test_what_is_no_frame_is_said(redactor: facered.Redactor, value: Any) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"it can be an av\.VideoFrame"):
        redactor.process(value)


def test_an_id_is_a_number(redactor: facered.Redactor) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match=r"id is \[\]; it can be a whole number"):
        redactor.show([])  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_what_fails_inside_has_its_cause_attached(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error("no\nroom")

    frame = av.VideoFrame(64, 48, "yuv420p")
    with facered.Redactor() as redactor:
        for name, call in {
            "facered.live.redactor.Detector": facered.Redactor,
            "facered.live.redactor.GivenFrame": lambda: redactor.process(frame),
            "facered.live.redactor.given_planes": lambda: redactor.process_planes(**CALL),
        }.items():
            with monkeypatch.context() as patch:
                patch.setattr(name, broken)
                with pytest.raises(facered.ServiceError, match=r"\(\w+Error: no room\)$") as caught:
                    call()
            assert type(caught.value.__cause__) is error
        monkeypatch.setattr(Detector, "prepare", broken)
        with pytest.raises(facered.ServiceError, match="no room") as caught:
            redactor.process(frame)
        assert type(caught.value.__cause__) is error
        assert redactor.flush() == [frame]
