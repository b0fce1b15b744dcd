"""Videos that are stored turned or mirrored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type as SideDataType

import facered
import videos
from facered.video.orientation import Orientation

ONE = 65536
MATRICES = {
    "upright": (1, 0, 0, 1),
    "turned right": (0, 1, -1, 0),
    "upside down": (-1, 0, 0, -1),
    "turned left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "mirrored upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed upside down": (0, -1, -1, 0),
}
TURNED = pytest.mark.parametrize("name", [name for name in MATRICES if name != "upright"])


def display_matrix(a: int, b: int, c: int, d: int) -> list[int]:
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]


def shown(picture: Any, a: int, b: int, c: int, d: int) -> Any:
    """Return a picture as players show it: stored sample (x, y) goes to (ax + cy, bx + dy)."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    x, y = a * x + c * y, b * x + d * y
    x, y = x - x.min(), y - y.min()
    out = np.empty((y.max() + 1, x.max() + 1, *picture.shape[2:]), picture.dtype)
    out[y, x] = picture
    return out


def inverse(name: str) -> tuple[int, int, int, int]:
    a, b, c, d = MATRICES[name]
    return a, c, b, d


def stored(path: Path, name: str, frames: list[av.VideoFrame], audio: bool = False) -> Path:
    """Write a video that is stored turned, and shown as the frames are."""
    turned = [
        av.VideoFrame.from_ndarray(np.ascontiguousarray(shown(frame.to_ndarray(format="rgb24"), *inverse(name))))
        for frame in frames
    ]
    matrix = display_matrix(*MATRICES[name])
    return videos.encode(path, turned, options={"crf": "5"}, display_matrix=matrix, audio="aac" if audio else None)


def upright(path: Path, name: str) -> list[Any]:
    return [shown(frame.to_ndarray(format="rgb24"), *MATRICES[name]) for frame in videos.decode(path)]


@pytest.mark.parametrize("name", MATRICES)
def test_the_matrix_and_the_views_agree(name: str) -> None:
    orientation = Orientation.of_matrix(display_matrix(*MATRICES[name]))
    picture = np.arange(35).reshape(5, 7)
    np.testing.assert_array_equal(orientation.turn(picture), shown(picture, *MATRICES[name]))
    assert bool(orientation) == (name != "upright")
    width, height = orientation.size(7, 5)
    box = np.array([[1.0, 2, 3, 4]])
    (x1, y1, x2, y2) = orientation.to_stored(box, width, height)[0].astype(int)
    marked = np.zeros((5, 7), bool)
    marked[y1:y2, x1:x2] = True
    expected = np.zeros((height, width), bool)
    expected[2:4, 1:3] = True
    np.testing.assert_array_equal(orientation.turn(marked), expected)


@pytest.fixture(scope="module")
def faces(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone, 4)


@pytest.fixture(scope="module")
def reference(faces: list[av.VideoFrame], tmp_path_factory: pytest.TempPathFactory) -> facered.Result:
    directory = tmp_path_factory.mktemp("upright")
    return facered.analyze(stored(directory / "foo.mp4", "upright", faces), directory)


@TURNED
def test_the_face_is_found_and_hidden_where_it_is_shown(
    faces: list[av.VideoFrame], reference: facered.Result, tmp_path: Path, name: str
) -> None:
    source = stored(tmp_path / "foo.mp4", name, faces)
    found = facered.analyze(source, tmp_path)
    assert (found.people, found.annotations.width, found.annotations.height) == (1, 176, 144)
    np.testing.assert_allclose(found.annotations.boxes, reference.annotations.boxes, atol=0.03)
    assert found.thumbnails is not None
    assert reference.thumbnails is not None
    looks = [videos.decode(result.thumbnails[1], 1)[0] for result in (found, reference)]  # type: ignore[index]
    pictures = [look.reformat(width=32, height=32, format="gray").to_ndarray().astype(int) for look in looks]
    assert np.abs(pictures[0] - pictures[1]).mean() < 12
    result = facered.redact(source, tmp_path, annotations=found.annotations, crf=5)
    before, after = upright(source, name), upright(result.video_path, name)
    for index, boxes in enumerate(found.annotations.pixel_boxes(n) for n in range(4)):
        ((x1, y1, x2, y2),) = boxes
        difference = np.abs(before[index].astype(int) - after[index]).mean(axis=2)
        y, x = np.mgrid[:144, :176] + 0.5
        away = np.hypot((x - (x1 + x2) / 2) / (x2 - x1), (y - (y1 + y2) / 2) / (y2 - y1)) * 2
        assert difference[away > 1.25].mean() < 1.5
        assert difference[away < 1].mean() > 6


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@TURNED
def test_the_result_is_turned_as_the_source_is(
    faces: list[av.VideoFrame], tmp_path: Path, name: str, suffix: str
) -> None:
    source = stored(tmp_path / "foo.mov", name, faces[:2], audio=True)
    result = facered.combined(source, tmp_path / f"bar.{suffix}")
    matrices = [
        bytes(videos.decode(path, 1)[0].side_data[SideDataType.DISPLAYMATRIX]) for path in (source, result.video_path)
    ]
    assert matrices[0] == matrices[1]
    assert videos.packets(result.video_path, "audio") == videos.packets(source, "audio")


@TURNED
def test_combined_is_analyze_and_redact(faces: list[av.VideoFrame], tmp_path: Path, name: str) -> None:
    source = stored(tmp_path / "foo.mp4", name, faces[:3])
    once = facered.combined(source, tmp_path / "once.mp4")
    found = facered.analyze(source, tmp_path)
    twice = facered.redact(source, tmp_path / "twice.mp4", annotations=found.annotations_path)
    assert once.video_path.read_bytes() == twice.video_path.read_bytes()


def test_ids_are_written_upright(faces: list[av.VideoFrame], reference: facered.Result, tmp_path: Path) -> None:
    results = []
    for name in ("upright", "turned left"):
        source = stored(tmp_path / f"{name}.mp4", name, faces)
        checked = tmp_path / f"{name} box.mp4"
        result = facered.redact(source, checked, annotations=reference.annotations, blur="Box", crf=5)
        results.append(upright(result.video_path, name)[0].astype(int))
    assert np.abs(results[0] - results[1]).mean() < 3
