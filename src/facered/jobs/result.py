"""What a job has done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facered.annotations.model import Annotations
from facered.runtime.work import Inference


@dataclass(frozen=True, slots=True)
class Result:
    """What was done with a video.

    Attributes
    ----------
    mode : str
    source : Path
        The video.
    annotations : Annotations
        Those found, or, in the mode redact, those of the people hidden.
    frames : int
    people : int
        How many people were found, counted anew in every shot, or hidden.
    film_seconds : float
        How long the film is, from the first frame's time to the last one's end.
    seconds, startup_seconds : float
        Wall time of all, and of what came before the first frame was worked on: loading, and opening the video.
    video_path, annotations_path : Path or None
        The files written.
    thumbnails : dict of int to Path
        One JPEG file for each id.
    crowded_frames : int
        Frames that had more faces than `Options.max_faces`; the surplus is hidden in each of them by itself.
    missing_frames : int
        Frames that the annotations had no entry for; nothing is hidden in them.
    damaged_frames : int
        Frames that may not look as they should, because the video is damaged before them.
    doubtful_shown : bool
        Whether those who are not certain to be faces are bare, because that was asked for.
    inference : Inference
        How often the model was run (`calls`), on how many pixels (`pixels`, `megapixels`), and in which `precision`:
        the same on any machine that computes in the same one.
    parts : int
        Parts of the video that were encoded apart; 0 where no video was made.
    encoder_threads : int
        Threads of the encoder, on which the video's bytes depend; 0 where no video was made.
    """

    mode: str
    source: Path
    annotations: Annotations
    frames: int
    people: int
    film_seconds: float
    seconds: float = 0.0
    startup_seconds: float = 0.0
    video_path: Path | None = None
    annotations_path: Path | None = None
    thumbnails: dict[int, Path] | None = None
    crowded_frames: int = 0
    missing_frames: int = 0
    damaged_frames: int = 0
    doubtful_shown: bool = False
    inference: Inference = field(default_factory=Inference)
    parts: int = 0
    encoder_threads: int = 0

    @property
    def speed(self) -> float:
        """Frames a second over the whole job."""
        return self.frames / self.seconds if self.seconds else 0.0

    @property
    def doubtful(self) -> dict[int, tuple[float, float]]:
        """From when to when, in seconds of the film, those are there who are not certain to be faces, by their ids."""
        document = self.annotations
        frames = np.repeat(np.arange(len(document.pts)), np.diff(document.starts))
        first = int(document.pts[0]) if len(document.pts) else 0
        found = {}
        for number in document.doubtful_ids:
            there = document.pts[frames[document.ids == number]]
            begin, end = (float((int(time) - first) * document.time_base) for time in (there[0], there[-1]))
            found[number] = (begin, end)
        return found

    @property
    def outputs(self) -> list[Path]:
        """All files written."""
        named = [path for path in (self.video_path, self.annotations_path) if path is not None]
        return named + list((self.thumbnails or {}).values())
