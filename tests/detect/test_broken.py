"""Models that break: what they give is never taken for a picture without faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.detect.test_detector import centerface_outputs, gray_picture, save, scrfd_outputs, yunet_outputs

import facered
from facered.detect.detector import MAX_CANDIDATES, Detector
from facered.detect.tensor import View
from facered.errors import ConfigurationUnsupportedError, FaceredError
from thinned import thinned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from facered.video.picture import Picture

    Outputs = dict[str, NDArray[np.float32]]

FAMILIES = {"centerface": centerface_outputs, "yunet": yunet_outputs, "scrfd": scrfd_outputs}
USED = {
    "centerface": ["heat", "scale", "offset"],
    "yunet": [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in (8, 16, 32)],
    "scrfd": [f"{kind}{stride}" for kind in ("score", "bbox") for stride in (8, 16, 32)],
}
EACH_OUTPUT = [(family, name) for family, names in USED.items() for name in names]


def detect(path: Path) -> None:
    Detector(path).detect(gray_picture(320, 256), 0.5)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_sound_is_taken(family: str, tmp_path: Path) -> None:
    detect(save(tmp_path / "sound.onnx", FAMILIES[family]()))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("family", "name"), thinned(EACH_OUTPUT, 3))
def test_numbers_that_are_not_finite_are_an_error(family: str, name: str, value: float, tmp_path: Path) -> None:
    outputs = FAMILIES[family]()
    outputs[name].reshape(-1)[-1] = value
    path = save(tmp_path / "broken.onnx", outputs)
    with pytest.raises(ConfigurationUnsupportedError, match=f"not finite, in {name}; use another model"):
        detect(path)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_tensor_that_is_not_finite_is_an_error(monkeypatch: pytest.MonkeyPatch, precision: str, value: float) -> None:
    """The model of 8 bits would see nobody in it, and say so in numbers that are finite."""
    fill = View.fill

    def spoiled(self: View, picture: Picture) -> None:
        fill(self, picture)
        self.tensor.reshape(-1)[-1] = value

    monkeypatch.setattr(View, "fill", spoiled)
    with pytest.raises(FaceredError, match="not finite"):
        Detector(precision=precision).detect(gray_picture(320, 256), 0.5)


CHANGES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "empty": lambda output: output[..., :0, :],
    "short": lambda output: output[..., :-1, :],
    "long": lambda output: np.concatenate([output, output], axis=-2),
    "two at a time": lambda output: np.concatenate([output, output], axis=0),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("family", "name"), thinned(EACH_OUTPUT, 3))
def test_outputs_of_another_size_are_an_error(family: str, name: str, change: str, tmp_path: Path) -> None:
    """A heat map that is larger than its scale map made the kernel read what is not there."""
    outputs = FAMILIES[family]()
    outputs[name] = CHANGES[change](outputs[name])
    path = save(tmp_path / "broken.onnx", outputs)
    with pytest.raises(ConfigurationUnsupportedError, match=f"gives {name} as float32 .*use another model"):
        detect(path)


def test_outputs_of_another_type_are_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "double.onnx", centerface_outputs())
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("Cast", ["heat"], ["heat64"], to=TensorProto.DOUBLE))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("heat64", TensorProto.DOUBLE, [1, 1, 64, 80]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConfigurationUnsupportedError, match="gives heat64 as float64"):
        detect(path)


def test_a_model_that_fails_while_it_runs_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "fails.onnx", centerface_outputs())
    model = onnx.load(path)
    shape = helper.make_node("Constant", [], ["odd"], value_ints=[7, 7])
    model.graph.node.extend([shape, helper.make_node("Reshape", ["heat", "odd"], ["never"])])
    # The first output hangs on what fails.
    model.graph.node.append(helper.make_node("ReduceSum", ["never"], ["none"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["heat", "none"], ["heat2"]))
    model.graph.output[0].name = "heat2"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConfigurationUnsupportedError, match="the face detector's model cannot be run"):
        detect(path)


@pytest.mark.parametrize(("output", "value"), [("scale", -100), ("scale", -8), ("offset", 300), ("offset", -300)])
def test_a_certain_face_that_is_nowhere_may_be_anywhere(output: str, value: float, tmp_path: Path) -> None:
    outputs = centerface_outputs()
    outputs["heat"][0, 0, 30, 30] = 0.9
    assert not Detector(save(tmp_path / "sound.onnx", outputs)).detect(gray_picture(320, 256), 0.3).full
    outputs[output][:] = value
    assert Detector(save(tmp_path / "broken.onnx", outputs)).detect(gray_picture(320, 256), 0.3).full
    outputs["heat"][0, 0, 30, 30] = 0.4  # that is not certain
    assert not Detector(save(tmp_path / "faint.onnx", outputs)).detect(gray_picture(320, 256), 0.3).full


def test_more_candidates_than_can_be_compared_fill_the_detector(tmp_path: Path) -> None:
    outputs = centerface_outputs()
    outputs["heat"][0, 0].reshape(-1)[:MAX_CANDIDATES] = 0.9
    assert not Detector(save(tmp_path / "crowd.onnx", outputs)).detect(gray_picture(320, 256), 0.5).full
    outputs["heat"][0, 0].reshape(-1)[: MAX_CANDIDATES + 1] = 0.9
    assert Detector(save(tmp_path / "crowd.onnx", outputs)).detect(gray_picture(320, 256), 0.5).full


@pytest.mark.parametrize("mode", [facered.analyze, facered.combined])
def test_a_job_with_a_broken_model_ends_in_an_error_and_writes_nothing(
    mode: Callable[..., object], carphone: Path, tmp_path: Path
) -> None:
    outputs = centerface_outputs(192, 160)
    outputs["scale"][0, 1, 3, 3] = np.nan
    model = save(tmp_path / "broken.onnx", outputs)
    with pytest.raises(ConfigurationUnsupportedError):
        mode(carphone, tmp_path / "out", model=model)
    assert not any((tmp_path / "out").iterdir())
