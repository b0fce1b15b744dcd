"""Pass one on real video: a document and a picture of each person, and nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

import facered
import videos
from facered.detect.detector import NOTHING, Detector
from facered.video.picture import view
from thinned import thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.detect.detector import Detection


@pytest.fixture(scope="module")
def trio(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of three faces side by side; the left one comes last, the right one first."""
    pictures = [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 104)]
    wide = []
    for n in range(24):
        row = [pictures[n + 40 * k] if n >= 6 * (2 - k) else np.full_like(pictures[0], 128) for k in range(3)]
        wide.append(av.VideoFrame.from_ndarray(np.concatenate(row, axis=1), format="rgb24"))
    return videos.encode(tmp_path_factory.mktemp("trio") / "trio.mp4", wide)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def short(carphone: Path, folder: Path) -> Path:
    return videos.encode(folder / "foo.mp4", videos.decode(carphone, 8))


def test_it_writes_a_document_and_a_thumbnail_a_person(trio: Path, tmp_path: Path) -> None:
    result = facered.analyze(trio, tmp_path / "out")
    names = ["trio_annotations.json", *[f"trio_thumb{number:06d}.jpg" for number in (1, 2, 3)]]
    assert files(tmp_path / "out") == names
    assert (result.mode, result.people, result.frames, result.video_path) == ("analyze", 3, 24, None)
    assert sorted(path.name for path in result.outputs) == names
    assert result.thumbnails == {n: tmp_path / "out" / names[n] for n in (1, 2, 3)}


def test_ids_count_from_one_by_first_appearance(trio: Path, tmp_path: Path) -> None:
    facered.analyze(trio, tmp_path)
    document = json.loads((tmp_path / "trio_annotations.json").read_text())
    first: dict[int, float] = {}
    for fragment in document["fragments"]:
        for event in fragment["events"]:
            for face in event:
                first.setdefault(face["id"], face["x"] + face["width"] / 2)
    assert list(first) == [1, 2, 3]
    assert [int(3 * middle) for middle in first.values()] == [2, 1, 0]


def test_each_thumbnail_shows_its_person(trio: Path, tmp_path: Path) -> None:
    result = facered.analyze(trio, tmp_path)
    detector = Detector()
    for path in result.thumbnails.values():
        (picture,) = videos.decode(path)
        assert picture.format.name == "yuvj420p"
        found = detector.detect(view(picture), 0.5)
        assert len(found.scores) == 1
        assert found.boxes[0][2] > 0.4 * picture.width


@pytest.mark.parametrize(("width", "height"), [(1408, 1152), (176, 144)])
def test_thumbnails_are_never_large(carphone: Path, tmp_path: Path, width: int, height: int) -> None:
    pictures = [videos.enlarge(frame, width, height) for frame in videos.decode(carphone, 4)]
    result = facered.analyze(videos.encode(tmp_path / "foo.mp4", pictures), tmp_path)
    (picture,) = videos.decode(result.thumbnails[1])
    longest = max(picture.width, picture.height)
    assert longest == 512 if width > 1000 else 60 < longest < 144


@pytest.mark.parametrize(
    ("suffix", "time_base", "ticks"),
    [
        ("mkv", Fraction(1, 1000), [33, 67, 100, 170, 171, 200, 500, 533, 567, 600]),
        ("mp4", Fraction(1, 30000), [n * 1001 for n in range(10)]),
        ("mp4", Fraction(1, 90000), [45000 + n * 3600 for n in range(10)]),
        ("mp4", Fraction(1, 600), [0, 20, 40, 100, 120, 121, 122, 160, 400, 420]),
    ],
)
def test_every_frame_has_one_entry_at_exactly_its_time(
    carphone: Path, tmp_path: Path, suffix: str, time_base: Fraction, ticks: list[int]
) -> None:
    source = videos.encode(tmp_path / f"foo.{suffix}", videos.decode(carphone, 10), time_base=time_base, ticks=ticks)
    facered.analyze(source, tmp_path)
    document = json.loads((tmp_path / "foo_annotations.json").read_text())
    entries = [
        (
            Fraction(document["offset"] + fragment["start"] + n * fragment.get("interval", 0), document["timescale"]),
            event,
        )
        for fragment in document["fragments"]
        for n, event in enumerate(fragment.get("events", []))
    ]
    assert [when for when, _ in entries] == videos.times(source)
    assert all(len(event) == 1 for _, event in entries)


