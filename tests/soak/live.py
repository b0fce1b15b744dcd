"""A camera that runs for 24 hours, sped up; and clocks that pass the limits of integers."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle

import av

import facered
import records
import videos
from facered.annotations.table import REGION_IDS
from soak.clips import CLIP
from soak.gauge import Gauge

HOURS = 24
SETTINGS: tuple[tuple[str | int, int], ...] = ((4, 0), (4, 10), ("async", 0), ("async", 10))
MOST_BYTES = 60.0
"""Limit of growth for each frame; a picture is of 38,016 bytes."""
DARK, END = 40, 100
CLOCKS = {
    "2^31": (2**31 - 500_000, Fraction(1, 90000)),
    "2^32": (2**32 - 500_000, Fraction(1, 90000)),
    "2^33": (2**33 - 500_000, Fraction(1, 90000)),
    "2^53": (2**53 - 5 * 10**9, Fraction(1, 10**9)),
    "2^62": (2**62 - 5 * 10**9, Fraction(1, 10**9)),
    "-2^62": (-(2**62) - 5 * 10**9, Fraction(1, 10**9)),
}


class Camera:
    """Gives the clip's frames forwards and backwards, for ever, and knows where the face is in each."""

    def __init__(self) -> None:
        frames = videos.decode(CLIP)
        self._pictures = [frame.to_ndarray(format="yuv420p") for frame in frames]
        with tempfile.TemporaryDirectory(prefix="facered-soak-") as folder:
            found = facered.analyze(CLIP, folder, margin=1.0).annotations
        self._places = [tuple(found.pixel_boxes(number)[0]) for number in range(len(frames))]
        self._order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]

    def frames(self, start: int, step: Fraction, base: Fraction) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield the number of a picture, and the frame, with times of `base` seconds."""
        for count, number in enumerate(cycle(self._order)):
            frame = av.VideoFrame.from_ndarray(self._pictures[number], format="yuv420p")
            frame.pts, frame.time_base = start + round(count * step / base), base
            yield number, frame

    def bare(self, number: int, frame: av.VideoFrame) -> bool:
        """Tell whether the middle of the face shows."""
        x1, y1, x2, y2 = self._places[number]
        left, top, right, bottom = (3 * x1 + x2) / 4, (3 * y1 + y2) / 4, (x1 + 3 * x2) / 4, (y1 + 3 * y2) / 4
        luma = frame.to_ndarray(format="gray")[int(top) : int(bottom), int(left) : int(right)]
        return bool((luma < DARK).mean() < 0.8)


def stream(
    camera: Camera, detect: str | int, lookahead: int, clock: tuple[int, Fraction, Fraction], most: int, until: float
) -> tuple[dict[str, float], Gauge, list[str]]:
    """Redact frames as they come; return counts, the samples taken, and what is wrong."""
    start, step, base = clock
    given: list[tuple[int, int]] = []
    gauge, wrong, bare, out, ids, done = Gauge(), [], 0, 0, 0, 0
    with facered.Redactor(
        blur="Black", detect=detect, lookahead=lookahead, detect_size=64, rate=25 if step > 1 else None
    ) as redactor:

        def take(ready: list[av.VideoFrame]) -> None:
            nonlocal bare, out
            for frame in ready:
                number, pts = given.pop(0)
                out += 1
                bare += camera.bare(number, frame)
                if frame.pts != pts:
                    wrong.append(f"a frame of {pts} comes out as one of {frame.pts}")

        for number, frame in camera.frames(start, step, base):
            if done == most or (done > END and time.monotonic() > until):
                break
            given.append((number, frame.pts))
            take(redactor.process(frame))
            ids = max([ids, *(face.id for face in redactor.faces)])
            done += 1
            if done % 100 == 0:
                gauge.sample(done)
        take(redactor.flush())
    if out != done or given:
        wrong.append(f"{out} of {done} frames come out")
    if bare:
        wrong.append(f"{bare} frames are bare")
    if not 0 < ids < REGION_IDS:
        wrong.append(f"the largest id is {ids}")
    return {"frames": done, "largest id": ids, "bare": bare}, gauge, wrong


def main() -> int:
    """Run streams; return 1 where something grows or somebody is bare."""
    parser = argparse.ArgumentParser(prog="soak.live")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--frames", type=int, default=200_000, help="of 24 hours; time may end before them")
    options = parser.parse_args()
    camera, failed = Camera(), False
    for name, (start, base) in CLOCKS.items():
        begun = time.monotonic()
        clock = (start, Fraction(1, 25), base)
        counts, _, wrong = stream(camera, 4, 2, clock, 300, begun + options.seconds)
        records.note(f"live, the clock passes {name}", time.monotonic() - begun, counts, ok=not wrong)
        failed |= bool(wrong)
        print("".join(f"  {what}\n" for what in wrong[:5]), end="")
    for detect, lookahead in SETTINGS:
        begun = time.monotonic()
        clock = (0, Fraction(HOURS * 3600, options.frames), Fraction(1, 90000))
        share = options.seconds / len(SETTINGS)
        counts, gauge, wrong = stream(camera, detect, lookahead, clock, options.frames, begun + share)
        wrong += [] if gauge.flat(MOST_BYTES, counts["frames"]) else ["something grows"]
        hours = round(counts["frames"] / options.frames * HOURS, 1)
        part = f"live, detect={detect}, lookahead={lookahead}"
        records.note(part, time.monotonic() - begun, {"hours": hours, **counts, **gauge.told("frame")}, ok=not wrong)
        failed |= bool(wrong)
        print("".join(f"  {what}\n" for what in wrong[:5]), end="")
    return failed


if __name__ == "__main__":
    sys.exit(main())
