"""What goes on behind the page."""

from __future__ import annotations

import time
from pathlib import Path

from facered.review.desk import Desk
from reviewed import FACES, FRAMES, annotate, is_bare, lumas_of, make_film


def test_what_the_page_shows_as_hidden_is_hidden_whatever_the_analysis_was_asked(tmp_path: Path) -> None:
    """A span, doubtful people left bare, and a margin: the document has them already, and a person has seen it."""
    film = make_film(tmp_path, audio=None)
    annotate(film)
    desk = Desk(film, tmp_path, {"start": 1.0, "end": 2.0, "doubtful": "show", "margin": 4.0, "crf": 10})
    desk.begin()
    desk.redact()
    assert desk.work is not None
    until = time.monotonic() + 60
    while not desk.work.finished and time.monotonic() < until:
        time.sleep(0.02)
    desk.close()
    assert desk.work.error == ""
    before, after = lumas_of(film), lumas_of(tmp_path / "foo_redacted.mp4")
    for frame in range(FRAMES):
        for person in FACES[:2] if frame >= 50 else FACES:
            assert not is_bare(after[frame], before[frame], person, frame)
    corner = before[30][-20:, -40:].astype(float)  # far from all faces, and inside boxes four times as large
    assert abs(after[30][-20:, -40:] - corner).mean() < 2


def test_nobody_waits_for_sound_while_the_film_is_analyzed(tmp_path: Path) -> None:
    assert Desk(tmp_path / "foo.mp4", tmp_path, {}).sound() is None
