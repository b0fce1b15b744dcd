"""Photos with truth as material for scenes: whole, out of focus, and people cut out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import clips
from bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence

Pixels = NDArray[Any]
Boxes = NDArray[np.float64]

UNLABELLED: dict[str, list[tuple[int, int, int, int]]] = {
    "city": [(254, 136, 290, 172), (706, 138, 740, 172), (485, 106, 508, 140)],  # heads behind others, a poster
    "dlib_2007_007763": [(14, 250, 57, 304)],  # a framed photo of people
    "dlib_2008_002079": [(406, 74, 436, 102), (446, 64, 492, 92)],  # guests at the window, in the dark
    "dlib_2008_002470": [(290, 70, 328, 122)],  # a poster
    "dlib_2008_004176": [
        *[(432, 92, 480, 218), (448, 58, 480, 82), (16, 262, 76, 328)],  # postcards, posters
        *[(41, 0, 55, 11), (83, 0, 97, 12), (126, 0, 140, 14), (176, 0, 190, 15)],  # a row of cut-out singers,
        *[(205, 1, 220, 17), (241, 5, 256, 21), (281, 7, 295, 23), (319, 10, 333, 26)],  # whole heads
    ],
    "dlib_2008_007676": [(404, 102, 478, 152)],  # people in the dark
    "vgroup1": [
        *[(745, 425, 822, 482), (892, 400, 968, 470)],  # guests behind the group, from behind
        *[(436, 370, 500, 432), (1600, 450, 1700, 600)],  # more of them
        (410, 405, 446, 460),  # a man behind a woman's hair
    ],
    "vgroup2": [(45, 265, 175, 390)],  # a woman looking down, out of focus
    "vgroup4": [(1395, 285, 1505, 385)],  # a man's reflection
}
"""Heads, and pictures of heads, that a photo's truth leaves out: to find them is neither right nor wrong."""

HEAD_WIDTHS, HEAD_ABOVE, HEAD_BELOW = 1.6, 1.15, 2.2
"""What is cut out around a face's middle: so many widths to either side, so many heights above and below."""
CUT_WIDTH = 260
"""Width in pixels of the picture that people are told apart from their background in; more is only slower."""
CUT_ROUNDS = 5
FADING = 0.12
"""Part of a cut-out's height and width over which it fades where the crop ends and the person does not."""


@dataclass(frozen=True)
class Picture:
    """Something that stands or moves in a scene, and the faces in it.

    Attributes
    ----------
    pixels : (height, width, 3 or 4) uint8
        BGR, or BGRA with the colours already multiplied by alpha.
    boxes : (n, 4) float64
        The faces, x1, y1, x2, y2 in pixels of this picture.
    required : (n,) bool
        Whether they must be found.
    margin : float
        How much has been added at each side, as a part of the size before.
    """

    pixels: Pixels
    boxes: Boxes
    required: NDArray[np.bool_]
    margin: float = 0.0

    @cached_property
    def levels(self) -> list[Pixels]:
        """The pixels at 1, 1/2, 1/4, ... of their size."""
        levels = [self.pixels]
        while min(levels[-1].shape[:2]) > 8:
            height, width = levels[-1].shape[:2]
            levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
        return levels

    @property
    def width(self) -> float:
        """Width without what has been added."""
        return float(self.pixels.shape[1] / (1 + 2 * self.margin))

    @property
    def size(self) -> NDArray[np.float64]:
        """Width and height."""
        return np.array(self.pixels.shape[1::-1], np.float64)

    def mirrored(self) -> Picture:
        """Return the same, left and right exchanged."""
        flipped = self.boxes.copy()
        flipped[:, [0, 2]] = self.pixels.shape[1] - self.boxes[:, [2, 0]]
        return replace(self, pixels=np.ascontiguousarray(self.pixels[:, ::-1]), boxes=flipped)

    def surrounded(self, share: float) -> Picture:
        """Return the same, its blurred mirror image around it: `share` of its size more at each side."""
        x, y = np.round(self.size * share).astype(int).tolist()
        wide = cv2.copyMakeBorder(self.pixels, y, y, x, x, cv2.BORDER_REFLECT)
        small = cv2.resize(wide, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        sigma = 1.2 * float((self.boxes[:, 2] - self.boxes[:, 0]).max()) / 8
        blurred = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma), wide.shape[1::-1])
        height, width = self.pixels.shape[:2]
        blurred[y : y + height, x : x + width] = self.pixels
        return Picture(blurred, self.boxes + np.array([x, y, x, y]), self.required, share)


