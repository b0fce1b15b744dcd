"""Scenarios of faces that a detector sees faintly all the time, and of films without any; `SCENARIOS` lists them.

A scenario's name seeds its random numbers: to rename one is to make another scene.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench import photos
from bench.compositor import Composition, Curve, Layer, Shot
from bench.photos import Picture
from bench.sources import Sources, background_layer, camera_layer, eased, framing, object_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.photos import Pixels

FRAMES = 125
SIZE, WIDE = (848, 480), (1280, 720)
MIN_TINY = 13.0
"""Least height in pixels of faces that must be found where they are tiny on purpose."""
WHITE, BLACK, BLUE = (238, 236, 232), (28, 26, 26), (196, 160, 120)
MASK = ((0.0, 0.46), (0.5, 0.40), (1.0, 0.46), (0.95, 0.78), (0.72, 1.02), (0.5, 1.07), (0.28, 1.02), (0.05, 0.78))
CAP = ((-0.1, 0.22), (0.5, 0.14), (1.1, 0.22), (1.08, -0.1), (0.8, -0.34), (0.5, -0.4), (0.2, -0.34), (-0.08, -0.1))
"""Outlines, in widths and heights of the face's box."""


def lying(sources: Sources) -> Composition:
    """Heads that lie: turned by 30 to 90 degrees, one of them turning over."""
    turns = (90.0, -60.0, eased(FRAMES, (0.1, 30), (0.5, 90), (0.9, 30)))
    layers = [
        object_layer(person, x + sources.smooth_noise(FRAMES, 15), y, height, roll + sources.smooth_noise(FRAMES, 4))
        for person, x, y, height, roll in zip(
            sources.people_cut_out(3), (150, 420, 690), (200, 290, 220), (60, 85, 50), turns, strict=True
        )
    ]
    return _film(sources, layers, noise=3)


def aside(sources: Sources) -> Composition:
    """Heads that look aside: narrow, one half in the dark; two turn to the camera for a moment."""
    layers = []
    for number, person in enumerate(sources.people_cut_out(4)):
        narrow = 0.6 if number < 2 else eased(FRAMES, (0.4, 0.6), (0.5, 0.85), (0.56, 0.85), (0.66, 0.6))
        x = 110 + 205 * number + sources.smooth_noise(FRAMES, 25)
        y = 220 + sources.smooth_noise(FRAMES, 15)
        height = sources.uniform(40, 80)
        layers.append(object_layer(_lit_aside(person, sources.sign()), x, y, height, stretch=(narrow, 1.0)))
    return _film(sources, layers)


def backlit(sources: Sources) -> Composition:
    """Dark faces before a light that is brighter than they are."""
    shades = (0.18, 0.24, 0.3)
    layers = [
        object_layer(_shaded(person, shade), x + sources.smooth_noise(FRAMES, 30), 230, sources.uniform(50, 90))
        for person, x, shade in zip(sources.people_cut_out(3), (160, 430, 690), shades, strict=True)
    ]
    return _film(sources, layers, noise=4)


def masked(sources: Sources) -> Composition:
    """Masks in white, blue and black, two of them under caps; the people walk on."""
    layers = []
    for number, person in enumerate(sources.people_cut_out(6)):
        worn = _worn(person, MASK, (WHITE, BLUE, BLACK)[number % 3])
        worn = _worn(worn, CAP, BLACK) if number in (2, 4) else worn
        x = 60 + 145 * number + sources.sign() * eased(FRAMES, (0, -50), (1, 50))
        y = 150 + 45 * (number % 3) + 2.5 * np.abs(np.sin(np.pi * np.arange(FRAMES) / 12 + number))
        layers.append(object_layer(worn, x, y, sources.uniform(26, 60), sources.smooth_noise(FRAMES, 5)))
    return _film(sources, layers, exposure=0.4)


