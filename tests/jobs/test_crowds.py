"""More faces than can be followed: all of them are hidden, and where even the detector is full, the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import facered
import videos
from facered.annotations.table import REGION_IDS
from facered.detect import detector as detection
from facered.detect.detector import Detection, Detector
from facered.jobs.columns import Columns, Surplus
from facered.track.clock import Clock
from facered.video.picture import view
from thinned import thinned

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Corners = NDArray[np.float64]

ROWS, COLUMNS = 6, 16
TILE = 96


@pytest.fixture(scope="module")
def crowd(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Corners]]:
    """Return a film of ninety-six faces, and where they are in each frame: every one nods by itself."""
    faces = [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 12)]
    found = [
        Detector().detect(view(av.VideoFrame.from_ndarray(face, format="rgb24").reformat(format="yuv420p")), 0.5)
        for face in faces
    ]
    frames, places = [], []
    for number in range(8):
        rows, boxes = [], []
        for row in range(ROWS):
            tiles = []
            for column in range(COLUMNS):
                which = (number + row + 3 * column) % len(faces)
                small = av.VideoFrame.from_ndarray(faces[which], format="rgb24").reformat(TILE, TILE)
                tiles.append(small.to_ndarray(format="rgb24"))
                scale = np.array([TILE / faces[0].shape[1], TILE / faces[0].shape[0]] * 2)
                boxes.append(found[which].boxes[0] * scale + np.array([column * TILE, row * TILE] * 2))
            rows.append(np.concatenate(tiles, axis=1))
        frames.append(av.VideoFrame.from_ndarray(np.concatenate(rows), format="rgb24"))
        places.append(np.array(boxes))
    return videos.encode(tmp_path_factory.mktemp("crowd") / "crowd.mp4", frames), places


def uncovered(annotations: facered.Annotations, places: list[Corners]) -> int:
    """Count the faces whose middle lies in no box."""
    count = 0
    for frame, faces in enumerate(places):
        boxes = annotations.pixel_boxes(frame)
        middles = (faces[:, :2] + faces[:, 2:]) / 2
        inside = (middles[:, None] > boxes[None, :, :2]) & (middles[:, None] < boxes[None, :, 2:])
        count += int((~inside.all(axis=2).any(axis=1)).sum())
    return count


def test_all_of_a_crowd_are_hidden_and_64_have_ids(crowd: tuple[Path, list[Corners]], tmp_path: Path) -> None:
    film, places = crowd
    result = facered.combined(film, tmp_path)
    found = result.annotations
    assert uncovered(found, places) == 0
    assert result.crowded_frames == len(places)
    for frame in range(len(places)):
        assert (found.frame_ids(frame) < REGION_IDS).sum() == 64


@pytest.mark.parametrize("most", thinned([1, 5, 64]))
def test_the_faces_beyond_a_limit_that_were_never_followed_are_hidden_too(
    crowd: tuple[Path, list[Corners]], most: int, tmp_path: Path
) -> None:
    film, places = crowd
    result = facered.analyze(film, tmp_path, max_faces=most)
    assert uncovered(result.annotations, places) == 0
    assert result.people >= most
    again = facered.Annotations.read(tmp_path / "crowd_annotations.json")
    np.testing.assert_array_equal(again.ids, result.annotations.ids)
    assert '"kind":"region"' in (tmp_path / "crowd_annotations.json").read_text()


def test_where_the_detector_is_full_the_picture_is_hidden_whole(
    crowd: tuple[Path, list[Corners]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    film, places = crowd
    monkeypatch.setattr(detection, "MAX_CANDIDATES", 80)
    result = facered.combined(film, tmp_path, blur="Black")
    assert uncovered(result.annotations, places) == 0
    for frame in videos.decode(tmp_path / "crowd_redacted.mp4"):
        assert frame.to_ndarray(format="gray").max() < 24


def test_who_is_followed_in_a_crowd_is_hidden_though_no_track_comes_of_it() -> None:
    clock = Clock(25.0)
    clock.push(None)
    surplus = Surplus(2, 0.4, (640, 360))
    boxes = np.array([[100 * n, 10, 100 * n + 60, 80] for n in range(4)], np.float32)
    followed = surplus.take(0, Detection(boxes, np.array([0.9, 0.5, 0.45, 0.3], np.float32)))
    assert len(followed.boxes) == 2
    regions = surplus.regions(Columns.of([], np.ones(1, bool), 1), [], clock, np.ones(1, bool))
    assert sorted(regions[0][:, 0]) == [30, 130, 230]
