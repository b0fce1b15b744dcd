"""Measure the activations of CenterFace: ``python tools/calibrate.py FILM_OR_PHOTO...`` writes ``calibration.json``.

Run by hand when the model or the way of quantising changes; the build only reads what it wrote. Each picture is looked
at as it is and made dark, faint and small: without dark pictures dim faces are lost. Noisy ones would only widen the
ranges, and so coarsen the steps.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import onnx
import onnxruntime

from quantise import CALIBRATION, OCTAVE, Calibration, Network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MODEL = Path(__file__).resolve().parent.parent / "src" / "facered" / "detect" / "models" / "centerface.onnx"
PICTURES = 10
"""Most pictures of a film, evenly spread."""
LONGEST = 640
SMALL = 256
ALIGNMENT = 32
KEPT = 0.99
"""Part of the pictures whose extremes fit the ranges; the rest is cut off."""
SHARE = 0.5
"""How much of a channel's smallness is made up for; all of it where that costs nothing."""
LARGEST_FACTOR = 64


def main(paths: Sequence[str]) -> None:
    """Calibrate on films and photos."""
    network = Network(onnx.load(os.fspath(MODEL)))
    names = network.activations()
    tensors = [tensor for path in paths for picture in pictures(path) for tensor in variants(picture)]
    print(f"{len(tensors)} pictures")
    low, high = extremes(network, names, tensors)
    exponents = equalising(network, {name: np.maximum(-low[name], high[name]).max(axis=0) for name in names})
    network.equalise(exponents)
    low, high = extremes(network, names, tensors)
    ranges = {
        name: (
            float(f"{np.quantile(low[name].min(axis=1), 1 - KEPT):.4g}"),
            float(f"{np.quantile(high[name].max(axis=1), KEPT):.4g}"),
        )
        for name in names
    }
    Calibration(exponents, ranges).write()
    print(CALIBRATION)


def pictures(path: str) -> Iterator[NDArray[np.float32]]:
    """Yield RGB pictures of a film or a photo, (height, width, 3), at most `LONGEST` long."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    for index in np.unique(np.linspace(0, len(frames) - 1, PICTURES).astype(int)):
        frame = frames[index]
        scale = min(1.0, LONGEST / max(frame.width, frame.height))
        small = frame.reformat(round(frame.width * scale), round(frame.height * scale), "rgb24", interpolation="AREA")
        yield small.to_ndarray().astype(np.float32)


def variants(picture: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield tensors of a picture as it is, dark, faint and small."""
    rng = np.random.default_rng(0)
    step = max(1, round(max(picture.shape) / SMALL))
    yield _tensor(picture)
    yield _tensor(picture * 0.12 + 6 + rng.normal(0, 2, picture.shape))
    yield _tensor(picture * 0.25 + 150)
    yield _tensor(picture[::step, ::step])


def _tensor(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = (-(-length // ALIGNMENT) * ALIGNMENT for length in picture.shape[:2])
    tensor = np.zeros((1, 3, height, width), np.float32)
    tensor[0, :, : picture.shape[0], : picture.shape[1]] = np.clip(np.rint(picture), 0, 255).transpose(2, 0, 1)
    return tensor


def extremes(
    network: Network, names: Sequence[str], tensors: Sequence[NDArray[np.float32]]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Return for each tensor the least and greatest values, (pictures, channels)."""
    model = network.to_model()
    kept = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in kept)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    high: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for tensor in tensors:
        for name, values in zip(names, session.run(list(names), {"picture": tensor}), strict=True):
            low[name].append(values.min(axis=(0, 2, 3)))
            high[name].append(values.max(axis=(0, 2, 3)))
    return {name: np.array(low[name]) for name in names}, {name: np.array(high[name]) for name in names}


def equalising(network: Network, greatest: dict[str, NDArray[np.float32]]) -> dict[str, list[int]]:
    """Return each channel's exponent, given the greatest absolute values of the channels of each tensor."""
    together: dict[str, NDArray[np.float32]] = {}
    for name, group in network.groups().items():
        if name in greatest:
            together[group] = np.maximum(together.get(group, 0), greatest[name])
    exponents = {}
    for group, values in together.items():
        # A depthwise kernel has a step for each channel, so that its weights may become as small as they like.
        share = 1.0 if network.only_read_by_depthwise(group) else SHARE
        smallness = np.log2(np.minimum(values.max() / np.maximum(values, 1e-6), LARGEST_FACTOR))
        exponents[group] = np.rint(OCTAVE * share * smallness).astype(int).tolist()
    return exponents


if __name__ == "__main__":
    main(sys.argv[1:])
