"""Films that are encoded in parts: where those begin, and that they follow one another as if they were one."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Collection, Iterable
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import av
import pytest

import videos
from facered.errors import ServiceError
from facered.video.input.file import Reader
from facered.video.output.file import Writer
from facered.video.output.parts import GRID_FRAMES, MIN_PART_FRAMES, Parts, usual_segment
from facered.video.output.pictures import DecodeTimes, PartEncoder
from facered.video.output.settings import Encoding
from thinned import thinned

RATE = Fraction(25)


def chosen(segments: Iterable[int], rate: Fraction = RATE, first: int = 0) -> list[int]:
    parts = Parts(rate, first)
    return [number for number in segments if number >= first and parts.begins(number)]


def cut(seed: int, frames: int, every: int) -> list[int]:
    """Return where segments of a film begin that is cut at random; there are no seams near cuts."""
    chance = random.Random(seed)  # noqa: S311
    cuts = sorted({chance.randrange(1, frames) for _ in range(frames // every)})
    seams = [at for at in range(0, frames, GRID_FRAMES) if all(abs(at - cut) > 75 for cut in cuts)]
    return sorted({0, *cuts, *seams})


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), RATE, Fraction(60), Fraction(1000), Fraction(1, 2)])
def test_a_film_below_ten_seconds_is_one_part(rate: Fraction) -> None:
    assert chosen(range(max(int(10 * rate), 2)), rate) == [0]


@pytest.mark.parametrize("every", [20, 200, 1000, 5000])
def test_parts_last_ten_seconds_and_no_longer_than_they_must(every: int) -> None:
    for seed in range(20):
        segments = cut(seed, 20_000, every)
        parts = chosen(segments)
        assert all(after - before >= MIN_PART_FRAMES for before, after in pairwise(parts))
        for before, after in pairwise([*parts, 20_000]):
            inside = [number for number in segments if before + MIN_PART_FRAMES <= number < after]
            # A part goes on past such a segment only where too little would be left before the next anchor.
            assert all((number + 75) % GRID_FRAMES >= GRID_FRAMES - MIN_PART_FRAMES for number in inside)


@pytest.mark.parametrize("rate", [RATE, Fraction(120)])
def test_whoever_begins_in_the_middle_finds_the_same_parts(rate: Fraction) -> None:
    for seed in range(20):
        parts = chosen(segments := cut(seed, 40_000, 300), rate)
        for anchor in range(0, 40_000, 6 * GRID_FRAMES):
            first = next(number for number in segments if number >= anchor - 3 * rate)
            assert chosen(segments, rate, first) == [number for number in parts if number >= first]


def test_where_nobody_knows_of_cuts_every_1500th_frame_begins_a_part() -> None:
    assert chosen(filter(usual_segment, range(5000))) == [0, 1500, 3000, 4500]


def copied(
    source: Path,
    target: Path,
    begins: Collection[int] = (),
    wanted: range = range(1 << 30),
    stream: int | None = None,
    **options: object,
) -> Path:
    """Write some frames of a video, and all else, with parts that begin at some of them."""
    with (
        Reader(source, report=False) as reader,
        Writer(target, reader, Encoding(preset="superfast", **options), stream and (stream, "mp4")) as writer,  # type: ignore[arg-type]
    ):
        number = -1
        for item in reader.demux(*writer.others):
            if not isinstance(item, av.VideoFrame):
                writer.write_packet(item)
                continue
            number += 1
            if number in begins:
                writer.begin_part(number)
            if number in wanted:
                writer.write_frame(item)
    return target


def pictures(path: Path) -> list[av.Packet]:
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


FILMS = {
    "varying": {"ticks": [sum((40, 33, 17, 120)[k * 7 % 4] for k in range(n)) for n in range(60)]},
    "steady": {"time_base": Fraction(1, 25)},
    "interlaced": {"codec": "mpeg2video", "time_base": Fraction(1, 25), "options": {"flags": "+ildct+ilme"}},
    "deep": {"codec": "ffv1", "pixel_format": "yuv420p10le"},
}
BEGINS = (20, 21, 23, 40, 59)


@pytest.fixture
def film(carphone: Path, tmp_path: Path, kind: str) -> Path:
    settings = {"time_base": Fraction(1, 1000), "ticks": None, "audio": "mp2", "audio_seconds": 2.0}
    if kind == "deep":
        settings["ticks"] = range(0, 2400, 40)
    return videos.encode(
        tmp_path / "foo.mkv",
        videos.decode(carphone, 60),
        **{**settings, **FILMS[kind]},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("kind", FILMS)
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *thinned([("h264", "mp4"), ("h264", "mkv"), ("hevc", "mp4"), ("hevc", "mkv"), ("av1", "mp4"), ("h264", "mov")]),
        ("prores", "mov"),
    ],
)
def test_parts_follow_one_another_as_if_they_were_one(film: Path, tmp_path: Path, codec: str, suffix: str) -> None:
    target = copied(film, tmp_path / f"bar.{suffix}", BEGINS, codec=codec)
    found = pictures(target)
    assert videos.times(target) == videos.times(film)
    told = [packet for packet in found if packet.dts is not None]  # Matroska does not tell all
    assert all(before.dts < after.dts <= after.pts for before, after in pairwise(told))
    shown = {packet.pts: packet for packet in found}
    first = [shown[pts] for pts in sorted(shown)]
    assert all(first[number].is_keyframe for number in (0, *BEGINS))
    heard, sound = videos.packets(target, "audio"), videos.packets(film, "audio")
    assert [data for _, data in heard] == [data for _, data in sound]


@pytest.mark.parametrize(("kind", "codec"), thinned(product(FILMS, ["h264", "hevc", "av1", "prores"]), 3))
def test_a_part_has_what_its_frames_alone_are_encoded_to(film: Path, tmp_path: Path, codec: str) -> None:
    suffix = "mov" if codec == "prores" else "mp4"
    whole = pictures(copied(film, tmp_path / f"whole.{suffix}", BEGINS, codec=codec))
    alone = pictures(copied(film, tmp_path / f"alone.{suffix}", (), range(23, 40), codec=codec))
    assert [bytes(packet) for packet in whole[23:40]] == [bytes(packet) for packet in alone]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_parts_of_a_steady_film_are_decoded_at_a_steady_pace(carphone: Path, tmp_path: Path, codec: str) -> None:
    found = pictures(copied(carphone, tmp_path / "bar.mkv", (30, 60), codec=codec))
    one = pictures(copied(carphone, tmp_path / "one.mkv", codec=codec))
    assert [packet.dts for packet in found] == [packet.dts for packet in one]


@pytest.mark.parametrize("kind", ["varying"])
def test_a_stream_has_the_same_pictures_as_a_file(film: Path, tmp_path: Path) -> None:
    with (tmp_path / "stream.mp4").open("wb") as file:
        copied(film, Path("standard output"), BEGINS, stream=os.dup(file.fileno()))
    streamed, written = pictures(tmp_path / "stream.mp4"), pictures(copied(film, tmp_path / "bar.mp4", BEGINS))
    assert [bytes(packet) for packet in streamed] == [bytes(packet) for packet in written]
    assert videos.times(tmp_path / "stream.mp4") == videos.times(film)


def test_parts_that_a_decoder_would_not_understand_are_refused(carphone: Path, tmp_path: Path) -> None:
    frame = videos.decode(carphone, 1)[0]
    with Reader(carphone) as reader:
        slow, fast = (Writer(tmp_path / f"{n}.mp4", reader, Encoding(preset=n)) for n in ("medium", "ultrafast"))
        encoders = [writer._film.encoder._make() for writer in (slow, fast)]
        encoder = PartEncoder(lambda: encoders.pop(0), "foo.mp4")
        encoder.encode(frame)
        list(encoder.end_part())
        with pytest.raises(ServiceError, match=r"foo\.mp4: parts of the film have other parameter sets"):
            encoder.encode(frame)
        slow.discard()
        fast.discard()


def test_times_that_cannot_be_are_an_error() -> None:
    times = DecodeTimes()
    assert [times.take(pts, dts) for pts, dts in [(0, -1), (2, 0), (1, 1)]] == [-1, 0, 1]
    times.begin_part()
    assert times.take(3, 1) == 2
    with pytest.raises(ServiceError, match="times out of order"):
        times.take(4, 2)


def test_an_anchor_is_kept_to_even_where_a_part_is_short_then() -> None:
    """Whoever begins at frame 3000 does not know that another part has begun just before."""
    assert chosen([0, 2800, 2930, 3200]) == [0, 2800, 2930, 3200]
    assert chosen([0, 2800, 2930, 3200], first=2930) == [2930, 3200]


def _is_encoder(found: object) -> bool:
    try:
        return isinstance(found, av.VideoCodecContext) and found.is_encoder
    except ReferenceError:  # a proxy of what is gone
        return False


def test_an_encoder_is_gone_when_its_part_is_over(carphone: Path, tmp_path: Path) -> None:
    """Without the garbage collector, which comes seldom where there are few objects, and large ones."""

    def encoders() -> int:
        return sum(_is_encoder(found) for found in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = encoders()
        copied(carphone, tmp_path / "bar.mp4", range(5, 100, 5))
        assert encoders() - before <= 2
    finally:
        gc.enable()
