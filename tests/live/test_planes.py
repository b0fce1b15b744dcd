"""Planes of the caller's memory: hidden as those without gaps are, sample for sample, or refused; never left bare."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from typing import Any

import av
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

import facered
from thinned import thinned

WIDTH, HEIGHT = 46, 30
REGION = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
Array = NDArray[Any]
Form = Callable[[Array], Any]


def redact(planes: list[Any], name: str, strides: list[int] | None = None) -> None:
    with facered.Redactor(hide_regions=[REGION], threshold=1, blur="Mosaic") as redactor:
        done = redactor.process_planes(planes, strides, name, 0, width=WIDTH, height=HEIGHT)
        assert len(done) == 1


@pytest.fixture(scope="module", autouse=True)
def _session() -> Any:
    with facered.Redactor():
        yield


def contents(name: str) -> list[Array]:
    """Return random planes of a picture."""
    noise = np.random.default_rng(1)
    kind, most = (np.uint8, 256) if name in ("yuv420p", "nv12", "gray") else (np.uint16, 1024)
    sizes = [(HEIGHT, WIDTH)]
    if name in ("nv12", "p010le"):
        sizes += [(HEIGHT // 2, WIDTH)]
    elif not name.startswith("gray"):
        sizes += [(HEIGHT // 2, WIDTH // 2)] * 2
    return [noise.integers(0, most, size).astype(kind) for size in sizes]


def filled(array: Array, plane: Array) -> Array:
    array[...] = plane
    return array


def lines(width: int, *, first: int = 0) -> Form:
    """Return what puts rows at a distance of so many bytes, from some byte on."""

    def made(plane: Array) -> Array:
        memory = np.zeros(first + plane.shape[0] * width + 8, np.uint8)
        strides = (width, plane.itemsize)
        return filled(np.ndarray(plane.shape, plane.dtype, memory[first:].data, strides=strides), plane)

    return made


def apart(plane: Array, samples: int = 2) -> Array:
    return plane.copy().reshape(plane.shape[0], -1, samples)


def backwards(plane: Array) -> Array:
    """Return pairs that are stored the other way round."""
    return filled(np.zeros((plane.shape[0], plane.shape[1] // 2, 2), plane.dtype)[:, :, ::-1], apart(plane))


class Tensor:
    """What exchanges its memory by DLPack and in no other way."""

    def __init__(self, array: Array) -> None:
        self._array = array

    def __dlpack__(self, **settings: Any) -> object:
        return self._array.__dlpack__(**settings)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


FORMS: dict[str, Form] = {
    "copy": np.copy,
    "padded": lines(96),
    "oddly padded": lines(97),
    "from an odd byte": lines(96, first=1),
    "upside down": lambda plane: filled(np.zeros_like(plane)[::-1], plane),
    "mirrored": lambda plane: filled(np.zeros_like(plane)[:, ::-1], plane),
    "by columns": np.asfortranarray,
    "every other column": lambda plane: filled(np.zeros((len(plane), 2 * plane.shape[1]), plane.dtype)[:, ::2], plane),
    "every other row": lambda plane: filled(np.zeros((2 * len(plane), plane.shape[1]), plane.dtype)[::2], plane),
    "larger": lambda plane: np.pad(plane, ((0, 3), (0, 5))),
    "with a third dimension": lambda plane: plane.copy()[:, :, None],
    "mirrored, with a third dimension": lambda plane: filled(np.zeros_like(plane)[:, ::-1], plane)[:, :, None],
    "of three colours": lambda plane: np.repeat(plane[:, :, None], 3, axis=2),
    "pairs": apart,
    "pairs backwards": backwards,
    "pairs, wide": lambda plane: filled(np.zeros((len(plane), 40, 2), plane.dtype)[:, :23], apart(plane)),
    "pairs upside down": lambda plane: filled(np.zeros_like(apart(plane))[::-1], apart(plane)),
    "pairs mirrored": lambda plane: filled(np.zeros_like(apart(plane))[:, ::-1], apart(plane)),
    "of four dimensions": lambda plane: plane.copy()[None, :, :, None],
    "read-only": lambda plane: np.frombuffer(plane.tobytes(), plane.dtype).reshape(plane.shape),
    "one row for all": lambda plane: as_strided(plane.copy(), plane.shape, (0, plane.itemsize), writeable=True),
    "rows that overlap": lambda plane: as_strided(np.zeros(9999, plane.dtype), plane.shape, (6, plane.itemsize)),
    "broadcast": lambda plane: np.broadcast_to(plane[0], plane.shape),
    "the other byte order": lambda plane: plane.astype(plane.dtype.newbyteorder(">")),
    "floats": lambda plane: plane.astype(np.float32),
    "doubles": lambda plane: plane.astype(float),
    "signed": lambda plane: plane.astype(f"i{plane.itemsize}"),
    "wider integers": lambda plane: plane.astype(f"u{2 * plane.itemsize}"),
    "yes and no": lambda plane: plane > 99,
    "objects": lambda plane: plane.astype(object),
    "bytes": lambda plane: plane.copy().view(np.uint8),
    "letters": lambda plane: plane.copy().view("S1"),
    "a matrix": lambda plane: np.matrix(plane),
    "masked": lambda plane: np.ma.masked_array(plane.copy(), plane > 99, hard_mask=True),
    "a record": lambda plane: plane.copy().view(np.recarray),
    "flat": lambda plane: plane.copy().ravel(),
    "flat, every other one": lambda plane: filled(np.zeros(2 * plane.size, plane.dtype)[::2], plane.ravel()),
    "bytearray": lambda plane: bytearray(plane.tobytes()),
    "ctypes": lambda plane: (ctypes.c_ubyte * plane.nbytes).from_buffer(bytearray(plane.tobytes())),
    "a memoryview backwards": lambda plane: memoryview(filled(np.zeros_like(plane)[::-1], plane)),
    "tensor": lambda plane: Tensor(plane.copy()),
    "nothing": lambda _: None,
    "a list": lambda plane: plane.tolist(),
    "a number": lambda _: 5,
}  # fmt: skip


EVERYWHERE = {
    *("copy", "padded", "upside down", "every other row", "larger", "with a third dimension", "bytes", "letters"),
    *("a matrix", "masked", "a record", "flat", "bytearray", "ctypes", "tensor", "a memoryview backwards"),
}
NOWHERE = {
    *("mirrored", "by columns", "every other column", "mirrored, with a third dimension", "of three colours"),
    *("pairs backwards", "pairs mirrored", "of four dimensions", "read-only", "one row for all", "rows that overlap"),
    *("broadcast", "floats", "doubles", "wider integers", "yes and no", "objects", "nothing", "a list", "a number"),
    "flat, every other one",
}


def content(given: Any, plane: Array) -> Array:
    """Return what stands in a plane's form now, as it stood in the plane."""
    if isinstance(given, Tensor):
        given = given._array
    if isinstance(given, memoryview):
        return np.asarray(given)
    array = np.ma.getdata(given) if isinstance(given, np.ndarray) else np.frombuffer(given, np.uint8)
    if array.ndim == 2 and array.dtype.itemsize == plane.itemsize:
        return np.asarray(array)[: plane.shape[0], : plane.shape[1]]
    if array.ndim == 3:
        return np.stack([part.ravel()[: plane.shape[1]] for part in array])
    return np.ascontiguousarray(array).view(np.uint8).ravel().view(plane.dtype).reshape(plane.shape)


