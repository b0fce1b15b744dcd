"""What faces that move alike say of the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import tuning
from facered.track.camera import STILL, Motion, common_motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[np.float64]

SWUNG = Motion(1.05 * np.exp(0.03j), 30 - 12j)


def crowd(count: int, seed: int = 3) -> Boxes:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(0, 1000, (count, 2)), rng.uniform(20, 60, (count, 2))], axis=1)


def moved(boxes: Boxes, motion: Motion) -> Boxes:
    return boxes + np.array([motion.velocity(box) for box in boxes])


def close(found: Motion, motion: Motion) -> bool:
    return abs(found.rotation - motion.rotation) < 1e-6 and abs(found.shift - motion.shift) < 1e-3


@pytest.mark.parametrize("count", [tuning.MIN_AGREEING_FACES, 12, 64])
def test_turn_zoom_and_shift_are_found(count: int) -> None:
    boxes = crowd(count)
    assert close(common_motion(boxes, moved(boxes, SWUNG)), SWUNG)


def test_a_few_who_walk_on_their_own_do_not_matter() -> None:
    boxes = crowd(20)
    after = moved(boxes, SWUNG)
    after[:5, 0] += [90, -40, 70, -60, 35]
    assert close(common_motion(boxes, after), SWUNG)


def test_a_few_alone_say_nothing() -> None:
    boxes = crowd(tuning.MIN_AGREEING_FACES - 1)
    assert common_motion(boxes, moved(boxes, SWUNG)) is STILL


def test_a_few_who_agree_say_nothing_even_among_more() -> None:
    boxes = crowd(tuning.MIN_AGREEING_FACES)
    after = moved(boxes, SWUNG)
    after[0, :2] += 300
    assert common_motion(boxes, after) is STILL


def test_many_who_walk_on_their_own_say_nothing() -> None:
    boxes = crowd(20)
    after = moved(boxes, SWUNG)
    own = round((1 - tuning.MIN_AGREEING_FRACTION) * 20) + 2
    after[:own, :2] += np.random.default_rng(5).uniform(40, 90, (own, 2))
    assert common_motion(boxes, after) is STILL


def test_no_camera_zooms_so_fast() -> None:
    boxes = crowd(10)
    assert common_motion(boxes, moved(boxes, Motion(1.1 * tuning.MAX_ZOOM))) is STILL


def test_faces_in_one_place_are_only_shifted() -> None:
    boxes = np.repeat(crowd(1), tuning.MIN_AGREEING_FACES, axis=0)
    assert close(common_motion(boxes, boxes + np.array([7, -4, 0, 0])), Motion(1.0, 7 - 4j))
