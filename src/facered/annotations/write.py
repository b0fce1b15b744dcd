"""Writing the annotations document: runs of frames at regular times, as text, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from facered.annotations.document import HEADER, REGION, VERSION, Face
from facered.annotations.table import DECIMALS, REGION_IDS, SCORE_DECIMALS, Table

CHUNK = 1000
"""As many frames are turned into text at a time, so that a long video takes no more memory than a short one."""
DIGITS = 1000
"""A rate of fewer than so many of the last decimal's units would be told to less than a thousandth."""


def encode(table: Table) -> Iterator[bytes]:
    """Yield the document piece by piece."""
    header = {
        "version": VERSION,
        "timescale": table.time_base.denominator,
        "offset": 0,
        "framerate": _rate(table),
        "width": table.width,
        "height": table.height,
        "margin": table.margin,
    }
    known = {key: value for key, value in header.items() if value is not None}
    yield _json(known | table.extras.document)[:-1] + b',"fragments":['
    for number, (first, last, keys) in enumerate(_runs(table)):
        yield (b"," if number else b"") + _json(keys)[:-1]
        for start in range(first, last, CHUNK):
            yield (b"," if start > first else b',"events":[') + _events(table, start, min(start + CHUNK, last))
        yield b"]}" if last > first else b"}"
    yield b"]}"


def _rate(table: Table) -> float | None:
    """Return the frames a second as a document can hold them: of those that are few, as many digits as of others."""
    rate = float(table.rate) if table.rate else 0.0
    if not 0 < rate <= HEADER["framerate"].highest:
        return None
    return round(rate, DECIMALS) if rate >= DIGITS * 10.0**-DECIMALS else float(f"{rate:.6g}")


def _runs(table: Table) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Cut the frames where the interval changes; yield first, last + 1 and the keys of each fragment, by time."""
    pts, unit = table.pts, table.time_base.numerator
    # The duration of the last frame stands for the interval to the next, which does not exist.
    steps = np.append(np.diff(pts), max(table.last_duration, 1))[: len(pts)]
    extras = table.extras.fragments
    cuts = np.append(True, np.diff(steps) != 0)[: len(pts)] | np.isin(pts, list(extras))
    firsts = np.flatnonzero(cuts)
    bare = sorted(set(extras) - set(pts[firsts].tolist()), reverse=True)
    for first, last in pairwise([*firsts.tolist(), len(pts)]):
        start, step = int(pts[first]), int(steps[first])
        while bare and bare[-1] < start:
            yield _bare(table, bare.pop())
        own = {"start": start * unit, "duration": (last - first) * step * unit, "interval": step * unit}
        yield first, last, own | extras.get(start, {}) | own
    while bare:
        yield _bare(table, bare.pop())


def _bare(table: Table, start: int) -> tuple[int, int, dict[str, Any]]:
    """Return a fragment without events."""
    unit, keys = table.time_base.numerator, table.extras.fragments[start]
    spans: dict[str, Any] = {key: keys[key] * unit for key in ("duration", "interval") if key in keys}
    return 0, 0, {"start": start * unit, **keys, **spans}


def _events(table: Table, first: int, last: int) -> bytes:
    """Encode a run of frames, without brackets around."""
    starts, extras = table.starts[first : last + 1], table.extras.faces
    rows = slice(int(starts[0]), int(starts[-1]))
    index = np.repeat(np.arange(first, last), np.diff(starts)).tolist()
    boxes = np.round(table.boxes[rows], DECIMALS)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 10.0**-DECIMALS)  # a face must not vanish by rounding
    scores = [round(score, SCORE_DECIMALS) if score == score else None for score in table.scores[rows].tolist()]
    doubts = [True if doubtful else None for doubtful in table.doubtful[rows].tolist()]
    faces: list[Face | msgspec.Raw] = [
        Face(number, x, y, width, height, frame, REGION if number >= REGION_IDS else None, score, doubt)
        for number, (x, y, width, height), frame, score, doubt in zip(
            table.ids[rows].tolist(), boxes.tolist(), index, scores, doubts, strict=True
        )
    ]
    for place in range(len(faces)) if extras else ():
        if rows.start + place in extras:
            text = msgspec.json.encode(faces[place])[:-1] + b"," + _json(extras[rows.start + place])[1:]
            faces[place] = msgspec.Raw(text)
    frames = [faces[start:stop] for start, stop in pairwise((starts - rows.start).tolist())]
    return msgspec.json.encode(frames)[1:-1]


def _json(value: object) -> bytes:
    # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, is written as its escape.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
