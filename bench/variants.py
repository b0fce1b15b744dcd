"""A clip begun some frames later or mirrored, without loss, with its truth: faces should stay hidden all the same."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame

from bench import clips
from bench.truth import Truth
from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.video.stream import VideoStream

FOLDER = clips.CACHE / "variants"
LOSSLESS = {"preset": "ultrafast", "qp": "0"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to show a clip: without its first frames, or mirrored."""

    later: int = 0
    mirrored: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return "mirrored" if self.mirrored else f"+{self.later}" if self.later else "as it is"

    def of(self, path: Path, truth: Truth) -> tuple[Path, Truth]:
        """Return a video like this, made where it is not there yet, and its truth.

        Pixels, times and colours stay exactly what they were.
        """
        if self == Variant():
            return path, truth
        suffix = "mirrored" if self.mirrored else f"later{self.later}"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        shown = FOLDER / f"{path.stem}-{suffix}-{digest}.mp4"
        if not shown.is_file():
            _encode(shown, path, self._pictures(clips.decoded(path)))
        with av.open(os.fspath(path)) as container:
            return shown, self._truth(truth, container.streams.video[0].width)

    def _pictures(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in islice(frames, self.later, None):
            yield _mirrored(frame) if self.mirrored else frame

    def _truth(self, truth: Truth, width: int) -> Truth:
        keep = truth.frames >= self.later
        boxes = truth.boxes[keep]
        if self.mirrored:
            boxes = np.column_stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]])
        return Truth(
            frames=truth.frames[keep] - self.later,
            people=truth.people[keep],
            boxes=boxes,
            required=truth.required[keep],
            cuts=truth.cuts[truth.cuts > self.later] - self.later,
        )


VARIANTS = (*map(Variant, range(5)), Variant(mirrored=True))


def _mirrored(frame: VideoFrame) -> VideoFrame:
    """Return a frame, left and right exchanged."""
    flipped = VideoFrame(frame.width, frame.height, frame.format.name)
    source, target = view(frame), view(flipped)
    for before, after in zip((source.y, source.u, source.v), (target.y, target.u, target.v), strict=True):
        if before is not None and after is not None:
            after[:] = before[:, ::-1]
    flipped.pts, flipped.time_base = frame.pts, frame.time_base
    return flipped


def _encode(path: Path, source: Path, frames: Iterable[VideoFrame]) -> None:
    """Encode frames of a video without loss; the file appears when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with av.open(os.fspath(source)) as reading, av.open(os.fspath(partial), "w", format="mp4") as container:
        like = reading.streams.video[0]
        stream: VideoStream = container.add_stream("libx264", rate=like.average_rate, options=LOSSLESS)
        stream.width, stream.height, stream.pix_fmt = like.width, like.height, like.format.name
        stream.time_base = stream.codec_context.time_base = like.time_base
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(stream.codec_context, name, getattr(like.codec_context, name))
        first = None
        for frame in frames:
            first = frame.pts if first is None else first
            frame.pts, frame.pict_type = frame.pts - first, PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    partial.replace(path)
