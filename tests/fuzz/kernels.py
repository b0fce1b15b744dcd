"""Targets that reach the kernels through the Python functions before them, with numbers that nobody expects.

An input is bytes, from which a call is drawn. Pictures lie in memory of which the rest is known, so that a sample
written outside of them is noticed without a sanitizer too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

import facered
from facered.detect.families import SCRFD, CenterFace, Family, ModelOutput, YuNet
from facered.detect.tensor import View
from facered.hide.areas import Area
from facered.hide.hider import Hider
from facered.hide.style import chosen_style
from facered.options import BLURS, SHAPES, Options
from facered.track import association, kalman
from facered.track.appearance import MAX_COORDINATE, RecentPictures, ncc
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.picture import Picture
from fuzz.mutation import Drawn, mutated_bytes
from fuzz.target import Target, check

GUARD = 173
FORMATS = (
    "yuv420p", "yuv422p", "yuv444p", "yuvj420p", "nv12", "nv21", "gray", "gray10le", "yuv420p10le", "yuv422p12le",
    "p010le", "yuv444p16le", "rgb24", "pal8", "", "NV12",
)  # fmt: skip


class Memory:
    """Planes in memory of which all else is `GUARD`."""

    def __init__(self) -> None:
        self._all: list[tuple[NDArray[Any], NDArray[np.bool_]]] = []

    def plane(self, drawn: Drawn, width: int, height: int, kind: type[np.generic], step: int = 1) -> NDArray[Any]:
        """Return a plane with room around it, perhaps bottom-up, filled at random."""
        padding = drawn.number(0, 9)
        memory = np.full((height + 2, padding + width * step + padding), GUARD, kind)
        within = np.zeros(memory.shape, np.bool_)
        places = (slice(1, -1), slice(padding, padding + width * step, step))
        within[places] = True
        plane = memory[places][:: drawn.one_of((1, 1, -1))]
        plane[:] = np.random.default_rng(drawn.number(0, 99)).integers(0, 256, plane.shape)
        self._all.append((memory, within))
        return plane

    def check(self) -> None:
        """Make sure that nothing was written beside the planes."""
        for memory, within in self._all:
            check((memory[~within] == GUARD).all(), "samples beside a plane were written")


def _side(drawn: Drawn) -> int:
    return drawn.one_of((1, 2, 3, 1000, 5000)) if drawn.number(0, 9) == 0 else drawn.number(1, 90)


def _picture(drawn: Drawn, memory: Memory, depths: tuple[int, ...] = (8, 8, 10, 12, 16)) -> Picture:
    width, height = _side(drawn), _side(drawn)
    if width * height > 500_000:
        height = 2
    depth = drawn.one_of(depths)
    kind: type[np.generic] = np.uint8 if depth == 8 else np.uint16
    across, down = drawn.one_of(((2, 2), (2, 1), (1, 1), (4, 1), (4, 4), (1, 2)))
    y = memory.plane(drawn, width, height, kind)
    u = v = None
    if drawn.number(0, 5):
        step = drawn.one_of((1, 1, 2))
        u, v = (memory.plane(drawn, -(-width // across), -(-height // down), kind, step) for _ in "uv")
    if depth > 8:
        for plane in (y, u, v):
            if plane is not None:
                np.minimum(plane, (1 << depth) - 1, out=plane)
    turned = drawn.one_of((UPRIGHT, UPRIGHT, *ORIENTATIONS))
    matrix = drawn.one_of(("bt601", "bt709", "bt2020"))
    interlaced = height > 1 and drawn.number(0, 3) == 0
    return Picture(y, u, v, matrix, bool(drawn.number(0, 1)), turned, depth, across, down, interlaced)


def _boxes(drawn: Drawn, most: int, width: float, height: float) -> NDArray[np.float64]:
    count = drawn.number(0, most)
    bounds = ((-0.5 * width, 1.5 * width), (-0.5 * height, 1.5 * height)) * 2
    return np.array([[drawn.wild(*pair) for pair in bounds] for _ in range(count)], np.float64).reshape(-1, 4)


def _hide(data: bytes, _: Path) -> str:
    drawn, memory = Drawn(data), Memory()
    picture = _picture(drawn, memory)
    radius = drawn.one_of((None, None, None, 0.0, 0.01, drawn.real(0, 10)))
    options = Options(
        blur=drawn.one_of(BLURS), shape=drawn.one_of(SHAPES), feather=drawn.real(0.001, 1), blur_radius=radius
    )
    hider = Hider(chosen_style(options))
    try:
        for _turn in range(2):
            boxes = _boxes(drawn, 4, *picture.shown_size)
            spared = None
            if drawn.number(0, 3) == 0:
                spared = np.zeros((picture.height, picture.width), np.bool_)
                spared[:: drawn.number(1, 3)] = True
            hider.hide(picture, boxes, [drawn.number(0, 2**31 - 1) for _ in boxes], spared)
            mask = np.full((drawn.number(1, 40), drawn.number(1, 40)), drawn.number(0, 128), np.uint8)
            hider.hide_area(picture, Area(drawn.number(-5, 90), drawn.number(-5, 90), mask))
    finally:
        memory.check()
    return f"{options.blur}, {picture.depth} bits"


def _decode(data: bytes, _: Path) -> str:
    drawn = Drawn(data)
    names = [ModelOutput(name, (1, 1, None, None)) for name in "abcdef"]
    family: Family = drawn.one_of((CenterFace(names), YuNet(), SCRFD(names)))
    width, height = 32 * drawn.number(1, 9), 32 * drawn.number(1, 9)
    rng = np.random.default_rng(drawn.number(0, 999))
    outputs = []
    for shape in family.shapes(width, height):
        output = rng.normal(drawn.wild(-3, 3), abs(drawn.real(0, 3)), shape)
        output.reshape(-1)[:: drawn.number(1, 99)] = drawn.wild(-9, 9)
        with np.errstate(over="ignore"):
            outputs.append(output.astype(np.float32))
    room = drawn.one_of((0, 1, 7, 1000))
    memory = np.full((room + 2, 5), GUARD, np.float32)
    count = family.decode(outputs, width, drawn.wild(0, 1), memory[1:-1])
    check(0 <= count <= room, f"{count} boxes in room for {room}")
    check((memory[[0, -1]] == GUARD).all() and (memory[1 + count : -1] == GUARD).all(), "rows beside were written")
    return f"{family.name} {min(count, 3)}"


def _follow(data: bytes, _: Path) -> str:
    drawn, memory = Drawn(data), Memory()
    width, height = _side(drawn), min(_side(drawn), 300)
    pictures = RecentPictures(np.array([width * drawn.real(0.2, 9), height * drawn.real(0.2, 9)]), drawn.number(1, 4))
    for _turn in range(drawn.number(1, 3)):
        pictures.push(np.ascontiguousarray(memory.plane(drawn, width, height, np.uint8)))
    back = drawn.number(0, len(pictures) - 1)
    boxes = _boxes(drawn, 3, width, height)
    patches = [pictures.patch(np.array([width / 2, height / 2, drawn.real(1, 60), drawn.real(1, 60)])) for _ in boxes]
    found = pictures.find(patches, boxes, back)
    near = pictures.compare(patches, boxes)
    for row in (*found, *near):
        check(np.isfinite(row).all() and -1.001 <= row[4] <= 1.001, f"found at {row.tolist()}")
    if len(patches) > 1:
        check(abs(ncc(patches[0], patches[1])) <= 1.001, "a correlation that cannot be")
    if len(boxes):
        pictures.patch(boxes[0])
    return f"{len(boxes)} patches"


def _letterbox(data: bytes, _: Path) -> str:
    drawn, memory = Drawn(data), Memory()
    picture = _picture(drawn, memory)
    width, height = picture.shown_size
    content = max(1, min(drawn.number(1, 200), 999)), max(1, drawn.number(1, 200))
    if drawn.number(0, 1):
        scale = content[0] / max(width, height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
    tensor = content[0] + drawn.number(0, 40), content[1] + drawn.number(0, 40)
    view = View(picture, (tensor, content), CenterFace.layout)
    view.fill(picture)
    memory.check()
    check(np.isfinite(view.tensor).all() and abs(view.tensor).max() < 300, "a tensor of numbers that cannot be")
    return f"{picture.depth} bits {picture.across}:{picture.down}"


def _associate(data: bytes, _: Path) -> str:
    drawn = Drawn(data)
    tracks, found = _boxes(drawn, 9, 300, 200), _boxes(drawn, 9, 300, 200)
    usable = np.array([drawn.number(0, 3) > 0 for _ in found], np.bool_)
    partner = association.associate(tracks, found, usable, drawn.wild(0, 2), drawn.wild(0, 1))
    check(len(partner) == len(tracks) and ((partner >= -1) & (partner < len(found))).all(), f"{partner.tolist()}")
    taken = partner[partner >= 0]
    check(len(set(taken.tolist())) == len(taken), f"one detection for two tracks: {partner.tolist()}")
    cost = np.array([[drawn.wild(-5, 5) for _ in range(drawn.number(1, 5))]])
    if np.isfinite(cost).all():
        association.assign(cost.T.copy() if drawn.number(0, 1) else cost)
    if len(tracks):
        deviations = np.array([drawn.one_of((0.0, 0.05, 0.15)) for _ in tracks])
        deviations[[0, -1]] = 0.05
        measured = np.nan_to_num(tracks).clip(-MAX_COORDINATE, MAX_COORDINATE)  # as detectors and patches give them
        measured[:, 2:] = measured[:, 2:].clip(0.01, None)
        smoothed = kalman.smooth(measured, deviations)
        check(smoothed.shape == tracks.shape and np.isfinite(smoothed).all(), "smoothed boxes that cannot be")
    return f"{min(len(taken), 3)} pairs"


@cache
def _redactor() -> facered.Redactor:
    return facered.Redactor(threshold=0.1, threads=1)


def _planes(data: bytes, _: Path) -> str:
    drawn = Drawn(data)
    width, height = drawn.number(1, 70), drawn.number(1, 70)
    format_ = drawn.one_of(FORMATS)
    wide = "1" in format_[4:] or format_ == "p010le"
    planes: list[object] = []
    guards: list[tuple[NDArray[Any], int]] = []
    for number in range(drawn.one_of((1, 2, 3, 3, 3, 4))):
        needed = width * height * (2 if wide else 1)
        size = max(0, needed + drawn.one_of((0, 0, 0, 64, -1, -needed // 2)))
        memory = np.full(size + 128, GUARD, np.uint8)
        part = memory[64 : 64 + size]
        guards.append((memory, size))
        planes.append(_given(drawn, part, width, number))
    strides: list[object] | None = None
    if drawn.number(0, 1):
        strides = [drawn.one_of((width, width * 2, width + 1, 0, -width, 2**40, None, "8")) for _ in planes]
    told: dict[str, Any] = {
        "width": drawn.one_of((width, width, width, -1, 0, 2**31, 1.5)),
        "height": drawn.one_of((height, height, height, 0, 2**40)),
        "matrix": drawn.one_of((None, "bt601", "BT709", "x", 7)),
        "full_range": bool(drawn.number(0, 1)),
        "interlaced": bool(drawn.number(0, 1)),
    }
    redactor = _redactor()
    try:
        redactor.process_planes(planes, strides, format_, drawn.number(0, 9), **told)  # type: ignore[arg-type]
        redactor.flush()
    finally:
        for memory, size in guards:
            check((memory[:64] == GUARD).all() and (memory[64 + size :] == GUARD).all(), "bytes beside were written")
    return format_


def _given(drawn: Drawn, part: NDArray[np.uint8], width: int, number: int) -> object:
    """Return memory in one of the forms in which callers may have it."""
    across = -(-width // 2) if number and drawn.number(0, 1) else width
    kind = drawn.number(0, 8)
    rows = part[: len(part) // across * across].reshape(-1, across)
    wide = part[: len(part) // 2 * 2].view(np.uint16)
    forms: list[object] = [part, rows, rows[::-1], rows[:, ::2], memoryview(part), bytes(part[:50]), wide, None]
    forms.append(wide[: len(wide) // across * across].reshape(-1, across))
    return forms[kind]


def _random(rng: Random, pool: list[bytes]) -> bytes:
    return rng.randbytes(rng.choice((16, 64, 200, 400))) if rng.random() < 0.7 else mutated_bytes(rng, pool)


def _target(name: str, run: Callable[[bytes, Path], str], share: float = 1.0) -> Target:
    return Target(name, lambda: [bytes(64)], _random, run, share)


ORIENTATIONS = tuple(Orientation(*parts) for parts in itertools.product((False, True), repeat=3))
TARGETS = [
    _target("kernel.hide", _hide, 1.5),
    _target("kernel.decode", _decode),
    _target("kernel.patch", _follow),
    _target("kernel.letterbox", _letterbox),
    _target("kernel.associate", _associate),
    _target("kernel.planes", _planes, 1.5),
]
