"""How much inference something takes, exactly and on any machine: calls of the model, and pixels given to it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facered.detect import inference

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

CHANNELS = 3


@dataclass(slots=True)
class Inference:
    """Calls of the model, and the pixels of all its inputs, those that fill them up to whole multiples included."""

    calls: int = 0
    pixels: int = 0

    def add(self, other: Inference) -> None:
        """Count another one's as well."""
        self.calls += other.calls
        self.pixels += other.pixels

    def figures(self, frames: int) -> dict[str, float]:
        """Return both a frame, pixels in millions."""
        return {
            "inference_calls": self.calls,
            "inference_calls_per_frame": self.calls / max(frames, 1),
            "inference_megapixels": self.pixels / 1e6,
            "inference_megapixels_per_frame": self.pixels / 1e6 / max(frames, 1),
        }


@contextmanager
def counted() -> Iterator[Inference]:
    """Count what detectors of this process are given meanwhile, in any thread."""
    total, lock, run = Inference(), threading.Lock(), inference.run

    def counting(session: object, family: object, tensor: NDArray[np.float32]) -> object:
        with lock:
            total.add(Inference(1, tensor.size // CHANNELS))
        return run(session, family, tensor)  # type: ignore[arg-type]

    inference.run = counting  # type: ignore[assignment]
    try:
        yield total
    finally:
        inference.run = run
