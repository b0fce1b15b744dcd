"""The ring of recent pictures, and how alike two faces look."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import lumas
from facered._native.patch import RADIUS, SIDE
from facered.track import tuning
from facered.track.appearance import RecentPictures, ncc
from lumas import Person, film, wall

SIZE = np.array([320.0, 180.0])
BOX = np.array([150.0, 90, 40, 40])


def numbered(count: int) -> list[lumas.Luma]:
    """Return pictures of which each is as bright as its number."""
    return [np.full((18, 32), number, np.uint8) for number in range(count)]


class TestRecentPictures:
    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_keep_the_last_ones(self, count: int) -> None:
        recent = RecentPictures(SIZE, count)
        for number, picture in enumerate(numbered(20)):
            recent.push(picture)
            assert len(recent) == min(number + 1, count)
            for back in range(len(recent)):
                assert (recent.patch(BOX, back) == number - back).all()

    def test_may_be_forgotten(self) -> None:
        recent = RecentPictures(SIZE, 5)
        for picture in numbered(8):
            recent.push(picture)
        recent.clear()
        assert len(recent) == 0
        for number, picture in enumerate(numbered(8)):
            recent.push(picture)
            assert len(recent) == min(number + 1, 5)
            assert (recent.patch(BOX) == number).all()

    def test_are_copies(self) -> None:
        recent, memory = RecentPictures(SIZE, 5), np.full((18, 32), 7, np.uint8)
        recent.push(memory)
        memory[:] = 9
        assert (recent.patch(BOX) == 7).all()

    def test_take_no_more_memory_than_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tuning, "MAX_PICTURE_BYTES", 10 * 64 * 48 + 5)
        recent = RecentPictures(SIZE, 50)
        for _ in range(3):
            for number in range(60):
                recent.push(np.full((48, 64), number, np.uint8))
                assert len(recent) == min(number + 1, 10)
            recent.clear()

    def test_are_two_at_least(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tuning, "MAX_PICTURE_BYTES", 1)
        recent = RecentPictures(SIZE, 50)
        for picture in numbered(9):
            recent.push(picture)
        assert len(recent) == 2

    def test_are_made_in_the_same_memory_again(self) -> None:
        """What is allocated for the ring, spare pictures among it, does not grow, however often a shot begins."""
        recent, pictures = RecentPictures(SIZE, 20), [np.full((180, 320), number, np.uint8) for number in range(60)]

        def shots(count: int) -> None:
            for length in (15, 60, 3, 25) * count:
                for picture in pictures[:length]:
                    recent.push(picture)
                recent.clear()

        tracemalloc.start()
        shots(1)
        once, _ = tracemalloc.get_traced_memory()
        shots(10)
        often, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert once > 20 * 320 * 180
        assert often < 1.2 * once

    @pytest.mark.parametrize(("width", "height"), [(640, 360), (960, 540), (960, 960), (960, 8)])
    def test_of_a_large_video_fit_the_memory(self, width: int, height: int) -> None:
        picture = np.zeros((height, width), np.uint8)
        recent = RecentPictures(np.array([1920.0, 1080]), 121)
        tracemalloc.start()
        for _ in range(130):
            recent.push(picture)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(recent) * picture.size <= tuning.MAX_PICTURE_BYTES
        assert len(recent) == min(121, tuning.MAX_PICTURE_BYTES // picture.size)
        assert peak < 1.5 * tuning.MAX_PICTURE_BYTES


class TestFinding:
    def test_a_patch_is_taken_and_found_in_pixels_of_the_video(self) -> None:
        """The picture is a fourth of the video's width and half its height."""
        ways = [lambda _: (150.0, 90.0, 40.0), lambda _: (156.0, 86.0, 40.0)]
        recent = RecentPictures(SIZE * [4, 2], 5)
        for way in ways:
            recent.push(film([Person(1, way)], 1)[0])
        scale = np.array([4, 2, 4, 2.0])
        patch = recent.patch(BOX * scale, back=1)
        ((x, y, width, height, score),) = recent.find([patch], (BOX * scale)[None])
        assert (x, y) == pytest.approx((4 * 156, 2 * 86), abs=2)
        assert (width, height) == pytest.approx((160, 80), rel=0.05)
        assert score > 0.9

    def test_several_are_found_at_once_each_in_any_of_the_pictures(self) -> None:
        people = [Person(n, lambda frame, n=n: (60 + 90 * n + 4 * frame, 90, 40)) for n in range(3)]  # type: ignore[misc]
        recent = RecentPictures(SIZE, 9)
        for picture in film(people, 9):
            recent.push(picture)
        boxes = np.array([[60.0 + 90 * n, 90, 40, 40] for n in range(3)])
        patches = [recent.patch(box, back=8) for box in boxes]
        for back in range(9):
            guess = np.add(boxes, [4 * (8 - back) + 3, -2, 0, 0])
            found = recent.find(patches, guess, back)
            assert found.shape == (3, 5)
            np.testing.assert_allclose(found[:, :2] - boxes[:, :2], [[4 * (8 - back), 0]] * 3, atol=0.7)

    def test_another_face_is_not_found(self) -> None:
        recent = RecentPictures(SIZE, 2)
        for who in (1, 8):
            recent.push(film([Person(who, lambda _: (150.0, 90.0, 40.0))], 1)[0])
        patch = recent.patch(BOX, back=1)
        assert recent.find([patch], BOX[None])[0, 4] < 0.6
        assert recent.find([patch], BOX[None], back=1)[0, 4] == pytest.approx(1, abs=1e-3)

    @pytest.mark.parametrize(
        ("moved", "fits"), [(0.0, True), (tuning.COMPARE_RADIUS - 1.0, True), (RADIUS - 1.0, False)]
    )
    def test_a_box_is_compared_give_or_take_a_little(self, moved: float, fits: bool) -> None:
        recent = RecentPictures(SIZE, 2)
        recent.push(film([Person(1, lambda _: (150.0, 90.0, 40.0))], 1)[0])
        patch, guess = recent.patch(BOX), np.add(BOX, [moved * 40 / SIDE, 0, 0, 0])
        ((x, y, width, height, score),) = recent.compare([patch], guess[None])
        assert (width, height) == (40, 40)
        assert abs(x - guess[0]) <= tuning.COMPARE_RADIUS * 40 / SIDE
        assert (score > 0.95) == fits
        if fits:
            assert (x, y) == pytest.approx((150, 90), abs=0.5)
        assert recent.find([patch], guess[None])[0, 4] > 0.95

    def test_faces_outside_the_picture_do_no_harm(self) -> None:
        recent = RecentPictures(SIZE, 2)
        recent.push(wall())
        boxes = np.array([[-500.0, 90, 40, 40], [150, 1e6, 40, 40], [320, 180, 1e5, 1e5], [10, 10, 1e-3, 1e-3]])
        found = recent.find([recent.patch(box) for box in boxes], boxes)
        assert np.isfinite(found).all()
        assert (found[:, 2:4] > 0).all()


