"""The page to read for somebody without the film."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facered.cli.entry import main
from facered.review import Review
from facered.review.export import WARNING, page
from reviewed import annotate, make_film


@pytest.fixture
def film(tmp_path: Path) -> Path:
    film = make_film(tmp_path, audio=None)
    annotate(film)
    return film


def test_it_holds_everything_and_asks_for_nothing(film: Path) -> None:
    with Review.open(film, film.parent) as review:
        review.show(1, reason="<b>an official</b>")
        content = page(review)
    assert content.splitlines()[0] == f"<!-- {WARNING} -->"
    assert content.index(WARNING, 60) < content.index("<h1>")
    assert content.count("data:image/jpeg;base64,") == 3
    assert "&lt;b&gt;an official&lt;/b&gt;" in content
    assert "3 ids, 2 of them hidden" in content
    assert "<td>41</td><td>3</td><td>may be no face</td>" in content
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"|url\(|<script", content) == []


def test_the_command_writes_it_for_its_owner_alone(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = film.parent / "review.html"

    def run() -> int:
        call = ["facered", "review", str(film), "-o", str(film.parent), "--export", str(target)]
        monkeypatch.setattr("sys.argv", call)
        return main()

    assert run() == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert run() == 2
    assert "exists already; add --overwrite" in capsys.readouterr().err