def half(sources: Sources) -> Composition:
    """People who stay half behind a wall, a post or somebody else."""
    first, second, third, front = sources.people_cut_out(4)
    heights = [sources.uniform(55, 85) for _ in range(3)]
    sway = [sources.smooth_noise(FRAMES, 0.05 * height) for height in heights]
    pixels = sources.background().pixels
    wall = Picture(_opaque(pixels[:, : pixels.shape[0] // 2]), np.empty((0, 4)), np.empty(0, np.bool_))
    layers = [
        object_layer(first, 150 + sway[0], 200, heights[0]),
        object_layer(second, 420 + sway[1], 210, heights[1]),
        object_layer(third, 690 + sway[2], 230, heights[2]),
        object_layer(wall, 150, 200 + 160 + 0.08 * heights[0], 320),  # its upper edge just below the eyes
        object_layer(photos.pole(40, 600, 0.5), 420 + 0.37 * heights[1], 240, 600),
        object_layer(front, 690 + 0.62 * heights[2], 235 + sources.smooth_noise(FRAMES, 4), 1.05 * heights[2]),
    ]
    return _film(sources, layers)


def tiny(sources: Sources) -> Composition:
    """Faces of 13 to 20 pixels in glaring light, every other one masked."""
    layers = []
    for number, person in enumerate(sources.people_cut_out(10)):
        worn = _worn(person, MASK, WHITE) if number % 2 else person
        walk = sources.sign() * eased(FRAMES, (0, -35), (1, 35))
        x = 60 + 80 * number + walk
        y = sources.uniform(120, 360) + np.abs(np.sin(np.pi * np.arange(FRAMES) / 11 + number))
        layers.append(object_layer(worn, x, y, sources.uniform(14, 20)))
    return _film(sources, layers, light=1.25, min_height=MIN_TINY)


def bowed(sources: Sources) -> Composition:
    """Heads that bow: seen from above they are short, and lower; one stays bowed."""
    layers = []
    for number, person in enumerate(sources.people_cut_out(4)):
        begin = sources.uniform(0.12, 0.25)
        depth = eased(FRAMES, (begin, 0), (begin + 0.12, 1), (0.7, 1), (0.82, float(number == 3)))
        height = sources.uniform(40, 80)
        x = 110 + 205 * number + sources.smooth_noise(FRAMES, 8)
        y = 180 + 0.6 * height * depth + sources.smooth_noise(FRAMES, 6)
        layers.append(object_layer(_leaning(person), x, y, height, stretch=(1.0, 1 - 0.45 * depth)))
    return _film(sources, layers)


def repeated(sources: Sources) -> Composition:
    """A cheap camera by hand that repeats each picture three or four times and then jumps."""
    world = sources.group_photo()
    x, y, scale = framing(sources, world, WIDE, 90, FRAMES)
    times = int(sources.rng.integers(3, 5))
    aside, upwards = (_held(sources.smooth_noise(FRAMES, 90, 0.9) / scale, times) for _ in range(2))
    roll = _held(sources.smooth_noise(FRAMES, 5), times)
    camera = camera_layer(world, WIDE, _held(x, times) + aside, y + upwards, scale, roll)
    walk = _held(eased(FRAMES, (0, 100), (1, 1180)), times)
    passing = object_layer(sources.people_cut_out(1)[0], walk, 460, 170)
    return Composition(WIDE, [Shot(FRAMES, [camera, passing])])


def sudden(sources: Sources) -> Composition:
    """Large, blurred faces that are there from one frame to the next, from below and from the sides."""
    below, left, right = (_soft(person, 0.03) for person in sources.people_cut_out(3))
    layers = [
        object_layer(below, 620, _jump(1300, 380, 30, 62), 600, sources.smooth_noise(FRAMES, 6)),
        object_layer(left, _jump(-700, 420, 74, 92), 400, 560, sources.smooth_noise(FRAMES, 6)),
        object_layer(right, _jump(2000, 900, 103, FRAMES), 390, 580, sources.smooth_noise(FRAMES, 6)),
    ]
    return Composition(WIDE, [Shot(FRAMES, [background_layer(sources, WIDE, FRAMES), *layers], 0.6)])


def street(sources: Sources) -> Composition:
    """Sixteen people who walk past each other, small, some masked, some dark, some looking aside."""
    layers = []
    for number, height in enumerate(np.linspace(18, 52, 16)):
        person = sources.people_cut_out(1)[0]
        kind = number % 4
        person = _worn(person, MASK, (WHITE, BLACK)[number % 8 // 4]) if kind == 1 else person
        person = _shaded(person, 0.35) if kind == 2 else person
        path = eased(FRAMES, (0, -0.5), (1, 0.5)) * sources.uniform(100, 320) * sources.sign()
        step = 0.05 * height * np.abs(np.sin(np.pi * np.arange(FRAMES) / 12 + number))
        x, y = sources.uniform(60, 790) + path, 90 + 4.5 * height - step
        layers.append(object_layer(person, x, y, height, stretch=(0.6 if kind == 3 else 1.0, 1.0)))
    return _film(sources, layers, exposure=0.3, noise=2, min_height=18.0)


def empty(sources: Sources) -> Composition:
    """Nobody: things that move before backgrounds, hands, posts and balls, in three shots."""
    shots = []
    for frames in (45, 40, 40):
        things = [
            photos.hand(260),
            photos.pole(60, 500, 0.6),
            photos.blob(160, 0.7, 1.0, 0.1),
            photos.blob(90, 0.3, 1, 0.2),
        ]
        layers = [background_layer(sources, SIZE, frames)]
        for thing in things:
            x = sources.uniform(0.1, 0.9) * SIZE[0] + sources.sign() * eased(frames, (0, -90), (1, 90))
            y = sources.uniform(0.2, 0.8) * SIZE[1] + sources.smooth_noise(frames, 20)
            layers.append(object_layer(thing, x, y, sources.uniform(60, 220), sources.smooth_noise(frames, 15)))
        shots.append(Shot(frames, layers, 0.4, noise=2))
    return Composition(SIZE, shots)


def drawn(sources: Sources) -> Composition:
    """Nobody but drawn faces, which are not to be hidden: no truth holds them."""
    layers = []
    for number in range(5):
        x = 100 + 160 * number + sources.smooth_noise(FRAMES, 35)
        y = sources.uniform(120, 360) + sources.smooth_noise(FRAMES, 25)
        height = sources.uniform(45, 170)
        layers.append(object_layer(_cartoon(sources), x, y, height, sources.smooth_noise(FRAMES, 10)))
    return _film(sources, layers)


def _film(
    sources: Sources,
    layers: Sequence[Layer],
    exposure: float = 0.0,
    light: float = 1.0,
    noise: float = 0.0,
    min_height: float = 20.0,
) -> Composition:
    """Return layers before a background, as one shot."""
    every = [background_layer(sources, SIZE, FRAMES), *layers]
    return Composition(SIZE, [Shot(FRAMES, every, exposure, light=light, noise=noise)], min_height=min_height)


def _held(curve: Curve, times: int) -> Curve:
    """Return a curve of which each value stays for so many frames."""
    return np.asarray(curve[np.arange(len(curve)) // times * times])


def _jump(outside: float, inside: float, first: int, last: int) -> Curve:
    """Return a curve that jumps inside within two frames, stays until `last`, and leaves a little slower."""
    ways = np.arange(FRAMES)
    entering, leaving = np.clip((ways - first + 2) / 2, 0, 1), np.clip((ways - last) / 5, 0, 1)
    return np.asarray(outside + (inside - outside) * (entering - leaving))


def _opaque(pixels: Pixels) -> Pixels:
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def _worn(person: Picture, outline: Sequence[tuple[float, float]], colour: tuple[int, int, int]) -> Picture:
    """Return a person with something of one colour on the face, a little shaded, as large as its outline says."""
    box = person.boxes[0]
    points = box[:2] + np.array(outline) * (box[2:] - box[:2])
    cover = np.zeros(person.pixels.shape[:2], np.uint8)
    cv2.fillPoly(cover, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    width = float(box[2] - box[0])
    share = cv2.GaussianBlur(cover, (0, 0), max(0.01 * width, 0.3))[:, :, None] / 255
    across = (np.arange(person.pixels.shape[1]) - box[0]) / width
    shade = 1 - 0.25 * np.clip(np.abs(across - 0.5) * 2, 0, 1) ** 2
    cloth = np.dstack([np.broadcast_to(shade * value, cover.shape) for value in colour] + [np.full(cover.shape, 255.0)])
    return replace(person, pixels=np.round(person.pixels * (1 - share) + cloth * share).astype(np.uint8))


def _shaded(person: Picture, light: float) -> Picture:
    """Return a person in the dark."""
    return replace(person, pixels=np.round(person.pixels * [light, light, light, 1]).astype(np.uint8))


def _lit_aside(person: Picture, side: int) -> Picture:
    """Return a person who is lit from one side."""
    box = person.boxes[0]
    across = (np.arange(person.pixels.shape[1]) - box[0]) / (box[2] - box[0])
    light = np.clip(0.65 + side * 0.5 * (across - 0.5), 0.3, 1.0)[None, :, None]
    factors = np.concatenate([np.repeat(light, 3, axis=2), np.ones_like(light)], axis=2)
    return replace(person, pixels=np.round(person.pixels * factors).astype(np.uint8))


def _soft(person: Picture, share: float) -> Picture:
    """Return a person out of focus, by a part of the width of the face."""
    sigma = share * float(person.boxes[0, 2] - person.boxes[0, 0])
    return replace(person, pixels=cv2.GaussianBlur(person.pixels, (0, 0), sigma))


def _leaning(person: Picture) -> Picture:
    """Return a person as seen from a little above: the forehead wider than the chin."""
    width, height = person.size
    x1, y1, x2, y2 = person.boxes[0]
    inset = 0.07 * (x2 - x1)
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    narrow = np.array([[x1 - inset / 2, y1], [x2 + inset / 2, y1], [x2 - inset, y2], [x1 + inset, y2]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, narrow)
    pixels = cv2.warpPerspective(person.pixels, matrix, (int(width), int(height)), flags=cv2.INTER_LINEAR)
    faces: NDArray[np.float64] = np.array([[x1 - inset / 2, y1, x2 + inset / 2, y2]])
    return replace(person, pixels=pixels, boxes=faces)


def _cartoon(sources: Sources) -> Picture:
    """Return a drawn face: an oval, hair, eyes, a nose and a mouth, in flat colours with black lines."""
    canvas = np.zeros((480, 400, 4), np.uint8)
    skin = (int(sources.uniform(120, 190)), int(sources.uniform(160, 215)), 245, 255)
    hair, line = (*(int(sources.uniform(10, 120)) for _ in range(3)), 255), (20, 20, 20, 255)
    cv2.ellipse(canvas, (200, 210), (165, 190), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (200, 260), (140, 180), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (200, 260), (140, 180), 0, 0, 360, line, 6, cv2.LINE_AA)
    gaze = int(sources.uniform(-12, 12))
    for x in (140, 260):
        cv2.ellipse(canvas, (x, 225), (34, 42), 0, 0, 360, (250, 250, 250, 255), -1, cv2.LINE_AA)
        cv2.ellipse(canvas, (x, 225), (34, 42), 0, 0, 360, line, 4, cv2.LINE_AA)
        cv2.circle(canvas, (x + gaze, 232), 15, line, -1, cv2.LINE_AA)
        cv2.line(canvas, (x - 32, 165), (x + 32, 158), line, 8, cv2.LINE_AA)
    cv2.polylines(canvas, [np.array([[205, 250], [188, 305], [212, 308]])], False, line, 6, cv2.LINE_AA)
    cv2.ellipse(canvas, (200, 350), (60, int(sources.uniform(15, 45))), 0, 0, 180, (60, 40, 190, 255), -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (200, 350), (60, 30), 0, 0, 180, line, 5, cv2.LINE_AA)
    return Picture(canvas, np.empty((0, 4)), np.empty(0, np.bool_))


SCENARIOS: tuple[Callable[[Sources], Composition], ...] = (
    lying, aside, backlit, masked, half, tiny, bowed, repeated, sudden, street, empty, drawn,
)  # fmt: skip
