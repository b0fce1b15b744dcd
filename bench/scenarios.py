"""The scenarios of the synthetic scenes, each with one difficulty; `SCENARIOS` lists them.

A scenario's name seeds its random numbers: to rename one is to make another scene.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bench import photos
from bench.compositor import Composition, Layer, Shot
from bench.sources import Sources, background_layer, camera_layer, eased, face_centres, framing, object_layer, scale_for

if TYPE_CHECKING:
    from bench.photos import Picture

FRAMES = 125
LANDSCAPE, PORTRAIT, UHD = (1280, 720), (720, 1280), (3840, 2160)


def pan(sources: Sources) -> Composition:
    world = photos.photo(sources.crowd)
    scale = LANDSCAPE[0] / (0.53 * world.size[0])
    half = LANDSCAPE[0] / scale / 2
    ends = [half, world.size[0] - half][:: sources.sign()]
    y = max(float(face_centres(world)[:, 1].mean()), LANDSCAPE[1] / scale / 2)
    x = eased(FRAMES, (0.05, ends[0]), (0.95, ends[1]))
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale)], 0.4)])


def pan_tall(sources: Sources) -> Composition:
    world = photos.photo(sources.tall).surrounded(0.2)
    scale = PORTRAIT[1] / (0.6 * world.size[1] / 1.4)
    middles = face_centres(world)
    low, high = middles.min(axis=0), middles.max(axis=0)
    corner = [low, high][:: sources.sign()]
    x, y = (eased(FRAMES, (0.05, corner[0][axis]), (0.95, corner[1][axis])) for axis in (0, 1))
    return Composition(PORTRAIT, [Shot(FRAMES, [camera_layer(world, PORTRAIT, x, y, scale)], 0.4)])


def zoom(sources: Sources) -> Composition:
    world = sources.crowd_photo()
    aim = face_centres(world)[int(sources.rng.integers(3, 8))]
    middle = face_centres(world).mean(axis=0)
    size = np.exp(eased(FRAMES, (0, np.log(130)), (0.42, np.log(24)), (0.58, np.log(24)), (1, np.log(130))))
    near = np.clip((size - 24) / 106, 0, 1)
    x, y = (middle[axis] + (aim[axis] - middle[axis]) * near for axis in (0, 1))
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale_for(world, 1) * size)])])


def huge(sources: Sources) -> Composition:
    world = sources.close_up()
    middles = face_centres(world)[:: sources.sign()]
    size = eased(FRAMES, (0, 250), (0.25, 540), (0.75, 540), (1, 400))
    x, y = (eased(FRAMES, (0.25, middles[0][axis]), (0.75, middles[1][axis])) for axis in (0, 1))
    return Composition(
        LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale_for(world, 1) * size)], 0.4)]
    )


def roll(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    turn = sources.sign() * eased(FRAMES, (0, 0), (0.28, 35), (0.72, -35), (1, 0))
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale, turn)])])


def shake(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 90, FRAMES)
    aside, upwards = (sources.smooth_noise(FRAMES, 45, 0.7) / scale for _ in range(2))
    zooming = scale * np.exp(sources.smooth_noise(FRAMES, 0.06))
    layers = [camera_layer(world, LANDSCAPE, x + aside, y + upwards, zooming, sources.smooth_noise(FRAMES, 4))]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.5)])


def handheld_tall(sources: Sources) -> Composition:
    world = sources.close_up()
    scale = scale_for(world, 300)
    ends = face_centres(world)[:2]
    x, y = (
        eased(FRAMES, (0.1, ends[0][axis]), (0.9, ends[1][axis])) + sources.smooth_noise(FRAMES, 50, 1.0) / scale
        for axis in (0, 1)
    )
    return Composition(
        PORTRAIT, [Shot(FRAMES, [camera_layer(world, PORTRAIT, x, y, scale, sources.smooth_noise(FRAMES, 5))], 0.5)]
    )


def whip(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 95, FRAMES)
    reach = sources.sign() * 320 / scale
    swing = eased(FRAMES, (0.1, -1), (0.24, 1), (0.4, 1), (0.55, -1), (0.66, -1), (0.84, 1))
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x + reach * swing, y, scale)], 0.6)])


def noise(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 85, FRAMES)
    layers = [camera_layer(world, LANDSCAPE, x + sources.smooth_noise(FRAMES, 60, 3) / scale, y, scale)]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.5, light=0.45, noise=12)])


def dark(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    light = np.exp(eased(FRAMES, (0, 0), (0.4, np.log(0.13)), (0.6, np.log(0.13)), (1, 0)))
    layers = [camera_layer(world, LANDSCAPE, x + sources.smooth_noise(FRAMES, 40, 2) / scale, y, scale)]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.5, light=light, noise=3)])


def shadow(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 110, FRAMES)
    shade = photos.blob(300, 0, 0.85, 0.4)
    path = LANDSCAPE[0] * eased(FRAMES, (0, 0.5 - 0.65 * sources.sign()), (1, 0.5 + 0.65 * sources.sign()))
    passing = object_layer(shade, path, LANDSCAPE[1] / 2, 620, occludes=False)
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale), passing], noise=2)])


def walking(sources: Sources, person: Picture, direction: int, height: float, span: tuple[float, float]) -> Layer:
    """Return a person who walks across the frame within a span of the time, 0 to 1."""
    out = 1.6 * height
    ends = [-out, LANDSCAPE[0] + out][::direction]
    time = np.clip((np.linspace(0, 1, FRAMES) - span[0]) / (span[1] - span[0]), 0, 1)
    x = ends[0] + (ends[1] - ends[0]) * time
    step = 0.06 * height * np.abs(np.sin(np.pi * np.arange(FRAMES) / 12 + sources.uniform(0, 3)))
    y = LANDSCAPE[1] - 1.75 * height - step
    return object_layer(person, x, y, height, sources.smooth_noise(FRAMES, 3))


def crossing(sources: Sources) -> Composition:
    people = sources.people_cut_out(4)
    heights = 130, 150, 185, 205
    layers = [
        walking(sources, person, direction, height, span)
        for person, direction, height, span in zip(
            people, (1, -1, -1, 1), heights, ((-0.1, 1.0), (0.0, 1.1), (0.0, 1.2), (0.05, 1.0)), strict=True
        )
    ]
    return Composition(LANDSCAPE, [Shot(FRAMES, [background_layer(sources, LANDSCAPE, FRAMES), *layers], 0.4)])


def meeting(sources: Sources) -> Composition:
    """Two pairs: one meets and turns back, in the other one passes behind; all about the same size."""
    one, two, three, four = sources.people_cut_out(4)
    x = eased(FRAMES, (0, 0.12), (0.45, 0.33), (0.6, 0.33), (1, 0.1)) * LANDSCAPE[0]
    x2 = eased(FRAMES, (0, 0.55), (0.45, 0.36), (0.6, 0.36), (1, 0.6)) * LANDSCAPE[0]
    x3 = eased(FRAMES, (0, 0.72), (1, 0.95)) * LANDSCAPE[0]
    x4 = eased(FRAMES, (0, 1.0), (1, 0.66)) * LANDSCAPE[0]
    layers = [
        object_layer(person, path, level + sources.smooth_noise(FRAMES, 6), height, sources.smooth_noise(FRAMES, 4))
        for person, path, level, height in (
            (one, x, 450, 150),
            (two, x2, 470, 160),
            (three, x3, 430, 150),
            (four, x4, 450, 165),
        )
    ]
    return Composition(LANDSCAPE, [Shot(FRAMES, [background_layer(sources, LANDSCAPE, FRAMES), *layers])])


def passer(sources: Sources) -> Composition:
    """Somebody walks by in front of a group."""
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 90, FRAMES)
    front = walking(sources, sources.people_cut_out(1)[0], sources.sign(), 200, (0.05, 0.95))
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale), front], 0.4)])


def pole(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    post = photos.pole(90, LANDSCAPE[1] + 80, sources.uniform(0.25, 0.8))
    ends = np.array([-0.1, 1.1])[:: sources.sign()] * LANDSCAPE[0]
    passing = object_layer(post, eased(FRAMES, (0, ends[0]), (1, ends[1])), LANDSCAPE[1] / 2, LANDSCAPE[1] + 80)
    return Composition(LANDSCAPE, [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x, y, scale), passing], 0.4)])


def linger(sources: Sources) -> Composition:
    """A hand stops in front of one face after the other, once for more than a second."""
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    faces = (face_centres(world) - [x.mean(), y]) * scale + np.array(LANDSCAPE) / 2
    seen = faces[(faces[:, 0] > 150) & (faces[:, 0] < 1130) & (faces[:, 1] > 100) & (faces[:, 1] < 600)]
    first, second = sources.rng.permutation(seen)[:2]
    times = (0, 0.12, 0.42, 0.55, 0.7, 0.85)
    stops = [(first[0], 900), first, first, second, second, (second[0], 900)]
    path = [eased(FRAMES, *((time, stop[axis]) for time, stop in zip(times, stops, strict=True))) for axis in (0, 1)]
    hand = photos.hand(300)
    sway = sources.smooth_noise(FRAMES, 4)
    layers = [camera_layer(world, LANDSCAPE, x.mean(), y, scale), object_layer(hand, path[0] + sway, path[1], 175)]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.4)])


def covered(sources: Sources) -> Composition:
    """Microphones before mouths, and hands that come up to the lower half of a face or to its side."""
    people = sources.people_cut_out(3)
    layers: list[Layer] = [background_layer(sources, LANDSCAPE, FRAMES)]
    for person, x, height in zip(people, (240, 640, 1040), (170, 200, 150), strict=True):
        across = x + sources.smooth_noise(FRAMES, 25)
        down = LANDSCAPE[1] - 1.9 * height + sources.smooth_noise(FRAMES, 15)
        layers.append(object_layer(person, across, down, height, sources.smooth_noise(FRAMES, 6)))
        lift = eased(
            FRAMES, (sources.uniform(0.05, 0.2), 2.5), (0.4, 0.42), (0.7, 0.42), (sources.uniform(0.8, 0.95), 2.5)
        )
        if x == 640:
            hand = photos.hand(300)
            layers.append(object_layer(hand, across + 0.3 * height, down + lift * height, 0.75 * height))
        else:
            head = photos.blob(120, 0.2, 1, 0.1)
            layers.append(object_layer(head, across, down + lift * height, 0.42 * height))
    return Composition(LANDSCAPE, [Shot(FRAMES, layers)])


def leave(sources: Sources) -> Composition:
    """People go out of the picture at three sides and come back."""
    people = sources.people_cut_out(4)
    inside, outside = 0.3, -0.18
    back = eased(FRAMES, (0.05, inside), (0.3, outside), (0.5, outside), (0.8, inside))
    later = eased(FRAMES, (0.2, inside), (0.45, outside), (0.55, outside), (0.85, inside))
    layers = [
        object_layer(people[0], back * LANDSCAPE[0], 400, 180, sources.smooth_noise(FRAMES, 3)),
        object_layer(people[1], (1 - later) * LANDSCAPE[0], 420, 160, sources.smooth_noise(FRAMES, 3)),
        object_layer(
            people[2],
            540 + sources.smooth_noise(FRAMES, 20),
            (1.15 - eased(FRAMES, (0.1, 0.6), (0.35, 0.0), (0.6, 0.0), (0.9, 0.6))) * LANDSCAPE[1],
            140,
        ),
        object_layer(
            people[3],
            760 + sources.smooth_noise(FRAMES, 20),
            eased(FRAMES, (0, 0.35), (0.25, -0.2), (0.4, -0.2), (0.6, 0.4)) * LANDSCAPE[1],
            130,
        ),
    ]
    return Composition(LANDSCAPE, [Shot(FRAMES, [background_layer(sources, LANDSCAPE, FRAMES), *layers], 0.4)])


def away(sources: Sources) -> Composition:
    """The camera swings away from a group and back."""
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    swing = sources.sign() * 1250 / scale * eased(FRAMES, (0.1, 0), (0.4, 1), (0.5, 1), (0.85, 0))
    return Composition(
        LANDSCAPE,
        [Shot(FRAMES, [camera_layer(world, LANDSCAPE, x + swing, y, scale, sources.smooth_noise(FRAMES, 2))], 0.5)],
    )


def fast(sources: Sources) -> Composition:
    """People who cross their own width in two to three frames, to and fro."""
    people = sources.people_cut_out(2)
    time = np.arange(FRAMES)
    layers = [background_layer(sources, LANDSCAPE, FRAMES)]
    for person, height, level, period in zip(people, (110, 150), (180, 460), (92, 80), strict=True):
        x = LANDSCAPE[0] / 2 + 480 * np.sin(2 * np.pi * time / period + sources.uniform(0, 6))
        y = level + 25 * np.sin(2 * np.pi * time / sources.uniform(18, 26))
        layers.append(object_layer(person, x, y, height, sources.smooth_noise(FRAMES, 5)))
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.6)])


def emerge(sources: Sources) -> Composition:
    """From darkness and blur into light and focus; then somebody comes nearer out of the distance."""
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 95, FRAMES)
    light = np.exp(eased(FRAMES, (0, np.log(0.06)), (0.5, 0)))
    defocus = eased(FRAMES, (0, 22), (0.55, 0))
    far = np.exp(eased(FRAMES, (0.3, np.log(12)), (0.95, np.log(220))))
    coming = object_layer(sources.people_cut_out(1)[0], 640 + 300 * sources.sign(), 250 + far, far)
    layers = [camera_layer(world, LANDSCAPE, x, y, scale), coming]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, light=light, defocus=defocus, noise=3)])


def cuts(sources: Sources) -> Composition:
    """Shots of about a second; two of them show the same people, nearer."""
    worlds = [sources.group_photo(), sources.close_up(), sources.crowd_photo(), sources.group_photo()]
    shots = []
    for number, (world, height) in enumerate(zip([*worlds, worlds[-1]], (90, 230, 60, 80, 140), strict=True)):
        frames = (22, 28, 31, 24, 30)[number]
        x, y, scale = framing(sources, world, LANDSCAPE, height, frames)
        shots.append(
            Shot(frames, [camera_layer(world, LANDSCAPE, x + sources.smooth_noise(frames, 15) / scale, y, scale)], 0.4)
        )
    return Composition(LANDSCAPE, shots)


def dissolve(sources: Sources) -> Composition:
    """A cross-dissolve, then black and something new out of it."""
    first, second, third = sources.group_photo(), sources.close_up(), sources.crowd_photo()
    fade = [eased(50, (0.7, 1), (0.95, 0)), eased(45, (0.05, 0), (0.35, 1))]
    shots = []
    for world, height, frames, light in ((first, 90, 50, 1.0), (second, 220, 50, fade[0]), (third, 60, 45, fade[1])):
        x, y, scale = framing(sources, world, LANDSCAPE, height, frames)
        shots.append(
            Shot(
                frames,
                [camera_layer(world, LANDSCAPE, x + sources.smooth_noise(frames, 15) / scale, y, scale)],
                light=light,
            )
        )
    return Composition(LANDSCAPE, shots, dissolves=[16])


def flash(sources: Sources) -> Composition:
    world = sources.group_photo()
    x, y, scale = framing(sources, world, LANDSCAPE, 100, FRAMES)
    white = np.zeros(FRAMES)
    for begin, length in zip((20, 52, 57, 95), (1, 2, 1, 3), strict=True):
        white[begin : begin + length + 2] = [*[0.95] * length, 0.4, 0.12]
    layers = [
        camera_layer(
            world, LANDSCAPE, x + sources.smooth_noise(FRAMES, 25) / scale, y, scale, sources.smooth_noise(FRAMES, 2)
        )
    ]
    return Composition(LANDSCAPE, [Shot(FRAMES, layers, 0.4, flash=white)])


def audience(sources: Sources) -> Composition:
    """Seventy people in seven rows."""
    layers = [background_layer(sources, LANDSCAPE, FRAMES)]
    for number, person in enumerate(sources.people_cut_out(70)):
        row, seat = divmod(number, 10)
        height = 38 + 2.5 * row
        x = 45 + 126 * seat + (30 if row % 2 else 0) + sources.smooth_noise(FRAMES, 7)
        y = 60 + 93 * row + sources.smooth_noise(FRAMES, 4)
        layers.append(object_layer(person, x, y, height, sources.smooth_noise(FRAMES, 5)))
    return Composition(LANDSCAPE, [Shot(FRAMES, layers)])


def square(sources: Sources) -> Composition:
    """A wide square in 3840 × 2160; faces of 20 to 60 pixels."""
    frames = 75
    layers = [background_layer(sources, UHD, frames)]
    for height in np.linspace(22, 80, 24):
        x = sources.uniform(0.05, 0.95) * UHD[0] + eased(frames, (0, 0), (1, sources.sign() * 5 * height))
        y = 500 + 17 * height + sources.uniform(-40, 40) + sources.smooth_noise(frames, 0.05 * height)
        person = sources.people_cut_out(1)[0]
        layers.append(object_layer(person, x, y, height, sources.smooth_noise(frames, 4)))
    return Composition(UHD, [Shot(frames, layers)])


SCENARIOS: tuple[Callable[[Sources], Composition], ...] = (
    pan, pan_tall, zoom, huge, roll, shake, handheld_tall, whip, noise, dark, shadow, crossing, meeting, passer, pole,
    linger, covered, leave, away, fast, emerge, cuts, dissolve, flash, audience, square,
)  # fmt: skip
