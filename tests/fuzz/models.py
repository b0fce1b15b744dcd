"""The target that reads models: small detectors whose graphs and weights are changed, or whose bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facered.detect.detector import Detector
from facered.video.picture import Picture
from fuzz.mutation import INTERESTING, mutated_bytes
from fuzz.target import Target, check

STRIDES = (8, 16, 32)
FAMILIES = ("centerface", "scrfd", "yunet")
OPERATORS = (
    "Conv", "Relu", "Sigmoid", "Reshape", "Transpose", "MaxPool", "AveragePool", "Add", "Mul", "MatMul", "Resize",
    "Concat", "Identity", "Exp", "Softmax", "Gather", "Slice", "Pad", "Tile", "Expand", "NonZero", "Cast", "Nonsense",
)  # fmt: skip


@cache
def seed_of(family: str) -> bytes:
    """Return a model of a family: a convolution a level, and of another shape where the family wants that."""
    nodes, weights, outputs = [], [], []

    def add(name: str, channels: int, stride: int, rows: int | None, seed: int) -> None:
        rng = np.random.default_rng(seed)
        weights.append(
            numpy_helper.from_array(rng.normal(0, 0.002, (channels, 3, stride, stride)).astype(np.float32), f"w{name}")
        )
        last = name if rows is None else f"{name}_raw"
        nodes.append(helper.make_node("Conv", ["picture", f"w{name}"], [f"{name}_c"], strides=[stride, stride]))
        nodes.append(helper.make_node("Sigmoid", [f"{name}_c"], [last]))
        if rows is not None:
            weights.append(numpy_helper.from_array(np.array([1, -1, rows], np.int64), f"s{name}"))
            nodes.append(helper.make_node("Transpose", [last], [f"{name}_t"], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("Reshape", [f"{name}_t", f"s{name}"], [name]))
        shape: list[object] = [1, channels, "h", "w"] if rows is None else [1, "cells", rows]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    if family == "centerface":
        for seed, (name, channels) in enumerate((("heat", 1), ("scale", 2), ("offset", 2))):
            add(name, channels, 4, None, seed)
    elif family == "scrfd":
        for channels in (1, 4):
            for stride in STRIDES:
                add(f"{'score' if channels == 1 else 'bbox'}{stride}", 2 * channels, stride, channels, stride)
    else:
        for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4)):
            for stride in STRIDES:
                add(f"{kind}_{stride}", channels, stride, channels, stride)
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "height", "width"])
    graph = helper.make_graph(nodes, family, [given], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))


def _mutated(rng: Random, pool: Sequence[bytes]) -> bytes:
    if rng.random() < 0.4:
        return mutated_bytes(rng, pool)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(rng.choice(pool))
        for _ in range(rng.choice((1, 1, 2, 4))):
            _change(rng, model.graph)
        return bytes(model.SerializeToString(deterministic=True))
    except Exception:  # protobuf's errors over bytes that were changed before have no common base
        return mutated_bytes(rng, pool)


def _change(rng: Random, graph: onnx.GraphProto) -> None:
    kind = rng.randrange(9)
    number = rng.choice((*INTERESTING[:20], -1, -2, -(2**31), 2**31 - 1, 2**40))
    if kind == 0 and graph.initializer:
        tensor = rng.choice(graph.initializer)
        tensor.dims[rng.randrange(len(tensor.dims))] = number
    elif kind == 1 and graph.initializer:
        tensor = rng.choice(graph.initializer)
        values = bytearray(tensor.raw_data)
        for _ in range(rng.choice((1, 4, len(values) // 4))):
            at = rng.randrange(max(1, len(values) // 4)) * 4
            value = rng.choice((np.nan, np.inf, -np.inf, 1e38, -1e38, 0.0, 100.0, -100.0, 1e-40))
            values[at : at + 4] = np.float32(value).tobytes()
        tensor.raw_data = bytes(values)
    elif kind == 2 and graph.initializer:
        tensor = rng.choice(graph.initializer)
        tensor.data_type = rng.randrange(0, 20)
    elif kind == 3 and graph.node:
        rng.choice(graph.node).op_type = rng.choice(OPERATORS)
    elif kind == 4 and graph.node:
        node = rng.choice(graph.node)
        for attribute in node.attribute:
            if attribute.ints:
                attribute.ints[rng.randrange(len(attribute.ints))] = number
        if rng.random() < 0.3:
            node.attribute.append(
                helper.make_attribute(rng.choice(("pads", "dilations", "group", "axis")), [number] * 4)
            )
    elif kind == 5 and graph.node:
        nodes = list(graph.node)
        node = rng.choice(nodes)
        name = rng.choice([name for each in nodes for name in (*each.input, *each.output)] or [""])
        if node.input:
            node.input[rng.randrange(len(node.input))] = name
    elif kind == 6 and graph.node:
        del graph.node[rng.randrange(len(graph.node))]
    elif kind == 7:
        shape = rng.choice([*graph.input, *graph.output] or [onnx.ValueInfoProto()]).type.tensor_type.shape
        if shape.dim:
            rng.choice(shape.dim).dim_value = rng.choice((1, 3, 32, 64, 640, max(0, number)))
    elif graph.output:
        del graph.output[rng.randrange(len(graph.output))]


def _run(data: bytes, folder: Path) -> str:
    path = folder / "model.onnx"
    path.write_bytes(data)
    detector = Detector(path, threads=1, size=96)
    y, x = np.mgrid[:64, :96]
    luma = np.asarray(128 + 60 * np.sin(x / 9) * np.cos(y / 7), np.uint8)
    found = detector.detect(Picture(luma, None, None, "bt601", False), 0.5)
    check(np.isfinite(found.boxes).all() and np.isfinite(found.scores).all(), "boxes of numbers that are none")
    return f"{detector.family.name}, {min(len(found.scores), 2)} faces, {found.full}"


TARGETS = [Target("model", lambda: [seed_of(family) for family in FAMILIES], _mutated, _run, share=4, seconds=30)]
