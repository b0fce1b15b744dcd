"""Where shots begin, and what only looks like it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import tuning
from facered.track.cuts import CutDetector
from thinned import thinned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from facered.track.cuts import Dissolve

    Luma = NDArray[np.uint8]


def scene(seed: int, shift: float = 0, size: tuple[int, int] = (120, 90)) -> Luma:
    """Return a smooth random picture, perhaps moved to the left by a few pixels."""
    knots = np.random.default_rng(seed).uniform(0, 255, (9, 12))
    x = (np.arange(size[0]) + shift) / size[0] * 10
    y = np.arange(size[1]) / size[1] * 8
    rows = np.array([np.interp(x, range(12), row) for row in knots])
    return np.array([np.interp(y, range(9), column) for column in rows.T]).T.astype(np.uint8)


def brighter(picture: Luma, gain: float, offset: float = 0) -> Luma:
    return np.clip(picture.astype(np.float64) * gain + offset, 0, 255).astype(np.uint8)


def noisy(picture: Luma, deviation: float, seed: int) -> Luma:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def answers(pictures: Iterable[Luma]) -> list[bool]:
    detector = CutDetector(25.0)
    given = [answer for answer in map(detector.push, pictures) if answer is not None]
    return given + detector.flush()


def cuts(pictures: Iterable[Luma]) -> list[int]:
    """Return the numbers of the frames that begin a shot."""
    return np.flatnonzero(answers(pictures)).tolist()


A, B, C = scene(1), scene(2), scene(3)
WHITE, BLACK = np.full_like(A, 255), np.full_like(A, 0)


@pytest.mark.parametrize("at", [1, 2, 3, 4, 10, 17, 18, 19])
def test_a_cut_is_found_at_its_frame(at: int) -> None:
    assert cuts([A] * at + [B] * (20 - at)) == [at]


@pytest.mark.parametrize("size", [(120, 90), (90, 160), (640, 360), (39, 21), (41, 1)])
def test_pictures_of_any_size_can_be_cut(size: tuple[int, int]) -> None:
    before, behind = scene(4, size=size), scene(5, size=size)
    assert cuts([before] * 8 + [behind] * 8) == [8]


@pytest.mark.parametrize("length", [tuning.CUT_LOOKAHEAD + 1, tuning.CUT_LOOKAHEAD + 5])
def test_every_cut_of_several_is_found(length: int) -> None:
    assert cuts([A] * length + [B] * length + [C] * length + [A] * length) == [length, 2 * length, 3 * length]


def test_cuts_are_found_between_moving_noisy_pictures() -> None:
    pan = [noisy(scene(1 if frame < 12 else 2, shift=frame), 6, frame) for frame in range(30)]
    assert cuts(pan) == [12]


@pytest.mark.parametrize("length", range(1, tuning.CUT_LOOKAHEAD + 1))
@pytest.mark.parametrize("flash", [WHITE, B], ids=["white", "another picture"])
def test_a_flash_is_no_cut(flash: Luma, length: int) -> None:
    assert cuts([A] * 10 + [flash] * length + [A] * 10) == []


@pytest.mark.parametrize("level", [0, 16, 40])
def test_noise_in_darkness_is_no_cut(level: int) -> None:
    assert cuts(noisy(np.full_like(A, level), 5, seed) for seed in range(20)) == []


@pytest.mark.parametrize(("gain", "offset"), [(0.3, 0), (0.5, 100), (1, -60), (1, 60)])
def test_a_change_of_light_is_no_cut(gain: float, offset: float) -> None:
    assert cuts([A] * 10 + [brighter(A, gain, offset)] * 10) == []


def test_a_camera_that_is_swung_by_a_part_of_the_picture_is_no_cut() -> None:
    assert cuts([scene(1)] * 10 + [scene(1, 18)] * 10) == []
    assert cuts([scene(1)] * 10 + [scene(1, 60)] * 10) == [10]


def test_a_quick_pan_is_no_cut() -> None:
    assert cuts(scene(1, shift=3 * frame) for frame in range(40)) == []


@pytest.mark.parametrize(("before", "behind"), [(BLACK, A), (A, BLACK), (WHITE, A)])
def test_pictures_without_structure_are_another_shot(before: Luma, behind: Luma) -> None:
    assert cuts([before] * 8 + [behind] * 8) == [8]


@pytest.mark.parametrize("frames", range(tuning.CUT_LOOKAHEAD + 4))
def test_every_frame_gets_one_answer(frames: int) -> None:
    assert answers([A] * frames) == [False] * frames


@pytest.mark.parametrize("frames", range(1, tuning.CUT_LOOKAHEAD + 4))
def test_the_first_frame_is_never_a_cut(frames: int) -> None:
    assert not answers([A] + [B] * (frames - 1))[0]


def test_answers_come_a_fixed_number_of_frames_late() -> None:
    detector = CutDetector(25.0)
    pushed = [detector.push(A) for _ in range(10)]
    assert pushed == [None] * tuning.CUT_LOOKAHEAD + [False] * (10 - tuning.CUT_LOOKAHEAD)
    assert detector.flush() == [False] * tuning.CUT_LOOKAHEAD
    assert detector.flush() == []


def test_pictures_may_be_overwritten_once_pushed() -> None:
    detector, memory, given = CutDetector(25.0), np.empty_like(A), []
    for picture in [A] * 8 + [B] * 8:
        memory[:] = picture
        given.append(detector.push(memory))
    assert np.flatnonzero([*given[tuning.CUT_LOOKAHEAD :], *detector.flush()]).tolist() == [8]


SMALL = (64, 48)


def blended(a: Luma, b: Luma, share: float) -> Luma:
    return np.round(a * (1 - share) + b * share).astype(np.uint8)


def dissolving(start: int, length: int, total: int, speed: float = 0, seeds: tuple[int, int] = (1, 2)) -> list[Luma]:
    """Return two shots; in `length` frames from `start` on, both are seen. Their cameras pan by `speed`."""
    shares = np.clip((np.arange(total) - start + 1) / (length + 1), 0, 1)
    return [
        blended(scene(seeds[0], speed * frame, SMALL), scene(seeds[1], -speed * frame, SMALL), share)
        for frame, share in enumerate(shares.tolist())
    ]


def dissolves(pictures: Iterable[Luma], rate: float = 25.0) -> list[Dissolve]:
    detector = CutDetector(rate)
    for picture in pictures:
        assert not detector.push(picture)
    assert not any(detector.flush())
    return detector.dissolves


class TestDissolves:
    a, b, c = (scene(seed, size=SMALL) for seed in (1, 2, 3))

    @pytest.mark.parametrize(("length", "noise"), thinned(product([5, 8, 15, 25, 40, 50], [0, 4]), 5))
    def test_are_found_where_they_are(self, length: int, noise: int) -> None:
        pictures = [noisy(picture, noise, frame) for frame, picture in enumerate(dissolving(60, length, 180))]
        (found,) = dissolves(pictures)
        assert found.middle == pytest.approx(60 + length / 2, abs=0.1 * length + 2)
        assert found.first <= 60 + 0.15 * length
        assert found.last >= 60 + 0.85 * length

    @pytest.mark.parametrize("length", thinned([5, 8, 50, 15, 25, 40], 2))
    def test_are_not_found_to_be_longer_than_they_are(self, length: int) -> None:
        (found,) = dissolves(dissolving(60, length, 180))
        assert found.first >= 60 - 10
        assert found.last <= 60 + length + 10

    @pytest.mark.parametrize("length", [5, 10, 15])
    def test_are_found_while_the_camera_pans(self, length: int) -> None:
        (found,) = dissolves(dissolving(60, length, 140, speed=0.15))
        assert found.middle == pytest.approx(60 + length / 2, abs=0.1 * length + 2)

    @pytest.mark.parametrize(("rate", "length"), thinned([(12.0, 10), (50.0, 20), (50.0, 50)]))
    def test_are_found_at_any_frame_rate(self, rate: float, length: int) -> None:
        (found,) = dissolves(dissolving(150, length, 300 + length), rate)
        assert found.middle == pytest.approx(150 + length / 2, abs=0.1 * length + 2)

    def test_are_all_found(self) -> None:
        pictures = dissolving(60, 12, 140) + dissolving(60, 20, 140, seeds=(2, 3))
        middles = [found.middle for found in dissolves(pictures)]
        assert middles == [pytest.approx(66, abs=3), pytest.approx(210, abs=3)]

    def test_at_the_end_of_the_video_are_found_too(self) -> None:
        (found,) = dissolves(dissolving(60, 10, 84))
        assert found.middle == pytest.approx(65, abs=3)

    @pytest.mark.parametrize("speed", [0.15, 0.5, 1.5])
    def test_are_no_pans(self, speed: float) -> None:
        assert dissolves(scene(1, speed * frame, SMALL) for frame in range(150)) == []

    def test_are_no_changes_of_light(self) -> None:
        assert dissolves(brighter(self.a, 1 - 0.8 * abs(np.sin(frame / 20))) for frame in range(120)) == []

    @pytest.mark.parametrize("length", range(1, tuning.CUT_LOOKAHEAD + 1))
    def test_are_no_flashes(self, length: int) -> None:
        assert dissolves([self.a] * 60 + [np.full_like(self.a, 255)] * length + [self.a] * 60) == []

    def test_are_no_cuts(self) -> None:
        for length in (tuning.CUT_LOOKAHEAD + 1, 10, 30):
            detector = CutDetector(25.0)
            for picture in ([self.a] * length + [self.b] * length + [self.c] * length) * 2:
                detector.push(picture)
            detector.flush()
            assert detector.dissolves == []

    def test_of_a_part_of_the_picture_are_none(self) -> None:
        """Something appears, but the place remains."""
        pictures = [self.a.copy() for _ in range(120)]
        for frame, picture in enumerate(pictures[40:], 40):
            picture[10:34, 15:40] = blended(self.a, self.c, min((frame - 39) / 20, 1))[10:34, 15:40]
        assert dissolves(pictures) == []

    @pytest.mark.parametrize("length", [10, 20])
    @pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
    def test_through_black_or_white_begin_a_shot(self, length: int, level: int) -> None:
        between = np.full_like(self.a, level)
        shares = [(n + 1) / length for n in range(length)]
        out = [blended(self.a, between, share) for share in shares]
        into = [blended(between, self.b, share) for share in shares]
        found = cuts([self.a] * 40 + out + [between] * 5 + into + [self.b] * 40)
        assert found
        assert found[0] > 40
        assert 40 + length <= found[-1] <= 40 + 2 * length + 5


def faded(picture: Luma, gains: Iterable[float]) -> list[Luma]:
    return [brighter(picture, gain) for gain in gains]


OUT, IN = np.linspace(1, 0, 40), np.linspace(0, 1, 40)
LONG_FILMS = {
    "the same comes back after long black": [*[A] * 40, *faded(A, OUT), *[BLACK] * 100, *faded(A, IN), *[A] * 40],
    "another comes after long dimness": [
        *[A] * 40,
        *faded(A, OUT),
        *faded(B, [0.1] * 150),
        *faded(B, IN[5:]),
        *[B] * 40,
    ],
}


@pytest.mark.parametrize("name", LONG_FILMS)
@pytest.mark.parametrize("begin", [20, 60, 75, 90])
def test_whoever_begins_six_seconds_before_finds_the_same(name: str, begin: int) -> None:
    pictures = LONG_FILMS[name]
    assert answers(pictures[begin:])[150:] == answers(pictures)[begin + 150 :]


def test_black_that_is_long_over_begins_no_shot() -> None:
    """After it another picture is there, too dim to be told from others, and becomes bright seconds later."""
    dim, bright = faded(B, [0.1] * 150), faded(B, np.linspace(0.1, 1, 40))
    (cut,) = cuts([*[A] * 40, *faded(A, OUT), *[BLACK] * 5, *dim, *bright, *[B] * 40])
    assert cut == 85


def test_what_comes_back_after_short_black_is_the_same_shot_and_after_long_black_another() -> None:
    assert cuts([*[A] * 20, *faded(A, OUT), *[BLACK] * 25, *faded(A, IN), *[A] * 20]) == []
    (cut,) = cuts(LONG_FILMS["the same comes back after long black"])
    assert 180 <= cut < 200
