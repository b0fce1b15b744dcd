"""What the command line says of a job that is done."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import videos
from thinned import thinned

FILM = re.compile(
    r"(?P<name>.*): (?P<found>.*), (?P<film>[\d.]+) s of film \((?P<frames>\d+) frames\) in (?P<took>[\d.]+) s, "
    r"(?P<speed>[\d.]+) times real time; (?P<startup>[\d.]+) s to start"
)


def summaries(*arguments: object) -> list[str]:
    """Return the lines about a job each, without where its results are."""
    command = [sys.executable, "-m", "facered", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("  ")]


@pytest.mark.parametrize("mode", thinned(["analyze", "redact", "combined"]))
def test_how_long_the_film_is_and_how_long_it_took(mode: str, carphone: Path, tmp_path: Path) -> None:
    films = [videos.encode(tmp_path / name, videos.decode(carphone, 12)) for name in ("foo.mp4", "bar.mp4")]
    if mode == "redact":
        summaries("analyze", *films, "-o", tmp_path / "out")
    told = summaries(mode, *films, "-o", tmp_path / "out")
    first, second = (FILM.fullmatch(line) for line in told)
    assert first is not None
    assert second is not None
    assert first["found"] == ("1 person hidden" if mode == "redact" else "1 person")
    assert (first["film"], first["frames"]) == ("0.5", "12")  # 12 frames of 40 ms
    assert float(first["speed"]) > 0
    assert float(second["startup"]) < float(first["startup"])


def test_the_film_is_as_long_as_its_frames_say(carphone: Path, tmp_path: Path) -> None:
    times = {"ticks": [0, 10, 20, 30, 100, 200], "time_base": Fraction(1, 100), "rate": Fraction(10)}
    foo = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 6), **times)  # type: ignore[arg-type]
    (told,) = summaries("combined", foo, "-o", tmp_path / "out")
    found = FILM.fullmatch(told)
    assert found is not None
    assert 2.0 <= float(found["film"]) <= 3.1


def test_one_picture_has_no_length(carphone: Path, tmp_path: Path) -> None:
    foo = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 1))
    (told,) = summaries("combined", foo, "-o", tmp_path / "out")
    assert re.fullmatch(r".*: 1 person, 1 frame in [\d.]+ s; [\d.]+ s to start", told)
