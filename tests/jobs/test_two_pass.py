"""Analyze, look and edit, redact: whoever is chosen is hidden, and nothing else changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.hide.hider import Hider
from facered.hide.style import STYLES
from facered.video.output.file import Writer
from facered.video.picture import view

Planes = list[NDArray[np.uint8]]
Document = dict[str, Any]
WIDTH, HEIGHT, COUNT = 3 * 176, 144, 24


@pytest.fixture(scope="module")
def analyzed(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with trio.mp4, three faces side by side that appear one after the other, and its analysis."""
    pictures = [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 40 * 2 + COUNT)]
    noise = np.random.default_rng(0).integers(60, 200, pictures[0].shape, np.uint8)
    rows = [[pictures[n + 40 * k] if n >= 6 * k else noise for k in range(3)] for n in range(COUNT)]
    folder = tmp_path_factory.mktemp("analyzed")
    wide = [av.VideoFrame.from_ndarray(np.concatenate(row, axis=1), format="rgb24") for row in rows]
    facered.analyze(videos.encode(folder / "trio.mp4", wide), folder)
    return folder


@pytest.fixture
def trio(analyzed: Path, tmp_path: Path) -> Path:
    """Return a video of the ids 1, 2 and 3 with its annotations beside it."""
    for path in analyzed.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / "trio.mp4"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Planes]:
    """Return the frames that the encoder is handed from now on."""
    handed: list[Planes] = []
    encode = Writer.write_frame

    def remember(self: Writer, frame: av.VideoFrame) -> None:
        handed.append(videos.samples(frame))
        encode(self, frame)

    monkeypatch.setattr(Writer, "write_frame", remember)
    return handed


def document(trio: Path) -> Document:
    loaded: Document = json.loads(trio.with_name("trio_annotations.json").read_text())
    return loaded


def save(trio: Path, edited: Document) -> None:
    trio.with_name("trio_annotations.json").write_text(json.dumps(edited))


def events(edited: Document) -> list[list[Document]]:
    return [event for fragment in edited["fragments"] for event in fragment.get("events", [])]


def follow(trio: Path, edited: Document, ids: Iterable[int], blur: str = "Med") -> list[Planes]:
    """Return the frames with the faces of a document hidden, by its text alone."""
    faces: dict[Fraction, list[list[float]]] = {}
    for fragment in edited["fragments"]:
        for number, event in enumerate(fragment.get("events", [])):
            ticks = edited["offset"] + fragment["start"] + number * fragment.get("interval", 0)
            boxes = [
                [face["x"], face["y"], face["x"] + face["width"], face["y"] + face["height"]]
                for face in event
                if face["id"] in ids
            ]
            faces[Fraction(ticks, edited["timescale"])] = boxes
    hider, expected = Hider(STYLES[blur]), []
    for frame in videos.decode(trio):
        boxes = faces.get(frame.pts * frame.time_base, [])
        frame.make_writable()
        hider.hide(view(frame), np.array(boxes).reshape(-1, 4) * ([WIDTH, HEIGHT] * 2))
        expected.append(videos.samples(frame))
    return expected


def same(one: list[Planes], other: list[Planes]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) for before, after in pairs for a, b in zip(before, after, strict=True))


def thirds(frame: Planes) -> list[Planes]:
    """Return the parts of a frame that show the first, the second and the third person."""
    split = [np.split(plane, 3, axis=1) for plane in frame]
    return [[plane[person] for plane in split] for person in range(3)]


