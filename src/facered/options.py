"""What a caller may choose, checked once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from facered.errors import ConfigurationUnsupportedError

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
"""x264's presets, fastest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a job.

    Attributes
    ----------
    threshold : float
        Least score, 0 to 1, of a detection that shows a new face; half of it is enough for a face already followed.
    margin : float
        How much larger the hidden ellipse is than the detected face; at least 1.
    blur_radius : float
        Radius of the blur as a part of the hidden ellipse's width.
    max_faces : int or None
        Most faces in a frame; None hides any number.
    detect_size : int or None
        Longer side, in pixels, of the picture that the detector sees; None chooses by the size of the video.
    model : path-like or None
        An ONNX model instead of the one that the package ships.
    preset : str
        One of `PRESETS`.
    crf : float
        x264's constant rate factor, 0 (lossless) to 51.
    threads : int
        Threads for decoding, detecting and encoding each; 0 takes as many as there are cores.
    overwrite : bool
        Whether existing outputs may be replaced.

    Raises
    ------
    ConfigurationUnsupportedError
        A value is out of its range.
    """

    threshold: float = 0.3
    margin: float = 1.4
    blur_radius: float = 0.5
    max_faces: int | None = 64
    detect_size: int | None = None
    model: str | os.PathLike[str] | None = None
    preset: str = "veryfast"
    crf: float = 18.0
    threads: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        _within("threshold", self.threshold, 0.01, 1)
        _within("margin", self.margin, 1, 4)
        _within("blur_radius", self.blur_radius, 0.05, 4)
        _within("max_faces", self.max_faces, 1, 4096)
        _within("detect_size", self.detect_size, 32, 8192)
        _within("crf", self.crf, 0, 51)
        _within("threads", self.threads, 0, 1024)
        if self.preset not in PRESETS:
            raise ConfigurationUnsupportedError(f"preset is {self.preset!r}; it can be {', '.join(PRESETS)}")


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is None:
        return
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigurationUnsupportedError(f"{name} is {value!r}; it can be a number from {low:g} to {high:g}")
