"""What it takes a person to have every true face of a film hidden: ``python -m bench.review_trial FILM``.

The film is analyzed, and reviewed by its truth (``FILM.csv``): it is watched once with the masks drawn, every place
that the page proposes is visited, and about every face that is bare a box is drawn, which is followed. Each gesture is
counted, and turned into seconds by the keystroke-level model of Card, Moran and Newell.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import facered
from bench import clips
from bench.scores import Coverage, Hidden, bare_faces
from bench.truth import Truth
from facered.review import Review

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = {"key": 0.28, "point": 1.1, "button": 0.1, "think": 1.35}
"""Of a key, of pointing, of a button of the mouse going down or up, and of deciding what comes next."""
GESTURES = {
    "watch the film": {"key": 2, "think": 1},
    "visit a place": {"key": 1, "think": 1},
    "find a bare face": {"point": 1, "button": 2, "key": 3, "think": 1},
    "draw a box": {"key": 1, "point": 2, "button": 2, "think": 1},
    "redact": {"key": 2, "think": 1},
}
"""What each is made of; a bare face is found by a click in the timeline, and three steps from there."""
DRAWN = 1.3
"""Sides of a drawn box in multiples of the true face's."""


def hidden_of(review: Review, margin: float) -> Hidden:
    """Return what is hidden now."""
    found = [(number, one, box) for number in range(review.frames) for one, boxes in review.boxes(number).items()
             for box in boxes]  # fmt: skip
    boxes = np.array([box for *_, box in found]).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * np.tile(review.size, 2)
    frames, ids = (np.array([row[column] for row in found], np.int64) for column in (0, 1))
    return Hidden(review.size, review.frames, frames, ids, corners, margin)


def trial(film: Path, truth: Truth, folder: Path) -> tuple[Counter[str], list[Coverage], float]:
    """Review a film; return how many gestures it took, how much was covered before and after, and its seconds."""
    margin = facered.analyze(film, folder).annotations.margin or 1.0  # type: ignore[union-attr]
    gestures: Counter[str] = Counter({"watch the film": 1})
    with Review.open(film, folder) as review:
        covered = [Coverage().add(truth, hidden_of(review, margin))]
        gestures["visit a place"] = len(review.places())
        while (bare := bare_faces(truth, hidden_of(review, margin))).any():
            row = int(np.flatnonzero(bare)[0])
            x1, y1, x2, y2 = truth.boxes[row]
            middle, size = np.array([x1 + x2, y1 + y2]) / 2, np.array([x2 - x1, y2 - y1]) * DRAWN
            placed = np.concatenate([middle - size / 2, size]) / np.tile(review.size, 2)
            gestures["find a bare face"] += 1
            gestures["draw a box"] += 1
            review.track(int(truth.frames[row]), placed.tolist())
        covered.append(Coverage().add(truth, hidden_of(review, margin)))
        gestures["redact"] = 1
        review.redact()
        return gestures, covered, float(review.times[-1]) + 1 / review.fps


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the gestures and what they come to."""
    parser = argparse.ArgumentParser(prog="python -m bench.review_trial", description="A review by the truth.")
    parser.add_argument("film", nargs="?", help="with a CSV of its true faces beside it (default: hard/tvnews_crowd)")
    chosen = parser.parse_args(arguments)
    try:
        film = Path(chosen.film) if chosen.film else clips.media() / "hard" / "tvnews_crowd.mp4"
    except clips.MaterialMissingError as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as name:
        gestures, covered, seconds = trial(film, Truth.read(film.with_suffix(".csv")), Path(name))
    total = seconds
    before, after = (one.figures() for one in covered)
    print(f"{film.name}, {seconds:.1f} s: recall {before['recall']:.2%} before, {after['recall']:.2%} after")
    print(f"false boxes a frame {before['false_boxes_per_frame']:.3f} and {after['false_boxes_per_frame']:.3f}")
    print("seconds of a " + ", ".join(f"{kind} {cost:g}" for kind, cost in SECONDS.items()))
    for kind, count in gestures.items():
        cost = count * sum(SECONDS[part] * number for part, number in GESTURES[kind].items())
        total += cost
        made = ", ".join(f"{number} {part}" for part, number in GESTURES[kind].items())
        print(f"{count:4} x {kind:18} ({made}): {cost:6.1f} s")
    print(f"with {seconds:.1f} s of watching: {total:.1f} s, {total / seconds:.1f} minutes a minute of film")
    return 0


if __name__ == "__main__":
    sys.exit(main())
