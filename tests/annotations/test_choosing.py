"""Choosing people, and fitting annotations to a video."""

from __future__ import annotations

from fractions import Fraction

import pytest

from documents import Store, entries, face, fragment, of_fragments
from facered import Annotations, ConfigurationUnsupportedError


@pytest.mark.parametrize(
    ("choice", "left"),
    [({}, [1, 2, 3]), ({"ids": [3, 1]}, [1, 3]), ({"except_ids": [3, 3]}, [1, 2]), ({"except_ids": []}, [1, 2, 3])],
)
def test_people_are_chosen(store: Store, choice: dict[str, list[int]], left: list[int]) -> None:
    read = Annotations.read(store(of_fragments(fragment(0, [face(1), face(2)], [], [face(2), face(3)]))))
    chosen = read.select(**choice)
    assert sorted(set(chosen.ids.tolist())) == left
    assert entries(chosen) == {t: [f for f in faces if f[0] in left] for t, faces in entries(read).items()}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"ids": [1, 4, 5]}, "no face has the id 4, 5; there are 1, 2, 3"),
        ({"except_ids": [-4]}, "no face has the id -4; there are 1, 2, 3"),
        ({"ids": [1], "except_ids": [2]}, "ids and except_ids exclude each other"),
        ({"ids": []}, "nobody is left to hide"),
        ({"except_ids": [1, 2, 3]}, "nobody is left to hide"),
    ],
)
def test_a_choice_that_would_leave_a_face_bare_is_an_error(
    store: Store, choice: dict[str, list[int]], message: str
) -> None:
    read = Annotations.read(store(of_fragments(fragment(0, [face(1), face(2), face(3)]))))
    with pytest.raises(ConfigurationUnsupportedError, match=message):
        read.select(**choice)


def test_at_most_twenty_ids_are_listed(store: Store) -> None:
    read = Annotations.read(store(of_fragments(fragment(0, [face(n) for n in range(21)]))))
    with pytest.raises(ConfigurationUnsupportedError, match=r"there are 0, 1, .*, 19, \.\.\.$"):
        read.select(ids=[21])


def test_a_document_without_faces_is_fine_unless_someone_is_named(store: Store) -> None:
    read = Annotations.read(store(of_fragments(fragment(0, [], []))))
    assert read.select().people == 0
    with pytest.raises(ConfigurationUnsupportedError, match="no face has the id 1; there are no faces at all"):
        read.select(ids=[1])


@pytest.mark.parametrize(
    ("timescale", "time_base", "ticks", "pts"),
    [
        (30000, Fraction(1001, 30000), [0, 1001, 2002], [0, 1, 2]),
        (24000, Fraction(1, 12288), [0, 1001, 2002], [0, 513, 1025]),
        (1000, Fraction(1, 90000), [-33, 0, 33], [-2970, 0, 2970]),
        (25, Fraction(1, 50), [3, 4, 9], [6, 8, 18]),
        (50, Fraction(1, 50), [3, 4, 9], [3, 4, 9]),
        (1, Fraction(1, 10**9), [10**9], [10**18]),
    ],
)
def test_times_come_in_the_units_of_the_video(
    store: Store, timescale: int, time_base: Fraction, ticks: list[int], pts: list[int]
) -> None:
    made = of_fragments(*(fragment(tick, [face()]) for tick in ticks), timescale=timescale)
    assert Annotations.read(store(made)).rescaled(time_base).pts.tolist() == pts


def test_times_beyond_all_clocks_are_an_error(store: Store) -> None:
    read = Annotations.read(store(of_fragments(fragment(1 << 60, [face()], interval=0), timescale=1)))
    with pytest.raises(ConfigurationUnsupportedError, match="has times that no video reaches"):
        read.rescaled(Fraction(1, 90000))


def test_frames_that_fall_together_on_a_coarser_clock_are_joined(store: Store) -> None:
    made = of_fragments(fragment(0, [face(1)], [face(2)], interval=1), timescale=1000)
    assert entries(Annotations.read(store(made)).rescaled(Fraction(1, 25))) == {
        0: [(1, 0.25, 0.5, 0.125, 0.25), (2, 0.25, 0.5, 0.125, 0.25)]
    }


@pytest.mark.parametrize(
    ("video", "message"),
    [
        ((640, 480, Fraction(25), None), "made for 1280x720, but the video is 640x480"),
        ((1280, 720, Fraction(24), None), "made for 25 frames/s, but the video has 24;"),
        ((1280, 720, Fraction(25), 1), "the last face is at 0.040 s, but the video's last frame at 0.020 s"),
    ],
)
def test_annotations_of_another_video_are_an_error(
    store: Store, video: tuple[int, int, Fraction, int | None], message: str
) -> None:
    path = store(of_fragments(fragment(0, [face()], [face()], [], [])))
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        Annotations.read(path).check_fits(*video)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; use the annotations of this video")


def test_annotations_that_fit_pass(store: Store) -> None:
    made = of_fragments(fragment(0, [face()], [face()], [], []))
    read = Annotations.read(store(made))
    read.check_fits(1280, 720, Fraction(25), 2)
    read.check_fits(1280, 720, Fraction(249, 10))
    read.check_fits(1280, 720)
    del made["framerate"], made["margin"]
    bare = Annotations.read(store(made))
    bare.check_fits(1280, 720, Fraction(99), 2)
    assert (bare.rate, bare.margin) == (None, None)
