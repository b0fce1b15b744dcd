"""How many frames a second there are: by the frames' own times, as what files tell of it is often wrong."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

SIMILAR = Fraction(1, 10)
"""Part by which the rate that is told may differ from the times'; by hand. Larger: wrong rates are believed. Smaller:
what is rounded to a container's ticks passes for another rate."""
REGULAR = Fraction(3, 2)
"""Steps longer than so many typical ones are pauses, and do not count; by hand."""
MIN_RATE, MAX_RATE = Fraction(1, 86400), Fraction(1000)
"""Least and most frames a second that are believed: a picture a day, and as many as cameras that film people make."""
USUAL = Fraction(25)
"""The rate where nothing can be believed: European television's."""


def chosen(told: Fraction | None, times: Iterable[int], time_base: Fraction) -> Fraction:
    """Return the frames a second: what is told where the times are like it, else what they say.

    Parameters
    ----------
    told : Fraction or None
        What the file says.
    times : iterable of int
        Of some frames, in any order.
    time_base : Fraction
        Seconds a tick of the times.
    """
    measured = measure(times, time_base)
    if measured is None:
        return believable(told)
    if told is not None and abs(told - measured) <= SIMILAR * measured:
        return told
    return measured


def believable(told: Fraction | None) -> Fraction:
    """Return the rate that is told, or the usual one where that cannot be."""
    return told if told is not None and MIN_RATE <= told <= MAX_RATE else USUAL


def measure(times: Iterable[int], time_base: Fraction) -> Fraction | None:
    """Return the frames a second that times, in ticks and any order, tell; None where they do not."""
    ordered = sorted(set(times))
    steps = sorted(later - earlier for earlier, later in pairwise(ordered))
    if not steps:
        return None
    typical = [step for step in steps if step <= REGULAR * steps[len(steps) // 2]]
    rate = 1 / (Fraction(sum(typical), len(typical)) * time_base)
    if not MIN_RATE <= rate <= MAX_RATE:
        return None
    return rate.limit_denominator(1001) or 1 / (1 / rate).limit_denominator(1001)
