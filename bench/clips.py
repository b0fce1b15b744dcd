"""Where the benchmarks' videos, photos and models are, and a short clip with a face made as large as asked for.

A few short clips lie in ``.cache/clips`` (``make bench`` fetches them). More material is optional: videos and photos
with truth for their faces, in the folder that ``FACERED_MEDIA`` names, else ``../shared/media`` beside the repository,
and more detectors, in the folder that ``FACERED_MODELS`` names, else ``../shared/models``.
"""

from __future__ import annotations

import os
from collections import deque
from fractions import Fraction
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame

from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.video.stream import VideoStream

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
CLIPS = CACHE / "clips"
RATE = 25
DELAY = RATE
GRIDS = {1: (1, 1), 10: (5, 2)}
"""Columns and rows of `long_film`, by the number of people."""
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mpg")


class MaterialMissingError(Exception):
    """What a benchmark needs is not there; the message says how to get it."""


def carphone() -> Path:
    """Return the clip of a talking man in a car: 176 × 144, 120 frames.

    Raises
    ------
    MaterialMissingError
    """
    path = CLIPS / "carphone_pristine.mp4"
    if not path.is_file():
        raise MaterialMissingError(f"{path} is missing; fetch it with: python tools/fetch_clips.py {CLIPS}")
    return path


def media() -> Path:
    """Return the folder of further material.

    Raises
    ------
    MaterialMissingError
    """
    return _folder("FACERED_MEDIA", "media")


def models() -> Path:
    """Return the folder of further detectors.

    Raises
    ------
    MaterialMissingError
    """
    return _folder("FACERED_MODELS", "models")


def _folder(variable: str, name: str) -> Path:
    path = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not path.is_dir():
        raise MaterialMissingError(f"{path} is missing; name the folder of {name} in {variable}")
    return path


def photos() -> list[Path]:
    """Return the photos that have truth for their faces beside them.

    Raises
    ------
    MaterialMissingError
    """
    return [path for path in sorted((media() / "photos").glob("*.jpg")) if path.with_suffix(".csv").is_file()]


def with_truth(folder: str = "") -> Iterator[tuple[Path, Path]]:
    """Yield the videos of the folder of material, or of one inside it, that have truth, and the truth's files.

    Raises
    ------
    MaterialMissingError
    """
    for truth in sorted((media() / folder).glob("*.csv")):
        path = carphone() if truth.stem == "carphone_pristine" else film(truth)
        if path is not None:
            yield path, truth


def film(truth: Path) -> Path | None:
    """Return the video that a truth file beside it belongs to."""
    return next(filter(Path.is_file, (truth.with_suffix(suffix) for suffix in VIDEO_SUFFIXES)), None)


def scaled(width: int, height: int) -> Iterator[VideoFrame]:
    """Yield the frames of `carphone`, enlarged and cropped to a size; no distortion.

    Raises
    ------
    MaterialMissingError
    """
    yield from fitted(decoded(carphone()), width, height)


def decoded(path: Path) -> Iterator[VideoFrame]:
    """Yield the frames of a video."""
    with av.open(os.fspath(path)) as container:
        yield from container.decode(video=0)


def fitted(pictures: Iterator[VideoFrame], width: int, height: int) -> Iterator[VideoFrame]:
    """Yield frames scaled and cropped to a size; no distortion."""
    graph: Graph | None = None
    for number, frame in enumerate(pictures):
        if graph is None:
            graph = Graph()
            graph.link_nodes(
                graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
                ),
                graph.add("scale", f"{width}:{height}:force_original_aspect_ratio=increase:flags=lanczos"),
                graph.add("crop", f"{width}:{height}"),
                graph.add("format", "yuv420p"),
                graph.add("buffersink"),
            ).configure()
        frame.pts, frame.time_base = number, Fraction(1, 25)
        graph.push(frame)
        yield graph.pull()  # type: ignore[misc]


def tiled(pictures: Iterator[VideoFrame], width: int, height: int, columns: int, rows: int) -> Iterator[VideoFrame]:
    """Yield frames in which a video runs side by side with itself, a second later in each tile."""
    across, down = width // columns // 2 * 2, height // rows // 2 * 2
    count = columns * rows
    tiles: deque[VideoFrame] = deque(maxlen=(count - 1) * DELAY + 1)
    for tile in fitted(pictures, across, down):
        tiles.append(tile)
        whole = VideoFrame(width, height, "yuv420p")
        target = view(whole)
        for plane, gray in ((target.y, 16), (target.u, 128), (target.v, 128)):
            assert plane is not None
            plane[:] = gray
        for number in range(count):
            source = view(tiles[max(len(tiles) - 1 - number * DELAY, 0)])
            for into, plane, step in ((target.y, source.y, 1), (target.u, source.u, 2), (target.v, source.v, 2)):
                assert into is not None
                assert plane is not None
                x, y = number % columns * across // step, number // columns * down // step
                into[y : y + plane.shape[0], x : x + plane.shape[1]] = plane
        yield whole


def long_film(width: int, height: int, people: int, seconds: float) -> Path:
    """Return a video of some length with one or ten faces in every frame, made when it is first asked for.

    Raises
    ------
    MaterialMissingError
    """
    try:
        source = media() / "talking_face_200s.mp4"
    except MaterialMissingError:
        source = carphone()
    path = CACHE / f"{source.stem}_{people}_{width}x{height}_{seconds:g}s.mp4"
    if not path.is_file():
        endless = chain.from_iterable(map(decoded, repeat(source)))
        columns, rows = GRIDS[people]
        pictures = tiled(endless, width, height, columns, rows)
        encode(path, islice(pictures, round(seconds * RATE)), Fraction(RATE), crf=18)
    return path


def picture(width: int, height: int) -> VideoFrame:
    """Return the first frame of `scaled`.

    Raises
    ------
    MaterialMissingError
    """
    return next(scaled(width, height))


def film_of_size(width: int, height: int) -> Path:
    """Return `scaled` as a file, made when it is first asked for.

    Raises
    ------
    MaterialMissingError
    """
    path = CACHE / f"carphone_{width}x{height}.mp4"
    if not path.is_file():
        encode(path, scaled(width, height), Fraction(30), crf=12)
    return path


def beginning(source: Path, count: int, target: Path) -> Path:
    """Write the first frames of a video to a file of their own and return it."""
    with av.open(os.fspath(source)) as container:
        rate = container.streams.video[0].average_rate or Fraction(25)
        return encode(target, islice(container.decode(video=0), count), rate, crf=12)


def encode(path: Path, pictures: Iterator[VideoFrame], rate: Fraction, crf: int) -> Path:
    """Encode frames as H.264, quickly, and return the path; the file appears when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with av.open(os.fspath(partial), "w", format="mp4") as container:
        options = {"preset": "ultrafast", "crf": str(crf)}
        stream: VideoStream = container.add_stream("libx264", rate=rate, options=options)
        for number, frame in enumerate(pictures):
            if not number:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            native = frame.reformat(format="yuv420p")
            native.pts, native.time_base, native.pict_type = number, 1 / rate, PictureType.NONE
            container.mux(stream.encode(native))
        container.mux(stream.encode(None))
    return partial.replace(path)
