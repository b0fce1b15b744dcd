"""Make the 8-bit CenterFace of the float one and of what ``calibrate.py`` measured; needs nothing but onnx.

Three things keep dim faces from being lost on the way:

* The first convolutions, the additions of the neck and the heads stay in float. The first ones work on few channels at
  high resolution, where integers cost more time than they save.
* Channels are equalised first: scaling a channel up where it is made and down where it is read changes nothing in a
  network of convolutions and ReLUs, but lets a channel of small values use all 256 steps.
* Weights have a step of their own for each channel; activations have a zero point, so that what a ReLU leaves uses all
  steps.

What rounding leaves moves the logits of faint faces by a tenth or two either way; so that it hides more rather than
fewer of them, `LEANING` is added.

The graph is in QDQ form: float operators between QuantizeLinear and DequantizeLinear, which onnxruntime fuses to
integer kernels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CALIBRATION = Path(__file__).with_name("calibration.json")
FLOAT = frozenset({"363", "366", "369", "518", "525", "532", "536", "scale", "offset"})
"""Outputs of the convolutions and additions that stay in float."""
LEANING = 0.15
"""Added to the logits of the heat map."""
OCTAVE = 4
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
STEPS = 255
WEIGHT_STEPS = 127
_CONVOLUTIONS = ("Conv", "ConvTranspose")


@dataclass(frozen=True)
class Calibration:
    """What is known of the activations.

    Attributes
    ----------
    exponents : mapping of str to list of int
        For the tensor that stands for each group of `Network.groups`: each channel's factor as a power of
        2 ** (1 / `OCTAVE`), from 0 to 35.
    ranges : mapping of str to (float, float)
        Least and greatest value of each tensor of `activations`, after equalisation.
    """

    exponents: Mapping[str, list[int]]
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def read(cls, path: Path = CALIBRATION) -> Calibration:
        """Read what `write` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        exponents = {name: [int(digit, 36) for digit in digits] for name, digits in content["exponents"].items()}
        return cls(exponents, {name: (low, high) for name, (low, high) in content["ranges"].items()})

    def write(self, path: Path = CALIBRATION) -> None:
        """Write a line for each tensor."""
        exponents = {name: "".join(DIGITS[digit] for digit in digits) for name, digits in self.exponents.items()}
        parts = [
            f'  "{key}": {{\n'
            + ",\n".join(f'    "{name}": {json.dumps(value)}' for name, value in part.items())
            + "\n  }"
            for key, part in (("exponents", exponents), ("ranges", self.ranges))
        ]
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


