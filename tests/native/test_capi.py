"""The kernels' C entries, from a Cython project of its own and from Numba, as docs/native.md says."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import facered
import reference
from facered._native import KERNELS, cpu

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "docs" / "native.md"
SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup

names = ("outside", "softened")
setup(ext_modules=cythonize([Extension(name, [f"{name}.pyx"]) for name in names], include_path=["include"]))
"""
VARIANTS = ["baseline", *(["avx2"] if cpu.has_avx2() else [])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Cython project that cimports the installed package, built."""
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("outside")
    (folder / "outside.pyx").write_text((HERE / "outside.pyx").read_text())
    (folder / "softened.pyx").write_text(documented("cython", "def softened"))
    (folder / "setup.py").write_text(SETUP)
    package = Path(importlib.import_module("facered._native").__file__ or "").parent
    if package.parent != Path(facered.__file__).parent:  # an editable install: Cython does not see through its hook
        (folder / "include" / "facered").mkdir(parents=True)
        (folder / "include" / "facered" / "__init__.py").touch()
        (folder / "include" / "facered" / "_native").symlink_to(package)
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, env={**os.environ, "CFLAGS": "-O0 -g0"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def outside(folder: Path) -> ModuleType:
    return built("outside", folder)


def built(name: str, folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def documented(language: str, holding: str) -> str:
    """Return the one piece of code in docs/native.md that holds a text."""
    pieces: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (piece,) = [code for code in pieces if holding in code]
    return piece


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def plane(rng: np.random.Generator, height: int, width: int, depth: int) -> Any:
    """Random samples with padding behind each row, bottom-up."""
    kind = np.uint8 if depth == 8 else np.uint16
    return rng.integers(0, 1 << depth, (height, width + 5), kind)[::-1, :width]


class TestCython:
    @pytest.mark.parametrize("depth", [8, 10])
    def test_a_region_is_averaged_blurred_and_blended(
        self, outside: ModuleType, rng: np.random.Generator, depth: int
    ) -> None:
        region = plane(rng, 31, 45, depth)
        untouched = region.copy()
        cells = np.empty((8, 9), np.uint16)
        outside.average_cells(region, 5, 4, depth, np.empty(45, np.uint32), cells)
        np.testing.assert_array_equal(cells, reference.average_cells(untouched, 5, 4, depth))
        blurred = reference.box_blur(cells, 2, 3, 3)
        outside.box_blur(cells, 2, 3, 3, np.empty(9 + 36, np.uint32))
        np.testing.assert_array_equal(cells, blurred)
        mask = np.empty((31, 45), np.uint8)
        outside.mask(False, mask, 22, 15, 15, 12, 0.15)
        np.testing.assert_array_equal(mask, reference.ellipse_mask((45, 31), (22, 15), (15, 12), 0.15))
        scratch = np.empty(2 * 45 * region.itemsize + 9, np.uint8)
        outside.blend_cells(region, depth, mask, cells, 5, 4, 0, 0, True, scratch)
        expected = reference.blend_cells(untouched, mask, cells, 5, 4, 0, 0, True, depth)
        np.testing.assert_array_equal(region, expected)
        assert (region != untouched).any()

    def test_masks(self, outside: ModuleType) -> None:
        mask = np.empty((31, 45), np.uint8)
        outside.mask(True, mask, 22, 15, 15, 12, 0.15)
        np.testing.assert_array_equal(mask, reference.rectangle_mask((45, 31), (22, 15), (15, 12), 0.15))
        for across, down, above in ((2, 2, 1), (2, 1, 0), (4, 4, 3)):
            small = np.empty((-(-(31 + above) // down), -(-46 // across)), np.uint8)
            outside.subsample_mask(mask, 1, above, small, across, down)
            np.testing.assert_array_equal(small, reference.subsample_mask(mask, 1, above, across, down))

    def test_outputs_of_the_models_are_decoded(self, outside: ModuleType, rng: np.random.Generator) -> None:
        out = np.empty((200, 5), np.float32)
        heatmap = rng.random((9, 11), np.float32)
        scale, offset = rng.normal(0, 1, (2, 2, 9, 11)).astype(np.float32)
        found = out[: outside.centerface(heatmap, scale, offset, 0.5, out)]
        np.testing.assert_array_equal(found, reference.centerface(heatmap, scale, offset, 0.5))
        found = found[np.argsort(-found[:, 4])]
        keep = np.empty(len(found), np.uint8)
        outside.suppress(found, 0.3, keep)
        np.testing.assert_array_equal(keep, reference.suppress(found, 0.3))
        assert 0 < keep.sum() < len(keep)
        classes, objectness = rng.random((2, 24, 1), np.float32)
        boxes = rng.normal(0, 1, (24, 4)).astype(np.float32)
        found = out[: outside.yunet(classes[:, 0], objectness[:, 0], boxes, 6, 8, 0.5, out)]
        np.testing.assert_array_equal(found, reference.yunet(classes, objectness, boxes, 6, 8, 0.5))
        found = out[: outside.scrfd(classes[:, 0], boxes, 6, 2, 16, 0.5, out)]
        np.testing.assert_array_equal(found, reference.scrfd(classes, boxes, 6, 2, 16, 0.5))

    @pytest.mark.parametrize("depth", [8, 10])
    @pytest.mark.parametrize("paired", [False, True])
    def test_a_tensor_is_made(self, outside: ModuleType, rng: np.random.Generator, depth: int, paired: bool) -> None:
        y, u, v = plane(rng, 48, 64, depth), plane(rng, 24, 32, depth), plane(rng, 24, 32, depth)
        if paired:
            both = plane(rng, 24, 64, depth)
            u, v = both[:, 0::2], both[:, 1::2]
        matrix = rng.normal(0, 1, (3, 4)).astype(np.float32)
        limits = np.array([[0, 255]] * 3, np.float32)
        out, luma = np.zeros((3, 32, 32), np.float32), np.empty((19, 25), np.uint8)
        assert outside.letterbox(y, u, v, depth, matrix, limits, out, luma) == 0
        tensor, small = reference.letterbox(y, u, v, (25, 19), matrix, limits, depth)
        np.testing.assert_array_equal(out[:, :19, :25], tensor)
        assert not out[:, 19:].any()
        np.testing.assert_array_equal(luma, small)
        again = np.empty_like(luma)
        assert outside.shrink(y, depth, again) == 0
        np.testing.assert_array_equal(again, small)

    def test_patches_are_followed(self, outside: ModuleType, rng: np.random.Generator) -> None:
        before = rng.integers(0, 256, (90, 120), np.uint8)
        after = np.roll(before, (2, 3), (0, 1))
        boxes = np.array([[60, 45, 24, 24], [40, 40, 48, 30]], np.float64)
        scales = np.array([0.9, 1.1])
        patches, found = np.empty((2, 24, 24), np.uint8), np.empty((2, 5))
        outside.follow(before, after, boxes, 4, scales, patches, found)
        levels = reference.pyramid(before), reference.pyramid(after)
        for box, patch, place in zip(boxes, patches, found, strict=True):
            np.testing.assert_array_equal(patch, reference.sample(levels[0], box))
            np.testing.assert_array_equal(place, reference.search(levels[1], patch, box, 4, scales))
        np.testing.assert_allclose(found[0, :2], [63, 47], atol=0.1)

    @pytest.mark.parametrize("variant", VARIANTS)
    def test_the_variant_is_the_one_that_the_package_picks(self, folder: Path, variant: str) -> None:
        script = (
            "import numpy as np, facered._native, outside\n"
            "cells = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000\n"
            "outside.box_blur(cells, 1, 1, 1, np.empty(10, np.uint32))\n"
            "print(facered._native.simd, *cells.ravel())"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, "FACERED_SIMD": variant},
            capture_output=True,
            text=True,
            check=True,
        )
        expected = reference.box_blur(np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000, 1, 1, 1)
        assert done.stdout.split() == [variant, *map(str, expected.ravel())]


@pytest.fixture(scope="module")
def numba() -> Any:
    return pytest.importorskip("numba", reason="Numba is not installed")


def entry(module: str, name: str, result: Any, *arguments: Any) -> Any:
    from numba.extending import get_cython_function_address

    return ctypes.CFUNCTYPE(result, *arguments)(get_cython_function_address(module, name))


@pytest.mark.parametrize("where", ["facered._native", *(f"facered._native.{name}" for name in VARIANTS)])
def test_numba_calls_a_kernel(where: str, numba: Any, rng: np.random.Generator) -> None:
    pointer, size, number = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int
    average_cells = entry(
        f"{where}.blur", "average_cells_at", None, pointer, size, size, size, size, number, size, size, pointer, pointer
    )
    blur = entry(f"{where}.blur", "box_blur_at", None, pointer, size, size, size, size, number, pointer)

    @numba.njit  # type: ignore[untyped-decorator,unused-ignore]
    def soften(region: Any, cells: Any, side: int, radius: int, scratch: Any) -> None:
        height, width = region.shape
        stride, step = region.strides
        average_cells(region.ctypes, stride, step, width, height, 8, side, side, scratch.ctypes, cells.ctypes)
        blur(cells.ctypes, cells.shape[1], cells.shape[0], radius, radius, 3, scratch.ctypes)

    region = plane(rng, 31, 45, 8)
    cells = np.empty((8, 12), np.uint16)
    soften(region, cells, 4, 2, np.empty(12 + 48, np.uint32))
    np.testing.assert_array_equal(cells, reference.box_blur(reference.average_cells(region, 4, 4), 2, 2, 3))


def test_all_entries_have_a_place_in_both_variants() -> None:
    for kernel in KERNELS:
        chosen = importlib.import_module(f"facered._native.{kernel}").__pyx_capi__
        assert chosen
        for variant in VARIANTS:
            there = importlib.import_module(f"facered._native.{variant}.{kernel}").__pyx_capi__
            assert {name: str(capsule).split('"')[1] for name, capsule in there.items()} == {
                name: str(capsule).split('"')[1] for name, capsule in chosen.items()
            }


class TestDocument:
    def test_python(self, rng: np.random.Generator) -> None:
        names: dict[str, Any] = {}
        exec(documented("python", "def hide"), names)  # noqa: S102
        region = plane(rng, 31, 45, 8)
        before = region.copy()
        names["hide"](region)
        cells = reference.box_blur(reference.average_cells(before, 8, 8), 2, 2, 3)
        mask = reference.ellipse_mask((45, 31), (22.5, 15.5), (45 / 2.4, 31 / 2.4), 0.15)
        np.testing.assert_array_equal(region, reference.blend_cells(before, mask, cells, 8, 8, 0, 0, True))

    def test_python_with_a_detector_and_patches(self, rng: np.random.Generator) -> None:
        y, next_luma = rng.integers(0, 256, (720, 1280), np.uint8), rng.integers(0, 256, (252, 448), np.uint8)
        names = {
            "np": np, "y": y, "u": y[:360, :640], "v": y[360:, 640:], "boxes": np.array([[200.0, 100, 48, 48]]),
            "matrix": np.eye(3, 4, dtype=np.float32), "limits": np.array([[0, 255]] * 3, np.float32),
            "next_luma": next_luma,
        }  # fmt: skip
        exec(documented("python", "tensor.Letterbox"), names)  # noqa: S102
        out, luma = reference.letterbox(y, names["u"], names["v"], (448, 252), names["matrix"], names["limits"])
        np.testing.assert_array_equal(names["out"][:, :252], out)
        box = names["boxes"][0]
        patch = reference.sample(reference.pyramid(luma), box)
        there = reference.search(reference.pyramid(next_luma), patch, box, 8, np.array([0.95, 1.05]))
        np.testing.assert_array_equal(names["found"][0], there)

    def test_cython(self, folder: Path, rng: np.random.Generator) -> None:
        region, cells = plane(rng, 31, 45, 8), np.empty((8, 12), np.uint16)
        built("softened", folder).softened(region, 4, np.empty(12 + 48, np.uint32), cells)
        np.testing.assert_array_equal(cells, reference.box_blur(reference.average_cells(region, 4, 4), 2, 2, 3))

    @pytest.mark.usefixtures("numba")
    def test_numba(self, rng: np.random.Generator) -> None:
        names: dict[str, Any] = {}
        exec(documented("python", "def averaged"), names)  # noqa: S102
        region, cells = plane(rng, 31, 45, 8), np.empty((8, 12), np.uint16)
        names["averaged"](region, 4, np.empty(45, np.uint32), cells)
        np.testing.assert_array_equal(cells, reference.average_cells(region, 4, 4))