@cache
def photo(name: str) -> Picture:
    """Return a photo with its faces, those that its truth leaves out included, which need not be found.

    Raises
    ------
    MaterialMissingError
    """
    pixels, truth = _read(name)
    more = np.array(UNLABELLED.get(name, []), np.float64).reshape(-1, 4)
    required = np.concatenate([truth.required, np.zeros(len(more), np.bool_)])
    return Picture(pixels, np.concatenate([truth.boxes, more]), required)


@cache
def background(name: str, place: tuple[int, int, int, int]) -> Picture:
    """Return a part of a photo, x1, y1, x2, y2, a little out of focus, in which there is no face.

    Raises
    ------
    MaterialMissingError
    """
    x1, y1, x2, y2 = place
    part = np.ascontiguousarray(_read(name)[0][y1:y2, x1:x2])
    return _without_faces(cv2.GaussianBlur(part, (0, 0), part.shape[1] / 500))


@cache
def person(name: str, who: int) -> Picture:
    """Return one of a photo's people, head and shoulders, cut out along their outline.

    Raises
    ------
    MaterialMissingError
    """
    pixels, truth = _read(name)
    face = truth.boxes[truth.people == who][0]
    others = truth.boxes[truth.people != who]
    middle, size = (face[:2] + face[2:]) / 2, face[2:] - face[:2]
    first = np.maximum(middle - size * [HEAD_WIDTHS, HEAD_ABOVE], 0).astype(int)
    last = np.minimum(middle + size * [HEAD_WIDTHS, HEAD_BELOW], pixels.shape[1::-1]).astype(int)
    crop = pixels[first[1] : last[1], first[0] : last[0]]
    shift = np.tile(first, 2)
    alpha = _outline(crop, face - shift, others - shift)
    alpha *= _fading(alpha.shape)
    cut = np.dstack([np.round(crop * alpha[:, :, None]), np.round(255 * alpha)]).astype(np.uint8)
    return Picture(cut, (face - shift)[None], np.ones(1, np.bool_))


def pole(width: int, height: int, brightness: float) -> Picture:
    """Return an upright pole, rounded by its shading."""
    across = np.linspace(-1, 1, width)
    shade = brightness * (0.35 + 0.65 * np.sqrt(1 - 0.9 * across**2))
    colour = shade[None, :, None] * np.array([0.9, 0.95, 1.0]) * 255
    alpha = np.clip((1 - np.abs(across)) * width / 4, 0, 1)[None, :, None]
    layers = np.concatenate([colour * alpha, 255 * alpha], axis=2)
    return _without_faces(np.repeat(layers, height, axis=0))


