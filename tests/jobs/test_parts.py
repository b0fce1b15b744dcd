"""Jobs whose result is encoded in parts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.annotations.table import Extras
from facered.cli.main import main
from facered.runtime import cores


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of 1560 frames."""
    return videos.repeat(tmp_path_factory.mktemp("film") / "foo.mp4", carphone, 13)


@pytest.fixture(scope="module")
def analyzed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> facered.Annotations:
    return facered.analyze(film, tmp_path_factory.mktemp("analyzed")).annotations


def told(annotations: facered.Annotations, segments: list[int]) -> facered.Annotations:
    """Return annotations that tell of segments."""
    return replace(annotations, extras=Extras(document={"segments": segments}))


def beginnings(path: Path) -> list[int]:
    """Return the numbers of the key frames, in order of time."""
    with av.open(str(path)) as container:
        found = [(packet.pts, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
    return [number for number, (_, key) in enumerate(sorted(found)) if key]


def test_a_part_begins_where_the_annotations_tell_of_a_cut_and_lasts_ten_seconds(
    film: Path, analyzed: facered.Annotations, tmp_path: Path
) -> None:
    marked = told(analyzed, [0, 100, 307, 340, 700, 701, 1450])
    result = facered.redact(film, tmp_path / "bar.mp4", annotations=marked, encoder_options={"g": "10000"})
    assert beginnings(tmp_path / "bar.mp4") == [0, 307, 700, 1450]
    assert result.frames == 1560
    assert videos.times(tmp_path / "bar.mp4") == videos.times(film)


def test_combined_and_redact_make_the_same_parts(film: Path, tmp_path: Path) -> None:
    one = facered.combined(film, tmp_path / "one.mp4", annotations=True, encoder_options={"g": "10000"})
    facered.redact(film, tmp_path / "two.mp4", annotations=one.annotations_path, encoder_options={"g": "10000"})
    assert beginnings(tmp_path / "one.mp4") == [0, 1500]
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "mp4"), ("hevc", "mkv"), ("prores", "mov")])
def test_the_encoders_threads_do_not_follow_from_the_machine(
    carphone: Path, tmp_path: Path, codec: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    first = facered.combined(carphone, one, codec=codec)
    monkeypatch.setattr(cores, "available", lambda: 32)
    facered.combined(carphone, other, codec=codec, threads=2)
    assert one.read_bytes() == other.read_bytes()
    assert (first.encoder_threads, first.parts) == (4, 1)


def test_whoever_asks_for_other_threads_gets_them_and_another_file(carphone: Path, tmp_path: Path) -> None:
    code = main(
        ["combined", str(carphone), "-o", str(tmp_path / "two.mp4"), "--encoder-threads", "2", "-q",
         "--report", str(tmp_path / "report.json")]
    )  # fmt: skip
    assert code == 0
    assert json.loads((tmp_path / "report.json").read_text())["encoder_threads"] == 2
    facered.combined(carphone, tmp_path / "four.mp4")
    assert (tmp_path / "two.mp4").read_bytes() != (tmp_path / "four.mp4").read_bytes()


def test_a_low_picture_has_fewer_threads(carphone: Path, tmp_path: Path) -> None:
    frames = [frame.reformat(width=64, height=48) for frame in videos.decode(carphone, 3)]
    low = videos.encode(tmp_path / "low.mp4", frames)
    assert facered.combined(low, tmp_path / "bar.mp4").encoder_threads == 1
