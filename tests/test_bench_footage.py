"""What people's footage costs: the film that is made for it, and the table that is printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from bench import clips, footage, hard_film, markdown
from bench.truth import Truth

import videos


@pytest.fixture(autouse=True)
def material(carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of hard clips: six frames of 176 × 144, and four of 96 × 144."""
    folder = tmp_path / "media" / "hard"
    folder.mkdir(parents=True)
    frames = videos.decode(carphone, 6)
    videos.encode(folder / "a.mp4", frames)
    videos.encode(folder / "b.mp4", [frame.reformat(width=96, height=144) for frame in frames[:4]])
    face = np.array([[44.0, 36, 88, 108]])
    for name, count in (("a", 6), ("b", 4)):
        boxes = np.repeat(face, count, axis=0)
        Truth(np.arange(count), np.ones(count, np.int64), boxes, np.ones(count, np.bool_)).write(folder / f"{name}.csv")
    monkeypatch.setenv("FACERED_MEDIA", str(folder.parent))
    monkeypatch.setattr(clips, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(hard_film, "FOLDER", tmp_path / "cache")
    return folder


def test_the_hard_film_is_all_hard_clips_in_order_with_their_truth() -> None:
    path, truth = hard_film.hard_film()
    frames = videos.decode(path)
    assert [(frame.width, frame.height) for frame in frames] == [(1280, 720)] * 10
    assert truth.cuts.tolist() == [6]
    assert truth.frames.tolist() == list(range(10))
    assert len(set(truth.people[:6].tolist())) == len(set(truth.people[6:].tolist())) == 1
    assert truth.people[0] != truth.people[-1]
    # The first clip is 880 wide, 200 from the left, the second 480, 400 from the left; both are five times as large.
    assert truth.boxes[0].tolist() == [420, 180, 640, 540]
    assert truth.boxes[-1].tolist() == [620, 180, 840, 540]
    for number, left in ((0, 200), (9, 400)):
        luma = videos.samples(frames[number])[0]
        assert luma[:, : left - 2].max() <= 20
        assert luma[:, left : left + 200].max() > 60


def test_the_hard_film_is_made_anew_when_a_clip_has_changed(material: Path) -> None:
    path, _ = hard_film.hard_film()
    made = path.stat().st_mtime_ns
    assert hard_film.hard_film()[0].stat().st_mtime_ns == made
    shutil.copy(material / "a.mp4", material / "b.mp4")
    assert len(videos.decode(hard_film.hard_film()[0])) == 12
    assert path.stat().st_mtime_ns > made


@pytest.mark.soak
def test_a_quick_turn_tells_work_and_ratios_in_both_precisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "footage.json"
    assert footage.main(["hard_film", "--quick", "--deface-repeat", "0", "--json", str(told)]) == 0
    figures = json.loads(told.read_text())["results"]["hard_film"]
    assert figures["frames"] == 4
    modes = figures["modes"]
    for precision in ("fp32", "int8"):
        for preset, found in figures["combined"][precision].items():
            assert found["megapixels_per_frame"] > 0
            assert found["calls_per_frame"] > 0
            name = next(
                name
                for name, mode in modes.items()
                if (mode["mode"], mode["preset"], mode["precision"]) == ("combined", preset, precision)
            )
            floor = modes["floor" if preset == "veryfast" else "floor, medium"]
            for key, ratio in (("seconds", "floor_ratio"), ("cpu_seconds", "floor_cpu_ratio")):
                assert found[ratio] == pytest.approx(modes[name][key][0] / floor[key][0])
    printed = capsys.readouterr().out
    assert "hard_film, fp32" in printed
    assert "hard_film, int8" in printed
    assert "processors with" in printed
    markdown.main([str(told)])
    rows = capsys.readouterr().out.splitlines()[2:4]
    assert [row.split(" | ")[0] for row in rows] == ["| hard film, fp32", "| hard film, int8"]


def test_without_material_it_is_skipped_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACERED_MEDIA", "/nowhere")
    assert footage.main(["--quick"]) == 0
    assert "skipped" in capsys.readouterr().err
