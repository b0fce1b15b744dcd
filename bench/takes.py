"""The scenes, each with one difficulty; `KINDS` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bench import photos
from bench.cast import Cast, behind, eased, faces_of, filmed_by, placed, scale_for, towards
from bench.stage import Layer, Shot, Take

if TYPE_CHECKING:
    from bench.photos import Picture

FRAMES = 125
WIDE, TALL, HUGE = (1280, 720), (720, 1280), (3840, 2160)


def pan(cast: Cast) -> Take:
    world = photos.photo(cast.crowd)
    scale = WIDE[0] / (0.53 * world.size[0])
    half = WIDE[0] / scale / 2
    ends = [half, world.size[0] - half][:: cast.side()]
    y = max(float(faces_of(world)[:, 1].mean()), WIDE[1] / scale / 2)
    x = eased(FRAMES, (0.05, ends[0]), (0.95, ends[1]))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale)], 0.4)])


def pan_tall(cast: Cast) -> Take:
    world = photos.photo(cast.tall).surrounded(0.2)
    scale = TALL[1] / (0.6 * world.size[1] / 1.4)
    middles = faces_of(world)
    low, high = middles.min(axis=0), middles.max(axis=0)
    corner = [low, high][:: cast.side()]
    x, y = (eased(FRAMES, (0.05, corner[0][axis]), (0.95, corner[1][axis])) for axis in (0, 1))
    return Take(TALL, [Shot(FRAMES, [filmed_by(world, TALL, x, y, scale)], 0.4)])


def zoom(cast: Cast) -> Take:
    world = cast.street()
    aim = faces_of(world)[int(cast.rng.integers(3, 8))]
    middle = faces_of(world).mean(axis=0)
    size = np.exp(eased(FRAMES, (0, np.log(130)), (0.42, np.log(24)), (0.58, np.log(24)), (1, np.log(130))))
    near = np.clip((size - 24) / 106, 0, 1)
    x, y = (middle[axis] + (aim[axis] - middle[axis]) * near for axis in (0, 1))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale_for(world, 1) * size)])])


def huge(cast: Cast) -> Take:
    world = cast.close()
    middles = faces_of(world)[:: cast.side()]
    size = eased(FRAMES, (0, 250), (0.25, 540), (0.75, 540), (1, 400))
    x, y = (eased(FRAMES, (0.25, middles[0][axis]), (0.75, middles[1][axis])) for axis in (0, 1))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale_for(world, 1) * size)], 0.4)])


def roll(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    turn = cast.side() * eased(FRAMES, (0, 0), (0.28, 35), (0.72, -35), (1, 0))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale, turn)])])


def shake(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 90, FRAMES)
    aside, upwards = (cast.sway(FRAMES, 45, 0.7) / scale for _ in range(2))
    zooming = scale * np.exp(cast.sway(FRAMES, 0.06))
    layers = [filmed_by(world, WIDE, x + aside, y + upwards, zooming, cast.sway(FRAMES, 4))]
    return Take(WIDE, [Shot(FRAMES, layers, 0.5)])


def handheld_tall(cast: Cast) -> Take:
    world = cast.close()
    scale = scale_for(world, 300)
    ends = faces_of(world)[:2]
    x, y = (
        eased(FRAMES, (0.1, ends[0][axis]), (0.9, ends[1][axis])) + cast.sway(FRAMES, 50, 1.0) / scale
        for axis in (0, 1)
    )
    return Take(TALL, [Shot(FRAMES, [filmed_by(world, TALL, x, y, scale, cast.sway(FRAMES, 5))], 0.5)])


def whip(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 95, FRAMES)
    reach = cast.side() * 320 / scale
    swing = eased(FRAMES, (0.1, -1), (0.24, 1), (0.4, 1), (0.55, -1), (0.66, -1), (0.84, 1))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x + reach * swing, y, scale)], 0.6)])


def noise(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 85, FRAMES)
    layers = [filmed_by(world, WIDE, x + cast.sway(FRAMES, 60, 3) / scale, y, scale)]
    return Take(WIDE, [Shot(FRAMES, layers, 0.5, light=0.45, noise=12)])


def dark(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    light = np.exp(eased(FRAMES, (0, 0), (0.4, np.log(0.13)), (0.6, np.log(0.13)), (1, 0)))
    layers = [filmed_by(world, WIDE, x + cast.sway(FRAMES, 40, 2) / scale, y, scale)]
    return Take(WIDE, [Shot(FRAMES, layers, 0.5, light=light, noise=3)])


def shadow(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 110, FRAMES)
    shade = photos.blob(300, 0, 0.85, 0.4)
    path = WIDE[0] * eased(FRAMES, (0, 0.5 - 0.65 * cast.side()), (1, 0.5 + 0.65 * cast.side()))
    passing = placed(shade, path, WIDE[1] / 2, 620, hides=False)
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale), passing], noise=2)])


def walk(cast: Cast, actor: Picture, direction: int, height: float, span: tuple[float, float]) -> Layer:
    """Return someone who walks across the screen within a span of the time."""
    out = 1.6 * height
    ends = [-out, WIDE[0] + out][::direction]
    time = np.clip((np.linspace(0, 1, FRAMES) - span[0]) / (span[1] - span[0]), 0, 1)
    x = ends[0] + (ends[1] - ends[0]) * time
    step = 0.06 * height * np.abs(np.sin(np.pi * np.arange(FRAMES) / 12 + cast.between(0, 3)))
    y = WIDE[1] - 1.75 * height - step
    return placed(actor, x, y, height, cast.sway(FRAMES, 3))


def crossing(cast: Cast) -> Take:
    actors = cast.actors(4)
    heights = 130, 150, 185, 205
    layers = [
        walk(cast, actor, direction, height, span)
        for actor, direction, height, span in zip(
            actors, (1, -1, -1, 1), heights, ((-0.1, 1.0), (0.0, 1.1), (0.0, 1.2), (0.05, 1.0)), strict=True
        )
    ]
    return Take(WIDE, [Shot(FRAMES, [behind(cast, WIDE, FRAMES), *layers], 0.4)])


def meeting(cast: Cast) -> Take:
    """Two pairs: one meets and turns back, in the other one passes behind; all about the same size."""
    one, two, three, four = cast.actors(4)
    x = eased(FRAMES, (0, 0.12), (0.45, 0.33), (0.6, 0.33), (1, 0.1)) * WIDE[0]
    x2 = eased(FRAMES, (0, 0.55), (0.45, 0.36), (0.6, 0.36), (1, 0.6)) * WIDE[0]
    x3 = eased(FRAMES, (0, 0.72), (1, 0.95)) * WIDE[0]
    x4 = eased(FRAMES, (0, 1.0), (1, 0.66)) * WIDE[0]
    layers = [
        placed(actor, path, level + cast.sway(FRAMES, 6), height, cast.sway(FRAMES, 4))
        for actor, path, level, height in (
            (one, x, 450, 150),
            (two, x2, 470, 160),
            (three, x3, 430, 150),
            (four, x4, 450, 165),
        )
    ]
    return Take(WIDE, [Shot(FRAMES, [behind(cast, WIDE, FRAMES), *layers])])


def passer(cast: Cast) -> Take:
    """Somebody walks by in front of a group."""
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 90, FRAMES)
    front = walk(cast, cast.actors(1)[0], cast.side(), 200, (0.05, 0.95))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale), front], 0.4)])


def pole(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    post = photos.pole(90, WIDE[1] + 80, cast.between(0.25, 0.8))
    ends = np.array([-0.1, 1.1])[:: cast.side()] * WIDE[0]
    passing = placed(post, eased(FRAMES, (0, ends[0]), (1, ends[1])), WIDE[1] / 2, WIDE[1] + 80)
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x, y, scale), passing], 0.4)])


def linger(cast: Cast) -> Take:
    """A hand stops in front of one face after the other, once for more than a second."""
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    faces = (faces_of(world) - [x.mean(), y]) * scale + np.array(WIDE) / 2
    seen = faces[(faces[:, 0] > 150) & (faces[:, 0] < 1130) & (faces[:, 1] > 100) & (faces[:, 1] < 600)]
    first, second = cast.rng.permutation(seen)[:2]
    times = (0, 0.12, 0.42, 0.55, 0.7, 0.85)
    stops = [(first[0], 900), first, first, second, second, (second[0], 900)]
    path = [eased(FRAMES, *((time, stop[axis]) for time, stop in zip(times, stops, strict=True))) for axis in (0, 1)]
    hand = photos.hand(300)
    sway = cast.sway(FRAMES, 4)
    layers = [filmed_by(world, WIDE, x.mean(), y, scale), placed(hand, path[0] + sway, path[1], 175)]
    return Take(WIDE, [Shot(FRAMES, layers, 0.4)])


def covered(cast: Cast) -> Take:
    """Microphones before mouths, and hands that come up to the lower half of a face or to its side."""
    actors = cast.actors(3)
    layers: list[Layer] = [behind(cast, WIDE, FRAMES)]
    for actor, x, height in zip(actors, (240, 640, 1040), (170, 200, 150), strict=True):
        across = x + cast.sway(FRAMES, 25)
        down = WIDE[1] - 1.9 * height + cast.sway(FRAMES, 15)
        layers.append(placed(actor, across, down, height, cast.sway(FRAMES, 6)))
        lift = eased(FRAMES, (cast.between(0.05, 0.2), 2.5), (0.4, 0.42), (0.7, 0.42), (cast.between(0.8, 0.95), 2.5))
        if x == 640:
            hand = photos.hand(300)
            layers.append(placed(hand, across + 0.3 * height, down + lift * height, 0.75 * height))
        else:
            head = photos.blob(120, 0.2, 1, 0.1)
            layers.append(placed(head, across, down + lift * height, 0.42 * height))
    return Take(WIDE, [Shot(FRAMES, layers)])


def leave(cast: Cast) -> Take:
    """People go out of the picture at three sides and come back."""
    actors = cast.actors(4)
    inside, outside = 0.3, -0.18
    back = eased(FRAMES, (0.05, inside), (0.3, outside), (0.5, outside), (0.8, inside))
    later = eased(FRAMES, (0.2, inside), (0.45, outside), (0.55, outside), (0.85, inside))
    layers = [
        placed(actors[0], back * WIDE[0], 400, 180, cast.sway(FRAMES, 3)),
        placed(actors[1], (1 - later) * WIDE[0], 420, 160, cast.sway(FRAMES, 3)),
        placed(
            actors[2],
            540 + cast.sway(FRAMES, 20),
            (1.15 - eased(FRAMES, (0.1, 0.6), (0.35, 0.0), (0.6, 0.0), (0.9, 0.6))) * WIDE[1],
            140,
        ),
        placed(
            actors[3],
            760 + cast.sway(FRAMES, 20),
            eased(FRAMES, (0, 0.35), (0.25, -0.2), (0.4, -0.2), (0.6, 0.4)) * WIDE[1],
            130,
        ),
    ]
    return Take(WIDE, [Shot(FRAMES, [behind(cast, WIDE, FRAMES), *layers], 0.4)])


def away(cast: Cast) -> Take:
    """The camera swings away from a group and back."""
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    swing = cast.side() * 1250 / scale * eased(FRAMES, (0.1, 0), (0.4, 1), (0.5, 1), (0.85, 0))
    return Take(WIDE, [Shot(FRAMES, [filmed_by(world, WIDE, x + swing, y, scale, cast.sway(FRAMES, 2))], 0.5)])


def fast(cast: Cast) -> Take:
    """People who cross their own width in two to three frames, to and fro."""
    actors = cast.actors(2)
    time = np.arange(FRAMES)
    layers = [behind(cast, WIDE, FRAMES)]
    for actor, height, level, period in zip(actors, (110, 150), (180, 460), (92, 80), strict=True):
        x = WIDE[0] / 2 + 480 * np.sin(2 * np.pi * time / period + cast.between(0, 6))
        y = level + 25 * np.sin(2 * np.pi * time / cast.between(18, 26))
        layers.append(placed(actor, x, y, height, cast.sway(FRAMES, 5)))
    return Take(WIDE, [Shot(FRAMES, layers, 0.6)])


def emerge(cast: Cast) -> Take:
    """From darkness and blur into light and focus; then somebody comes nearer out of the distance."""
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 95, FRAMES)
    light = np.exp(eased(FRAMES, (0, np.log(0.06)), (0.5, 0)))
    defocus = eased(FRAMES, (0, 22), (0.55, 0))
    far = np.exp(eased(FRAMES, (0.3, np.log(12)), (0.95, np.log(220))))
    coming = placed(cast.actors(1)[0], 640 + 300 * cast.side(), 250 + far, far)
    layers = [filmed_by(world, WIDE, x, y, scale), coming]
    return Take(WIDE, [Shot(FRAMES, layers, light=light, defocus=defocus, noise=3)])


def cuts(cast: Cast) -> Take:
    """Shots of about a second; two of them show the same people, nearer."""
    worlds = [cast.group(), cast.close(), cast.street(), cast.group()]
    shots = []
    for number, (world, height) in enumerate(zip([*worlds, worlds[-1]], (90, 230, 60, 80, 140), strict=True)):
        frames = (22, 28, 31, 24, 30)[number]
        x, y, scale = towards(cast, world, WIDE, height, frames)
        shots.append(Shot(frames, [filmed_by(world, WIDE, x + cast.sway(frames, 15) / scale, y, scale)], 0.4))
    return Take(WIDE, shots)


def dissolve(cast: Cast) -> Take:
    """A cross-dissolve, then black and something new out of it."""
    first, second, third = cast.group(), cast.close(), cast.street()
    fade = [eased(50, (0.7, 1), (0.95, 0)), eased(45, (0.05, 0), (0.35, 1))]
    shots = []
    for world, height, frames, light in ((first, 90, 50, 1.0), (second, 220, 50, fade[0]), (third, 60, 45, fade[1])):
        x, y, scale = towards(cast, world, WIDE, height, frames)
        shots.append(Shot(frames, [filmed_by(world, WIDE, x + cast.sway(frames, 15) / scale, y, scale)], light=light))
    return Take(WIDE, shots, dissolves=[16])


def flash(cast: Cast) -> Take:
    world = cast.group()
    x, y, scale = towards(cast, world, WIDE, 100, FRAMES)
    white = np.zeros(FRAMES)
    for begin, length in zip((20, 52, 57, 95), (1, 2, 1, 3), strict=True):
        white[begin : begin + length + 2] = [*[0.95] * length, 0.4, 0.12]
    layers = [filmed_by(world, WIDE, x + cast.sway(FRAMES, 25) / scale, y, scale, cast.sway(FRAMES, 2))]
    return Take(WIDE, [Shot(FRAMES, layers, 0.4, flash=white)])


def audience(cast: Cast) -> Take:
    """Seventy people in seven rows."""
    layers = [behind(cast, WIDE, FRAMES)]
    for number, actor in enumerate(cast.actors(70)):
        row, seat = divmod(number, 10)
        height = 38 + 2.5 * row
        x = 45 + 126 * seat + (30 if row % 2 else 0) + cast.sway(FRAMES, 7)
        y = 60 + 93 * row + cast.sway(FRAMES, 4)
        layers.append(placed(actor, x, y, height, cast.sway(FRAMES, 5)))
    return Take(WIDE, [Shot(FRAMES, layers)])


def square(cast: Cast) -> Take:
    """A wide square in 3840 × 2160; faces of 20 to 60 pixels."""
    frames = 75
    layers = [behind(cast, HUGE, frames)]
    for height in np.linspace(22, 80, 24):
        x = cast.between(0.05, 0.95) * HUGE[0] + eased(frames, (0, 0), (1, cast.side() * 5 * height))
        y = 500 + 17 * height + cast.between(-40, 40) + cast.sway(frames, 0.05 * height)
        actor = cast.actors(1)[0]
        layers.append(placed(actor, x, y, height, cast.sway(frames, 4)))
    return Take(HUGE, [Shot(frames, layers)])


KINDS: tuple[Callable[[Cast], Take], ...] = (
    pan, pan_tall, zoom, huge, roll, shake, handheld_tall, whip, noise, dark, shadow, crossing, meeting, passer, pole,
    linger, covered, leave, away, fast, emerge, cuts, dissolve, flash, audience, square,
)  # fmt: skip
