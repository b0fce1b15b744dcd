"""The frames' own times, and how many frames make up a second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered.track.clock import MIN_STEP, SAME_RATE, STEPS, Clock


def clock(*seconds: float | None, rate: float = 25) -> Clock:
    made = Clock(rate)
    for time in seconds:
        made.push(time)
    return made


def steady(rate: float, frames: int, told: float) -> Clock:
    return clock(*(number / rate for number in range(frames)), rate=told)


@pytest.mark.parametrize("told", [1, 25, 1000, 90000])
@pytest.mark.parametrize("rate", [1, 5, 25, 240])
def test_the_rate_is_that_of_the_times(rate: float, told: float) -> None:
    made = steady(rate, 40, told)
    np.testing.assert_allclose([made.rate(frame) for frame in (0, 20, 39)], rate, rtol=1e-6)
    assert made.between(10, 30) == pytest.approx(20 / rate)
    assert made.count(2.0, 20) == 2 * rate
    assert made.has_passed(3.0, 0, min(3 * round(rate), 39)) == (3 * rate <= 39)


def test_what_is_told_counts_where_the_times_are_rounded_to_ticks() -> None:
    made = clock(*(round(1000 * number / 29.97) / 1000 for number in range(60)), rate=29.97)
    assert {made.rate(frame) for frame in range(60)} == {29.97}


@pytest.mark.parametrize("bad", [None, 0.2, 0.1, 0.2 + MIN_STEP / 2])
def test_a_time_that_does_not_come_after_the_last_is_made_up(bad: float | None) -> None:
    made = clock(0.0, 0.1, 0.2, bad, rate=10)
    assert made.at(3) == pytest.approx(0.3)


def test_a_change_of_rate_is_known_on_both_sides() -> None:
    made = clock(*(number / 25 for number in range(50)), *(2 + number / 2 for number in range(20)))
    assert made.rate(30) == pytest.approx(25)
    assert made.rate(65) == pytest.approx(2)
    assert made.between(49, 51) == pytest.approx(0.54)
    assert made.has_passed(0.5, 50, 51)
    assert not made.has_passed(0.5, 20, 30)
    np.testing.assert_allclose(made.rates(np.array([-1, 0, 30, 65, 69, 90])), [25, 25, 25, 2, 2, 2])


def test_a_pause_is_no_frame() -> None:
    made = clock(0, 0.04, 0.08, 5.0, 5.04, 5.08)
    assert made.rate(3) == 25
    assert made.between(2, 3) == pytest.approx(4.92)
    assert made.has_passed(1.0, 2, 3)
    assert not made.is_beyond(0.2, 2, 3)  # but nobody is given up for a single frame


def test_time_goes_on_beyond_both_ends() -> None:
    made = steady(10, 20, 25)
    assert made.between(-5, 0) == pytest.approx(0.5)
    assert made.between(19, 24) == pytest.approx(0.5)
    assert Clock(25).between(0, 50) == pytest.approx(2)


def test_what_is_forgotten_changes_nothing_of_the_rest() -> None:
    whole, short = steady(10, 300, 25), steady(10, 300, 25)
    short.forget(200)
    for frame in (200, 250, 299):
        assert short.at(frame) == whole.at(frame)
        assert short.rate(frame) == whole.rate(frame)
    assert short.between(210, 290) == pytest.approx(8)


def measured_by_numpy(times: list[float], told: float, frames: list[int]) -> list[float]:
    """Return the rate about each frame as it is defined: by the median of the steps near it."""
    rates = []
    for frame in frames:
        index = min(max(frame, 0), len(times) - 1)
        measured = 1 / float(np.median(np.diff(times[max(index - STEPS, 0) : index + STEPS + 1])))
        rates.append(told if abs(measured / told - 1) < SAME_RATE else measured)
    return rates


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), told=st.sampled_from([12.446, 25.0, 240.0]), forget=st.sampled_from([0, 3, 20]))
def test_rates_are_the_same_to_the_bit_whenever_they_are_asked_for(seed: int, told: float, forget: int) -> None:
    rng = np.random.default_rng(seed)
    times, made, gone = [0.0], Clock(told), 0
    made.push(0.0)
    while len(times) < 60:
        times.append(times[-1] + float(rng.choice([1, 1, 1, 0.5, 2])) / told)
        made.push(times[-1])
        if forget and len(times) % 11 == 0:
            made.forget(len(times) - forget)
            gone = max(len(times) - forget - STEPS, gone)
        # Of what was forgotten nothing is known, and what came before is not there for the next ones.
        frames = rng.integers(gone - 3, len(times) + 5, 4).tolist()
        expected = measured_by_numpy(times[gone:], told, [frame - gone for frame in frames])
        assert made.rates(np.array(frames)).tolist() == expected
        assert [made.rate(frame) for frame in frames] == expected
