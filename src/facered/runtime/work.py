"""How much inference something took, which is the same on any machine: runs of the model, and pixels given to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inference:
    """Runs of the model.

    Attributes
    ----------
    calls : int
        How often it was run.
    pixels : int
        Pixels of all that it was given, those that fill pictures up to whole multiples included.
    precisions : tuple of str
        What it computed with: fp32, int8, or own, where a model is somebody's own. Several jobs may differ.
    """

    calls: int = 0
    pixels: int = 0
    precisions: tuple[str, ...] = ()

    def __add__(self, other: Inference) -> Inference:
        precisions = tuple(dict.fromkeys(self.precisions + other.precisions))
        return Inference(self.calls + other.calls, self.pixels + other.pixels, precisions)

    def since(self, before: Inference) -> Inference:
        """Return what has come since it was `before`."""
        return Inference(self.calls - before.calls, self.pixels - before.pixels, self.precisions)

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.pixels / 1e6

    @property
    def precision(self) -> str | None:
        """What it computed with, in words; None where the model was not needed."""
        return " and ".join(self.precisions) or None

    def figures(self) -> dict[str, float | str | None]:
        """Return all of it, for JSON."""
        return {
            "inference_calls": self.calls,
            "inference_megapixels": self.megapixels,
            "precision": self.precision,
        }
