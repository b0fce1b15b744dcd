"""The whole job, on real video: what goes in, what comes out."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.annotations.table import REGION_IDS
from facered.detect.detector import Detector
from facered.video import formats
from facered.video.picture import view
from thinned import thinned


def face_frames(path: Path, step: int = 5) -> int:
    """Count the frames, of every `step`th, in which a face is found."""
    detector = Detector()
    return sum(
        len(detector.detect(view(formats.to_native(frame)), 0.5).scores) > 0 for frame in videos.decode(path)[::step]
    )


def test_the_face_is_gone_and_the_frames_and_their_times_are_kept(carphone: Path, tmp_path: Path) -> None:
    result = facered.combined(carphone, tmp_path / "out")
    assert result.video_path == tmp_path / "out" / "carphone_pristine_redacted.mp4"
    assert (result.people, result.frames) == (1, 120)
    assert face_frames(carphone) == 24
    assert face_frames(result.video_path) == 0
    assert videos.times(result.video_path) == videos.times(carphone)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["carphone_pristine_redacted.mp4"]


def test_sound_is_copied_bit_for_bit(rabbit: Path, tmp_path: Path) -> None:
    result = facered.combined(rabbit, tmp_path, end=0.5, preset="ultrafast")
    assert videos.packets(result.video_path, "audio") == videos.packets(rabbit, "audio")
    assert videos.times(result.video_path) == videos.times(rabbit)


def test_sound_that_mp4_cannot_hold_becomes_aac(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = videos.encode(
        tmp_path / "source.wmv", videos.decode(carphone, 20), codec="wmv2", audio="wmav2", time_base=Fraction(1, 1000),
        ticks=range(0, 800, 40),
    )  # fmt: skip
    result = facered.combined(source, tmp_path)
    with av.open(str(result.video_path)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(0.5, abs=0.06)
    assert "wmav2 audio is transcoded to AAC" in caplog.text
    assert videos.times(result.video_path) == videos.times(source)


@pytest.mark.parametrize(
    ("suffix", "time_base", "ticks"),
    [
        ("mkv", Fraction(1, 1000), [33, 67, 100, 170, 171, 200, 500, 533, 567, 600]),
        ("mp4", Fraction(1, 30000), [n * 1001 for n in range(10)]),
        ("mp4", Fraction(1, 90000), [45000 + n * 3600 for n in range(10)]),
        ("mp4", Fraction(1, 600), [0, 20, 40, 100, 120, 121, 122, 160, 400, 420]),
    ],
)
def test_irregular_and_late_times_are_kept_exactly(
    carphone: Path, tmp_path: Path, suffix: str, time_base: Fraction, ticks: list[int]
) -> None:
    source = videos.encode(tmp_path / f"source.{suffix}", videos.decode(carphone, 10), time_base=time_base, ticks=ticks)
    assert videos.times(source) == [tick * time_base for tick in ticks]
    result = facered.combined(source, tmp_path)
    assert videos.times(result.video_path) == videos.times(source)


@pytest.mark.parametrize(
    ("width", "height", "codec", "pixel_format", "suffix"),
    thinned(
        [
            (176, 144, "rawvideo", "nv12", "nut"),
            (176, 144, "rawvideo", "gray", "nut"),
            (321, 243, "mpeg4", "yuv420p", "mp4"),
            (176, 144, "mjpeg", "yuvj420p", "mov"),
            (176, 144, "libx264", "yuv444p", "mp4"),
            (176, 144, "libx265", "yuv420p10le", "mkv"),
            (176, 144, "png", "rgb24", "mov"),
        ]
    ),
)
def test_formats_and_odd_sizes(
    carphone: Path, tmp_path: Path, width: int, height: int, codec: str, pixel_format: str, suffix: str
) -> None:
    pictures = [videos.enlarge(frame, width, height) for frame in videos.decode(carphone, 12)]
    source = videos.encode(
        tmp_path / f"source.{suffix}",
        pictures,
        codec=codec,
        pixel_format=pixel_format,
        options={"libx265": {"x265-params": "log-level=none"}, "libx264": {"crf": "10"}}.get(codec),
    )
    assert videos.decode(source, 1)[0].format.name == pixel_format
    result = facered.combined(source, tmp_path, crf=5)
    redacted = videos.decode(result.video_path)
    assert [(frame.width, frame.height) for frame in redacted] == [(width, height)] * 12
    assert face_frames(source, 1) == 12
    assert face_frames(result.video_path, 1) == 0
    # The corner, far from the face, looks as it did.
    before, after = videos.decode(source, 1)[0], redacted[0]
    corner = np.s_[: height // 4, : width // 5]
    difference = before.to_ndarray(format="gray")[corner].astype(int) - after.to_ndarray(format="gray")[corner]
    assert np.abs(difference).mean() < 3


def test_a_picture_without_a_face_is_encoded_as_it_is(rabbit: Path, tmp_path: Path) -> None:
    film = videos.encode(tmp_path / "film.mkv", videos.decode(rabbit, 12), options={"crf": "0", "preset": "ultrafast"})
    result = facered.combined(film, tmp_path, crf=0, preset="ultrafast", threshold=0.9)
    assert result.people == 0
    for before, after in zip(videos.decode(rabbit, 12), videos.decode(result.video_path, 12), strict=True):
        assert all(map(np.array_equal, videos.samples(before), videos.samples(after)))


def test_colour_tags_aspect_ratio_and_rotation_are_kept(carphone: Path, tmp_path: Path) -> None:
    source = tmp_path / "tagged.mp4"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=25)
        context = video.codec_context
        context.width, context.height, context.pix_fmt = 176, 144, "yuv420p"
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        context.sample_aspect_ratio = Fraction(12, 11)
        video.set_display_rotation(90)
        for tick, frame in enumerate(videos.decode(carphone, 5)):
            frame.pts, frame.time_base, frame.pict_type = tick, Fraction(1, 25), 0
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    result = facered.combined(source, tmp_path)
    with av.open(str(result.video_path)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
        assert tags == (1, 1, 1, 1)
        assert context.sample_aspect_ratio == Fraction(12, 11)
        assert next(container.decode(video=0)).rotation == 90


@pytest.mark.parametrize(
    ("style", "warned"), [("Low", "is for looks only"), ("Box", "nobody is hidden"), ("Med", None)]
)
def test_styles_that_hide_nobody_are_said_aloud(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, style: str, warned: str | None
) -> None:
    facered.combined(carphone, tmp_path, blur=style)
    assert warned in caplog.text if warned else not caplog.text


def test_the_annotations_say_where_each_face_is(carphone: Path, tmp_path: Path) -> None:
    result = facered.combined(carphone, tmp_path, annotations=True)
    assert result.annotations_path == tmp_path / "carphone_pristine_annotations.json"
    document = json.loads(result.annotations_path.read_text())
    assert (document["version"], document["timescale"], document["offset"]) == (1, 30000, 0)
    assert (document["width"], document["height"], document["margin"]) == (176, 144, 1.4)
    assert document["framerate"] == pytest.approx(29.97, abs=0.001)
    (fragment,) = document["fragments"]
    assert (fragment["start"], fragment["interval"], fragment["duration"]) == (0, 1001, 120 * 1001)
    assert len(fragment["events"]) == 120
    for index, (face,) in enumerate(fragment["events"]):
        assert (face["id"], face["index"]) == (1, index)
        assert 0.2 < face["x"] + face["width"] / 2 < 0.8


def test_the_same_call_twice_gives_the_same_bytes(carphone: Path, tmp_path: Path) -> None:
    first = facered.combined(carphone, tmp_path / "a", annotations=True)
    second = facered.combined(carphone, tmp_path / "b", annotations=True)
    assert first.video_path.read_bytes() == second.video_path.read_bytes()
    assert first.annotations_path is not None
    assert second.annotations_path is not None
    assert first.annotations_path.read_bytes() == second.annotations_path.read_bytes()


@pytest.mark.parametrize("codec", thinned(["h264", "hevc", "av1"], 3))
def test_threads_change_nothing_but_speed(carphone: Path, tmp_path: Path, codec: str) -> None:
    made = {n: facered.combined(carphone, tmp_path / f"{n}.mp4", threads=n, codec=codec) for n in (1, 2, 4)}
    assert len({(tmp_path / f"{n}.mp4").read_bytes() for n in made}) == 1
    for n, result in made.items():
        facered.redact(carphone, tmp_path / f"again{n}.mp4", annotations=result.annotations, threads=n, codec=codec)
        assert (tmp_path / f"again{n}.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()
        assert np.array_equal(result.annotations.boxes, made[1].annotations.boxes)


def test_progress_is_told_after_every_frame_of_both_passes(carphone: Path, tmp_path: Path) -> None:
    told: list[facered.Progress] = []
    facered.combined(carphone, tmp_path, progress=told.append)
    assert [(p.stage, p.done) for p in told if p.done == p.total] == [("analyze", 120)] * 2 + [("redact", 120)] * 2
    assert [p.done for p in told if p.stage == "redact"] == [*range(1, 121), 120]
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert (fractions[0] < 0.01, fractions[120], fractions[-1]) == (True, 0.5, 1.0)


def test_those_beyond_max_faces_are_hidden_as_regions_and_their_frames_counted(carphone: Path, tmp_path: Path) -> None:
    """Four faces side by side, of which two may be followed."""
    wide = []
    for frame in videos.decode(carphone, 8):
        row = np.concatenate([frame.to_ndarray(format="rgb24")] * 4, axis=1)
        wide.append(av.VideoFrame.from_ndarray(row, format="rgb24"))
    source = videos.encode(tmp_path / "four.mp4", wide)
    everyone = facered.combined(source, tmp_path / "all")
    assert (everyone.people, everyone.crowded_frames) == (4, 0)
    some = facered.combined(source, tmp_path / "some", max_faces=2)
    assert some.crowded_frames == 8
    assert some.people == 2
    # All four are hidden, two of them by ids of no person.
    assert np.diff(some.annotations.starts).tolist() == [4] * 8
    assert (some.annotations.ids.reshape(8, 4) >= REGION_IDS).sum(axis=1).tolist() == [2] * 8


class StopHereError(Exception):
    pass


@pytest.mark.parametrize("stage", ["analyze", "redact"])
def test_an_interruption_leaves_nothing_behind(carphone: Path, tmp_path: Path, stage: str) -> None:
    def interrupt(progress: facered.Progress) -> None:
        if progress.stage == stage and progress.done == 60:
            raise StopHereError

    with pytest.raises(StopHereError):
        facered.combined(carphone, tmp_path / "out", annotations=True, progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: facered.Annotations, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(facered.Annotations, "write_to", write)
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 6))
    with pytest.raises(facered.ServiceError, match="No space left on device"):
        facered.combined(source, tmp_path / "out", annotations=True)
    assert list((tmp_path / "out").iterdir()) == []
