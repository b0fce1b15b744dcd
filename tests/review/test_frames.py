"""Frames by their numbers, in any order, are those of a walk from the start."""

from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import videos
from facered.video.input.file import Reader
from facered.video.input.frames import MAX_AHEAD, Frames
from facered.video.picture import view
from thinned import thinned

X264 = {"preset": "ultrafast", "bf": "3", "g": "25", "sc_threshold": "0"}
FILMS = {
    "B-frames": ("a.mp4", {"codec": "libx264", "options": X264}),
    "open groups": (
        "a.mp4",
        {"codec": "libx264", "options": {**X264, "preset": "veryfast", "x264-params": "open-gop=1"}},
    ),
    "one key frame": ("a.mkv", {"codec": "libx264", "options": {**X264, "g": "1000"}}),
    "a transport stream": ("a.ts", {"codec": "libx264", "options": X264}),
    "HEVC": (
        "a.mp4",
        {"codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=none:keyint=25"}},
    ),
    "MPEG-4 in AVI": ("a.avi", {"codec": "mpeg4", "options": {"bf": "2", "g": "20"}}),
    "WMV": ("a.wmv", {"codec": "wmv2", "options": {"g": "20"}}),
    "irregular times": (
        "a.mkv",
        {"codec": "libx264", "options": X264, "ticks": [n * 3 + (n % 7 == 0) for n in range(160)]},
    ),
}


@pytest.fixture(scope="module")
def pictures(rabbit: Path) -> list[av.VideoFrame]:
    frames = [frame.reformat(192, 108, format="yuv420p") for frame in videos.decode(rabbit, 80)]
    return [*frames, *frames[::-1]]


def planes(frame: av.VideoFrame) -> list[NDArray[np.generic]]:
    picture = view(frame)
    return [plane.copy() for plane in (picture.y, picture.u, picture.v) if plane is not None]


@pytest.mark.parametrize("kind", thinned(FILMS, 2))
def test_frames_in_any_order_are_those_of_a_walk(tmp_path: Path, pictures: list[av.VideoFrame], kind: str) -> None:
    name, settings = FILMS[kind]
    film = videos.encode(tmp_path / name, pictures, **settings)  # type: ignore[arg-type]
    assert_frames_are_those_of_a_walk(film)


def test_a_clock_that_is_set_back_is_mended_wherever_one_looks(tmp_path: Path, pictures: list[av.VideoFrame]) -> None:
    """Whoever enters such a film in its middle sees other times than whoever has come from its start."""
    clusters = {"cluster_time_limit": "500"}
    film = videos.encode(tmp_path / "a.mkv", pictures, options=X264, container_options=clusters)
    assert_frames_are_those_of_a_walk(videos.set_back(tmp_path / "b.mkv", film, 3000, 2000))


def assert_frames_are_those_of_a_walk(film: Path) -> None:
    with Reader(film, report=False) as reader:
        walked = [(frame.pts, planes(frame)) for frame in reader.frames()]
    frames = Frames(film)
    frames.pts = np.array([pts for pts, _ in walked], np.int64)
    numbers = [*range(70, 100), 150, 149, 60, 61, 62, 0, 159, 100, MAX_AHEAD + 1]
    for number in [*numbers, *random.Random(5).choices(range(len(walked)), k=12), *range(90, 60, -3)]:  # noqa: S311
        frame = frames.frame(number)
        assert frame.pts == walked[number][0]
        for found, wanted in zip(planes(frame), walked[number][1], strict=True):
            np.testing.assert_array_equal(found, wanted)
    frames.close()


def test_what_was_decoded_lately_is_kept_but_not_without_end(
    tmp_path: Path, pictures: list[av.VideoFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    film = videos.encode(tmp_path / "a.mp4", pictures, options=X264)
    with Reader(film, report=False) as reader:
        times = np.array([frame.pts for frame in reader.frames()], np.int64)
    monkeypatch.setattr("facered.video.input.frames.MAX_BYTES", 20 * 192 * 108 * 3 // 2)
    frames = Frames(film)
    frames.pts = times
    first = frames.frame(70)
    assert frames.frame(70) is first
    for number in range(71, 150):
        frames.frame(number)
    assert len(frames._cache) <= 20
    assert frames.frame(70) is not first
    frames.close()
