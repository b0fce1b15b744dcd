"""What leaves the public functions: errors of facered's own, whatever they are given and whatever breaks inside."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import facered
import videos
from facered.detect.detector import Detector
from facered.hide.hider import Hider
from facered.jobs import finder, segments
from facered.track import follower, segmentation
from facered.video.input.file import Reader
from facered.video.output.file import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = "a" * 300
CALLS: list[Callable[[Path, Path], object]] = [
    lambda _, out: facered.analyze(None, out),  # type: ignore[arg-type]
    lambda _, out: facered.analyze(123, out),  # type: ignore[arg-type]
    lambda _, out: facered.analyze(object(), out),  # type: ignore[arg-type]
    lambda _, out: facered.analyze(b"abc", out),  # type: ignore[arg-type]
    lambda _, out: facered.analyze(io.StringIO("abc"), out),  # type: ignore[arg-type]
    lambda _, out: facered.analyze(io.BytesIO(b""), out),
    lambda _, out: facered.analyze("a\0b", out),
    lambda _, out: facered.analyze(LONG, out),
    lambda _, out: facered.analyze("", out),
    lambda _, out: facered.analyze("\udcff", out),
    lambda film, _: facered.analyze(film, 3),  # type: ignore[arg-type]
    lambda film, _: facered.analyze(film, None),  # type: ignore[arg-type]
    lambda film, _: facered.analyze(film, "a\0b"),
    lambda film, out: facered.analyze(film, out / LONG),
    lambda film, out: facered.analyze(film, out / LONG / "b"),
    lambda film, out: facered.combined(film, out / f"{LONG}.mp4"),
    lambda film, _: facered.combined(film, "/dev/null"),
    lambda film, _: facered.combined(film, "/dev/null/a.mp4"),
    lambda film, _: facered.combined(film, film / "out"),
    lambda film, out: facered.combined(film, out, progress=5),  # type: ignore[arg-type]
    lambda film, out: facered.redact(film, out, annotations=5),  # type: ignore[arg-type]
    lambda film, out: facered.redact(film, out, annotations=LONG),
    lambda film, out: facered.redact(film, out, annotations="a\0b"),
    lambda film, out: facered.redact(film, out, ids=3.5),  # type: ignore[arg-type]
    lambda film, out: facered.redact(film, out, ids=[1e300]),  # type: ignore[list-item]
    lambda film, out: facered.redact(film, out, ids=LONG),
    lambda film, out: facered.analyze(film, out, threshold=object()),
    lambda film, out: facered.analyze(film, out, model=LONG),
    lambda film, out: facered.analyze(film, out, nothing=1),
    lambda film, out: facered.submit(film, out, config=5),  # type: ignore[arg-type]
    lambda film, out: facered.submit(film, out, mode=3),  # type: ignore[arg-type]
    lambda *_: facered.Annotations.read(5),  # type: ignore[arg-type]
    lambda *_: facered.Annotations.read(LONG),
    lambda *_: facered.Annotations.read("a\0b"),
]


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_a_wrong_call_is_a_one_line_error(
    call: Callable[[Path, Path], object], carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(facered.FaceredError) as raised:
        call(carphone, tmp_path / "out")
    assert "\n" not in str(raised.value)
    assert "internal error" not in str(raised.value)
    assert raised.value.code != "ServiceError"


class TooMuch(io.BytesIO):
    """Gives more than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3 * size if size else size)


class Raising(io.BytesIO):
    def read(self, _: int | None = -1) -> bytes:
        raise RuntimeError("no")


@pytest.mark.parametrize("kind", [TooMuch, Raising, "closed"])
def test_odd_objects_are_an_error(kind: Any, carphone: Path, tmp_path: Path) -> None:
    """One that gave too much wrote beyond FFmpeg's memory."""
    file = io.BytesIO(carphone.read_bytes()) if kind == "closed" else kind(carphone.read_bytes())
    if kind == "closed":
        file.close()
    with pytest.raises(facered.FaceredError) as raised:
        facered.combined(file, tmp_path / "out")
    assert "internal error" not in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        {"boxes": np.array([[np.nan, 0, 1, 1]])}, {"boxes": np.array([[1e300, 0, 1, 1]])}, {"ids": np.array([-1])},
        {"boxes": np.array([[0, 0, 0.0, 1]])}, {"pts": np.array([3])}, {"starts": np.array([0, 7])}, {"extras": None},
        {"time_base": Fraction(0)}, {"time_base": 0.04}, {"width": 0}, {"margin": float("nan")}, {"starts": None},
        {"last_duration": 1 << 62},
    ],
)  # fmt: skip
def test_annotations_built_by_hand_are_checked(change: dict[str, Any], carphone: Path, tmp_path: Path) -> None:
    sound = facered.Annotations(
        Fraction(1, 25),
        None,
        176,
        144,
        None,
        np.array([0]),
        1,
        np.array([0, 1]),
        np.array([1]),
        np.array([[0, 0, 1.0, 1]]),
    )
    sound.write(tmp_path / "sound.json")
    assert facered.Annotations.read(tmp_path / "sound.json").ids.tolist() == [1]
    if "pts" in change:
        change = {"pts": np.array([3, 3]), "starts": np.array([0, 1, 1])}
    broken = replace(sound, **change)
    for call in (
        lambda: broken.write(tmp_path / "broken.json"),
        lambda: facered.redact(carphone, tmp_path / "out", annotations=broken),
    ):
        with pytest.raises(facered.ConfigurationUnsupportedError):
            call()
    assert not (tmp_path / "broken.json").exists()


STAGES: list[tuple[Any, str]] = [
    (Reader, "__init__"),
    (segments.Shrinker, "__call__"),
    (segmentation.CutDetector, "push"),
    (Detector, "detect"),
    (follower.Follower, "update"),
    (finder, "finish"),
    (Hider, "hide"),
    (Writer, "write_frame"),
    (Writer, "close"),
]


@pytest.mark.parametrize("error", [MemoryError("no"), TypeError("no")])
@pytest.mark.parametrize(("owner", "name"), STAGES, ids=[f"{owner.__name__}.{name}" for owner, name in STAGES])
def test_what_breaks_inside_is_a_service_error_with_its_cause(
    owner: Any, name: str, error: Exception, carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise error

    film = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 6))
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(facered.ServiceError) as raised:
        facered.combined(film, tmp_path / "out")
    cause: BaseException | None = raised.value
    while cause is not None and cause is not error:
        cause = cause.__cause__
    assert cause is error
    assert ("out of memory" in str(raised.value)) == isinstance(error, MemoryError)
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())