class TestLikeness:
    a, b = (lumas.texture(seed, SIDE, SIDE, lumas.KNOTS) for seed in (1, 8))

    def test_of_a_face_to_itself_is_one_whatever_the_light(self) -> None:
        assert ncc(self.a, self.a) == pytest.approx(1, abs=1e-4)
        assert ncc(self.a, self.a // 2 + 60) > 0.99
        assert ncc(self.a, 255 - self.a) < 0.5

    def test_is_never_more_than_one(self) -> None:
        """Else who looks just as before costs less than nothing to go on with, and what drifted is not forgotten."""
        for seed in range(100):
            texture = lumas.texture(seed, SIDE, SIDE, lumas.KNOTS)
            assert ncc(texture, texture) <= 1

    @pytest.mark.parametrize(
        "shift", [(0, tuning.NCC_SHIFT), (tuning.NCC_SHIFT, 0), (-tuning.NCC_SHIFT, tuning.NCC_SHIFT)]
    )
    def test_does_not_mind_a_small_shift(self, shift: tuple[int, int]) -> None:
        big = lumas.texture(3, 2 * SIDE, 2 * SIDE, 2 * lumas.KNOTS)
        dx, dy = shift
        here, there = big[8 : 8 + SIDE, 8 : 8 + SIDE], big[8 + dy : 8 + dy + SIDE, 8 + dx : 8 + dx + SIDE]
        assert ncc(here, there) == pytest.approx(1, abs=1e-4)

    def test_of_different_faces_is_low(self) -> None:
        assert ncc(self.a, self.b) < 0.4
        assert ncc(self.b, self.a) < 0.4

    def test_of_what_has_no_texture_is_undecided(self) -> None:
        flat = np.full((SIDE, SIDE), 90, np.uint8)
        assert ncc(flat, self.a) == ncc(self.a, flat) == ncc(flat, flat) == tuning.FLAT_NCC

    @pytest.mark.parametrize("seed", range(3))
    def test_is_a_correlation(self, seed: int) -> None:
        pair = np.random.default_rng(seed).integers(0, 256, (2, SIDE, SIDE), np.uint8)
        inner = pair[0, tuning.NCC_SHIFT : -tuning.NCC_SHIFT, tuning.NCC_SHIFT : -tuning.NCC_SHIFT].astype(float)
        n = len(inner)
        best = max(
            np.corrcoef(inner.ravel(), pair[1, dy : dy + n, dx : dx + n].astype(float).ravel())[0, 1]
            for dy in range(0, 2 * tuning.NCC_SHIFT + 1, tuning.NCC_SHIFT)
            for dx in range(0, 2 * tuning.NCC_SHIFT + 1, tuning.NCC_SHIFT)
        )
        assert ncc(*pair) == pytest.approx(best, abs=1e-4)

    def test_patches_are_searched_farther_than_they_may_be_shifted(self) -> None:
        assert 0 < tuning.NCC_SHIFT < RADIUS
