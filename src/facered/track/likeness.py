"""Whether two small luma pictures show different things, allowing for a change of light and a swing of the camera.

At a cut many pairs of the same pictures are compared, so what a picture brings to a comparison is worked out once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facered.track import tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    CellMeans = NDArray[np.float32]

NEAR, FAR = 0.002, 0.03
"""How far the correlation of `shifted_correlation` may be from the exact one: of parts that differ by a step from cell
to cell or more, and of flatter ones. By what rounding can do; below it, `is_moved` asks that function itself."""
FLAT_ENERGY = 1e-6
"""Sum of squares up to which a part counts as flat: means of 8-bit samples that differ have more."""


class _Core(NamedTuple):
    """The middle of a picture, to be found in another one: its spectrum, conjugated, and its sum of squares."""

    spectrum: NDArray[np.complex128]
    energy: float
    cells: int


class _Parts(NamedTuple):
    """All parts of a picture that are as large as its middle.

    Attributes
    ----------
    spectrum : (rows, columns) complex128
        Of the picture.
    norms : (shifts down, shifts across) float64
        Root of each part's sum of squares, a little more than 0 where it is flat.
    unlike, alike : (shifts down, shifts across) float64
        The correlations below which another picture's middle is certainly not that part, and from which it is.
    """

    spectrum: NDArray[np.complex128]
    norms: NDArray[np.float64]
    unlike: NDArray[np.float64]
    alike: NDArray[np.float64]


class Cells:
    """A small picture, as the means of its cells.

    Parameters
    ----------
    means : (rows, columns) float32
    """

    def __init__(self, means: CellMeans) -> None:
        self.means = means

    @cached_property
    def centred(self) -> CellMeans:
        """The means less their mean."""
        centred: CellMeans = self.means - self.means.mean()
        return centred

    @cached_property
    def energy(self) -> np.float32:
        """Sum of the squares of `centred`."""
        energy: np.float32 = (self.centred * self.centred).sum()
        return energy

    def times(self, other: Cells) -> float:
        """Return the scalar product of what both have `centred`."""
        return float(self.centred.ravel() @ other.centred.ravel())

    @cached_property
    def square(self) -> float:
        """The scalar product with itself."""
        return self.times(self)

    @cached_property
    def core(self) -> _Core:
        """Its middle, for `is_moved`."""
        dy, dx = _shifts(self.means.shape)
        core = self.means[dy : self.means.shape[0] - dy, dx : self.means.shape[1] - dx].astype(np.float64)
        core -= core.mean()
        return _Core(np.conj(np.fft.rfft2(core, self.means.shape)), float((core * core).sum()), core.size)

    @cached_property
    def parts(self) -> _Parts:
        """Its parts, for `is_moved`."""
        dy, dx = _shifts(self.means.shape)
        picture = self.means.astype(np.float64)
        picture -= picture.mean()
        cells = (picture.shape[0] - 2 * dy) * (picture.shape[1] - 2 * dx)
        energies = _window_sums(picture * picture, dy, dx) - _window_sums(picture, dy, dx) ** 2 / cells
        clear, limit = energies >= cells, tuning.MIN_SHIFTED_CORRELATION
        return _Parts(
            np.fft.rfft2(picture),
            np.sqrt(np.maximum(energies, FLAT_ENERGY)),
            np.where(clear, limit - NEAR, limit - FAR),
            np.where(clear, limit + NEAR, np.inf),
        )


def differ(a: Cells, b: Cells) -> bool:
    """Tell whether two pictures are of different shots."""
    return float(np.abs(a.means - b.means).mean()) >= tuning.MIN_CUT_DIFFERENCE and unlike(a, b)


def unlike(a: Cells, b: Cells) -> bool:
    """Tell whether two pictures show different things, allowing for a change of light and a swing of the camera."""
    return correlation(a, b) < tuning.MIN_SHOT_CORRELATION and not is_moved(a, b)


def correlation(a: Cells, b: Cells) -> float:
    """Return the correlation of two pictures, -1 to 1; of pictures without structure, -1."""
    energy = float(np.sqrt(a.energy * b.energy))
    return float((a.centred * b.centred).sum()) / energy if energy else -1.0


def is_moved(a: Cells, b: Cells) -> bool:
    """Tell whether `shifted_correlation` reaches `tuning.MIN_SHIFTED_CORRELATION`.

    All shifts are correlated at once by Fourier transforms. Where rounding might decide, that function does.
    """
    core, parts = a.core, b.parts
    if core.energy >= core.cells:
        rows, columns = parts.norms.shape
        shared = np.fft.irfft2(core.spectrum * parts.spectrum, a.means.shape)[:rows, :columns]
        found = shared / (parts.norms * np.sqrt(core.energy))
        if (found >= parts.alike).any():
            return True
        if (found < parts.unlike).all():
            return False
    return shifted_correlation(a.means, b.means) >= tuning.MIN_SHIFTED_CORRELATION


def shifted_correlation(a: CellMeans, b: CellMeans) -> float:
    """Return the best correlation of the middle of one picture with any part of the other: cameras swing."""
    dy, dx = _shifts(a.shape)
    core = a[dy : a.shape[0] - dy, dx : a.shape[1] - dx]
    core = core - core.mean()
    parts = sliding_window_view(b, core.shape)
    parts = parts - parts.mean(axis=(2, 3), keepdims=True)
    energy = np.sqrt((core * core).sum() * np.einsum("ijkl,ijkl->ij", parts, parts))
    shared = np.einsum("ijkl,kl->ij", parts, core)
    return float(np.max(np.divide(shared, energy, out=np.full_like(shared, -1), where=energy > 0)))


def _shifts(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return by how many cells, down and across, the middle may be moved."""
    return int(shape[0] * tuning.MAX_SHIFT), int(shape[1] * tuning.MAX_SHIFT)


def _window_sums(picture: NDArray[np.float64], dy: int, dx: int) -> NDArray[np.float64]:
    """Return the sum of each part that is 2 dy rows and 2 dx columns smaller than a picture."""
    sums = np.zeros((picture.shape[0] + 1, picture.shape[1] + 1))
    np.cumsum(np.cumsum(picture, axis=0), axis=1, out=sums[1:, 1:])
    bottom, right = picture.shape[0] - 2 * dy, picture.shape[1] - 2 * dx
    down: NDArray[np.float64] = sums[bottom:] - sums[: 2 * dy + 1]
    return down[:, right:] - down[:, : 2 * dx + 1]