class TestWhoIsHidden:
    @pytest.mark.parametrize(
        ("chosen", "options"),
        [
            ({1, 2, 3}, {}),
            ({2}, {"ids": [2]}),
            ({1, 3}, {"ids": (3, 1, 3)}),
            ({1, 3}, {"ids": "1,3"}),
            ({1, 3}, {"except_ids": [2]}),
            ({1, 2, 3}, {"except_ids": []}),
            ({3}, {"except_ids": "1, 2"}),
        ],
    )
    def test_those_chosen_and_no_sample_of_the_others(
        self, trio: Path, given: list[Planes], chosen: set[int], options: dict[str, Any]
    ) -> None:
        found = events(document(trio))
        result = facered.redact(trio, trio.parent, **options)
        assert result.people == len(chosen)
        for before, after, event in zip(map(videos.samples, videos.decode(trio)), given, found, strict=True):
            present = {face["id"] for face in event} & chosen
            for person, (bare, drawn) in enumerate(zip(thirds(before), thirds(after), strict=True), 1):
                assert all(map(np.array_equal, bare, drawn)) == (person not in present)

    @pytest.mark.parametrize("content", ["2\n3\n", "\ufeff 3\r\n\r\n2", "2\n2\n3"])
    @pytest.mark.parametrize("place", ["beside the annotations", "named"])
    def test_those_in_a_file(
        self, trio: Path, given: list[Planes], caplog: pytest.LogCaptureFixture, content: str, place: str
    ) -> None:
        path = trio.with_name("trio_IDList.txt" if place != "named" else "whom.txt")
        path.write_bytes(content.encode())
        facered.redact(trio, trio.parent, **({"ids": path} if place == "named" else {}))  # type: ignore[arg-type]
        assert same(given, follow(trio, document(trio), {2, 3}))
        assert ("only the 2 ids of" in caplog.text and str(path) in caplog.text) == (place != "named")

    @pytest.mark.parametrize("options", [{"ids": [1]}, {"except_ids": [2, 3]}])
    def test_what_is_asked_for_goes_before_the_file_found(
        self, trio: Path, given: list[Planes], options: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        trio.with_name("trio_IDList.txt").write_text("3\n")
        facered.redact(trio, trio.parent, **options)
        assert same(given, follow(trio, document(trio), {1}))
        assert caplog.text == ""

    def test_the_annotations_may_be_elsewhere_or_in_memory(self, trio: Path, given: list[Planes]) -> None:
        path = trio.with_name("trio_annotations.json").rename(trio.parent / "other.json")
        facered.redact(trio, trio.parent / "a", annotations=path, ids=[1])
        facered.redact(trio, trio.parent / "b", annotations=facered.Annotations.read(path), ids=[1])
        trio.with_name("c").mkdir()
        path.rename(trio.parent / "c" / "trio_annotations.json")
        facered.redact(trio, trio.parent / "c", ids=[1])
        assert same(given[:COUNT], given[COUNT : 2 * COUNT])
        assert same(given[:COUNT], given[2 * COUNT :])

    @pytest.mark.parametrize("blur", STYLES)
    def test_in_the_style_asked_for(self, trio: Path, given: list[Planes], blur: str) -> None:
        facered.redact(trio, trio.parent, ids=[3], blur=blur.upper())
        if blur != "Box":
            assert same(given, follow(trio, document(trio), {3}, blur))
        assert not same(given, [videos.samples(frame) for frame in videos.decode(trio)])


def moved(edited: Document) -> None:
    for event in events(edited):
        for face in event:
            face["x"] = 0.9 - face["x"]


def added(edited: Document) -> None:
    for event in events(edited)[5:9]:
        event.append({"id": 9, "x": 0.4, "y": 0.6, "width": 0.1, "height": 0.3})


def deleted(edited: Document) -> None:
    for event in events(edited)[3:20]:
        event[:] = [face for face in event if face["id"] != 2]


def renumbered(edited: Document) -> None:
    for event in events(edited):
        for face in event:
            face["id"] += 100


def partly_outside(edited: Document) -> None:
    for event in events(edited):
        for face in event:
            face.update(x=-0.05, y=0.8, width=0.3, height=0.6)


def wholly_outside(edited: Document) -> None:
    events(edited)[4][0].update(x=1.5, y=-2.0)


def left_out(edited: Document) -> None:
    for fragment in edited["fragments"]:
        fragment["events"] = fragment["events"][:10]


class TestEdits:
    @pytest.mark.parametrize(
        "edit", [moved, added, deleted, partly_outside, wholly_outside, left_out], ids=lambda f: f.__name__
    )
    def test_are_followed_to_the_letter(
        self, trio: Path, given: list[Planes], edit: Callable[[Document], None], caplog: pytest.LogCaptureFixture
    ) -> None:
        original, edited = document(trio), document(trio)
        edit(edited)
        save(trio, edited)
        result = facered.redact(trio, trio.parent)
        everyone = range(1000)
        assert same(given, follow(trio, edited, everyone))
        assert not same(given, follow(trio, original, everyone))
        assert ("have no entry in the annotations" in caplog.text) == (edit is left_out)
        assert result.missing_frames == (COUNT - 10 if edit is left_out else 0)

    def test_by_the_new_number(self, trio: Path, given: list[Planes]) -> None:
        edited = document(trio)
        renumbered(edited)
        save(trio, edited)
        facered.redact(trio, trio.parent, ids=[102])
        assert same(given, follow(trio, document(trio), {102}))
        with pytest.raises(facered.ConfigurationUnsupportedError, match="no face has the id 2"):
            facered.redact(trio, trio.parent / "again", ids=[2])


def other_size(edited: Document) -> None:
    edited["width"] = 640


def other_rate(edited: Document) -> None:
    edited["framerate"] = 30.0


def too_late(edited: Document) -> None:
    edited["fragments"].append({**edited["fragments"][-1], "start": 100 * edited["timescale"]})


def between_frames(edited: Document) -> None:
    edited["offset"] += 1


def later(edited: Document) -> None:
    """By two frames, so that the first ones are bare."""
    for fragment in edited["fragments"]:
        fragment["start"] += 2 * fragment["interval"]


def of_a_beginning(edited: Document) -> None:
    """As of a file that was still being written."""
    for fragment in edited["fragments"]:
        fragment["events"] = fragment["events"][:10]
        fragment["duration"] = 10 * fragment["interval"]


def of_an_end(edited: Document) -> None:
    for fragment in edited["fragments"]:
        fragment["events"] = fragment["events"][10:]
        fragment["start"] += 10 * fragment["interval"]


class TestErrors:
    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (other_size, "made for 640x144, but the video is 528x144"),
            (other_rate, "made for 30 frames/s, but the video has 25"),
            (too_late, "the last face is at"),
            (between_frames, "at times at which this video has no frame"),
            (of_a_beginning, "tell nothing of the frame at 0.480 s"),
            (of_an_end, "tell nothing of the frame at 0.000 s"),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_annotations_of_another_video(self, trio: Path, edit: Callable[[Document], None], message: str) -> None:
        edited = document(trio)
        edit(edited)
        save(trio, edited)
        with pytest.raises(facered.ConfigurationUnsupportedError, match=message) as raised:
            facered.redact(trio, trio.parent / "out")
        assert "\n" not in str(raised.value)
        assert list(trio.parent.glob("out/*")) == []

    @pytest.mark.parametrize("edit", [between_frames, later, of_an_end], ids=lambda f: f.__name__)
    @pytest.mark.parametrize("span", [{"start": 0}, {"end": 99}, {"end": 0.7}], ids=str)
    def test_a_span_is_no_excuse(self, trio: Path, edit: Callable[[Document], None], span: dict[str, float]) -> None:
        edited = document(trio)
        edit(edited)
        save(trio, edited)
        with pytest.raises(
            facered.ConfigurationUnsupportedError, match=r"has no frame|tell nothing|the last face is at"
        ):
            facered.redact(trio, trio.parent / "out", **span)
        assert list(trio.parent.glob("out/*")) == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"ids": [7]}, "no face has the id 7; there are 1, 2, 3"),
            ({"except_ids": [1, 8]}, "no face has the id 8; there are 1, 2, 3"),
            ({"ids": []}, "ids is"),
            ({"ids": [1.5]}, "ids is"),
            ({"except_ids": [1, 2, 3]}, "nobody is left to hide"),
            ({"ids": [1], "except_ids": [2]}, "ids and except_ids"),
            ({"annotations": "nope.json"}, "nope.json: no such annotations file"),
            ({"ids": "nope.txt"}, "nope.txt: no such list of ids"),
            ({"start": 2, "end": 1}, "end is 1.0; it must be after start"),
            ({"start": 1, "end": 1}, "end is 1.0; it must be after start"),
            ({"start": -1}, "start is -1"),
            ({"end": "1:99"}, "end is '1:99'"),
        ],
    )
    def test_a_wrong_choice_is_told_before_anything_is_written(
        self, trio: Path, options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(facered.ConfigurationUnsupportedError) as raised:
            facered.redact(trio, trio.parent / "out", **options)
        assert raised.value.code == "ConfigurationUnsupported"
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)
        assert not (trio.parent / "out").exists()

    def test_no_annotations(self, trio: Path) -> None:
        trio.with_name("trio_annotations.json").unlink()
        with pytest.raises(
            facered.ConfigurationUnsupportedError, match=r"no annotations, not .*run facered analyze first"
        ):
            facered.redact(trio, trio.parent / "out")
        assert not (trio.parent / "out").exists()

    @pytest.mark.parametrize("options", [{"ids": [1]}, {"ids": "trio_IDList.txt"}, {"except_ids": [1]}])
    def test_combined_takes_no_ids(self, trio: Path, options: dict[str, Any]) -> None:
        job = facered.submit(trio, trio.parent / "out", mode="combined", **options)
        with pytest.raises(facered.ConfigurationUnsupportedError, match="ids are not known before"):
            job.result(30)
        assert not (trio.parent / "out").exists()


