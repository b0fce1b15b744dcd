"""Both passes in one go: video -> redacted video, no hand needed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from facered.analyze import analyze_video
from facered.annotations import Annotations
from facered.errors import ConfigurationUnsupportedError
from facered.options import Options
from facered.outputs import Outputs
from facered.progress import ProgressCallback
from facered.redact import redact_video
from facered.styles import Blur
from facered.video.reader import Reader
from facered.video.writer import Encoding, Writer


@dataclass(frozen=True, slots=True)
class CombinedResult:
    """What `combined` did.

    Attributes
    ----------
    video_path : Path
        The redacted video.
    annotations_path : Path or None
        The annotations, where they were asked for.
    annotations : Annotations
    frames : int
    crowded_frames : int
        Frames that had more faces than `Options.max_faces`; the surplus is bare in them.
    seconds : float
        Wall time of the whole job.
    """

    video_path: Path
    annotations_path: Path | None
    annotations: Annotations
    frames: int
    crowded_frames: int
    seconds: float

    @property
    def people(self) -> int:
        """How many people were found, counted anew in every shot."""
        return self.annotations.people

    @property
    def speed(self) -> float:
        """Frames a second over the whole job."""
        return self.frames / self.seconds


def combined(
    video: str | os.PathLike[str],
    output: str | os.PathLike[str] = ".",
    *,
    annotations: bool = False,
    progress: ProgressCallback | None = None,
    **options: object,
) -> CombinedResult:
    """Find every face in a video, follow it, and write the video with the faces blurred.

    Parameters
    ----------
    video : path-like
        Any video that FFmpeg opens.
    output : path-like
        A directory, made if need be, or the file to write where it ends in .mp4.
    annotations : bool
        Whether to write the annotations too, beside the video.
    progress : callable, optional
        Called with a `Progress` after every frame.
    **options
        Fields of `Options`.

    Returns
    -------
    CombinedResult

    Raises
    ------
    FaceredError
        ``error.code`` says what kind, the message what to do. Nothing is left half-written.

    Examples
    --------
    >>> import facered
    >>> result = facered.combined("foo.mp4", "out/")  # doctest: +SKIP
    >>> result.video_path  # doctest: +SKIP
    PosixPath('out/foo_redacted.mp4')
    """
    begun = time.perf_counter()
    chosen = _checked(options)
    outputs = Outputs.of(Path(video), Path(output))
    wanted = [outputs.video, *([outputs.annotations] if annotations else [])]
    with Reader(video, chosen.threads) as reader:
        outputs.prepare(wanted, chosen.overwrite)
        analysis = analyze_video(reader, chosen, progress)
    encoding = Encoding(chosen.preset, chosen.crf, chosen.threads)
    with Reader(video, chosen.threads) as reader, Writer(outputs.video, reader, encoding) as writer:
        redact_video(reader, writer, analysis.annotations, Blur(chosen.blur_radius), progress)
    if annotations:
        analysis.annotations.write(outputs.annotations)
    return CombinedResult(
        video_path=outputs.video,
        annotations_path=outputs.annotations if annotations else None,
        annotations=analysis.annotations,
        frames=len(analysis.annotations.pts),
        crowded_frames=analysis.crowded_frames,
        seconds=time.perf_counter() - begun,
    )


def _checked(options: dict[str, object]) -> Options:
    try:
        return Options(**options)  # type: ignore[arg-type]
    except TypeError:
        unknown = sorted(set(options) - set(Options.__dataclass_fields__))
        known = ", ".join(Options.__dataclass_fields__)
        raise ConfigurationUnsupportedError(f"unknown option {unknown[0]!r}; there are {known}") from None
