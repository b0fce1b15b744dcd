"""Pass one: video -> annotations, and a picture of each person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from facered.annotations.model import Annotations
from facered.jobs.assembly import Assembly, part_of
from facered.jobs.finder import Film
from facered.jobs.progress import ProgressCallback
from facered.jobs.scanning import analyze_segments_apart
from facered.jobs.segments import analyze_segments
from facered.jobs.span import Span
from facered.runtime.work import Inference
from facered.track.segmentation import GRID, Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from facered.jobs.pieces import Pieces
    from facered.jobs.workers import Apart
    from facered.options import Options
    from facered.video.input.file import Reader

    SegmentCallback = Callable[[Annotations], None]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What pass one found.

    Attributes
    ----------
    annotations : Annotations
    thumbnails : dict of int to bytes
        The content of a JPEG file for each id, where they were asked for.
    crowded_frames : int
        Frames in which there were more faces than `Options.max_faces`: the surplus is hidden, but nobody follows it.
    inference : Inference
        How often the model was run, on how many pixels, and in which precision.
    """

    annotations: Annotations
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    crowded_frames: int = 0
    inference: Inference = field(default_factory=Inference)


def analyze_video(
    reader: Reader,
    options: Options,
    progress: ProgressCallback | None = None,
    *,
    thumbnails: bool = False,
    segments: SegmentCallback | None = None,
    grid: Grid = GRID,
    pieces: Pieces | None = None,
    apart: Apart | None = None,
) -> Analysis:
    """Find the faces in every frame and follow them.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    options : Options
    progress : callable, optional
        Told after every frame.
    thumbnails : bool
        Whether to keep a picture of each person.
    segments : callable, optional
        Given each segment's annotations, of its own frames, as soon as they are final: where the video turns out to be
        damaged, when it has been read to its end.
    grid : Grid
        Where long shots may be divided.
    pieces : Pieces, optional
        Where results of segments are kept, and taken from.
    apart : Apart, optional
        Workers by which segments are analyzed.

    Raises
    ------
    FaceredError
        The video cannot be read, or the model is not usable.
    """
    steps = analyzed(reader, options, progress, thumbnails=thumbnails, grid=grid, pieces=pieces, apart=apart)
    while True:
        try:
            _, part = next(steps)
        except StopIteration as end:
            analysis: Analysis = end.value
            return analysis
        if segments is not None:
            segments(part)


def analyzed(
    reader: Reader,
    options: Options,
    progress: ProgressCallback | None = None,
    *,
    thumbnails: bool = False,
    grid: Grid = GRID,
    pieces: Pieces | None = None,
    apart: Apart | None = None,
) -> Generator[tuple[int, Annotations], None, Analysis]:
    """Yield each segment's first frame and its annotations, as soon as they are final; return what was found.

    Parameters, and what is raised, are those of `analyze_video`.
    """
    assembly = Assembly(Film(reader.path, reader.info, options, thumbnails))
    withheld: list[tuple[int, int]] = []
    if apart is None:
        found = analyze_segments(reader, options, progress, thumbnails=thumbnails, grid=grid, pieces=pieces)
    else:
        found = analyze_segments_apart(
            reader, options, apart, progress, thumbnails=thumbnails, grid=grid, pieces=pieces
        )  # fmt: skip
    for result in found:
        part = assembly.add(result)
        # Which frames damage concerns, and who is hidden there to be safe, is known at the end.
        if withheld or reader.may_be_damaged:
            withheld.append((result.segment.first, result.segment.end))
        else:
            yield result.segment.first, part
    Span(options.start, options.end).check_held(assembly.wanted, reader.path)
    annotations, crowded = assembly.finish(reader.damaged)
    for first, end in withheld:
        yield first, part_of(annotations, first, end)
    return Analysis(annotations, assembly.thumbnails, crowded, assembly.inference)
