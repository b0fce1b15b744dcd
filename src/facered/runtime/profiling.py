"""Where the time goes: how long each step of the work took, in which thread, as a table or as a trace."""

from __future__ import annotations

import json
import os
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from pathlib import Path
from typing import TypeVar

from facered.runtime.stages import Stage
from facered.runtime.table import table
from facered.runtime.targets import write_target
from facered.runtime.work import Inference

T = TypeVar("T")

_NOTHING = nullcontext()
_HEADS = ("step", "calls", "total s", "ms/frame", "share %", "p50 ms", "p99 ms")


def timed(stage: Stage) -> AbstractContextManager[None]:
    """Return a context that notes how long its block took if a `Profile` is being made, else one that does nothing."""
    return timed_wait(stage)


def timed_wait(step: str) -> AbstractContextManager[None]:
    """Return the same for a block that waits for another stage."""
    profile = _active.get()
    return _NOTHING if profile is None else profile.timing(step)


def timed_items(items: Iterable[T], step: Stage) -> Iterator[T]:
    """Yield the items, and note how long each took to come."""
    profile = _active.get()
    if profile is None:
        yield from items
        return
    begun = time.perf_counter_ns()
    for item in items:
        profile.note(step, begun, time.perf_counter_ns())
        yield item
        begun = time.perf_counter_ns()


def count_frames(count: int) -> None:
    """Tell the profile, if one is being made, of frames that are done."""
    profile = _active.get()
    if profile is not None:
        profile.frames += count


def count_inference(done: Inference) -> None:
    """Tell the profile, if one is being made, of runs of the model."""
    profile = _active.get()
    if profile is not None:
        profile.note_inference(done)


class Profile:
    """The times of all steps of the jobs that are begun inside its ``with`` block.

    It takes 16 bytes a step and frame, and a microsecond. Steps of different threads overlap, so shares may sum to more
    than 100 %.

    Attributes
    ----------
    frames : int
        How many frames the finished jobs had.
    inference : Inference
        How often the model was run, on how many pixels, and in which precision.

    Examples
    --------
    >>> import facered
    >>> with facered.Profile() as profile:  # doctest: +SKIP
    ...     facered.combined("foo.mp4", "out/")
    >>> print(profile.table())  # doctest: +SKIP
    >>> profile.write_trace("trace.json")  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self.frames = 0
        self.inference = Inference()
        self._lock = threading.Lock()
        # Begin and end of each call in nanoseconds, one after the other. Each array is written by one thread only.
        self._times: dict[tuple[int, str, str], array[int]] = {}
        self._begun = self._ended = 0
        self._token: Token[Profile | None] | None = None

    def __enter__(self) -> Profile:
        self._token = _active.set(self)
        self._begun = time.perf_counter_ns()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.perf_counter_ns()
        assert self._token is not None
        _active.reset(self._token)

    @property
    def seconds(self) -> float:
        """Wall time of the block, up to now or to its end."""
        return ((self._ended or time.perf_counter_ns()) - self._begun) / 1e9

    def timing(self, step: str) -> AbstractContextManager[None]:
        """Return a context that notes how long its block took."""
        return _Clock(self, step)

    def note(self, step: str, begun: int, ended: int) -> None:
        """Note a call of a step of this thread, given by `time.perf_counter_ns`."""
        key = threading.get_ident(), threading.current_thread().name, step
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = array("q")
        times.append(begun)
        times.append(ended)

    def note_inference(self, done: Inference) -> None:
        """Note runs of the model, of any thread."""
        with self._lock:
            self.inference += done

    def durations(self) -> dict[str, list[float]]:
        """Return the seconds that each call of each step took, the steps in the order of their first call."""
        found: dict[str, list[float]] = defaultdict(list)
        for (_, _, step), times in sorted(self._times.items(), key=lambda item: item[1][0]):
            found[step] += [(end - begin) / 1e9 for begin, end in zip(times[::2], times[1::2], strict=True)]
        return dict(found)

    def table(self) -> str:
        """Return how often and how long each step ran: totals, means, shares of the wall time, percentiles."""
        wall, frames = self.seconds, max(self.frames, 1)
        rows = []
        for step, durations in self.durations().items():
            durations.sort()
            total, last = sum(durations), len(durations) - 1
            figures = (
                f"{total:.3f}",
                f"{1e3 * total / frames:.3f}",
                f"{100 * total / wall:.1f}",
                f"{1e3 * durations[last // 2]:.3f}",
                f"{1e3 * durations[round(0.99 * last)]:.3f}",
            )
            rows.append((step, str(len(durations)), *figures))
        return f"{table(_HEADS, rows)}\n{self.frames} frames in {wall:.3f} s{self._inference_told()}"

    def _inference_told(self) -> str:
        """Return how much inference it took, in words; nothing where there was none."""
        done = self.inference
        if not done.calls:
            return ""
        a_frame = f", {done.megapixels / self.frames:.4f} a frame" if self.frames else ""
        return f"; inference in {done.precision}: {done.calls} calls, {done.megapixels:.6f} megapixels{a_frame}"

    def write_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a trace for Chrome (``chrome://tracing``) or Perfetto, with a row a thread.

        Raises
        ------
        OSError
            The file cannot be written; what was there is still there.
        """
        write_target(Path(path), self._trace())

    def _trace(self) -> Iterator[bytes]:
        yield b'{"displayTimeUnit": "ms", "traceEvents": ['
        for number, event in enumerate(self._events()):
            yield (b",\n" if number else b"\n") + json.dumps(event).encode()
        yield b"\n]}\n"

    def _events(self) -> Iterator[dict[str, object]]:
        rows: dict[tuple[int, str], int] = {}
        for (ident, name, step), times in sorted(self._times.items(), key=lambda item: item[1][0]):
            row = rows.get((ident, name))
            if row is None:
                row = rows[ident, name] = len(rows) + 1
                yield {"ph": "M", "name": "thread_name", "pid": 1, "tid": row, "args": {"name": name}}
            for begin, end in zip(times[::2], times[1::2], strict=True):
                micro = (begin - self._begun) / 1e3, (end - begin) / 1e3
                yield {"ph": "X", "name": step, "pid": 1, "tid": row, "ts": micro[0], "dur": micro[1]}


_active: ContextVar[Profile | None] = ContextVar("profile", default=None)


class _Clock:
    """Notes how long its block took, whatever ended it."""

    __slots__ = ("_begun", "_profile", "_step")

    def __init__(self, profile: Profile, step: str) -> None:
        self._profile, self._step = profile, step

    def __enter__(self) -> None:
        self._begun = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._profile.note(self._step, self._begun, time.perf_counter_ns())