class TestRoundTrip:
    @pytest.mark.parametrize(
        "options", [{}, {"blur": "High", "shape": "rectangle"}, {"margin": 1.7, "crf": 30, "start": 0.2, "end": 0.6}]
    )
    def test_is_combined(self, trio: Path, given: list[Planes], options: dict[str, Any]) -> None:
        one = facered.combined(trio, trio.parent / "one", annotations=True, **options)
        two = facered.analyze(trio, trio.parent / "two", **options)
        redacted = facered.redact(trio, trio.parent / "two", **{k: v for k, v in options.items() if k != "margin"})
        assert two.annotations_path.read_bytes() == one.annotations_path.read_bytes()
        assert same(given[:COUNT], given[COUNT:])
        assert redacted.video_path.read_bytes() == one.video_path.read_bytes()

    def test_the_same_call_twice_gives_the_same_bytes(self, trio: Path) -> None:
        one, two = (facered.redact(trio, trio.parent / name, ids=[1, 2]) for name in "ab")
        assert one.video_path.read_bytes() == two.video_path.read_bytes()
        three = facered.redact(trio, trio.parent / "c", ids=[1])
        assert three.video_path.read_bytes() != one.video_path.read_bytes()

    @pytest.mark.parametrize(
        ("suffix", "time_base", "ticks"),
        [
            ("mkv", Fraction(1, 1000), [33, 67, 100, 170, 171, 200, 500, 533, 567, 600]),
            ("mp4", Fraction(1, 600), [0, 20, 40, 100, 120, 121, 122, 160, 400, 420]),
        ],
    )
    def test_with_irregular_times(
        self, carphone: Path, tmp_path: Path, given: list[Planes], suffix: str, time_base: Fraction, ticks: list[int]
    ) -> None:
        pictures = videos.decode(carphone, 10)
        source = videos.encode(tmp_path / f"foo.{suffix}", pictures, time_base=time_base, ticks=ticks)
        facered.analyze(source, tmp_path)
        result = facered.redact(source, tmp_path, blur="Black")
        assert videos.times(result.video_path) == videos.times(source)
        assert result.missing_frames == 0
        for (luma, *_), before in zip(given, videos.decode(source), strict=True):
            assert (luma != videos.samples(before)[0]).mean() > 0.1
            assert (luma == 16).mean() > 0.1


