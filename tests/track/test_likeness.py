"""Pictures of one shot and of two: what is worked out by Fourier transforms decides as the plain correlation does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered.track import likeness, tuning
from facered.track.cuts import CutDetector
from facered.track.likeness import Cells, is_moved, shifted_correlation

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = [(35, 64), (64, 36), (48, 48), (9, 7), (3, 64), (1, 1)]


def textured(rng: np.random.Generator, size: tuple[int, int], smooth: int, contrast: float) -> NDArray[np.float64]:
    """Return a random picture, larger by a half than the size, of some smoothness and contrast."""
    rows, columns = (side + side // 2 + smooth for side in size)
    sums = np.cumsum(np.cumsum(rng.normal(0, 1, (rows + smooth, columns + smooth)), axis=0), axis=1)
    means = sums[smooth:, smooth:] - sums[:-smooth, smooth:] - sums[smooth:, :-smooth] + sums[:-smooth, :-smooth]
    return 128 + contrast * means / max(float(means.std()), 1e-9)


def cells(picture: NDArray[np.float64]) -> Cells:
    """Return a picture in steps of which forty make one of 8 bits, as those of averaged cells are."""
    return Cells((np.round(40 * np.clip(picture, 0, 255)) / 40).astype(np.float32))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from(SIZES),
    smooth=st.sampled_from([1, 4, 12]),
    contrast=st.sampled_from([0.0, 0.02, 1.0, 40.0]),
    moved=st.floats(0, 0.3),
    other=st.floats(0, 1),
    bars=st.sampled_from([0.0, 0.2, 0.5]),
    gain=st.sampled_from([1.0, 0.01, -1.0]),
)
def test_a_swing_is_told_as_by_correlating_every_shift(
    seed: int,
    size: tuple[int, int],
    smooth: int,
    contrast: float,
    moved: float,
    other: float,
    bars: float,
    gain: float,
) -> None:
    rng = np.random.default_rng(seed)
    first, second = (textured(rng, size, smooth, contrast) for _ in range(2))
    mixed = 128 + gain * ((1 - other) * first + other * second - 128)
    dy, dx = (int(moved * side) for side in size)
    a, b = first[: size[0], : size[1]], mixed[dy : dy + size[0], dx : dx + size[1]].copy()
    b[: int(bars * size[0])] = 16
    one, another = cells(a), cells(b)
    expected = shifted_correlation(one.means, another.means) >= tuning.MIN_SHIFTED_CORRELATION
    assert is_moved(one, another) == expected


def test_where_rounding_might_decide_every_shift_is_correlated(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    first, second = (textured(rng, (35, 64), 4, 40.0) for _ in range(2))

    def mixed(share: float) -> tuple[Cells, Cells]:
        return cells(first[:35, :64]), cells(share * first[2:37, 3:67] + (1 - share) * second[:35, :64])

    low, high = 0.0, 1.0
    for _ in range(40):  # towards the limit itself
        middle = (low + high) / 2
        pair = mixed(middle)
        reaches = shifted_correlation(pair[0].means, pair[1].means) >= tuning.MIN_SHIFTED_CORRELATION
        low, high = (low, middle) if reaches else (middle, high)
    asked = []
    exact = likeness.shifted_correlation
    monkeypatch.setattr(likeness, "shifted_correlation", lambda a, b: asked.append(1) or exact(a, b))
    for share in (low, high):
        pair = mixed(share)
        assert is_moved(*pair) == (exact(pair[0].means, pair[1].means) >= tuning.MIN_SHIFTED_CORRELATION)
    assert len(asked) == 2
    for share in (0.2, 1.0):
        is_moved(*mixed(share))
    assert len(asked) == 2  # elsewhere not


def test_pictures_that_differ_all_the_time_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    differ = likeness.differ
    monkeypatch.setattr("facered.track.cuts.differ", lambda a, b: compared.append((id(a), id(b))) or differ(a, b))
    rng = np.random.default_rng(7)
    pictures = [textured(rng, (90, 120), 24, 60.0)[:90, :120].clip(0, 255).astype(np.uint8) for _ in range(30)]
    detector = CutDetector(25.0)
    for picture in pictures:
        detector.push(picture)
        detector.suspect()
        detector.differs()
    detector.flush()
    following = 2 * tuning.CUT_LOOKAHEAD + 1
    assert 30 < len(compared) <= 30 * following