def blob(size: int, brightness: float, opacity: float, softness: float) -> Picture:
    """Return a gray ball that lets some of what is behind it through: a microphone's head, a shadow."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    alpha = opacity * np.clip((1 - np.hypot(x, y)) / softness, 0, 1)
    shade = 255 * brightness * (0.55 + 0.45 * np.clip(1 - np.hypot(x + 0.3, y + 0.4), 0, 1))
    return _without_faces(np.dstack([alpha * shade] * 3 + [255 * alpha]))


def hand(size: int) -> Picture:
    """Return the back of a hand with its fingers upwards."""
    canvas = np.zeros((4 * size, 4 * size, 4), np.uint8)
    unit = 4 * size / 100
    fingers = [((22, 48), (7, 20), -14), ((40, 30), (7, 27), -4), ((57, 30), (7, 27), 3), ((73, 38), (6.5, 22), 10)]
    shapes = [((48, 68), (29, 28), 0), *fingers, ((84, 62), (7, 22), 38)]
    for number, (middle, half, turn) in enumerate(shapes):
        for part in (1.0, 0.85, 0.6):  # lighter towards the middle
            colour = (np.array([120, 145, 205]) * (1.12 - 0.3 * part - 0.02 * number)).tolist()
            centre, axes = ((int(length * unit) for length in lengths) for lengths in (middle, np.multiply(half, part)))
            cv2.ellipse(canvas, tuple(centre), tuple(axes), turn, 0, 360, (*colour, 255), -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(canvas, (0, 0), unit)
    return _without_faces(cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA))


def _fading(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return what makes a cut-out fade where the crop ends and the person does not: left, right and below."""
    height, width = shape
    down = np.clip((height - np.arange(height)) / (FADING * height), 0, 1)
    across = np.arange(width) + 0.5
    across = np.clip(np.minimum(across, width - across) / (FADING * width / 2), 0, 1)
    return np.outer(down, across)


def _without_faces(layers: NDArray[Any]) -> Picture:
    return Picture(np.round(layers).astype(np.uint8), np.empty((0, 4)), np.empty(0, np.bool_))


@cache
def _read(name: str) -> tuple[Pixels, Truth]:
    path = clips.media() / "photos" / f"{name}.jpg"
    pixels = cv2.imread(str(path))
    if pixels is None:
        raise clips.MaterialMissingError(f"{path} is missing")
    return pixels, Truth.read(path.with_suffix(".csv"))


def _outline(crop: Pixels, face: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return how much of each pixel of a crop belongs to the one with this face, 0 to 1, soft at the edge.

    GrabCut (Rother et al., 2004), told that the face is the person, that the other faces are not, and where the
    shoulders are likely to be.
    """
    scale = min(1.0, CUT_WIDTH / crop.shape[1])
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = np.mgrid[: small.shape[0], : small.shape[1]]
    (x, y), (width, height) = (face[:2] + face[2:]) / 2 * scale, (face[2:] - face[:2]) * scale

    def ellipse(box: Sequence[float] | Boxes, factor: tuple[float, float]) -> NDArray[np.bool_]:
        x1, y1, x2, y2 = np.asarray(box) * scale
        across = (columns - (x1 + x2) / 2) / (factor[0] * (x2 - x1))
        down = (rows - (y1 + y2) / 2) / (factor[1] * (y2 - y1))
        inside: NDArray[np.bool_] = across**2 + down**2 < 1
        return inside

    below, aside = (rows - y) / height, np.abs(columns - x) / width
    mask = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    mask[ellipse(face, (1, 1)) | ((below > 0.45) & (aside < 1.5))] = cv2.GC_PR_BGD
    shoulders = (below > 0.5) & (aside < np.clip(0.5 + 0.55 * (below - 0.5), 0, 1.45))
    mask[ellipse(face, (0.75, 0.8)) | shoulders] = cv2.GC_PR_FGD
    inner = ellipse(face, (0.5, 0.55))
    mask[inner | ((below > 0) & (aside < 0.25))] = cv2.GC_FGD
    for other in others:
        mask[ellipse(other, (0.7, 0.75)) & ~inner] = cv2.GC_BGD
    cv2.setRNGSeed(1)
    colours = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, mask, (0, 0, 0, 0), *colours, CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    whole: Pixels = np.isin(mask, [cv2.GC_FGD, cv2.GC_PR_FGD]).astype(np.uint8)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, parts = cv2.connectedComponents(whole)
    own = (parts == parts[int(y), int(x)]).astype(np.float32)
    own = cv2.GaussianBlur(cv2.erode(own, np.ones((3, 3), np.uint8)), (0, 0), 1.5)
    return np.clip(cv2.resize(own, crop.shape[1::-1]), 0, 1).astype(np.float64)