class TestSpan:
    @pytest.mark.parametrize(
        ("start", "end", "inside"),
        [(0.2, 0.6, range(5, 15)), ("0:00.5", None, range(13, COUNT)), (None, 0.2, range(5)), (0, 99, range(COUNT))],
    )
    def test_only_what_lies_in_it_is_hidden(
        self,
        trio: Path,
        given: list[Planes],
        caplog: pytest.LogCaptureFixture,
        start: float | str | None,
        end: float | None,
        inside: range,
    ) -> None:
        facered.redact(trio, trio.parent, start=start, end=end)
        drawn, bare = follow(trio, document(trio), {1, 2, 3}), [videos.samples(f) for f in videos.decode(trio)]
        assert same(given, [drawn[n] if n in inside else bare[n] for n in range(COUNT)])
        assert "the rest is passed through with bare faces" in caplog.text

    def test_analyze_looks_for_nobody_outside(
        self, carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        found = facered.analyze(carphone, tmp_path, start=2, end="0:03").annotations
        faces = np.diff(found.starts)
        assert len(faces) == 120
        assert (faces[60:90] == 1).all()
        assert not faces[:60].any()
        assert not faces[90:].any()
        assert "only 2 s to 3 s is worked on" in caplog.text


WITHOUT_DETECTOR = """
from importlib import metadata
installed = metadata.distribution
def distribution(name):
    if name == "onnxruntime":
        raise metadata.PackageNotFoundError(name)
    return installed(name)
metadata.distribution = distribution
sys.modules["onnxruntime"] = None
"""
"""What Python is where onnxruntime was never installed."""


class TestLightness:
    CALL = "main(['redact', sys.argv[1], '-o', sys.argv[2], '-q'])"
    REPORTED = "main(['redact', sys.argv[1], '-o', sys.argv[2], '-q', '--report', sys.argv[2] + '/../report.jsonl'])"

    def python(self, code: str, trio: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", f"import sys; {code}", str(trio), str(trio.parent / "out")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_redact_does_not_load_the_detector(self, trio: Path) -> None:
        done = self.python(
            f"from facered.cli.main import main; {self.CALL}; print(*{{'onnxruntime'}} & set(sys.modules))",
            trio,
        )
        assert (done.stdout, done.stderr) == ("\n", "")
        assert (trio.parent / "out" / "trio_redacted.mp4").is_file()

    def test_redact_works_without_it(self, trio: Path) -> None:
        """Nor does its report, which names what is installed, and in what version."""
        done = self.python(f"{WITHOUT_DETECTOR}\nfrom facered.cli.main import main; sys.exit({self.REPORTED})", trio)
        assert (done.returncode, done.stderr) == (0, "")
        assert (trio.parent / "out" / "trio_redacted.mp4").is_file()
        report = json.loads((trio.parent / "report.jsonl").read_text())
        assert report["state"] == "Finished"
        assert report["versions"]["onnxruntime"] is None


def test_a_margin_is_added_to_annotated_boxes_only_if_asked_for(trio: Path, tmp_path: Path) -> None:
    plain = facered.redact(trio, tmp_path / "plain.mp4").annotations
    wide = facered.redact(trio, tmp_path / "wide.mp4", margin=1.5).annotations
    assert np.array_equal(plain.boxes, facered.Annotations.read(tmp_path / "trio_annotations.json").boxes)
    assert np.allclose(wide.boxes[:, 2:], 1.5 * plain.boxes[:, 2:])
    assert np.allclose(wide.boxes[:, :2] + wide.boxes[:, 2:] / 2, plain.boxes[:, :2] + plain.boxes[:, 2:] / 2)


def test_annotations_edited_by_hand_survive_an_interrupted_combined(trio: Path, tmp_path: Path) -> None:
    edited = (tmp_path / "trio_annotations.json").read_bytes()

    def interrupt(progress: facered.Progress) -> None:
        if progress.stage == "redact":
            raise LookupError

    with pytest.raises(LookupError):
        facered.combined(trio, tmp_path, annotations=True, overwrite=True, progress=interrupt)
    assert (tmp_path / "trio_annotations.json").read_bytes() == edited
