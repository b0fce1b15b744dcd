"""What a person can do to a document, and that nobody is bare by a slip."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import lumas
import videos
from facered.annotations.table import REGION_IDS
from facered.errors import ConfigurationUnsupportedError
from facered.review import Review, history
from lumas import Person
from reviewed import FACES, FRAMES, HEIGHT, PLATE, WIDTH, annotate, box, is_bare, lumas_of, make_film

ADA, BEN, CAL = 1, 2, 3


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture
def out(film: Path, tmp_path: Path) -> Path:
    annotate(film, tmp_path)
    return tmp_path


def listed(out: Path) -> str | None:
    path = out / "foo_IDList.txt"
    return path.read_text() if path.exists() else None


def test_it_tells_who_is_where(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        assert (review.frames, review.fps, review.size) == (FRAMES, 25.0, (WIDTH, HEIGHT))
        assert [person.id for person in review.people] == [ADA, BEN, CAL]
        assert all(person.hidden for person in review.people)
        assert [person.spans for person in review.people] == [[(0, 74)], [(0, 74)], [(0, 49)]]
        assert review.people[2].doubtful == [(41, 49)]
        assert review.places() == [(41, CAL, "may be no face")]
        np.testing.assert_allclose(review.boxes(60)[BEN], [box(FACES[1], 60)], atol=1e-6)
        assert sorted(review.boxes(60)) == [ADA, BEN]


def test_it_is_there_without_being_imported(film: Path, out: Path) -> None:
    code = "import sys, facered; print(len(facered.review.Review.open(*sys.argv[1:]).people))"
    done = subprocess.run([sys.executable, "-c", code, film, out], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


def test_a_frame_shows_the_masks_that_the_result_will_have(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        review.show(ADA)
        bare, masked = review.frame(30), review.frame(30, masks=True)
        assert bare.shape == (HEIGHT, WIDTH, 3)
        assert bare.dtype == np.uint8
        assert is_bare(masked, bare, FACES[0], 30)
        assert not is_bare(masked, bare, FACES[1], 30)
        np.testing.assert_array_equal(review.frame(30), bare)  # what is kept was not drawn into
        result = review.redact(crf=1)
    assert result.video_path is not None
    shown = lumas_of(result.video_path)[30].astype(float)
    luma = masked @ [0.299, 0.587, 0.114]
    assert np.abs(shown - luma)[40:110].mean() < 3


def test_whoever_is_new_is_hidden_until_a_person_says_otherwise(film: Path, out: Path) -> None:
    """Draw, split, merge, redact, and look."""
    with Review.open(film, out) as review:
        review.show(ADA, BEN, reason="officials")
        later = review.split(ADA, at=40)
        assert later == CAL + 1
        plate = review.track(20, box(PLATE, 20) or ())
        assert plate == REGION_IDS
        hidden = {person.id: person.hidden for person in review.people}
        assert hidden == {ADA: False, BEN: False, CAL: True, later: True, plate: True}
        result = review.redact(crf=10)
    assert listed(out) == f"{CAL}\n{later}\n{plate}\n"
    assert result.video_path is not None
    before, after = lumas_of(film), lumas_of(result.video_path)
    for frame in range(FRAMES):
        assert is_bare(after[frame], before[frame], FACES[0], frame) == (frame < 40)
        assert is_bare(after[frame], before[frame], FACES[1], frame)
        assert not is_bare(after[frame], before[frame], PLATE, frame)
        if frame < 50:
            assert not is_bare(after[frame], before[frame], FACES[2], frame)
    with Review.open(film, out) as review:
        assert review.merge(BEN, later) == BEN
        assert [person.hidden for person in review.people if person.id == BEN] == [True]
        assert later not in {person.id for person in review.people}


def test_a_drawn_box_is_followed_both_ways(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        plate = review.track(30, box(PLATE, 30) or ())
        (found,) = [person for person in review.people if person.id == plate]
        assert (found.kind, found.spans, found.by_hand) == ("region", [(0, 74)], True)
        for frame in range(FRAMES):
            x, y, width, height = review.boxes(frame)[plate][0]
            place = PLATE.way(frame)
            assert place is not None
            assert abs((x + width / 2) * WIDTH - place[0]) < 4
            assert abs((y + height / 2) * HEIGHT - place[1]) < 4


def test_between_two_frames_set_by_hand_a_box_moves_evenly(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        before = review.boxes(5)[CAL]
        review.move(CAL, 10, (0.1, 0.2, 0.1, 0.2))
        review.move(CAL, 20, (0.3, 0.4, 0.2, 0.1))
        np.testing.assert_allclose(review.boxes(15)[CAL], [[0.2, 0.3, 0.15, 0.15]])
        np.testing.assert_array_equal(review.boxes(5)[CAL], before)
        review.move(CAL, 60, (0.3, 0.4, 0.2, 0.1))  # where it was not
        assert review.people[2].spans == [(0, 60)]
        np.testing.assert_allclose(review.boxes(55)[CAL], [[0.3, 0.4, 0.2, 0.1]])
        review.erase(CAL, 0, 30)
        assert review.people[2].spans == [(31, 60)]


def test_an_empty_list_would_mean_everyone_so_there_is_none(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        review.show(ADA)
        review.save()
        assert listed(out) == f"{BEN}\n{CAL}\n"
        review.show(BEN)
        with pytest.raises(ConfigurationUnsupportedError, match="nobody would be hidden"):
            review.show(CAL)
        with pytest.raises(ConfigurationUnsupportedError, match="nobody would be hidden"):
            review.delete(CAL)
        review.hide(ADA, BEN)
        review.save()
        assert listed(out) is None


def test_a_list_that_is_there_is_heeded(film: Path, out: Path) -> None:
    (out / "foo_IDList.txt").write_text("2\n")
    with Review.open(film, out) as review:
        assert [person.hidden for person in review.people] == [False, True, False]


def test_undo_is_without_end_and_across_reviews(film: Path, out: Path) -> None:
    first = (out / "foo_annotations.json").read_bytes()
    with Review.open(film, out) as review:
        review.show(ADA, reason="an official", by="me")
        review.merge(BEN, CAL)
        review.split(BEN, at=30)
        review.undo()
    document = facered.Annotations.read(out / "foo_annotations.json")
    noted = document.extras.document["people"]["1"]
    assert (noted["reason"], noted["by"]) == ("an official", "me")
    assert noted["time"].endswith("+00:00")
    with Review.open(film, out) as review:
        assert [person.id for person in review.people] == [ADA, BEN]
        assert review.redo()
        assert len(review.people) == 3
        while review.undo():
            pass
        assert not review.can_undo
        assert review.can_redo
    assert (out / "foo_annotations.json").read_bytes() == first
    assert (out / "foo_annotations.first.json").read_bytes() == first
    assert listed(out) is None


def test_after_a_crash_at_most_the_last_gesture_is_gone(film: Path, out: Path) -> None:
    code = (
        "import sys, os, signal; from facered.review import Review; review = Review.open(*sys.argv[1:3]);"
        "review.show(1); review.merge(2, 3); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, film, out], check=False)
    assert done.returncode == -signal.SIGKILL
    journal = out / "foo_review.jsonl"
    assert journal.stat().st_mode & 0o777 == 0o600
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"do":"hide","ids":[1')  # and one was being written
    with Review.open(film, out) as review:
        assert {person.id: person.hidden for person in review.people} == {ADA: False, BEN: True}
        assert not review.saved
    assert listed(out) == "2\n"
    with Review.open(film, out) as review:
        assert review.saved


def test_what_was_changed_elsewhere_is_not_overwritten(film: Path, out: Path) -> None:
    document = out / "foo_annotations.json"
    review = Review.open(film, out)
    review.show(ADA)
    document.write_bytes(document.read_bytes().replace(b'"id":3', b'"id":9'))
    with pytest.raises(ConfigurationUnsupportedError, match="somebody else has changed it"):
        review.close()
    with Review.open(film, out) as review:
        assert "changed elsewhere" in review.message
        assert [person.id for person in review.people] == [ADA, BEN, 9]
        assert not review.can_undo
    assert b'"show"' in (out / "foo_review.old.jsonl").read_bytes()


def test_a_film_is_reviewed_once_at_a_time(film: Path, out: Path) -> None:
    with (
        Review.open(film, out),
        pytest.raises(ConfigurationUnsupportedError, match="is being reviewed already"),
    ):
        Review.open(film, out)


@pytest.mark.parametrize(
    ("gesture", "why"),
    [
        (lambda review: review.hide(7), "no id 7"),
        (lambda review: review.merge(1, 1), "two different ids"),
        (lambda review: review.split(1, 0), "one side of frame 0"),
        (lambda review: review.split(3, 60), "one side of frame 60"),
        (lambda review: review.erase(3, 60, 70), "no box from frame 60 to 70"),
        (lambda review: review.move(1, 75, (0.1, 0.1, 0.1, 0.1)), "no frame 75"),
        (lambda review: review.move(1, 7, (0.1, 0.1, 0, 0.1)), "more than 0"),
        (lambda review: review.move(1, 7, (0.1, 0.1, float("nan"), 0.1)), "finite"),
        (lambda review: review.move(1, 7, (0.1, 0.1)), "x, y, width and height"),
        (lambda review: review.track(-1, (0.1, 0.1, 0.1, 0.1)), "no frame -1"),
        (lambda review: review.frame(75), "no frame 75"),
    ],
)
def test_what_cannot_be_done_changes_nothing(film: Path, out: Path, gesture: object, why: str) -> None:
    with Review.open(film, out) as review:
        with pytest.raises(ConfigurationUnsupportedError, match=why):
            gesture(review)  # type: ignore[operator]
        assert review.revision == 0
        assert review.saved


def test_a_journal_that_is_none_is_refused(film: Path, out: Path) -> None:
    (out / "foo_review.jsonl").write_text('{"do":"dance"}\n')
    with pytest.raises(ConfigurationUnsupportedError, match="line 1 is no gesture"):
        Review.open(film, out)


def test_a_full_disk_loses_no_gesture_that_was_done(film: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Review.open(film, out) as review:
        review.show(ADA)
        before = (out / "foo_review.jsonl").read_bytes()
        with monkeypatch.context() as patched:

            def full(*_: object) -> int:
                raise OSError(28, "No space left on device")

            patched.setattr(os, "fsync", full)
            with pytest.raises(ConfigurationUnsupportedError, match="the last gesture was not done"):
                review.show(BEN)
        assert (out / "foo_review.jsonl").read_bytes() == before
        assert [person.hidden for person in review.people] == [False, True, True]
    with Review.open(film, out) as review:
        assert [person.hidden for person in review.people] == [False, True, True]


def test_what_is_drawn_is_not_followed_across_a_cut(tmp_path: Path) -> None:
    """The same plate is at the same place of another scene."""
    still = Person(12, lambda _: (160, 100, 40))
    scenes = [lumas.film([still], 30, lumas.wall(WIDTH, HEIGHT, seed)) for seed in (1000, 77)]
    scenes[1] = [np.where(picture == lumas.wall(WIDTH, HEIGHT, 77), 255 - picture, picture) for picture in scenes[1]]
    pictures = [picture for scene in scenes for picture in scene]
    frames = [av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p") for picture in pictures]
    film = videos.encode(tmp_path / "foo.mp4", frames, options={"crf": "12"})
    annotate(film, count=60)
    with Review.open(film, tmp_path) as review:
        for frame, span in ((20, (0, 29)), (40, (30, 59))):
            drawn = review.track(frame, box(still, frame) or ())
            assert [person.spans for person in review.people if person.id == drawn] == [[span]]


def test_a_save_that_is_interrupted_leaves_everyone_hidden_and_no_gesture_lost(
    film: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the document, in which somebody is new, and the list, which does not name them yet."""
    with Review.open(film, out) as review:
        review.show(ADA)
    review = Review.open(film, out)
    review.track(20, box(PLATE, 20) or ())
    write, written = history.write_whole, []

    def interrupted(path: Path, content: bytes) -> None:
        if path.suffix == ".txt":
            raise KeyboardInterrupt
        write(path, content)
        written.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(history, "write_whole", interrupted)
        with pytest.raises(KeyboardInterrupt):
            review.close()
    assert len(written) == 1
    assert listed(out) is None
    with Review.open(film, out) as review:
        assert review.message == ""
        assert [person.hidden for person in review.people] == [False, True, True, True]
        assert review.can_undo
    assert listed(out) == f"{BEN}\n{CAL}\n{REGION_IDS}\n"


def test_a_list_that_was_changed_by_hand_is_heeded(film: Path, out: Path) -> None:
    with Review.open(film, out) as review:
        review.show(ADA)
    (out / "foo_IDList.txt").write_text("1\n")
    with Review.open(film, out) as review:
        assert "changed elsewhere" in review.message
        assert [person.hidden for person in review.people] == [True, False, False]
