"""The hard film: the hard clips of the folder of material, one after the other, with hard cuts, at 1280 × 720.

Pictures are scaled with their proportions kept and set on black; each is shown once, 25 a second, so that the truth of
the clips is the truth of the film. It lies in ``.cache/scenes`` with its truth, as other films that are made, and is
made again when the clips or this code have changed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import sys
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph

from bench import clips
from bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.video.frame import VideoFrame

FOLDER = clips.CACHE / "scenes"
WIDTH, HEIGHT = 1280, 720
CRF = 16
NAME = "hard_film"


def hard_film(each: int | None = None) -> tuple[Path, Truth]:
    """Return the film and its truth, made where it is not there yet.

    Parameters
    ----------
    each : int, optional
        Only so many frames of each clip, from its beginning.

    Raises
    ------
    MaterialMissingError
    """
    sources = list(clips.with_truth("hard"))
    if not sources:
        raise clips.MaterialMissingError(f"{clips.media() / 'hard'} has no clips with truth")
    path = FOLDER / (NAME if each is None else f"{NAME}_{each}")
    path = path.with_suffix(".mp4")
    mark, key = path.with_suffix(".made-by"), _key(sources, each)
    if not path.is_file() or not mark.is_file() or mark.read_text() != key:
        mark.unlink(missing_ok=True)
        clips.encode(path, join([source for source, _ in sources], each), Fraction(clips.RATE), CRF)
        path.with_suffix(".cuts").unlink(missing_ok=True)
        joined_truth(sources, each).write(path.with_suffix(".csv"))
        mark.write_text(key)
    return path, Truth.read(path.with_suffix(".csv"))


def join(sources: Sequence[Path], each: int | None) -> Iterator[VideoFrame]:
    """Yield the pictures of videos one after the other, scaled and set on black."""
    return chain.from_iterable(_letterboxed(islice(clips.decoded(source), each)) for source in sources)


def joined_truth(sources: Sequence[tuple[Path, Path]], each: int | None) -> Truth:
    """Return the truth of videos one after the other; people of different videos are different."""
    parts: list[Truth] = []
    first = people = 0
    cuts: list[int] = []
    for source, beside in sources:
        with av.open(os.fspath(source)) as container:
            stream = container.streams.video[0]
            width, height = stream.width, stream.height
            count = sum(1 for _ in islice(container.decode(stream), each))
        truth = Truth.read(beside)
        keep = truth.frames < count
        across, down = _fitted(width, height)
        scale, shift = np.array([across / width, down / height]), _corner(across, down)
        boxes = truth.boxes[keep] * np.tile(scale, 2) + np.tile(shift, 2)
        parts.append(Truth(truth.frames[keep] + first, truth.people[keep] + people, boxes, truth.required[keep]))
        cuts += [first] if first else []
        cuts += [first + int(cut) for cut in truth.cuts if cut < count]
        first += count
        people += int(truth.people.max(initial=0)) + 1
    return Truth(
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.people for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.required for part in parts]),
        np.array(cuts, np.int64),
    )


def _letterboxed(pictures: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    graph: Graph | None = None
    for number, frame in enumerate(pictures):
        if graph is None:
            across, down = _fitted(frame.width, frame.height)
            left, top = _corner(across, down)
            graph = Graph()
            tick = Fraction(1, clips.RATE)
            graph.link_nodes(
                graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=tick),
                graph.add("scale", f"{across}:{down}:flags=bicubic"),
                graph.add("format", "yuv420p"),
                graph.add("pad", f"{WIDTH}:{HEIGHT}:{left}:{top}"),
                graph.add("setsar", "1"),
                graph.add("buffersink"),
            ).configure()
        frame.pts, frame.time_base = number, Fraction(1, clips.RATE)
        graph.push(frame)
        yield graph.pull()  # type: ignore[misc]


def _fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size, in even numbers, of a picture that is scaled to fit in."""
    scale = min(WIDTH / width, HEIGHT / height)
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


def _corner(across: int, down: int) -> tuple[int, int]:
    """Return where its upper left corner lies, in even numbers: chroma has half as many samples."""
    return (WIDTH - across) // 4 * 2, (HEIGHT - down) // 4 * 2


def _key(sources: Sequence[tuple[Path, Path]], each: int | None) -> str:
    """Return what the film depends on: the clips, their truth, and the code that joins them, whatever its comments."""
    code = ast.dump(ast.parse(inspect.getsource(sys.modules[__name__])))
    digest = hashlib.sha256(f"{each} {code}".encode())
    for path in chain.from_iterable(sources):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
