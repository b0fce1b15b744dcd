"""Following a face by its patch of luma, forwards and backwards, where it is not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import containment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.track.appearance import RecentPictures
    from facered.track.boxes import Boxes
    from facered.track.tracklet import Tracklet

NO_BOXES = np.empty((0, 4))
NO_JUMP = np.zeros(2)


def followed_box(
    pictures: RecentPictures, place: Boxes, tracklet: Tracklet, size: float, others: Boxes, back: int = 0
) -> Boxes | None:
    """Return the box of a face whose patch was found at a place, or None if that is not believable.

    Errors of following from frame to frame add up. So what is there must still be a little like the nearest detection,
    the anchor, and like the best one; and the box must be of about the size that the face was detected with. Where the
    anchor itself is found well, its place is taken, which has no such errors.

    Parameters
    ----------
    pictures : RecentPictures
    place : (5,) float64
        Box and NCC, as `RecentPictures.find` returns them.
    tracklet : Tracklet
    size : float
        Mean side, in pixels, of the nearest detection's box.
    others : (n, 4) float64
        Other faces, which it must not be followed onto.
    back : int
        How many frames before the last picture; more than 0 where it is followed backwards.
    """
    if place[4] < tuning.MIN_NCC_RECENT or not is_inside(place, pictures.size):
        return None
    if len(others) and containment(place[:4], others).max() > tuning.MAX_CONTAINMENT:
        return None
    ratio = float(np.sqrt(place[2] * place[3])) / size
    if not 1 / tuning.MAX_SCALE_CHANGE < ratio < tuning.MAX_SCALE_CHANGE:
        return None
    twice = np.repeat(place[None, :4], 2, axis=0)
    anchor = tracklet.first_patch if back else tracklet.anchor
    anchored, best = pictures.compare([anchor, tracklet.best_patch], twice, back)
    if anchored[4] < tuning.MIN_NCC_ANCHOR or best[4] < tuning.MIN_NCC_BEST:
        return None
    box: Boxes = (anchored if anchored[4] >= tuning.MIN_NCC_RECENT else place)[:4].copy()
    return box


def follow_backwards(
    pictures: RecentPictures, tracklet: Tracklet, frame: int, most: int, others: list[Tracklet]
) -> None:
    """Follow a face back from its first measurement: fill `Tracklet.backward_boxes`.

    Parameters
    ----------
    pictures : RecentPictures
        The last of them is that of `frame`.
    tracklet : Tracklet
    frame : int
    most : int
        Most frames that it is followed.
    others : list of Tracklet
        Confirmed faces, which it must not be followed onto.
    """
    box, patch, step = tracklet.boxes[0], tracklet.first_patch, np.zeros(2)
    elapsed = frame - tracklet.frames[0]
    size = float(np.sqrt(box[2] * box[3]))
    for back in range(elapsed + 1, min(elapsed + most + 1, len(pictures))):
        if pictures.repeats(back - 1):
            tracklet.backward_boxes.append(box)
            continue
        guess, jump = box.copy(), pictures.jump(back - 1)
        jump = NO_JUMP if jump is None else jump
        guess[:2] += step - jump
        place = pictures.find([patch], guess[None], back)[0]
        there = [other.box_at(frame - back) for other in others]
        near = np.array([measured for measured in there if measured is not None]).reshape(-1, 4)
        before = followed_box(pictures, place, tracklet, size, near, back)
        if before is None:
            break
        step = 0.5 * (step + before[:2] + jump - box[:2])
        box = before
        patch = pictures.patch(box, back)
        tracklet.backward_boxes.append(box)


def carry_forward(pictures: RecentPictures, boxes: Boxes, rows: list[int], age: int) -> None:
    """Move some boxes that were detected `age` frames ago, in place, to where their patches are found since."""
    if not rows:
        return
    patches = [pictures.patch(boxes[row], age) for row in rows]
    for back in range(age - 1, -1, -1):
        if pictures.repeats(back):
            continue
        jump = pictures.jump(back)
        if jump is not None:
            boxes[rows, :2] += jump
        places = pictures.find(patches, boxes[rows], back)
        for number, (row, place) in enumerate(zip(rows, places, strict=True)):
            if place[4] >= tuning.MIN_NCC_RECENT and is_inside(place, pictures.size):
                boxes[row] = place[:4]
                patches[number] = pictures.patch(place[:4], back)


def is_inside(box: Boxes, size: NDArray[np.float64]) -> bool:
    """Tell whether a box's centre lies inside a picture of a size, (2,)."""
    return bool((box[:2] > 0).all() and (box[:2] < size).all())
