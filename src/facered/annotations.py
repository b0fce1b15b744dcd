"""The annotations document: where each face is in each frame.

Times are in ticks of the video's own clock. A box is the extent of what is hidden, as fractions of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = 1
DECIMALS = 6
"""Boxes are rounded to this many decimals; redaction draws from the rounded values."""


class Face(msgspec.Struct):
    """A face in a frame: upper left corner and size as fractions of the picture; `index` is the frame's number."""

    id: int
    x: float
    y: float
    width: float
    height: float
    index: int


class Fragment(msgspec.Struct):
    """A run of frames at regular times: entry i of `events` is the frame at ``start + i * interval`` ticks."""

    start: int
    duration: int
    interval: int
    events: list[list[Face]]


class Document(msgspec.Struct):
    """The document as it stands in a file."""

    version: int
    timescale: int
    offset: int
    framerate: float
    width: int
    height: int
    margin: float
    fragments: list[Fragment]


@dataclass(frozen=True, slots=True)
class Annotations:
    """The faces of a video, compactly: five numbers a face and one a frame.

    Attributes
    ----------
    time_base : Fraction
        Seconds per unit of `pts`.
    rate : Fraction
        Frames a second, on average.
    width, height : int
        Size of the picture in pixels.
    margin : float
        How much larger the boxes are than the faces.
    pts : (frames,) int64
        Time of each frame, growing.
    last_duration : int
        Duration of the last frame in units of `pts`.
    starts : (frames + 1,) int64
        The faces of frame i are the rows from ``starts[i]`` to ``starts[i + 1]``.
    ids : (faces,) int64
    boxes : (faces, 4) float64
        x, y, width, height as fractions of the picture, rounded to `DECIMALS`.
    """

    time_base: Fraction
    rate: Fraction
    width: int
    height: int
    margin: float
    pts: NDArray[np.int64]
    last_duration: int
    starts: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]

    @property
    def people(self) -> int:
        """How many different ids there are."""
        return len(np.unique(self.ids))

    def frame_at(self, pts: int) -> int | None:
        """Return the number of the frame at a time, or None if there is none."""
        index = int(np.searchsorted(self.pts, pts))
        return index if index < len(self.pts) and self.pts[index] == pts else None

    def pixel_boxes(self, frame: int) -> NDArray[np.float64]:
        """Return the (n, 4) boxes of a frame, x1, y1, x2, y2 in pixels; they may reach outside the picture."""
        boxes = self.boxes[self.starts[frame] : self.starts[frame + 1]]
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * ([self.width, self.height] * 2)

    def write(self, path: Path) -> None:
        """Write the document as JSON; the file appears when it is complete."""
        document = Document(
            version=VERSION,
            timescale=self.time_base.denominator,
            offset=0,
            framerate=round(float(self.rate), DECIMALS),
            width=self.width,
            height=self.height,
            margin=self.margin,
            fragments=list(self._fragments()),
        )
        partial = path.with_name(f".{path.name}.part")
        try:
            partial.write_bytes(msgspec.json.encode(document))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _fragments(self) -> Iterator[Fragment]:
        """Cut the frames into runs of equal intervals."""
        ticks = self.pts * self.time_base.numerator
        # The duration of the last frame stands for the interval to the next, which does not exist.
        steps = np.append(np.diff(ticks), max(self.last_duration, 1) * self.time_base.numerator)
        first = 0
        for last in range(len(ticks)):
            if last + 1 < len(ticks) and steps[last + 1] == steps[first]:
                continue
            yield Fragment(
                start=int(ticks[first]),
                duration=int(ticks[last] + steps[last] - ticks[first]),
                interval=int(steps[first]),
                events=[self._faces(frame) for frame in range(first, last + 1)],
            )
            first = last + 1

    def _faces(self, frame: int) -> list[Face]:
        rows = slice(self.starts[frame], self.starts[frame + 1])
        return [
            Face(id=number, x=x, y=y, width=width, height=height, index=frame)
            for number, (x, y, width, height) in zip(self.ids[rows].tolist(), self.boxes[rows].tolist(), strict=True)
        ]
