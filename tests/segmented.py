"""Films that are analyzed in segments: all of them in one go, or each by itself."""

from __future__ import annotations

from pathlib import Path

from facered.annotations.model import Annotations
from facered.annotations.write import encode
from facered.jobs.analyze import analyze_video
from facered.jobs.assembly import Assembly
from facered.jobs.finder import Film, SegmentResult
from facered.jobs.segments import analyze_segment, find_segments, first_turn, frames_between
from facered.options import Options
from facered.track.segmentation import GRID, Grid, Segment
from facered.video.input.file import Reader
from facered.video.orientation import Orientation

Piece = tuple[Path, Options, Segment, Orientation]


def analyzed(film: Path, grid: Grid = GRID, options: Options = Options()) -> Annotations:  # noqa: B008
    """Return the annotations of a film that is analyzed in one go."""
    with Reader(film, options.threads) as reader:
        return analyze_video(reader, options, grid=grid).annotations


def document(annotations: Annotations) -> bytes:
    """Return what is written of annotations."""
    return b"".join(encode(annotations))


def pieces(film: Path, grid: Grid, options: Options) -> list[Piece]:
    """Return the segments of a film, each with all that is needed to analyze it by itself."""
    with Reader(film, report=False) as reader:
        found = find_segments(reader, options, grid)
    with Reader(film, report=False) as reader:
        about = Film(film, reader.info, options, thumbnails=True)
        turn = first_turn(frames_between(reader, options, 0, 1), about, about.detector())
    return [(film, options, segment, turn) for segment in found]


def piece_analyzed(piece: Piece) -> SegmentResult:
    """Return what is found in a segment by a reader and a detector of its own, which see nothing else of the film."""
    film, options, segment, turn = piece
    with Reader(film, report=False) as reader:
        about = Film(film, reader.info, options, thumbnails=True)
        items = frames_between(reader, options, segment.lead, segment.until)
        return analyze_segment(items, segment, about, about.detector(), turn)


def joined(film: Path, options: Options, results: list[SegmentResult]) -> tuple[Annotations, dict[int, bytes]]:
    """Return the annotations and pictures that the results of all segments give."""
    with Reader(film, report=False) as reader:
        assembly = Assembly(Film(film, reader.info, options, thumbnails=True))
    for result in results:
        assembly.add(result)
    return assembly.finish(())[0], assembly.thumbnails