def test_nobody_is_no_error(rabbit: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(rabbit, 6))
    result = facered.analyze(source, tmp_path / "out", threshold=0.9)
    assert result.people == 0
    assert files(tmp_path / "out") == ["foo_annotations.json"]
    assert facered.redact(source, tmp_path / "out").people == 0


@pytest.mark.parametrize("taken", ["foo_annotations.json", "foo_thumb000001.jpg", "foo_thumb000042.jpg"])
def test_nothing_is_replaced_unasked(carphone: Path, tmp_path: Path, taken: str) -> None:
    source = short(carphone, tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / taken).write_text("precious")
    with pytest.raises(facered.ConfigurationUnsupportedError, match=f"{taken}: exists already; add --overwrite"):
        facered.analyze(source, out)
    assert files(out) == [taken]
    assert (out / taken).read_text() == "precious"


def test_overwriting_removes_the_thumbnails_of_an_earlier_run_and_no_others(carphone: Path, tmp_path: Path) -> None:
    source, out = short(carphone, tmp_path), tmp_path / "out"
    out.mkdir()
    kept = ["foo2_thumb000009.jpg", "foo_thumb.jpg", "foo_thumbs.jpg", "bar_thumb000001.jpg", "foo_redacted.mp4"]
    for name in ["foo_annotations.json", "foo_thumb000001.jpg", "foo_thumb000042.jpg", "foo_thumb1000000.jpg", *kept]:
        (out / name).write_text("old")
    facered.analyze(source, out, overwrite=True)
    assert files(out) == sorted(["foo_annotations.json", "foo_thumb000001.jpg", *kept])
    assert (out / "foo_thumb000001.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert [(out / name).read_text() for name in kept] == ["old"] * len(kept)


class StopHereError(Exception):
    pass


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_everything_as_it_was(carphone: Path, tmp_path: Path, overwrite: bool) -> None:
    def interrupt(progress: facered.Progress) -> None:
        if progress.done == 5:
            raise StopHereError

    out = tmp_path / "out"
    out.mkdir()
    before = ["foo_annotations.json", "foo_thumb000001.jpg", "foo_thumb000002.jpg"] if overwrite else []
    for name in before:
        (out / name).write_text("old")
    with pytest.raises(StopHereError):
        facered.analyze(short(carphone, tmp_path), out, progress=interrupt, overwrite=overwrite)
    assert files(out) == before
    assert [(out / name).read_text() for name in before] == ["old"] * len(before)


@pytest.mark.parametrize("failing", ["_thumb000001.jpg", "_annotations.json"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_leaves_everything_as_it_was(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, overwrite: bool
) -> None:
    def full(path: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    out = tmp_path / "out"
    out.mkdir()
    before = ["foo_annotations.json", "foo_thumb000001.jpg", "foo_thumb000002.jpg"] if overwrite else []
    for name in before:
        (out / name).write_text("old")
    if "thumb" in failing:
        monkeypatch.setattr(Path, "write_bytes", full)
    else:
        monkeypatch.setattr(facered.Annotations, "write_to", lambda _, path: full(path))
    with pytest.raises(facered.ServiceError, match="No space left on device") as raised:
        facered.analyze(short(carphone, tmp_path), out, overwrite=overwrite)
    assert str(raised.value).endswith(str(out / f"foo{failing}"))
    assert files(out) == before
    assert [(out / name).read_text() for name in before] == ["old"] * len(before)


def test_the_same_call_twice_gives_the_same_bytes(trio: Path, tmp_path: Path) -> None:
    one, two = (facered.analyze(trio, tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in one.outputs] == [path.read_bytes() for path in two.outputs]


@pytest.fixture(scope="module")
def clip(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first two seconds of carphone."""
    folder = tmp_path_factory.mktemp("clip")
    return videos.encode(folder / "clip.mp4", videos.decode(carphone, 60), options={"crf": "14"})


@pytest.fixture(scope="module")
def everywhere(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    """Return the (60, 4) boxes of the man who is in every frame: x, y, width, height."""
    result = facered.analyze(clip, tmp_path_factory.mktemp("everywhere"), detect="every")
    assert np.diff(result.annotations.starts).tolist() == [1] * 60
    return result.annotations.boxes


def blind(monkeypatch: pytest.MonkeyPatch, frames: range, verifying_too: bool = True) -> None:
    """Let the detector see nobody in some frames, numbered in the order in which it is asked."""
    asked = -1
    detect, verify = Detector.detect, Detector.verify

    def detect_some(self: Detector, *args: Any, **kwargs: Any) -> Detection:
        nonlocal asked
        asked += 1
        return NOTHING if asked in frames else detect(self, *args, **kwargs)

    def verify_some(self: Detector, *args: Any, **kwargs: Any) -> Detection:
        return NOTHING if verifying_too and asked in frames else verify(self, *args, **kwargs)

    monkeypatch.setattr(Detector, "detect", detect_some)
    monkeypatch.setattr(Detector, "verify", verify_some)


def hidden_parts(hidden: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which part of each of (n, 4) boxes is hidden by the one that belongs to it."""
    low = np.maximum(hidden[:, :2], boxes[:, :2])
    high = np.minimum(hidden[:, :2] + hidden[:, 2:], boxes[:, :2] + boxes[:, 2:])
    parts: NDArray[np.float64] = np.prod(np.maximum(high - low, 0), axis=1) / np.prod(boxes[:, 2:], axis=1)
    return parts


BLIND = [range(25, 35), range(8), range(52, 60), range(20, 45)]
"""Frames in the middle, at the beginning, at the end, and of one second."""


@pytest.mark.parametrize(("frames", "verifying_too"), thinned(product(BLIND, [True, False]), 3), ids=str)
def test_a_face_stays_hidden_where_it_is_while_nobody_is_detected(
    clip: Path,
    everywhere: NDArray[np.float64],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frames: range,
    verifying_too: bool,
) -> None:
    blind(monkeypatch, frames, verifying_too)
    result = facered.analyze(clip, tmp_path, detect="every")
    assert result.people == 1
    annotations = result.annotations
    assert np.diff(annotations.starts).tolist() == [1] * 60
    middle, expected = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (annotations.boxes, everywhere))
    assert (np.abs(middle - expected) <= 0.15 * everywhere[:, 2:]).all()
    # The face itself is smaller than what is hidden.
    sizes = everywhere[:, 2:] / facered.Options().margin
    face = np.hstack([expected - sizes / 2, sizes])
    assert hidden_parts(annotations.boxes, face).min() > 0.99
    assert (annotations.boxes[:, 2:] < 1.6 * everywhere[:, 2:]).all()


def test_the_detector_need_not_be_asked_in_every_frame(
    clip: Path, everywhere: NDArray[np.float64], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    detect = Detector.detect

    def counted(self: Detector, *args: Any, **kwargs: Any) -> Detection:
        nonlocal asked
        asked += 1
        return detect(self, *args, **kwargs)

    monkeypatch.setattr(Detector, "detect", counted)
    annotations = facered.analyze(clip, tmp_path).annotations
    assert 3 < asked < 50
    assert np.diff(annotations.starts).tolist() == [1] * 60
    middle, expected = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (annotations.boxes, everywhere))
    assert (np.abs(middle - expected) <= 0.15 * everywhere[:, 2:]).all()


def test_nobody_is_followed_across_a_cut(clip: Path, rabbit: Path, tmp_path: Path) -> None:
    """The face is detected until shortly before the cut, and there is none behind it."""
    man = [frame.to_ndarray(format="rgb24") for frame in videos.decode(clip, 30)]
    field = videos.decode(rabbit, 131)[-1].reformat(width=176, height=144).to_ndarray(format="rgb24")
    pictures = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in [*man, *[field] * 20, *man]]
    source = videos.encode(tmp_path / "cut.mp4", pictures)
    annotations = facered.analyze(source, tmp_path, threshold=0.6, detect="every").annotations
    assert np.diff(annotations.starts).tolist() == [1] * 30 + [0] * 20 + [1] * 30
    assert len(set(annotations.ids[:30].tolist())) == len(set(annotations.ids[30:].tolist())) == 1
    assert annotations.ids[0] != annotations.ids[-1]
