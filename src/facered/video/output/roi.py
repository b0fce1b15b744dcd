"""Regions of interest: marking where faces are hidden, so that the encoder does not spend its bits there.

Encoders quantise flat parts of a picture more finely than others, because the eye sees every step there. What is
blurred is such a part: unless it is marked, it costs more to encode than the face that was there.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, cast

from av.filter import Filter, Graph

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

BLOCK = 16
"""Samples along a block, the least part of a picture that encoders quantise by itself."""
INSCRIBED = ((0.42, 0.907), (0.707, 0.707), (0.907, 0.42))
"""Half sides of rectangles that together fill most of an ellipse, as fractions of its semi-axes."""
QUANTISER_OFFSET = 0.3
"""How much more coarsely marked blocks are quantised, as a fraction of the quantiser's range. By hand: about as much as
the encoder would quantise them more finely. More saves more bits, until blocks show."""
MAX_GRAPHS = 512
"""Filter graphs that are kept to be used again; by hand. Each takes some memory, and making one takes longer than using
it."""
MAX_REACH = 1.1
"""How far from the middle of the ellipse, in semi-axes, blocks that are marked may come to lie before they are chosen
anew; by hand. So far the feathered edge of what is hidden reaches. With less, more graphs would be made."""
MAX_GAIN = 1.15
"""How many times as large an area could be marked before blocks are chosen anew; by hand. With more, bits would be
spent on what is hidden; with less, more graphs would be made."""

SOURCE, MARK, SINK = (Filter(name) for name in ("buffer", "addroi", "buffersink"))

Rectangles = tuple[tuple[int, int, int, int], ...]
"""Each as x, y, width, height."""


class RegionsOfInterest:
    """Marks hidden faces in frames on their way to one encoder, by FFmpeg's filter `addroi`."""

    def __init__(self) -> None:
        self._graphs: dict[Rectangles, Graph] = {}
        self._last: list[Rectangles] = []

    def begin_anew(self) -> None:
        """Forget what was marked before: the next frame is encoded apart from those that came."""
        self._last = []

    def mark(self, frame: VideoFrame, boxes: NDArray[np.float64]) -> VideoFrame:
        """Return the frame, sharing its memory, with the blocks marked that lie in the ellipses of the boxes.

        Parameters
        ----------
        frame : av.VideoFrame
            All are of one format and size.
        boxes : (n, 4) float64
            x1, y1, x2, y2 in pixels of the stored picture; from frame to frame in the same order.
        """
        before, self._last = self._last, []
        for number, box in enumerate(boxes.tolist()):
            rectangles = inside(*box, width=frame.width, height=frame.height)
            if number < len(before) and _still_good(before[number], rectangles, *box):
                rectangles = before[number]
            self._last.append(rectangles)
            if rectangles:
                # A graph a face: its marks are often those of a frame before, while those of all faces seldom are.
                graph = self._graphs.pop(rectangles, None) or _graph(frame, rectangles)
                self._graphs[rectangles] = graph  # the last used comes last
                graph.push(frame)
                frame = cast("VideoFrame", graph.pull())
        while len(self._graphs) > MAX_GRAPHS:
            del self._graphs[next(iter(self._graphs))]
        return frame


def inside(x1: float, y1: float, x2: float, y2: float, *, width: int, height: int) -> Rectangles:
    """Return rectangles of whole blocks, as x, y, width, height, in the ellipse of a box and in the picture."""
    centre_x, centre_y, semi_x, semi_y = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    found = []
    for part_x, part_y in INSCRIBED:
        left, right = _blocks(centre_x - part_x * semi_x, centre_x + part_x * semi_x, width)
        top, bottom = _blocks(centre_y - part_y * semi_y, centre_y + part_y * semi_y, height)
        if left < right and top < bottom:
            found.append((left, top, right - left, bottom - top))
    return tuple(dict.fromkeys(found))


def _still_good(before: Rectangles, now: Rectangles, x1: float, y1: float, x2: float, y2: float) -> bool:
    """Tell whether what was marked before can be marked again."""
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    semi_x, semi_y = max((x2 - x1) / 2, 0.5), max((y2 - y1) / 2, 0.5)  # a box edited by hand may have no extent
    for left, top, width, height in before:
        across = max(centre_x - left, left + width - centre_x) / semi_x
        down = max(centre_y - top, top + height - centre_y) / semi_y
        if across * across + down * down > MAX_REACH * MAX_REACH:
            return False
    return _area(now) <= MAX_GAIN * _area(before)


def _area(rectangles: Rectangles) -> int:
    return sum(width * height for _, _, width, height in rectangles)


def _blocks(low: float, high: float, length: int) -> tuple[int, int]:
    """Return where whole blocks between two places begin and end."""
    return ceil(max(low, 0) / BLOCK) * BLOCK, floor(min(high, length) / BLOCK) * BLOCK


def _graph(frame: VideoFrame, rectangles: Rectangles) -> Graph:
    graph = Graph()
    graph.threads = 1  # there is nothing to do for the threads that it would start
    # Looking filters up by name, and `add_buffer`, which looks the format up as well, take as long as all the rest.
    size, tick = f"{frame.width}x{frame.height}", frame.time_base or "1/1000"
    last = graph.add(SOURCE, f"video_size={size}:pix_fmt={frame.format.name}:time_base={tick}:pixel_aspect=1/1")
    for x, y, width, height in rectangles:
        mark = graph.add(MARK, f"{x}:{y}:{width}:{height}:{QUANTISER_OFFSET}")
        last.link_to(mark)
        last = mark
    last.link_to(graph.add(SINK))
    graph.configure()
    return graph
