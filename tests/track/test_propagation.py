"""Following a face by its patch: what is believed, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track.appearance import RecentPictures
from facered.track.propagation import carry_forward, followed_boxes
from facered.track.tracklet import Tracklet
from lumas import Person, film
from tracklets import box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.track.appearance import Patch
    from lumas import Place

    Boxes = NDArray[np.float64]

ADA = 1
NOBODY = np.empty((0, 4))
THERE = (150.0, 90.0, 40.0)


def seen(*places: Place) -> RecentPictures:
    """Return pictures of somebody who is in one place after the other."""
    pictures = RecentPictures(np.array([320.0, 180.0]), 10)
    for luma in film([Person(ADA, lambda frame: places[frame])], len(places)):
        pictures.push(luma)
    return pictures


def detected(*patches: Patch) -> Tracklet:
    """Return a track that was detected with these looks, the best first."""
    made = Tracklet(0, patches[0], 0)
    for frame, patch in enumerate(patches):
        made.detect(frame, box(THERE), 0.9 - 0.1 * frame, patch)
    return made


def followed(
    place: Place, looks: Sequence[Patch] = (), others: Boxes = NOBODY, size: float = 40.0, where: Place = THERE
) -> Boxes | None:
    """Return what is believed of a patch found well at a place, while the face is `where`."""
    pictures = seen(where)
    tracklet = detected(*(looks or [pictures.patch(box(where))]))
    tracklet.size = size
    rows, boxes = followed_boxes(pictures, np.append(box(place), 0.9)[None], [tracklet], others)
    assert len(rows) == len(boxes) <= 1
    return boxes[0] if len(boxes) else None


def test_a_face_is_followed_to_where_it_is_found() -> None:
    assert followed(THERE) == pytest.approx(box(THERE), abs=1)


def test_where_the_last_detection_is_found_its_place_is_taken() -> None:
    found = followed((153.0, 90.0, 40.0))
    assert found is not None
    assert found[0] == pytest.approx(150, abs=1)


@pytest.mark.parametrize(("beside", "believed"), [(0.0, False), (20.0, False), (60.0, True)])
def test_no_face_is_followed_onto_another(beside: float, believed: bool) -> None:
    other = box((150 + beside, 90, 40))[None]
    assert (followed(THERE, others=other) is not None) is believed


@pytest.mark.parametrize(("size", "believed"), [(52.0, True), (72.0, False), (24.0, False)])
def test_a_face_does_not_become_much_larger_or_smaller_undetected(size: float, believed: bool) -> None:
    place = (150.0, 90.0, size)
    assert (followed(place, where=place) is not None) is believed


def test_what_is_unlike_the_last_detection_is_not_followed() -> None:
    right = seen(THERE).patch(box(THERE))
    assert followed(THERE, [right, 255 - right]) is None


def test_what_is_quite_unlike_the_best_detection_is_not_followed() -> None:
    right = seen(THERE).patch(box(THERE))
    assert followed(THERE, [255 - right, right]) is None
    assert followed(THERE, [right, right]) is not None


def test_nobody_is_followed_out_of_the_picture() -> None:
    edge = (330.0, 90.0, 40.0)
    assert followed(edge, where=edge) is None


def test_late_boxes_are_carried_to_where_the_face_has_gone() -> None:
    ways = [(100.0 + 5 * frame, 90.0, 40.0) for frame in range(4)]
    boxes = np.array([box(ways[0]), box(ways[0])])
    carry_forward(seen(*ways), boxes, [1], 3)
    assert boxes[0] == pytest.approx(box(ways[0]))
    assert boxes[1] == pytest.approx(box(ways[3]), abs=2)
