"""Who is in one frame is who the whole tracks say, to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import instants
from facered.track import instant
from facered.track.instant import Person, people_in

FRAMES = 90


def told(found: Sequence[tuple[Person, NDArray[np.float64]]]) -> list[tuple[int, bytes]]:
    return [(one.key, box.tobytes()) for one, box in found]


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 9),
    frame=st.integers(0, FRAMES + 5),
    rate=st.sampled_from([6.0, 25.0, 60.0]),
    gaps=st.booleans(),
    shots=st.sampled_from([(), (45,), (20, 50)]),
    every=st.sampled_from([1, 2, 7, 30]),
    repeats=st.sampled_from([(), (), (30, 31, 70)]),
    jumps=st.sampled_from([(), (), (33, 60)]),
)
def test_it_is_who_the_whole_tracks_say(
    seed: int,
    count: int,
    frame: int,
    rate: float,
    gaps: bool,
    shots: tuple[int, ...],
    every: int,
    repeats: tuple[int, ...],
    jumps: tuple[int, ...],
) -> None:
    people = instants.wanderers(np.random.default_rng(seed), count, FRAMES, gaps=gaps, shots=shots, every=every)
    about = instants.clock(FRAMES, rate), instants.PIXEL, instants.path(repeats, jumps)
    expected = instants.people_by_tracks(frame, people, *about)
    assert told(people_in(frame, people, *about)) == told(expected)


def test_who_is_detected_twice_is_told_of_once() -> None:
    (one, *_) = instants.wanderers(np.random.default_rng(1), 1, FRAMES, gaps=False)
    double = Person(one.trajectory, 7, 0, doubtful=False)
    about = instants.clock(FRAMES), instants.PIXEL, instants.path()
    assert len(people_in(40, [one, double], *about)) == 1


def test_who_is_measured_in_the_frame_needs_no_track(monkeypatch: pytest.MonkeyPatch) -> None:
    people = instants.wanderers(np.random.default_rng(3), 6, FRAMES, gaps=False)
    about = instants.clock(FRAMES), instants.PIXEL, instants.path()
    expected = told(people_in(60, people, *about))
    made: list[int] = []
    whole = instant.smooth_and_fill

    def counted(*arguments, **more):  # type: ignore[no-untyped-def]
        made.append(1)
        return whole(*arguments, **more)

    monkeypatch.setattr(instant, "smooth_and_fill", counted)
    assert told(people_in(60, people, *about)) == expected
    assert len(expected) - 2 <= len(people) - len(made)  # but those who meet somebody
    assert not people_in(FRAMES + 40, people, *about)
    assert len(made) <= 2