NAMES = ["yuv420p10le", "gray", "yuv420p", "nv12", "p010le", "gray10le"]
"""Of each form `make test` tries the first, whose samples have two bytes, and the fourth."""


@pytest.mark.parametrize(("form", "name"), thinned(product(FORMS, NAMES), 3))
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_plane_of_any_form_is_hidden_or_refused(form: str, name: str) -> None:
    expected = contents(name)
    redact(expected, name)
    assert not any((a == b).all() for a, b in zip(expected, contents(name), strict=True))
    taken = []
    for number, plane in enumerate(contents(name)):
        if "pairs" in form and plane.shape[1] % 2:
            continue
        planes: list[Any] = contents(name)
        planes[number] = FORMS[form](planes[number])
        with suppress(facered.ConfigurationUnsupportedError):
            redact(planes, name)
            taken.append(number)
        if number not in taken:
            with pytest.raises(facered.ConfigurationUnsupportedError, match=rf"^plane {number} [^\n]*$"):
                redact(planes, name)
            continue
        planes[number] = content(planes[number], plane)
        for after, right in zip(planes, expected, strict=True):
            assert (after.view(right.dtype) == right).all()
    if form in EVERYWHERE:
        assert taken == list(range(len(expected)))
    if form in NOWHERE:
        assert not taken
    if form.startswith("pairs") and form not in NOWHERE and name in ("nv12", "p010le"):
        assert taken == [1]
    if expected[0].itemsize == 2 and form in ("oddly padded", "from an odd byte", "the other byte order"):
        assert not taken


