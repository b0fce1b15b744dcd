"""The rate of a film: by its packets' times, whatever its container tells."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.errors import ContentMalformedError
from facered.video.input.file import Reader
from facered.video.input.preview import Preview
from facered.video.input.rate import MAX_RATE, USUAL, believable, measure

MILLISECONDS = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 40, 80, 120], 25),
        ([80, 0, 120, 40], 25),  # in the order of decoding
        ([0, 33, 67, 100, 133, 167, 200], 30),
        ([0, 40, 40, 80], 25),
        ([0, 40, 80, 9000, 9040, 9080], 25),  # a pause
        ([0, 1000, 2000], 1),
        ([0], None),
        ([], None),
    ],
)
def test_what_times_tell(times: list[int], expected: int | None) -> None:
    assert measure(times, MILLISECONDS) == expected


def test_times_that_no_camera_makes_tell_nothing() -> None:
    assert measure(range(100), Fraction(1, 4_000_000)) is None


@pytest.mark.parametrize(
    ("told", "believed"),
    [(None, USUAL), (0, USUAL), (90000, USUAL), (MAX_RATE, MAX_RATE), (24, 24), (Fraction(1, 100_000), USUAL)],
)
def test_what_can_be_believed_without_times(told: int | None, believed: Fraction) -> None:
    assert believable(None if told is None else Fraction(told)) == believed


@pytest.mark.parametrize(("told", "expected"), [(None, 25), (24, 24), (26, 26), (30, 25), (12.5, 25), (90000, 25)])
def test_what_is_told_counts_where_it_is_like_the_times(
    told: float | None, expected: float, carphone: Path, tmp_path: Path
) -> None:
    foo = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 10))
    with av.open(str(foo)) as container:
        (stream,) = container.streams
        assert stream.time_base is not None
        preview = Preview(list(container.demux(stream)), stream)
        rate = preview.rate(None if told is None else Fraction(told), stream.time_base)
        assert rate == pytest.approx(expected)
        assert len([packet for packet in preview if packet.size]) == 10


class Broken:
    """A stream of three packets, and then an error."""

    pts, dts, size = 0, 0, 1

    def __init__(self) -> None:
        self.stream = self

    def packets(self) -> Iterator[Broken]:
        yield from (self, self, self)
        raise av.error.InvalidDataError(1, "damaged")


def test_what_comes_before_damage_is_not_lost() -> None:
    broken = Broken()
    preview = iter(Preview(broken.packets(), broken))  # type: ignore[arg-type]
    assert [next(preview) for _ in range(3)] == [broken] * 3
    with pytest.raises(av.error.InvalidDataError):
        next(preview)


def test_damage_within_the_first_packets_is_told_where_it_stands(carphone: Path, tmp_path: Path) -> None:
    foo = videos.encode(tmp_path / "foo.nut", videos.decode(carphone, 12), codec="mpeg4", options={"g": "1"})
    whole = foo.read_bytes()
    foo.write_bytes(whole[: 2 * len(whole) // 3])
    with Reader(foo, report=False) as reader:
        count = len(list(reader.frames()))
    assert 4 <= count < 12
    with pytest.raises(ContentMalformedError), Reader(foo, report=False, strict=True) as reader:
        list(reader.frames())


@pytest.mark.parametrize("seconds", [1, 10, 3600, 86_400])
def test_slow_rates_are_measured(seconds: int) -> None:
    assert measure(range(0, 40 * seconds, seconds), Fraction(1)) == Fraction(1, seconds)


@pytest.mark.parametrize(("ticks", "base"), [(1, Fraction(1, 2**31 - 1)), (100_000, Fraction(1))])
def test_rates_beyond_reason_are_none(ticks: int, base: Fraction) -> None:
    assert measure(range(0, 40 * ticks, ticks), base) is None


def test_a_picture_an_hour(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(
        tmp_path / "foo.mp4", videos.decode(carphone, 12), time_base=Fraction(1), ticks=range(0, 12 * 3600, 3600)
    )
    result = facered.combined(source, tmp_path, annotations=True)
    assert result.annotations_path is not None
    again = facered.Annotations.read(result.annotations_path)
    assert again.rate is not None
    with Reader(source) as reader:
        assert float(again.rate) == pytest.approx(float(reader.info.rate), rel=0.001)
    assert float(again.rate) == pytest.approx(1 / 3600, rel=0.1)
    assert facered.redact(source, tmp_path, overwrite=True).people == 1


def test_the_rate_in_a_header_of_bare_pictures_is_bounded(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(
        tmp_path / "foo.h264", videos.decode(carphone, 6), container_format="h264", rate=Fraction(90_000),
        time_base=Fraction(1, 90_000),
    )  # fmt: skip
    with Reader(source) as reader:
        assert reader.info.rate <= MAX_RATE


def test_what_is_read_ahead_is_bounded() -> None:
    class Picture:
        size, pts, dts = 1 << 20, None, None

        def __init__(self, stream: object) -> None:
            self.stream = stream

    stream, taken = object(), []
    Preview((taken.append(None) or Picture(stream) for _ in range(1000)), stream)  # type: ignore[func-returns-value, misc, arg-type]
    assert len(taken) == 65
