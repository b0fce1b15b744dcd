"""Following a face by its patch of luma, forwards and backwards, where it is not detected, and at last by its head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import tuning
from facered.track.boxes import containment, union

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


def widen_faint_beginning(pictures: RecentPictures, tracklet: Tracklet) -> None:
    """Have the first boxes of a face that was seen faintly hold where it was, by where it is clearly seen.

    Faint detections lie beside the face, and so does what is followed from them. The face is followed back from its
    detection in this frame, and the boxes of the frames before are enlarged to hold what is found.

    Parameters
    ----------
    pictures : RecentPictures
        The last of them is that of the frame in which it was measured last.
    tracklet : Tracklet
        Left as it is unless it was faint at first, is clearly detected now, and was measured in all frames between.
    """
    begin, end = tracklet.frames[0], tracklet.frames[-1]
    gapless = end - begin == len(tracklet.frames) - 1 and tracklet.last_detected == end
    if not gapless or not tracklet.scores[0] < tuning.KNOWN_SCORE <= tracklet.scores[-1]:
        return
    box, patch = tracklet.boxes[-1], tracklet.recent
    for back in range(1, min(len(tracklet.boxes), len(pictures))):
        place = pictures.find([patch], box[None], back)[0]
        grown = np.sqrt(place[2] * place[3]) / tracklet.size
        if place[4] < tuning.MIN_NCC_RECENT or not 1 / tuning.MAX_SCALE_CHANGE < grown < tuning.MAX_SCALE_CHANGE:
            break
        box = place[:4]
        patch = pictures.patch(box, back)
        index = len(tracklet.boxes) - 1 - back
        tracklet.boxes[index] = union(tracklet.boxes[index][None], box[None])[0]


def follow_heads(pictures: RecentPictures, tracklets: Sequence[Tracklet], frame: int) -> None:
    """Follow the heads of confirmed faces that were not measured in a frame: add to `Tracklet.head_boxes`.

    Who bows or turns away still has head and shoulders where the face was, although its features are gone.

    Parameters
    ----------
    pictures : RecentPictures
        The last but one of them is that of the frame.
    tracklets : sequence of Tracklet
    frame : int
    """
    for tracklet in tracklets:
        if not tracklet.confirmed or tracklet.frames[-1] >= frame:
            continue
        box = tracklet.boxes[-1] if tracklet.frames[-1] == frame - 1 else tracklet.head_boxes.get(frame - 1)
        if box is None:
            continue
        if pictures.repeats(1):
            tracklet.head_boxes[frame] = box
            continue
        there = [other.box_at(frame) for other in tracklets if other is not tracklet and other.confirmed]
        near = np.array([measured for measured in there if measured is not None]).reshape(-1, 4)
        followed = _followed_head(pictures, tracklet, box, frame, near)
        if followed is not None:
            tracklet.head_boxes[frame] = followed


def _followed_head(pictures: RecentPictures, tracklet: Tracklet, box: Boxes, frame: int, others: Boxes) -> Boxes | None:
    """Return the box of a face whose head is found again that was about a box in the frame before, else None."""
    age = frame + 1 - tracklet.last_detected
    detected = tracklet.box_at(tracklet.last_detected)
    if age >= len(pictures) or detected is None:
        return None
    before, jump = head(box), pictures.jump(1)
    guess = before if jump is None else before + np.append(jump, [0, 0])
    place = pictures.find([pictures.patch(before, 2)], guess[None], 1)[0]
    if place[4] < tuning.MIN_NCC_HEAD:
        return None
    followed = box.copy()  # of the same size: heads that are followed for so short do not come near
    followed[:2] += place[:2] - before[:2]
    if (np.abs(followed[:2] - pictures.size / 2) > (pictures.size - followed[2:]) / 2).any():
        return None  # who leaves the picture is not seen whole
    if len(others) and containment(followed, others).max() > tuning.MAX_CONTAINMENT:
        return None
    about = pictures.compare([pictures.patch(head(detected), age)], head(followed)[None], 1)[0]
    face = pictures.compare([tracklet.anchor], followed[None], 1)[0]
    alike = about[4] >= tuning.MIN_NCC_HEAD_ANCHOR and face[4] >= tuning.MIN_NCC_TURNED
    return followed if alike else None


def head(box: Boxes) -> Boxes:
    """Return the (4,) box of head and shoulders about a face's."""
    corners = np.array(tuning.SHOULDERS_EXTENT).reshape(2, 2)
    return np.concatenate([box[:2] + corners.mean(axis=0) * box[2:], (corners[1] - corners[0]) * box[2:]])


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