class Network:
    """A graph of convolutions, ReLUs and additions, its weights as arrays, and batch norms folded into them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.weights = {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        for node in model.graph.node:
            if node.op_type == "BatchNormalization":
                self._fold(node)
            else:
                self.nodes.append(onnx.NodeProto.FromString(node.SerializeToString()))
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def _fold(self, node: onnx.NodeProto) -> None:
        """Fold a batch norm into the transposed convolution before it, which has no bias."""
        before = self.nodes[-1]
        assert before.op_type == "ConvTranspose"
        assert len(before.input) == 2
        assert before.output[0] == node.input[0]
        gain, bias, mean, variance = (self.weights[name].astype(np.float64) for name in node.input[1:])
        (epsilon,) = (attribute.f for attribute in node.attribute if attribute.name == "epsilon")
        factor = gain / np.sqrt(variance + epsilon)
        kernel = before.input[1]
        self.weights[kernel] = (self.weights[kernel] * factor[:, None, None]).astype(np.float32)
        self.weights[node.input[2]] = (bias - mean * factor).astype(np.float32)
        before.input.append(node.input[2])
        before.output[0] = node.output[0]

    def result(self, node: onnx.NodeProto) -> str:
        """Return the name of what a node gives, after the ReLU that may follow it."""
        (name,) = node.output
        readers = self.readers.get(name, [])
        return str(readers[0].output[0]) if [reader.op_type for reader in readers] == ["Relu"] else name

    def activations(self) -> list[str]:
        """Return the names of all tensors between the operators, ReLUs taken together with what they follow."""
        outputs = {value.name for value in self.model.graph.output}
        names = [self.result(node) for node in self.nodes if node.op_type in (*_CONVOLUTIONS, "Add")]
        return [name for name in names if name in self.readers and name not in outputs]

    def groups(self) -> dict[str, str]:
        """Return for each tensor the one that stands for all whose channels have the same factor.

        Additions and ReLUs need the same factor on both sides. Those from the picture and to the heads have none.
        """
        group: dict[str, str] = {}
        for node in self.nodes:
            (output,) = node.output
            if node.op_type in _CONVOLUTIONS:
                group[output] = output
            else:
                first, *others = (group[name] for name in node.input)
                group = {name: first if old in others else old for name, old in group.items()} | {output: first}
        ends = {group[name] for name in group if name not in self.readers or self.readers[name][0].op_type == "Sigmoid"}
        return {name: first for name, first in group.items() if first not in ends}

    def only_read_by_depthwise(self, group: str) -> bool:
        """Return whether every reader of a group works on each channel by itself."""
        groups = self.groups()
        readers = [node for node in self.nodes if node.op_type in _CONVOLUTIONS and groups.get(node.input[0]) == group]
        return all(self._depthwise(node) for node in readers)

    def _depthwise(self, node: onnx.NodeProto) -> bool:
        kernel = self.weights[node.input[1]]
        return node.op_type == "Conv" and kernel.shape[1] == 1 < kernel.shape[0]

    def equalise(self, exponents: Mapping[str, list[int]]) -> None:
        """Multiply the channels of groups where they are made, and divide them where they are read."""
        groups = self.groups()
        factors = {
            name: np.exp2(np.array(exponents[group]) / OCTAVE) for name, group in groups.items() if group in exponents
        }
        for node in self.nodes:
            if node.op_type not in _CONVOLUTIONS:
                continue
            source, kernel, bias = node.input
            made, read = factors.get(node.output[0]), factors.get(source)
            weights = self.weights[kernel].astype(np.float64)
            # Out channels come first in convolutions, in channels in transposed ones; depthwise ones have no others.
            axes = (0, 0) if self._depthwise(node) else (0, 1) if node.op_type == "Conv" else (1, 0)
            if made is not None:
                weights *= _along(made, axes[0])
                self.weights[bias] = (self.weights[bias] * made).astype(np.float32)
            if read is not None:
                weights /= _along(read, axes[1])
            self.weights[kernel] = weights.astype(np.float32)

    def to_model(self) -> onnx.ModelProto:
        """Return the network as it stands now."""
        old, used = self.model.graph, {name for node in self.nodes for name in node.input}
        weights = [numpy_helper.from_array(np.asarray(w), name) for name, w in self.weights.items() if name in used]
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        model.graph.CopyFrom(helper.make_graph(self.nodes, old.name, old.input, old.output, weights))
        onnx.checker.check_model(model, full_check=True)
        return model


def quantise(original: bytes, calibration: Calibration) -> bytes:
    """Return the model with 8-bit weights and activations, except for `FLOAT`."""
    network = Network(onnx.load_from_string(original))
    network.equalise(calibration.exponents)
    (sigmoid,) = (node for node in network.nodes if node.op_type == "Sigmoid")
    (head,) = (node for node in network.nodes if node.output[0] == sigmoid.input[0])
    network.weights[head.input[2]] = network.weights[head.input[2]] + np.float32(LEANING)
    integer = [node for node in network.nodes if node.op_type in ("Conv", "Add") and node.output[0] not in FLOAT]
    rounded = {network.result(node) for node in integer}
    for node in integer:
        rounded.update(node.input if node.op_type == "Add" else node.input[:1])
    operators, network.nodes = network.nodes, []
    steps: dict[str, float] = {}
    for node in operators:
        source, kernel_and_bias = node.input[0], node.input[1:]
        node.input[:] = [f"{name}.rounded" if name in steps else name for name in node.input]
        if node.op_type == "Conv" and node.output[0] not in FLOAT:
            node.input[1:] = _round_weights(network, *kernel_and_bias, steps[source])
        network.nodes.append(node)
        name = node.output[0]
        if name in rounded:
            low, high = (min(calibration.ranges[name][0], 0), max(calibration.ranges[name][1], 0))
            steps[name] = float(np.float32((high - low) / STEPS))
            zero = np.array(round(-low / steps[name]), np.uint8)
            _quantise(network, name, np.array(steps[name], np.float32), zero)
    return bytes(network.to_model().SerializeToString())


def _round_weights(network: Network, kernel: str, bias: str, step: float) -> tuple[str, str]:
    """Replace kernel and bias by integers and return the names of what they stand for."""
    weights = network.weights.pop(kernel).astype(np.float64)
    limits = np.abs(weights).max(axis=(1, 2, 3))
    scale = (np.where(limits > 0, limits, 1) / WEIGHT_STEPS).astype(np.float32)
    integers = np.rint(weights / _along(scale, 0))
    _dequantise(network, kernel, np.clip(integers, -WEIGHT_STEPS, WEIGHT_STEPS).astype(np.int8), scale)
    bias_scale = (scale.astype(np.float64) * step).astype(np.float32)
    limit = np.iinfo(np.int32).max // 2
    integers = np.clip(np.rint(network.weights.pop(bias) / bias_scale.astype(np.float64)), -limit, limit)
    _dequantise(network, bias, integers.astype(np.int32), bias_scale)
    return f"{kernel}.rounded", f"{bias}.rounded"


def _quantise(network: Network, name: str, scale: NDArray[np.float32], zero: NDArray[np.uint8]) -> None:
    network.weights |= {f"{name}.step": scale, f"{name}.zero": zero}
    parameters = [f"{name}.step", f"{name}.zero"]
    network.nodes.append(helper.make_node("QuantizeLinear", [name, *parameters], [f"{name}.integer"]))
    network.nodes.append(helper.make_node("DequantizeLinear", [f"{name}.integer", *parameters], [f"{name}.rounded"]))


def _dequantise(network: Network, name: str, integers: NDArray[np.integer], scale: NDArray[np.float32]) -> None:
    zeros = np.zeros(scale.shape, integers.dtype)
    network.weights |= {f"{name}.integer": integers, f"{name}.step": scale, f"{name}.zero": zeros}
    inputs = [f"{name}.{part}" for part in ("integer", "step", "zero")]
    network.nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}.rounded"], axis=0))


def _along(values: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    """Return values, one a channel, in the shape in which they multiply a kernel."""
    return values.reshape([-1 if axis == place else 1 for place in range(4)])
