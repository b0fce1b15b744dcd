"""Where segments begin and end, and that it does not matter where one begins to look."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from facered.track import tuning
from facered.track.segmentation import Grid, Mark, Segment, Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]

RATE = 10.0
GRID = Grid(frames=100)
"""Lead-in 30 frames, lead-out 15, clearance 30, warm-up 60; all is settled 25 frames behind."""


def scene(seed: int, shift: float = 0.0) -> Luma:
    knots = np.random.default_rng(seed).uniform(0, 255, (9, 12))
    x, y = (np.arange(60) + shift) / 6, np.arange(44) / 5.5
    rows = np.array([np.interp(x, range(12), row) for row in knots])
    return np.array([np.interp(y, range(9), column) for column in rows.T]).T.astype(np.uint8)


def film(length: int, cuts: list[int] = [], fades: list[tuple[int, int]] = [], flashes: list[int] = []) -> list[Luma]:  # noqa: B006
    """Return pictures of scenes that follow each other, by cuts or by dissolves of some frames."""
    borders = sorted([(cut, cut) for cut in cuts] + fades)
    pictures = []
    for frame in range(length):
        number = sum(last <= frame for _, last in borders)
        picture = scene(number, shift=2 * np.sin(frame / 7)).astype(np.float64)
        for first, last in borders:
            if first < frame < last:
                share = (frame - first) / (last - first)
                picture = (1 - share) * picture + share * scene(number + 1, shift=2 * np.sin(frame / 7))
        if frame in flashes:
            picture[:] = 255.0
        pictures.append(picture.astype(np.uint8))
    return pictures


def run(pictures: list[Luma], grid: Grid = GRID, block: int = 0) -> tuple[list[Mark], list[Segment]]:
    """Return the marks and the segments of a film, from a block on."""
    segmentation = Segmentation(RATE, grid, block)
    marks = []
    for frame in range(segmentation.begin, len(pictures)):
        mark = segmentation.push(pictures[frame], frame / RATE)
        marks += [] if mark is None else [mark]
    marks += segmentation.flush()
    segments = [segment for mark in marks for segment in mark.settled]
    return marks, [*segments, *segmentation.finish()]


def bounds(pictures: list[Luma], grid: Grid = GRID) -> list[tuple[int, int]]:
    return [(segment.first, segment.end) for segment in run(pictures, grid)[1]]


@pytest.mark.parametrize(("rate", "frames"), [(1, 1500), (24, 1500), (30, 1500), (50, 3000), (60, 3000), (240, 15000)])
def test_possible_seams_are_about_a_minute_apart_at_usual_and_at_higher_rates(rate: int, frames: int) -> None:
    assert Grid().spacing(rate) == frames


def test_at_higher_rates_seams_are_at_every_second_multiple() -> None:
    segmentation, picture = Segmentation(50.0, Grid(frames=100)), scene(1)
    marks = [segmentation.push(picture, frame / 50) for frame in range(480)]
    assert [mark.seam for mark in marks if mark is not None and mark.seam is not None] == [200, 400]


def test_cuts_and_multiples_of_the_grid_begin_segments() -> None:
    assert bounds(film(330, cuts=[40, 150])) == [(0, 40), (40, 100), (100, 150), (150, 200), (200, 300), (300, 330)]


@pytest.mark.parametrize("cut", [71, 85, 99, 100, 101, 114, 115])
def test_there_is_no_seam_near_a_cut(cut: int) -> None:
    assert bounds(film(250, cuts=[cut])) == [(0, cut), (cut, 200), (200, 250)]


@pytest.mark.parametrize("cut", [69, 116])
def test_there_is_one_far_from_a_cut(cut: int) -> None:
    assert [first for first, _ in bounds(film(190, cuts=[cut]))] == sorted([0, cut, 100])


@pytest.mark.parametrize("first", [75, 85, 95, 99])
def test_there_is_no_seam_in_a_dissolve_and_no_segment_begins_there(first: int) -> None:
    pictures = film(250, fades=[(first, first + 10)])
    _, segments = run(pictures)
    assert [(segment.first, segment.end) for segment in segments] == [(0, 200), (200, 250)]
    (fade,) = segments[0].dissolves
    assert abs(fade.middle - first - 5) <= 3
    assert segments[1].dissolves == ()


def test_a_dissolve_belongs_to_the_segment_of_its_middle() -> None:
    _, segments = run(film(260, cuts=[150], fades=[(30, 40), (196, 206)]))
    told = [(segment.first, [round(fade.middle, -1) for fade in segment.dissolves]) for segment in segments]
    assert [first for first, _ in told] == [0, 100, 150]  # a dissolve is near the second seam
    assert [len(fades) for _, fades in told] == [1, 0, 1]


def test_at_a_seam_segments_are_analyzed_a_while_beyond() -> None:
    _, (first, second, third) = run(film(230, cuts=[200]))
    assert (first.lead, first.first, first.end, first.until, first.ends_shot) == (0, 0, 100, 115, False)
    assert (second.lead, second.first, second.end, second.until, second.ends_shot) == (70, 100, 200, 200, True)
    assert (third.lead, third.first, third.end, third.until, third.ends_shot) == (200, 200, 230, 230, True)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 100, 101, 115])
def test_a_film_that_ends_before_a_seam_is_clear_has_none(length: int) -> None:
    assert bounds(film(length)) == [(0, length)]
    assert bounds(film(116)) == [(0, 100), (100, 116)]


def test_a_segment_is_settled_two_and_a_half_seconds_behind_its_end() -> None:
    marks, _ = run(film(330, cuts=[40, 160]))
    when = {segment.end: mark.frame for mark in marks for segment in mark.settled}
    assert when == {40: 65, 100: 125, 160: 185, 200: 225, 300: 325}


def test_marks_tell_when_to_begin_and_whether_it_was_for_nothing() -> None:
    marks, _ = run(film(330, cuts=[90, 210]))
    told = {mark.frame: (mark.cut, mark.opens, mark.drops, mark.seam) for mark in marks}
    assert [mark.frame for mark in marks] == list(range(330))
    assert {frame: mark for frame, mark in told.items() if mark != (False, (), (), None)} == {
        70: (False, (100,), (), None),
        90: (True, (), (100,), None),
        170: (False, (200,), (), None),
        210: (True, (), (200,), None),
        270: (False, (300,), (), None),
        315: (False, (), (), 300),
    }


FILMS = {
    "one shot": film(430),
    "cuts": film(430, cuts=[95, 130, 133, 199, 240, 290]),
    "dissolves": film(430, fades=[(92, 104), (150, 160), (185, 190), (296, 302)]),
    "both, and flashes": film(430, cuts=[210, 300], fades=[(140, 152)], flashes=[99, 160, 297]),
    "black": [np.zeros_like(A) if 60 <= n < 120 else A for n, A in enumerate(film(430, cuts=[120, 390]))],
}


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("name", FILMS)
def test_a_block_alone_has_the_flags_and_bounds_that_it_has_in_the_whole_film(name: str, block: int) -> None:
    marks, segments = run(FILMS[name])
    alone, of_block = run(FILMS[name], block=block)
    first = 100 * block
    assert [mark.cut for mark in alone if mark.frame >= first] == [mark.cut for mark in marks if mark.frame >= first]
    assert of_block == [segment for segment in segments if segment.first >= first]
    # Nothing depends on what is behind the block, beyond what settles it.
    end = max((segment.end for segment in of_block if segment.first < first + 100), default=first)
    _, short = run(FILMS[name][: end + 26], block=block)
    assert [s for s in short if s.first < first + 100] == [s for s in of_block if s.first < first + 100]


def test_frames_before_the_warm_up_do_not_matter() -> None:
    pictures = film(260, cuts=[140])
    other = [*film(40, cuts=[3, 20]), *pictures[40:]]
    assert run(pictures, block=1) == run(other, block=1)


@pytest.mark.parametrize("frames", [4, 7, 20])
def test_a_fine_grid_gives_segments_that_join_without_gaps(frames: int) -> None:
    found = bounds(film(90, cuts=[50]), Grid(frames=frames, lead_in=0.5, lead_out=0.4, clearance=0.5, warm_up=1.2))
    assert found[0][0] == 0
    assert found[-1][1] == 90
    assert all(end == first for (_, end), (first, _) in pairwise(found))
    assert len(found) > 60 // frames
    assert 50 in [first for first, _ in found]


def test_few_pictures_are_kept_of_a_long_film() -> None:
    segmentation = Segmentation(RATE, Grid(frames=20))
    picture = scene(1)
    for frame in range(2000):
        segmentation.push(picture, frame / RATE)
    assert len(segmentation._blocks) < 20
    assert tuning.CUT_LOOKAHEAD == 3