def test_planes_that_lie_in_each_other_are_refused() -> None:
    y, u, v = contents("yuv420p")
    for planes in ([y, u, u], [y, y[:15, :23], v], [y, u, u[::-1]]):
        with pytest.raises(facered.ConfigurationUnsupportedError, match=r"planes \d and \d overlap"):
            redact(planes, "yuv420p")


def test_planes_side_by_side_in_the_same_rows_are_taken() -> None:
    expected = contents("yuv420p")
    both = np.zeros((HEIGHT // 2, WIDTH), np.uint8)
    planes = [
        expected[0].copy(),
        filled(both[:, : WIDTH // 2], expected[1]),
        filled(both[:, WIDTH // 2 :], expected[2]),
    ]
    redact(expected, "yuv420p")
    redact(planes, "yuv420p")
    assert all((a == b).all() for a, b in zip(planes, expected, strict=True))


@pytest.mark.parametrize("planes", [5, None])
def test_no_planes_at_all(planes: Any) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match="planes is "):
        redact(planes, "gray")
    with pytest.raises(facered.ConfigurationUnsupportedError, match="strides is 7"):
        redact(contents("gray"), "gray", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["yuv420p10le", "nv20le", "gray12le"])
@pytest.mark.parametrize("plane", [0, -1])
def test_samples_that_a_format_cannot_have_are_refused(name: str, plane: int) -> None:
    """As those are of p010le, whose upper bits count: nobody would be found in them."""
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    for one in frame.planes:
        memoryview(one)[:] = bytes(one.buffer_size)
    bits = frame.format.components[0].bits
    samples = np.frombuffer(memoryview(frame.planes[plane]), np.uint16).copy()
    given = [np.frombuffer(memoryview(one), np.uint16).copy() for one in frame.planes]
    lines = [one.line_size for one in frame.planes]
    for value, refused in ((1 << bits) - 1, False), (1 << bits, True):
        samples[0] = given[plane][0] = value
        memoryview(frame.planes[plane]).cast("B")[:] = samples.tobytes()
        with facered.Redactor(threshold=1) as redactor:
            for process in (
                lambda: redactor.process_planes(given, lines, name, 0, width=WIDTH, height=HEIGHT),
                lambda: redactor.process(frame),
            ):
                if refused:
                    with pytest.raises(facered.ConfigurationUnsupportedError, match=name):
                        process()
                else:
                    process()


def test_upper_bits_that_count_are_taken() -> None:
    planes = [np.full((HEIGHT, WIDTH), 65535, np.uint16), np.full((HEIGHT // 2, WIDTH), 65535, np.uint16)]
    redact(planes, "p010le")
