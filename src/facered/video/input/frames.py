"""A film's frames by their numbers, in any order: what was decoded lately is at hand, the rest is sought."""

from __future__ import annotations

import os
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from facered.errors import ContentMalformedError
from facered.video.input.excerpt import Excerpts, OtherFramesError
from facered.video.input.file import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from facered.video.info import VideoInfo

MAX_BYTES = 256 << 20
"""Bytes of decoded frames that are kept; by hand. More: memory. Fewer: going back decodes a group of pictures more
often."""
MAX_AHEAD = 48
"""Frames that are rather decoded than jumped over; by hand. More: a jump forwards is slow. Fewer: a film with few key
frames begins anew at one of them although it is nearly there."""
LEAD = 12
"""Frames before the one that is jumped to which are kept too; by hand. More: a jump takes longer. Fewer: so does the
first step back."""


class Frames:
    """The frames of a film, each as a walk from its start gives it.

    Not safe to share between threads.

    Parameters
    ----------
    path : path-like
    number : int, optional
        Which of several video streams.
    threads : int
        Of the decoder; 0 takes as many as there are cores.

    Attributes
    ----------
    pts : (frames,) int64
        The time of each, in ticks of the stream, as a walk has them; to be set before the first is asked for.

    Raises
    ------
    FaceredError
        The film cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], number: int | None = None, threads: int = 0) -> None:
        self._path, self._number, self._threads = path, number, threads
        self.pts: NDArray[np.int64] = np.empty(0, np.int64)
        self._cache: OrderedDict[int, VideoFrame] = OrderedDict()
        self._bytes = 0
        self._walk: Iterator[tuple[int, VideoFrame]] | None = None
        self._next, self._last = 0, -1
        self._sought = True
        self._reader = self._open()
        self._excerpts = Excerpts(self._reader, threads)

    @property
    def info(self) -> VideoInfo:
        """What is known of the pictures."""
        return self._reader.info

    def close(self) -> None:
        """Close the film."""
        self._walk = None
        self._excerpts.close()
        self._reader.close()

    def frame(self, number: int) -> VideoFrame:
        """Return a frame, to be read only: it is kept.

        Raises
        ------
        ContentMalformedError
            It cannot be decoded.
        """
        try:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
            try:
                return self._decoded(number)
            except OtherFramesError:
                # Where the film cannot be entered in its middle, it is walked through from its start.
                self._sought, self._walk = False, None
                return self._decoded(number)
        except OtherFramesError as error:
            raise ContentMalformedError(f"{self._path}: frame {number} cannot be decoded ({error})") from None
        finally:
            self._last = number

    def _decoded(self, number: int) -> VideoFrame:
        if self._walk is None or not self._next <= number <= self._next + MAX_AHEAD:
            # Who goes back once goes on going back.
            before = self._room() // 2 if number == self._last - 1 else LEAD
            first = max(number - before, 0)
            self._walk = self._seek(first) if self._sought and first > MAX_AHEAD else self._from_start(first)
        for place, frame in self._walk:
            self._next = place + 1
            self._keep(place, frame)
            if place >= number:
                break
        if number not in self._cache:
            self._walk = None
            raise OtherFramesError("the film ends")
        return self._cache[number]

    def _from_start(self, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the frames from a number on, which are decoded from the film's start."""
        self._reader.close()
        self._reader = self._open()
        yield from islice(enumerate(self._reader.frames()), first, None)

    def _seek(self, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the frames from a number on, which are decoded from a key frame before it."""
        wanted, place = int(self.pts[first]), first
        for native in self._excerpts.natives(wanted, int(self.pts[0])):
            if place == len(self.pts) or native.pts != self.pts[place]:
                raise OtherFramesError(f"another frame at {native.pts}")
            yield place, native
            place += 1

    def _room(self) -> int:
        """Return how many frames can be kept."""
        width, height = self.info.stored_size
        return max(2, MAX_BYTES // (3 * width * height))

    def _keep(self, number: int, frame: VideoFrame) -> None:
        if number not in self._cache:
            self._cache[number] = frame
            self._bytes += _size(frame)
        while self._bytes > MAX_BYTES and len(self._cache) > 2:
            self._bytes -= _size(self._cache.popitem(last=False)[1])

    def _open(self) -> Reader:
        return Reader(self._path, self._threads, report=False, number=self._number)


def _size(frame: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
