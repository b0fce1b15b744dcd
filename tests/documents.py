"""Annotations documents: of fragments that a test makes, or as text with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from facered import Annotations

Store = Callable[[object], Path]
"""Puts a document, text or bytes into a file; the fixture `store`."""
Entries = dict[int, list[tuple[float, ...]]]

DOCUMENT, FRAGMENT, FACE = PLACES = "$", "$.fragments[3]", "$.fragments[3].events[2][0]"
"""The places that `document` can change."""
HEADER = {
    "version": "1",
    "timescale": "50",
    "offset": "0",
    "framerate": "25.0",
    "width": "1280",
    "height": "720",
    "margin": "1.4",
}
SPAN = {"start": "60", "duration": "6", "interval": "2"}
BOX = {"id": "7", "x": "0.25", "y": "0.5", "width": "0.125", "height": "0.25"}


def document(place: str = "", more: str = "", face: str | None = None, **changes: str | None) -> str:
    """Return a document of four fragments of three frames, ten faces in all, with one thing in it changed.

    Parameters
    ----------
    place : str
        What is changed: `DOCUMENT`, `FRAGMENT` or `FACE`, which is the last face but one.
    more : str
        Text to put before the closing brace there.
    face : str, optional
        Another text instead of that face.
    **changes : str or None
        Other texts for values there; None leaves the key out.
    """

    def at(here: str, members: dict[str, str]) -> str:
        return _object(members | changes, more) if here == place else _object(members)

    def plain(index: int) -> str:
        return _object(BOX | {"index": str(index)})

    frames = f"[], [{plain(7)}, {plain(7)}], [{face or at(FACE, BOX)}, {plain(8)}]"
    others = [_object(SPAN | {"start": str(n), "events": f"[[{plain(n)}], [], [{plain(n)}]]"}) for n in (0, 20, 40)]
    fragments = ", ".join([*others, at(FRAGMENT, SPAN | {"events": f"[{frames}]"})])
    return at(DOCUMENT, HEADER | {"fragments": f"[{fragments}]"})


def read(directory: Path, content: str | bytes) -> Annotations:
    """Read a document from ``foo.json`` in a directory."""
    path = directory / "foo.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Annotations.read(path)


def special(value: object) -> str:
    """Return where a document begins to differ from the usual one, as a name for a test."""
    if not isinstance(value, str | bytes):
        return "-"
    text, usual, alike = value.decode("latin-1") if isinstance(value, bytes) else value, document(), 0
    while alike < len(text) and text[alike] == usual[alike : alike + 1]:
        alike += 1
    return ascii(text[max(alike - 10, 0) : alike + 20])[1:-1]


def face(
    number: int = 1, x: float = 0.25, y: float = 0.5, width: float = 0.125, height: float = 0.25
) -> dict[str, Any]:
    return {"id": number, "x": x, "y": y, "width": width, "height": height}


def fragment(start: int, *events: list[dict[str, Any]], interval: int = 2, **others: object) -> dict[str, Any]:
    found = {"start": start, "duration": len(events) * interval, "interval": interval, "events": list(events)}
    return found | others


def of_fragments(*fragments: dict[str, Any], **others: object) -> dict[str, Any]:
    head = {"version": 1, "timescale": 50, "offset": 0, "framerate": 25.0, "width": 1280, "height": 720, "margin": 1.4}
    return head | others | {"fragments": list(fragments)}


def entries(annotations: Annotations) -> Entries:
    """Return time -> faces as id, x, y, width, height."""
    faces = [(number, *box) for number, box in zip(annotations.ids.tolist(), annotations.boxes.tolist(), strict=True)]
    bounds = annotations.starts.tolist()
    return {t: faces[bounds[i] : bounds[i + 1]] for i, t in enumerate(annotations.pts.tolist())}


def _object(members: dict[str, str] | dict[str, str | None], more: str = "") -> str:
    texts = [f'"{key}": {value}' for key, value in members.items() if value is not None]
    return "{" + ", ".join([*texts, more] if more else texts) + "}"
