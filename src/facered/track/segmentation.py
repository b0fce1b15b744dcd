"""Segments: the runs of frames that are analyzed each by itself, whatever is before and behind.

A segment begins at a hard cut, or in a long shot at a *seam*: a multiple of so many frames, counted from the film's
first one. Where it begins follows from the frames about it: the film is judged in blocks of as many frames, each by a
detector of cuts that begins anew a while before the block. So whoever works on the middle of a film need not look at
what is before, and finds the same segments.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facered.track import tuning
from facered.track.cuts import CutDetector
from facered.video.output.parts import GRID_FRAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facered.track.cuts import Dissolve


@dataclass(frozen=True, slots=True)
class Grid:
    """Where there may be seams, and what is looked at about them.

    The values were set by hand; docs/how.md tells what seams cost.

    Attributes
    ----------
    frames : int
        From one possible seam to the next, at usual rates. More: films are finished in larger pieces. Fewer: more is
        looked at twice.
    lead_in : float
        Seconds before a seam from which the segment behind it is analyzed. Longer: inference. Shorter: whoever is seen
        faintly is known late, and who is missing at the seam gets a new id.
    lead_out : float
        Seconds behind a seam until which the segment before it is analyzed. Longer: inference. Shorter: newcomers are
        not followed back across the seam.
    clearance : float
        Seconds before a seam in which there must be no cut, or there is no seam; `lead_in` at least.
    warm_up : float
        Seconds before a block from which cuts are looked for: what a `CutDetector` remembers, before the clearance.
    settled : float
        Seconds behind the end of a segment in which all dissolves in it become known.
    """

    frames: int = GRID_FRAMES
    lead_in: float = 3.0
    lead_out: float = 1.5
    clearance: float = 3.0
    warm_up: float = 6.0
    settled: float = 2.5

    def spacing(self, rate: float) -> int:
        """Return how many frames there are from one possible seam to the next at so many frames a second.

        At twice the usual rate it is twice as many, and so on: what is looked at twice is told in seconds.
        """
        return self.frames * max(1, round(rate / tuning.USUAL_RATE))


GRID = Grid()


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of frames, numbered from the film's first one, that is analyzed by itself.

    Attributes
    ----------
    first, end : int
        Its own frames, the end not included.
    lead, until : int
        The frames that are analyzed for that, the last not included: at a seam some before and behind its own.
    ends_shot : bool
        Whether a cut ends it, or the film; else a seam.
    dissolves : tuple of Dissolve
        Those whose middle is in the frames that are analyzed.
    """

    first: int
    end: int
    lead: int
    until: int
    ends_shot: bool
    dissolves: tuple[Dissolve, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What becomes known with a frame.

    Attributes
    ----------
    frame : int
    cut : bool
        Whether a segment begins with it, after a cut.
    opens : tuple of int
        The possible seams for which a segment begins to be analyzed with this frame.
    drops : tuple of int
        Those of them where, as is known now, no segment begins.
    seam : int or None
        The one of them where a segment does begin; the one before it is analyzed no further.
    settled : tuple of Segment
        Those of which all is known now; they have ended before.
    """

    frame: int
    cut: bool = False
    opens: tuple[int, ...] = ()
    drops: tuple[int, ...] = ()
    seam: int | None = None
    settled: tuple[Segment, ...] = ()


class _Block:
    """Looks for cuts in a block of frames, from a while before its `first` one until a while behind its `end`."""

    def __init__(self, rate: float, begin: int, first: int, end: int) -> None:
        self.first, self.end = first, end
        self._begin = begin
        self._detector: CutDetector | None = CutDetector(rate)
        self._dissolves: list[Dissolve] = []
        self.cut: bool | None = None  # what is known of the frame that is being judged
        self.blocked = first == 0  # whether there can be no seam at its first frame

    @property
    def over(self) -> bool:
        """Whether it looks no further."""
        return self._detector is None

    def push(self, luma: NDArray[np.uint8], seconds: float) -> None:
        """See `CutDetector.push`."""
        if self._detector is not None:
            self.cut = self._detector.push(luma, seconds)

    def flush(self) -> list[bool]:
        """See `CutDetector.flush`."""
        return [] if self._detector is None else self._detector.flush()

    def close(self) -> None:
        """Look no further; dissolves stay known."""
        self._dissolves, self._detector, self.cut = self.dissolves(), None, None

    def dissolves(self) -> list[Dissolve]:
        """Return those that are known, by the film's frames."""
        if self._detector is None:
            return self._dissolves
        return [fade.shifted(self._begin) for fade in self._detector.known_dissolves()]


class Segmentation:
    """Finds the segments of a film, frame by frame.

    Parameters
    ----------
    rate : float
        Frames a second, as it is told.
    grid : Grid
    block : int
        The block to begin with: the first frame that is pushed must be `begin`. Segments that begin before the block
        are not found.

    Attributes
    ----------
    begin : int
        The number of the first frame.
    """

    def __init__(self, rate: float, grid: Grid = GRID, block: int = 0) -> None:
        seconds = grid.lead_in, grid.lead_out, max(grid.clearance, grid.lead_in), grid.warm_up, grid.settled
        frames = [max(1, round(each * rate)) for each in seconds]
        self._lead_in, self._lead_out, self._clearance, self._warm_up, self._settled = frames
        self._rate, self._size, self._next = rate, grid.spacing(rate), block
        self.begin = self._pushed = self._marked = self._begin_of(block)
        self._earliest = block * self._size
        self._blocks: list[_Block] = []
        self._pending: list[_Block] = []  # those at whose first frames there may be seams
        self._lead = 0
        self._first: int | None = None if block else 0  # of the segment that is not closed
        self._closed: deque[Segment] = deque()

    def push(self, luma: NDArray[np.uint8], seconds: float) -> Mark | None:
        """Take the next frame's small luma and its time; return the mark of the one `tuning.CUT_LOOKAHEAD` before it.

        Returns
        -------
        Mark or None
            None while there is no such frame.
        """
        while self._begin_of(self._next) <= self._pushed:
            first = self._next * self._size
            self._blocks.append(_Block(self._rate, self._pushed, first, first + self._size))
            self._next += 1
        for block in self._blocks:
            block.push(luma, seconds)
        self._pushed += 1
        return self._mark() if self._pushed - self._marked > tuning.CUT_LOOKAHEAD else None

    def flush(self) -> list[Mark]:
        """Return the marks of the frames that are left."""
        answers = [(block, block.flush()) for block in self._blocks]
        marks = []
        for left in range(self._pushed - self._marked, 0, -1):
            for block, known in answers:
                block.cut = known[-left] if left <= len(known) else None
            marks.append(self._mark())
        return marks

    def finish(self) -> tuple[Segment, ...]:
        """Return the segments that are left, the last one among them; to be asked after `flush`."""
        if self._first is not None and self._pushed > self._first:
            self._close(self._pushed, self._pushed, ends_shot=True)
        return tuple(self._described(segment) for segment in self._closed)

    def _begin_of(self, block: int) -> int:
        return max(block * self._size - self._warm_up, 0)

    def _lead_of(self, block: _Block) -> int:
        return max(block.first - min(self._lead_in, self._warm_up), 0)

    def _mark(self) -> Mark:
        """Judge the next frame."""
        frame = self._marked
        self._marked += 1
        cut = frame >= max(self._earliest, 1) and any(
            block.cut for block in self._blocks if block.first <= frame < block.end
        )
        for block in self._blocks:
            near = block.first - self._clearance <= frame <= block.first + self._lead_out
            block.blocked |= bool(near and block.cut) or (cut and block.first <= frame)
        opened = [block for block in self._blocks if self._lead_of(block) == frame and not block.blocked]
        self._pending += opened
        due = [block for block in self._pending if block.first + self._lead_out == frame]
        for block in due:
            block.blocked |= self._fades(block)
        drops = tuple(block.first for block in self._pending if block.blocked)
        self._pending = [block for block in self._pending if not block.blocked and block not in due]
        seam = next((block.first for block in due if not block.blocked), None)
        if cut:
            self._close(frame, frame, ends_shot=True)
            self._lead = self._first = frame
        elif seam is not None:
            self._close(seam, frame, ends_shot=False)
            self._lead, self._first = max(seam - min(self._lead_in, self._warm_up), 0), seam
        mark = Mark(frame, cut, tuple(block.first for block in opened), drops, seam, self._settle(frame))
        self._forget(frame)
        return mark

    def _fades(self, block: _Block) -> bool:
        """Tell whether one shot fades into another in frames that are analyzed for both sides of a seam."""
        begin, end = self._lead_of(block), block.first + self._lead_out
        return any(fade.first <= end and fade.last >= begin for fade in block.dissolves())

    def _close(self, end: int, until: int, *, ends_shot: bool) -> None:
        if self._first is not None:
            self._closed.append(Segment(self._first, end, self._lead, until, ends_shot))

    def _settle(self, frame: int) -> tuple[Segment, ...]:
        settled = []
        while self._closed and frame >= max(self._closed[0].end + self._settled, self._closed[0].until):
            settled.append(self._described(self._closed.popleft()))
        return tuple(settled)

    def _described(self, segment: Segment) -> Segment:
        """Return a segment with its dissolves: each as the block of its middle shows it, or that of the seam before."""
        fades = [
            fade
            for block in self._blocks
            for fade in block.dissolves()
            if segment.lead <= fade.middle < segment.until
            and block.first <= max(fade.middle, segment.first) < block.end
        ]
        return replace(segment, dissolves=tuple(sorted(fades, key=lambda fade: fade.middle)))

    def _forget(self, frame: int) -> None:
        """Close blocks that are over, and drop those that no segment needs any more."""
        for block in self._blocks:
            if not block.over and frame >= block.end + max(self._settled, self._lead_out):
                block.close()
        oldest = self._closed[0].first if self._closed else self._first
        if oldest is not None:
            self._blocks = [block for block in self._blocks if not block.over or block.end > oldest]
