"""Detections of the part of a picture that was asked for."""

from __future__ import annotations

from dataclasses import replace

from facered.detect.detector import Detection
from facered.track.window import Window


def in_window(window: Window | None, everything: Detection) -> Detection | None:
    """Return which of all detections of a picture lie in a window; None if there is no window."""
    if window is None or window.within is None:
        return everything if window is not None else None
    low, high = window.within[:2] - window.within[2:] / 2, window.within[:2] + window.within[2:] / 2
    whole = ((everything.boxes[:, :2] >= low) & (everything.boxes[:, 2:] <= high)).all(axis=1)
    return replace(everything, boxes=everything.boxes[whole], scores=everything.scores[whole], within=window.within)
