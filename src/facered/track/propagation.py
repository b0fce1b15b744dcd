"""Following a face by its patch of luma, forwards and backwards, where it is not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import containment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.track.appearance import RecentPictures
    from facered.track.boxes import Boxes
    from facered.track.tracklet import Tracklet

NO_BOXES = np.empty((0, 4))
NO_JUMP = np.zeros(2)


def followed_boxes(
    pictures: RecentPictures, places: Boxes, tracklets: Sequence[Tracklet], others: Boxes, back: int = 0
) -> tuple[NDArray[np.intp], Boxes]:
    """Return which faces are where their patches were found, as far as that is believable, and their boxes.

    Errors of following from frame to frame add up. So what is there must still be a little like the nearest detection,
    the anchor, and like the best one; and the box must be of about the size that the face was detected with. Where the
    anchor itself is found well, its place is taken, which has no such errors.

    Parameters
    ----------
    pictures : RecentPictures
    places : (n, 5) float64
        Box and NCC of each, as `RecentPictures.find` returns them.
    tracklets : sequence of n Tracklet
    others : (m, 4) float64
        Other faces, which they must not be followed onto.
    back : int
        How many frames before the last picture; more than 0 where they are followed backwards.

    Returns
    -------
    (k,) intp
        Their numbers, ascending.
    (k, 4) float64
    """
    sizes = np.array([_detected_size(tracklet, back) for tracklet in tracklets])
    ratio = np.sqrt(places[:, 2] * places[:, 3]) / sizes
    believable = (places[:, 4] >= tuning.MIN_NCC_RECENT) & (ratio < tuning.MAX_SCALE_CHANGE)
    believable &= ratio > 1 / tuning.MAX_SCALE_CHANGE
    believable &= (places[:, :2] > 0).all(axis=1) & (places[:, :2] < pictures.size).all(axis=1)
    believable[believable] = [
        not len(others) or containment(place, others).max() <= tuning.MAX_CONTAINMENT
        for place in places[believable, :4]
    ]
    rows = np.flatnonzero(believable)
    found = places[rows, :4]
    if len(rows):
        patches = []
        for row in rows.tolist():
            tracklet = tracklets[row]
            patches += [tracklet.first_patch if back else tracklet.anchor, tracklet.best_patch]
        compared = pictures.compare(patches, np.repeat(found, 2, axis=0), back)
        anchored, best = compared[::2], compared[1::2]
        found = np.where(anchored[:, 4:] >= tuning.MIN_NCC_RECENT, anchored[:, :4], found)
        alike = (anchored[:, 4] >= tuning.MIN_NCC_ANCHOR) & (best[:, 4] >= tuning.MIN_NCC_BEST)
        rows, found = rows[alike], found[alike]
    return rows, found


def _detected_size(tracklet: Tracklet, back: int) -> float:
    """Return the mean side, in pixels, of the box of the nearest detection, the first one backwards."""
    box = tracklet.boxes[0]
    return float(np.sqrt(box[2] * box[3])) if back else tracklet.size


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
    for back in range(elapsed + 1, min(elapsed + most + 1, len(pictures))):
        if pictures.repeats(back - 1):
            tracklet.backward_boxes.append(box)
            continue
        guess, jump = box.copy(), pictures.jump(back - 1)
        jump = NO_JUMP if jump is None else jump
        guess[:2] += step - jump
        place = pictures.find([patch], guess[None], back)
        there = [other.box_at(frame - back) for other in others]
        near = np.array([measured for measured in there if measured is not None]).reshape(-1, 4)
        _, found = followed_boxes(pictures, place, [tracklet], near, back)
        if not len(found):
            break
        before = found[0]
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
