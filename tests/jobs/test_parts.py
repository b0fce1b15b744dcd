"""Jobs whose result is encoded in parts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.annotations.table import Extras
from facered.cli.main import main
from facered.hide.style import Style
from facered.jobs.redact import redact_video
from facered.runtime import cores
from facered.video.input.file import Reader
from facered.video.output import CONTAINERS
from facered.video.output.file import Writer
from facered.video.output.partfile import part_name
from facered.video.output.pictures import EncodedPicture, PartEncoder
from facered.video.output.settings import Encoding
from thinned import thinned


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


@pytest.mark.soak
def test_combined_and_redact_make_the_same_parts(film: Path, tmp_path: Path) -> None:
    one = facered.combined(film, tmp_path / "one.mp4", annotations=True, encoder_options={"g": "10000"})
    facered.redact(film, tmp_path / "two.mp4", annotations=one.annotations_path, encoder_options={"g": "10000"})
    assert beginnings(tmp_path / "one.mp4") == [0, 1500]
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize(("codec", "suffix"), thinned([("h264", "mp4"), ("hevc", "mkv"), ("prores", "mov")], 3))
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


APART = """
import sys
from itertools import islice
from pathlib import Path
from facered import Annotations
from facered.hide.style import Style
from facered.jobs.feed import Document
from facered.jobs.redact import redact_part
from facered.video.input.file import Reader
from facered.video.output.film import PartWriter
from facered.video.output.settings import Encoding

film, annotations, path, number, end, codec, container = sys.argv[1:]
with Reader(film) as reader:
    known = Document(Annotations.read(annotations).rescaled(reader.info.time_base), reader.info)
    with PartWriter(Path(path), reader, Encoding(codec=codec, preset="superfast"), container) as writer:
        frames = islice(reader.frames(), int(number), int(end))
        redact_part(reader, frames, writer, known, Style(), int(number), 0)
"""


class Folder:
    """A folder of part files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved: list[str] = []

    def find(self, name: str) -> Path | None:
        return self.path / name if (self.path / name).exists() else None

    def draft(self, name: str) -> Path:
        return self.path / f"draft_{name}"

    def save(self, name: str) -> None:
        self.saved.append(name)


def written(film: Path, target: Path, annotations: facered.Annotations, codec: str, store: Folder | None) -> bytes:
    """Return the file that is written of a film with its faces hidden."""
    with (
        Reader(film) as reader,
        Writer(target, reader, Encoding(codec=codec, preset="superfast"), store=store) as writer,
    ):
        redact_video(reader, writer, annotations.rescaled(reader.info.time_base), Style())
    return target.read_bytes()


@pytest.fixture(scope="module")
def sounding(film: Path, analyzed: facered.Annotations, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of 1560 frames with sound and subtitles, and annotations of four parts beside it."""
    path = tmp_path_factory.mktemp("sounding") / "foo.mkv"
    tone = videos.encode(path.with_name("tone.mkv"), videos.decode(film, 1), audio="aac", audio_seconds=50.0)
    with av.open(str(film)) as container, av.open(str(tone)) as other, av.open(str(path), "w") as output:
        pictures = output.add_stream_from_template(container.streams.video[0])
        sound = output.add_stream_from_template(other.streams.audio[0])
        texts = output.add_stream("subrip")
        texts.codec_context.subtitle_header = b""
        items = [(packet, pictures) for packet in container.demux(video=0)]
        items += [(packet, sound) for packet in other.demux(audio=0)]
        for second in range(0, 50, 3):
            packet = av.Packet(b"so it goes")
            packet.pts = packet.dts = second * 1000
            packet.duration, packet.time_base = 900, Fraction(1, 1000)
            items.append((packet, texts))
        items = [(packet, stream) for packet, stream in items if packet.dts is not None and packet.size]
        for packet, stream in sorted(items, key=lambda item: item[0].dts * item[0].time_base):
            packet.stream = stream
            output.mux(packet)
    with Reader(path) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        time_base = reader.info.time_base
    marked = replace(analyzed, pts=pts, time_base=time_base, extras=Extras(document={"segments": [0, 300, 600, 1450]}))
    marked.write(path.with_suffix(".json"))
    return path


@pytest.mark.parametrize(
    ("codec", "suffix"), thinned([("h264", "mp4"), ("hevc", "mkv"), ("av1", "mp4"), ("prores", "mov")], 4)
)
def test_parts_made_apart_in_any_order_make_the_same_film(
    sounding: Path, tmp_path: Path, codec: str, suffix: str
) -> None:
    document = sounding.with_suffix(".json")
    annotations = facered.Annotations.read(document)
    one = written(sounding, tmp_path / f"one.{suffix}", annotations, codec, None)
    store = Folder(tmp_path)
    for number, end in ((1450, 1560), (600, 1450), (300, 600), (0, 300)):
        arguments = [sounding, document, tmp_path / part_name(number), number, end, codec, CONTAINERS[f".{suffix}"]]
        subprocess.run([sys.executable, "-c", APART, *map(str, arguments)], check=True)
    joined = written(sounding, tmp_path / f"joined.{suffix}", annotations, codec, store)
    assert joined == one
    with av.open(str(tmp_path / f"joined.{suffix}")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "subtitle"]
    store.path.joinpath(part_name(600)).unlink()  # the others are played back around it
    assert written(sounding, tmp_path / f"mixed.{suffix}", annotations, codec, store) == one
    assert store.saved == [part_name(600)]
    assert (tmp_path / f"draft_{part_name(600)}").is_file()


def test_when_the_encoder_gives_out_pictures_makes_no_difference(
    sounding: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = facered.Annotations.read(sounding.with_suffix(".json"))
    one = written(sounding, tmp_path / "one.mp4", annotations, "h264", None)
    encode, end_part = PartEncoder.encode, PartEncoder.end_part
    held: list[EncodedPicture] = []

    def encode_late(self: PartEncoder, frame: av.VideoFrame) -> list[EncodedPicture]:
        held.extend(encode(self, frame))
        return []

    def end_late(self: PartEncoder) -> Iterator[EncodedPicture]:
        pictures = [*held, *end_part(self)]
        held.clear()
        yield from pictures

    monkeypatch.setattr(PartEncoder, "encode", encode_late)
    monkeypatch.setattr(PartEncoder, "end_part", end_late)
    assert written(sounding, tmp_path / "late.mp4", annotations, "h264", None) == one
