"""Where pictures change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facered.track.changes import Changes
from facered.track.window import about
from lumas import Person, film, wall

SIZE = np.array([640.0, 360.0])
"""Boxes are measured in pixels twice as fine as the pictures, 320 by 180."""
NOBODY = np.empty((0, 4))


def face(x: float, y: float, size: float) -> NDArray[np.float64]:
    """Return the box of a face given in samples of the pictures."""
    return np.array([[2 * x, 2 * y, 2 * size, 2 * size]])


def compared(before: NDArray[np.uint8], here: NDArray[np.uint8]) -> Changes:
    changes = Changes(SIZE)
    changes.push(before)
    changes.set_reference()
    changes.push(here)
    return changes


def holds(region: NDArray[np.float64], x: float, y: float, size: float) -> bool:
    low, high = region[:2] - region[2:] / 2, region[:2] + region[2:] / 2
    return bool((low <= 2 * np.array([x, y]) - size).all() and (high >= 2 * np.array([x, y]) + size).all())


def test_as_long_as_nothing_was_looked_at_everything_is_new() -> None:
    changes = Changes(SIZE)
    changes.push(wall())
    assert changes.elsewhere(NOBODY) is not None
    assert changes.region(NOBODY, NOBODY) is None


def test_noise_is_no_change() -> None:
    noise = np.random.default_rng(5).normal(0, 4, wall().shape)
    changes = compared(wall(), np.clip(wall() + noise, 0, 255).astype(np.uint8))
    assert changes.elsewhere(NOBODY) is None
    region = changes.region(NOBODY, NOBODY)
    assert region is not None
    assert (region[2:] == 0).all()


@pytest.mark.parametrize(("x", "y"), [(15, 12), (160, 90), (306, 170)])
def test_whoever_comes_is_a_change_and_inside_the_window(x: float, y: float) -> None:
    changes = compared(wall(), film([Person(3, lambda _: (x, y, 14))], 1)[0])
    for part in (changes.elsewhere(NOBODY), changes.region(NOBODY, NOBODY)):
        assert part is not None
        within = about(part[None], NOBODY, SIZE).within
        assert within is not None
        assert holds(within, x, y, 14)
        assert np.prod(within[2:]) < 0.2 * np.prod(SIZE)


@pytest.mark.parametrize(("x", "y", "news"), [(160, 60, False), (150, 110, False), (60, 60, True), (160, 4, True)])
def test_what_moves_about_a_known_face_is_its_owner(x: float, y: float, news: bool) -> None:
    changes = compared(wall(), film([Person(3, lambda _: (x, y, 14))], 1)[0])
    assert (changes.elsewhere(face(160, 60, 40)) is not None) is news


def test_the_region_holds_the_faces_that_must_be_found_again_though_they_do_not_move() -> None:
    changes = compared(wall(), film([Person(3, lambda _: (60, 40, 14))], 1)[0])
    region = changes.region(face(200, 120, 10), NOBODY)
    assert region is not None
    assert holds(region, 60, 40, 14)
    assert holds(region, 200, 120, 10)


def test_what_has_not_been_looked_at_stays_new() -> None:
    both = [Person(3, lambda _: (60, 40, 14)), Person(4, lambda _: (250, 130, 14))]
    changes = compared(wall(), film(both, 1)[0])
    region = changes.region(NOBODY, face(250, 130, 14))
    assert region is not None
    assert holds(region, 60, 40, 14)
    assert not holds(region, 250, 130, 14)
    changes.set_reference(region)
    again = changes.region(NOBODY, NOBODY)
    assert again is not None
    assert holds(again, 250, 130, 14)
    assert not holds(again, 60, 40, 14)


def test_pictures_of_another_size_are_all_new() -> None:
    changes = compared(wall(), wall(180, 320))
    assert changes.elsewhere(NOBODY) is not None
