"""The review as one file to read, for somebody without the film; it shows faces."""

from __future__ import annotations

import base64
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from facered.annotations.table import REGION_IDS
from facered.errors import FaceredError

if TYPE_CHECKING:
    from facered.review.people import Person
    from facered.review.review import Review

WARNING = "This file shows faces: it is not for release."
MAX_PLACES = 200
"""Places to look at that are listed; by hand. More: a page that nobody reads to its end."""
WIDTH, ROW = 900, 12


def page(review: Review) -> str:
    """Return a self-contained HTML page: people, when they are there, and the places to look at."""
    style = files("facered.review").joinpath("page", "export.css").read_text(encoding="utf-8")
    people = review.people
    hidden = sum(person.hidden for person in people)
    return "\n".join(
        [
            f"<!-- {WARNING} -->",
            "<!doctype html>",
            '<html lang="en"><meta charset="utf-8">',
            '<meta http-equiv="content-security-policy" content="default-src \'none\'; img-src data:; style-src '
            "'unsafe-inline'\">",
            f"<title>{escape(review.video.name)}</title><style>{style}</style>",
            f'<p class="warning">{WARNING}</p>',
            f"<h1>{escape(review.video.name)}</h1>",
            f"<p>{review.frames} frames, {clock(review.times[-1])}, {len(people)} ids, {hidden} of them hidden.</p>",
            "<h2>People</h2>",
            '<div class="people">',
            *(_card(review, person) for person in people),
            "</div>",
            "<h2>When</h2>",
            _timeline(review),
            "<h2>Places to look at</h2>",
            _places(review),
            "</html>",
            "",
        ]
    )


def name(one: int) -> str:
    """Return what an id is called; what is no person has an R before its number."""
    return f"R{one - REGION_IDS}" if one >= REGION_IDS else str(one)


def clock(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{rest:06.3f}"


def _card(review: Review, person: Person) -> str:
    state = "hidden" if person.hidden else "shown"
    notes = [state, *(["doubtful"] if person.doubtful else []), *(["by hand"] if person.by_hand else [])]
    why = " – ".join(escape(text) for text in (person.reason, person.by, person.time) if text)
    return (
        f'<figure class="{state}">{_picture(review, person)}<figcaption><b>{name(person.id)}</b> {", ".join(notes)}'
        f"<br>{person.frames / review.fps:.1f} s, from {clock(review.times[person.spans[0][0]])}"
        f"{'<br>' + why if why else ''}</figcaption></figure>"
    )


def _picture(review: Review, person: Person) -> str:
    try:
        content = base64.b64encode(review.thumbnail(person.id)).decode()
    except FaceredError:
        return "<span></span>"
    return f'<img alt="" src="data:image/jpeg;base64,{content}">'


def _timeline(review: Review) -> str:
    scale, rows = WIDTH / review.frames, []
    for row, person in enumerate(review.people):
        spans = [(span, "hidden" if person.hidden else "shown") for span in person.spans]
        spans += [(span, "doubt") for span in person.doubtful]
        rows += [
            f'<rect class="{kind}" x="{first * scale:.1f}" y="{row * ROW + 2}" '
            f'width="{max((last + 1 - first) * scale, 0.5):.1f}" height="{ROW - 4}"/>'
            for (first, last), kind in spans
        ]
        rows.append(f'<text x="{WIDTH + 6}" y="{row * ROW + ROW - 2}">{name(person.id)}</text>')
    size = f'viewBox="0 0 {WIDTH + 60} {len(review.people) * ROW}"'
    return f'<svg role="img" aria-label="A row a person" {size}>{"".join(rows)}</svg>'


def _places(review: Review) -> str:
    places = review.places()
    rows = [
        f"<tr><td>{clock(review.times[frame])}</td><td>{frame}</td><td>{name(one)}</td><td>{why}</td></tr>"
        for frame, one, why in places[:MAX_PLACES]
    ]
    more = f"<p>and {len(places) - MAX_PLACES} more</p>" if len(places) > MAX_PLACES else ""
    head = "<tr><th>time</th><th>frame</th><th>id</th><th>why</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>{more}" if rows else "<p>None.</p>"
