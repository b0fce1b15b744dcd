"""Faces in pictures: the model that is shipped on a real clip, and other families on made-up outputs."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import facered
import videos
from facered._native import cpu
from facered.detect.detector import (
    DISTINCT_SIZE,
    FINE_SIDE,
    MAX_SIDE,
    MIN_SIDE,
    Detector,
)
from facered.detect.inference import MODEL_VARIABLE
from facered.detect.tiles import MIN_CROP
from facered.track.schedule import TileRequest
from facered.track.verification import KNOWN
from facered.video.picture import Picture, view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import av
    from numpy.typing import NDArray

    Outputs = dict[str, NDArray[np.float32]]

CERTAIN = 0.5
BOX = np.array([75.0, 65, 50, 60])
"""About where the man on the phone is, as middle and size."""


def gray_picture(width: int, height: int, luma: int = 126) -> Picture:
    return Picture(np.full((height, width), luma, np.uint8), None, None, "bt601", False)


def flat_picture(width: int, height: int, yuv: tuple[int, int, int]) -> Picture:
    half = ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (np.full(size, value, np.uint8) for size, value in zip(((height, width), half, half), yuv, strict=True))
    return Picture(y, u, v, "bt601", False)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(precision="fp32")  # "auto" depends on the processor


@pytest.fixture(scope="module")
def frames(carphone: Path) -> list[av.VideoFrame]:
    return videos.decode(carphone)[::10]


class TestShippedModel:
    def test_finds_the_man_on_the_phone_and_nobody_else(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        assert len(frames) == 12
        for frame in frames:
            found = detector.detect(view(frame), CERTAIN)
            assert len(found.boxes) == len(found.scores) == 1
            assert CERTAIN < found.scores[0] <= 1
            x1, y1, x2, y2 = found.boxes[0]
            assert 55 < (x1 + x2) / 2 < 95
            assert 50 < (y1 + y2) / 2 < 75
            assert 40 < x2 - x1 < 65
            assert 50 < y2 - y1 < 80

    def test_sees_the_same_in_nv12(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        for frame in frames:
            planar = detector.detect(view(frame), CERTAIN)
            interleaved = detector.detect(view(frame.reformat(format="nv12")), CERTAIN)
            np.testing.assert_allclose(interleaved.boxes, planar.boxes, atol=0.5)
            np.testing.assert_allclose(interleaved.scores, planar.scores, atol=0.01)

    def test_sees_nearly_the_same_in_gray(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        for frame in frames:
            coloured = view(frame)
            gray = Picture(coloured.y, None, None, coloured.matrix, coloured.full_range)
            found = detector.detect(gray, CERTAIN)
            np.testing.assert_allclose(found.boxes, detector.detect(coloured, CERTAIN).boxes, atol=6)

    def test_gives_the_same_again_whatever_it_saw_before(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        def see(detector: Detector) -> list[NDArray[np.generic]]:
            found = detector.detect(view(frames[0]), CERTAIN)
            again = detector.verify(view(frames[0]), BOX, KNOWN[0], CERTAIN)
            return [found.boxes, found.scores, again.boxes, again.scores]

        first = see(detector)
        detector.detect(gray_picture(64, 200), CERTAIN)
        detector.detect(view(frames[5]), CERTAIN, tiles=TileRequest())
        detector.verify(view(frames[5]), BOX / 2, KNOWN[0], CERTAIN)
        for other in (see(detector), see(Detector(threads=1, precision="fp32"))):
            assert all(map(np.array_equal, first, other))

    def test_finds_the_face_in_the_place_it_has_in_a_larger_picture(
        self, detector: Detector, frames: list[av.VideoFrame]
    ) -> None:
        small = detector.detect(view(frames[0]), CERTAIN)
        large = detector.detect(view(videos.enlarge(frames[0], 4 * 176, 4 * 144)), CERTAIN)
        np.testing.assert_allclose(large.boxes / 4, small.boxes, atol=4)

    def test_finds_nobody_in_a_gray_wall(self, detector: Detector) -> None:
        found = detector.detect(gray_picture(176, 144), 0.1)
        assert found.boxes.shape == (0, 4)
        assert found.scores.shape == (0,)

    @pytest.mark.parametrize("size", [(1, 1), (1, 90), (333, 7), (97, 61)])
    def test_takes_pictures_of_any_size(self, detector: Detector, size: tuple[int, int]) -> None:
        picture = flat_picture(*size, (90, 120, 130))
        assert len(detector.detect(picture, CERTAIN, tiles=TileRequest()).boxes) == 0
        for box in (BOX, -BOX, 1000 * BOX, BOX / 1000):
            assert len(detector.verify(picture, np.array([*box[:2], *abs(box[2:])]), KNOWN[0], CERTAIN).boxes) == 0

    @pytest.mark.parametrize(("limit", "followed", "beyond"), [(1, 1, 1), (2, 2, 0), (3, 2, 0), (None, 2, 0)])
    def test_the_best_are_followed_and_the_others_are_known(
        self, detector: Detector, frames: list[av.VideoFrame], limit: int | None, followed: int, beyond: int
    ) -> None:
        two = view(frames[0]), view(frames[6])  # 0.93 and 0.76
        pair = Picture(
            *(np.hstack([getattr(two[1], plane), getattr(two[0], plane)]) for plane in "yuv"), "bt601", False
        )
        found, others = detector.detect(pair, CERTAIN).split(limit, CERTAIN)
        assert len(found.scores) == followed
        assert len(others) == beyond
        assert (np.diff(found.scores) <= 0).all()
        assert found.boxes[0, 0] > 176  # the better one is on the right
        assert not found.full


def placed(frame: av.VideoFrame, width: int, height: int, left: int, top: int) -> Picture:
    """Return a picture of a gray wall with a frame in one place, at even samples."""
    wall, source = flat_picture(width, height, (100, 128, 128)), view(frame)
    assert wall.u is not None
    assert wall.v is not None
    wall.y[top : top + frame.height, left : left + frame.width] = source.y
    for into, plane in ((wall.u, source.u), (wall.v, source.v)):
        assert plane is not None
        into[top // 2 :, left // 2 :][: plane.shape[0], : plane.shape[1]] = plane
    return wall


class TestSecondLook:
    """A face of 14 pixels in a picture of 1280 x 720 is missed at first."""

    @pytest.mark.parametrize(("left", "top"), [(600, 300), (0, 0), (1280 - 44, 720 - 36)])
    def test_finds_a_small_face_in_the_place_it_has(
        self, detector: Detector, frames: list[av.VideoFrame], left: int, top: int
    ) -> None:
        (large,) = detector.detect(view(frames[0]), CERTAIN).boxes
        picture = placed(videos.enlarge(frames[0], 44, 36), 1280, 720, left, top)
        assert len(detector.detect(picture, CERTAIN).boxes) == 0
        expected = large / 4 + np.array([left, top] * 2)
        middle, size = (expected[:2] + expected[2:]) / 2, expected[2:] - expected[:2]
        found = detector.verify(picture, np.array([*middle + 2, *size * 1.2], np.float64), KNOWN[0], CERTAIN)
        np.testing.assert_allclose(found.boxes, expected[None], atol=4)

    def test_finds_nobody_elsewhere(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        picture = placed(videos.enlarge(frames[0], 44, 36), 1280, 720, 600, 300)
        assert len(detector.verify(picture, np.array([300.0, 300, 14, 18]), KNOWN[0], CERTAIN).boxes) == 0

    def test_finds_a_large_face(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        picture = view(videos.enlarge(frames[0], 4 * 176, 4 * 144))
        (expected,) = detector.detect(picture, CERTAIN).boxes
        middle, size = (expected[:2] + expected[2:]) / 2, expected[2:] - expected[:2]
        found = detector.verify(picture, np.array([*middle, *size], np.float64), KNOWN[0], CERTAIN)
        np.testing.assert_allclose(found.boxes, expected[None], atol=0.15 * size[0])


ANY_SIZE = (None, 3, "height", "width")
FIXED = (1, 3, 256, 320)


def save(path: Path, outputs: Outputs, size: Sequence[int | str | None] = ANY_SIZE) -> Path:
    """Write a model that gives constant outputs, whatever the picture."""
    zero = helper.make_node("Mul", ["total", "nothing"], ["zero"])
    nodes = [helper.make_node("ReduceSum", ["picture"], ["total"], keepdims=0), zero]
    constants = [numpy_helper.from_array(np.float32(0), "nothing")]
    for name, value in outputs.items():
        constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}_value"))
        nodes.append(helper.make_node("Add", [f"{name}_value", "zero"], [name]))
    return write(path, nodes, constants, {name: value.shape for name, value in outputs.items()}, size)


def write(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    outputs: Mapping[str, Sequence[int | str | None]],
    size: Sequence[int | str | None] = ANY_SIZE,
) -> Path:
    def value(name: str, shape: Sequence[int | str | None]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    results = [value(name, shape) for name, shape in outputs.items()]
    graph = helper.make_graph(nodes, "made_up", [value("picture", size)], results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def yunet_outputs(width: int = 320, height: int = 256) -> Outputs:
    """Return outputs without any face, for a tensor of this size; in another order than the decoder takes them."""
    cells = {stride: width // stride * (height // stride) for stride in (8, 16, 32)}
    widths = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {
        f"{kind}_{stride}": np.zeros((1, count, size), np.float32)
        for kind, size in widths.items()
        for stride, count in cells.items()
    }


def scrfd_outputs(width: int = 320, height: int = 256, batch: bool = False, landmarks: bool = True) -> Outputs:
    outputs = {}
    for kind, size in {"score": 1, "bbox": 4, "kps": 10}.items():
        for stride in (8, 16, 32):
            shape = (2 * (width // stride) * (height // stride), size)
            if kind != "kps" or landmarks:
                outputs[f"{kind}{stride}"] = np.zeros((1, *shape) if batch else shape, np.float32)
    return outputs


def centerface_outputs(width: int = 320, height: int = 256) -> Outputs:
    grid = (height // 4, width // 4)
    channels = {"heat": 1, "scale": 2, "offset": 2, "points": 10}
    return {name: np.zeros((1, count, *grid), np.float32) for name, count in channels.items()}


class TestYuNet:
    def outputs(self) -> Outputs:
        outputs = yunet_outputs()
        for stride, column, row, score in ((8, 5, 3, 0.81), (16, 12, 4, 0.64), (32, 4, 6, 0.49)):
            cell = row * (320 // stride) + column
            outputs[f"cls_{stride}"][0, cell] = score
            outputs[f"obj_{stride}"][0, cell] = 1
            outputs[f"bbox_{stride}"][0, cell] = 0.5, 0.25, np.log(3), np.log(2)
        return outputs

    def expected(self) -> NDArray[np.float64]:
        # The middle is at ((column + 0.5) * stride, (row + 0.25) * stride); the size 3 x 2 cells.
        return np.array([[32, 18, 56, 34], [176, 52, 224, 84], [96, 168, 192, 232]], np.float64)

    @pytest.mark.parametrize("scale", [1, 2, 3])
    def test_boxes_are_decoded_and_scaled_to_the_picture(self, tmp_path: Path, scale: int) -> None:
        detector = Detector(save(tmp_path / "yunet.onnx", self.outputs()), size=320)
        assert detector.family.name == "YuNet"
        found = detector.detect(gray_picture(320 * scale, 256 * scale), 0.5)
        np.testing.assert_allclose(found.scores, [0.9, 0.8, 0.7], rtol=1e-5)
        np.testing.assert_allclose(found.boxes, self.expected() * scale, rtol=1e-5)

    @pytest.mark.parametrize(("threshold", "count"), [(0.69, 3), (0.71, 2), (0.89, 1), (0.91, 0)])
    def test_scores_must_be_above_the_threshold(self, tmp_path: Path, threshold: float, count: int) -> None:
        detector = Detector(save(tmp_path / "yunet.onnx", self.outputs()))
        assert len(detector.detect(gray_picture(320, 256), threshold).scores) == count

    def test_of_boxes_on_the_same_face_the_best_is_kept(self, tmp_path: Path) -> None:
        outputs = yunet_outputs()
        for cell, score in ((100, 0.7), (101, 0.9), (102, 0.8), (120, 0.6)):
            outputs["cls_8"][0, cell] = outputs["obj_8"][0, cell] = score
            outputs["bbox_8"][0, cell] = 0, 0, np.log(6), np.log(6)
        found = Detector(save(tmp_path / "yunet.onnx", outputs)).detect(gray_picture(320, 256), 0.5)
        np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-5)

    def test_a_face_whose_box_cannot_be_is_somewhere(self, tmp_path: Path) -> None:
        """The logarithm of its width overflows: there is somebody, and nobody can tell where."""
        outputs = self.outputs()
        outputs["bbox_8"][:, 3 * 40 + 5, 2] = 200.0
        found = Detector(save(tmp_path / "yunet.onnx", outputs)).detect(gray_picture(320, 256), 0.5)
        np.testing.assert_allclose(found.boxes, self.expected()[1:], rtol=1e-5)
        assert found.full


TOLD = 32


def size_teller(folder: Path, size: int | None = None, tensor: Sequence[int | str | None] = ANY_SIZE) -> Detector:
    """Return a detector that sees, whatever the picture, a square of `TOLD` samples in the corner of its tensor."""
    first = {"cls": [0.9], "obj": [0.9], "bbox": [TOLD / 16, TOLD / 16, np.log(TOLD / 8), np.log(TOLD / 8)]}
    constants = [numpy_helper.from_array(np.array([[0, 0]]), "corner"), numpy_helper.from_array(np.array([1]), "one")]
    nodes = [helper.make_node("Shape", ["picture"], ["size"], start=2)]
    outputs = {}
    for stride in (8, 16, 32):
        constants.append(numpy_helper.from_array(np.array([stride] * 2), f"stride_{stride}"))
        nodes.append(helper.make_node("Div", ["size", f"stride_{stride}"], [f"grid_{stride}"]))
        nodes.append(helper.make_node("ReduceProd", [f"grid_{stride}"], [f"cells_{stride}"]))
        for kind, values in first.items():
            name = f"{kind}_{stride}"
            row = np.array([values], np.float32) * (stride == 8)
            constants.append(numpy_helper.from_array(row, f"{name}_first"))
            constants.append(numpy_helper.from_array(np.array([len(values)]), f"{name}_width"))
            dimensions = ["one", f"cells_{stride}", f"{name}_width"]
            nodes.append(helper.make_node("Concat", dimensions, [f"{name}_shape"], axis=0))
            nodes.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], [f"{name}_zeros"]))
            nodes.append(helper.make_node("ScatterND", [f"{name}_zeros", "corner", f"{name}_first"], [name]))
            outputs[name] = (1, f"cells_{stride}", len(values))
    return Detector(write(folder / "told.onnx", nodes, constants, outputs, tensor), size=size)


def sizes_seen(detector: Detector, picture: tuple[int, int], tiles: TileRequest | None = None) -> list[tuple[int, int]]:
    """Return width and height of the pictures that a `size_teller` was shown of one picture, ascending."""
    boxes = detector.detect(gray_picture(*picture), 0.5, tiles=tiles).boxes
    np.testing.assert_allclose(boxes[:, :2], 0, atol=1e-4)
    return sorted((round(TOLD * picture[0] / x), round(TOLD * picture[1] / y)) for x, y in boxes[:, 2:].tolist())


class TestSizes:
    @pytest.mark.parametrize(
        ("longer", "seen"),
        [
            pytest.param(MIN_SIDE // 2, MIN_SIDE, id="enlarged"),
            pytest.param(MIN_SIDE + 40, MIN_SIDE + 40, id="as it is"),
            pytest.param(4 * MAX_SIDE, MAX_SIDE, id="shrunk"),
        ],
    )
    def test_pictures_are_looked_at_in_a_size_that_suits_the_model(
        self, tmp_path: Path, longer: int, seen: int
    ) -> None:
        detector = size_teller(tmp_path)
        assert sizes_seen(detector, (longer, longer // 2)) == [(seen, seen // 2)]
        assert sizes_seen(detector, (longer // 2, longer)) == [(seen // 2, seen)]

    @pytest.mark.parametrize(
        ("longer", "seen"),
        [
            pytest.param(MIN_SIDE // 2, [MIN_SIDE], id="nothing to gain"),
            pytest.param(MAX_SIDE, [MAX_SIDE], id="no more to see"),
            pytest.param(FINE_SIDE, [MAX_SIDE, FINE_SIDE], id="as it is"),
            pytest.param(2 * FINE_SIDE, [MAX_SIDE, FINE_SIDE], id="half of it"),
            pytest.param(3 * FINE_SIDE, [MAX_SIDE, 3 * FINE_SIDE // 2], id="half of something large"),
        ],
    )
    def test_a_fine_look_sees_a_larger_picture_too(self, tmp_path: Path, longer: int, seen: list[int]) -> None:
        detector = size_teller(tmp_path)
        assert sizes_seen(detector, (longer, longer // 2), tiles=TileRequest()) == [(size, size // 2) for size in seen]
        assert sizes_seen(detector, (longer // 2, longer), tiles=TileRequest()) == [(size // 2, size) for size in seen]

    @pytest.mark.parametrize(
        "where", [(300, 200), (1240, 700), (2560 - 36, 1440 - 30)], ids=["part", "border", "corner"]
    )
    def test_the_smallest_faces_of_a_very_large_picture_are_found_part_by_part(
        self, detector: Detector, frames: list[av.VideoFrame], where: tuple[int, int]
    ) -> None:
        picture = placed(videos.enlarge(frames[0], 36, 30), 2560, 1440, *where)
        assert len(detector.detect(picture, 0.3, tiles=TileRequest()).boxes) == 0
        (box,) = detector.detect(picture, 0.3, tiles=TileRequest(native=True)).boxes
        (large,) = detector.detect(view(frames[0]), CERTAIN).boxes
        np.testing.assert_allclose(box, large * (36 / 176) + np.array(where * 2), atol=4)

    @pytest.mark.parametrize(
        ("picture", "parts"),
        [
            pytest.param((2560, 1440), [(1328, 1440)] * 2, id="two parts"),
            pytest.param((1440, 2560), [(1440, 1328)] * 2, id="one above the other"),
            pytest.param((3840, 2160), [(1968, 1128)] * 4, id="four parts"),
            pytest.param((7680, 4320), [(1968, 1128)] * 4, id="half its size"),
        ],
    )
    def test_parts_are_of_bounded_size(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        picture: tuple[int, int],
        parts: list[tuple[int, int]],
    ) -> None:
        detector, seen = size_teller(tmp_path), []
        sizes = detector._sizes

        def noted(width: int, height: int, longest: int) -> tuple[tuple[int, int], tuple[int, int]]:
            seen.append(sizes(width, height, longest)[1])
            return sizes(width, height, longest)

        monkeypatch.setattr(detector, "_sizes", noted)
        detector.detect(gray_picture(*picture), 0.5, tiles=TileRequest(native=True))
        assert seen[-len(parts) :] == parts

    @pytest.mark.parametrize("fine", [None, TileRequest(native=True)])
    def test_the_size_asked_for_is_the_only_one(self, tmp_path: Path, fine: TileRequest | None) -> None:
        assert sizes_seen(size_teller(tmp_path, 256), (4 * MAX_SIDE, 2 * MAX_SIDE), fine) == [(256, 128)]

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_a_fine_look_may_be_confined_to_a_part(self, precision: str, frames: list[av.VideoFrame]) -> None:
        detector = Detector(precision=precision)
        picture = placed(videos.enlarge(frames[0], 60, 48), FINE_SIDE, FINE_SIDE // 2, 600, 300)
        (whole,) = detector.detect(picture, CERTAIN, tiles=TileRequest()).boxes
        (box,) = detector.detect(picture, CERTAIN, tiles=TileRequest(np.array([640.0, 320, 200, 160]))).boxes
        np.testing.assert_allclose(box, whole, atol=2)
        assert len(detector.detect(picture, CERTAIN, tiles=TileRequest(np.array([200.0, 320, 200, 160]))).boxes) == 0

    def test_outside_that_part_small_faces_of_the_smaller_picture_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(globals(), "TOLD", DISTINCT_SIZE - 2)
        elsewhere = TileRequest(np.array([3 * FINE_SIDE / 4, FINE_SIDE / 4, FINE_SIDE / 8, FINE_SIDE / 8]))
        boxes = size_teller(tmp_path).detect(gray_picture(FINE_SIDE, FINE_SIDE // 2), 0.5, tiles=elsewhere).boxes
        assert any(np.allclose(box, [0, 0, *[TOLD * FINE_SIDE / MAX_SIDE] * 2], atol=1e-3) for box in boxes)

    def test_a_fine_look_leaves_small_faces_to_the_larger_picture(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(globals(), "TOLD", DISTINCT_SIZE - 2)
        detector = size_teller(tmp_path)
        assert sizes_seen(detector, (FINE_SIDE, FINE_SIDE // 2)) == [(MAX_SIDE, MAX_SIDE // 2)]
        assert sizes_seen(detector, (FINE_SIDE, FINE_SIDE // 2), tiles=TileRequest()) == [(FINE_SIDE, FINE_SIDE // 2)]

    def test_a_fine_look_finds_no_face_twice(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        picture = view(videos.enlarge(frames[0], 8 * 176, 8 * 144))
        assert max(picture.width, picture.height) > FINE_SIDE
        assert len(detector.detect(picture, CERTAIN, tiles=TileRequest()).boxes) == 1

    def test_a_fine_look_finds_smaller_faces(self, detector: Detector, frames: list[av.VideoFrame]) -> None:
        picture = placed(videos.enlarge(frames[0], 44, 36), FINE_SIDE, FINE_SIDE // 2, 600, 300)
        assert len(detector.detect(picture, CERTAIN).boxes) == 0
        (box,) = detector.detect(picture, CERTAIN, tiles=TileRequest()).boxes
        (large,) = detector.detect(view(frames[0]), CERTAIN).boxes
        np.testing.assert_allclose(box, large / 4 + np.array([600, 300] * 2), atol=4)

    @pytest.mark.parametrize("middle", [(1000, 500), (0, 0), (2559, 1279), (-5000, 9000)])
    @pytest.mark.parametrize("size", [1, 80, 5000])
    def test_a_second_look_takes_the_surroundings_and_stays_inside_the_picture(
        self, tmp_path: Path, middle: tuple[int, int], size: int
    ) -> None:
        (box,) = (
            size_teller(tmp_path)
            .verify(gray_picture(2560, 1280), np.array([*middle, size, size / 2], np.float64), KNOWN[0], 0.5)
            .boxes
        )
        side = max(MIN_CROP, round(KNOWN[0].extent * size))
        crop = np.minimum([side, side], [2560, 1280])
        begin = np.clip(np.array(middle) - crop // 2, 0, [2560, 1280] - crop)
        np.testing.assert_allclose(box[:2], begin, atol=2)
        # The longer side of the crop is shown in a fixed size, so that the square in the corner grows with it.
        unit = (
            size_teller(tmp_path)
            .verify(gray_picture(4000, 4000), np.array([2000.0, 2000, 500, 500]), KNOWN[0], 0.5)
            .boxes[0]
        )
        np.testing.assert_allclose(
            box[2:] - box[:2], (unit[2] - unit[0]) / (KNOWN[0].extent * 500) * crop.max(), rtol=0.02
        )


class TestSCRFD:
    @pytest.mark.parametrize("batch", [False, True])
    @pytest.mark.parametrize("landmarks", [False, True])
    def test_boxes_are_decoded_and_scaled_to_the_picture(self, tmp_path: Path, batch: bool, landmarks: bool) -> None:
        outputs = scrfd_outputs(batch=batch, landmarks=landmarks)
        for stride, column, row, anchor, score in ((8, 5, 3, 1, 0.9), (16, 12, 4, 0, 0.8), (32, 4, 5, 1, 0.7)):
            index = 2 * (row * (320 // stride) + column) + anchor
            outputs[f"score{stride}"].reshape(-1, 1)[index] = score
            outputs[f"bbox{stride}"].reshape(-1, 4)[index] = 1, 0.5, 2, 2.5
        detector = Detector(save(tmp_path / "scrfd.onnx", outputs), size=320)
        assert detector.family.name == "SCRFD"
        found = detector.detect(gray_picture(640, 512), 0.5)
        np.testing.assert_allclose(found.scores, [0.9, 0.8, 0.7], rtol=1e-5)
        in_tensor = [[32, 20, 56, 44], [176, 56, 224, 104], [96, 144, 192, 240]]
        np.testing.assert_allclose(found.boxes, 2 * np.array(in_tensor), rtol=1e-5)


class TestCenterFace:
    def test_boxes_are_decoded_and_scaled_to_the_picture(self, tmp_path: Path) -> None:
        outputs = centerface_outputs()
        outputs["heat"][0, 0, 20, 30] = 0.75
        outputs["scale"][0, :, 20, 30] = np.log(10), np.log(6)  # height 40, width 24
        outputs["offset"][0, :, 20, 30] = 0.25, -0.25
        detector = Detector(save(tmp_path / "centerface.onnx", outputs), size=320)
        assert detector.family.name == "CenterFace"
        found = detector.detect(gray_picture(640, 512), 0.5)
        np.testing.assert_allclose(found.boxes, [[2 * 109, 2 * 63, 2 * 133, 2 * 103]], rtol=1e-5)


def reporting_model(path: Path, outputs: Outputs, name: str, unit: float) -> Path:
    """Write a model that tells what it is shown: its first box is the means of the three channels, in units, and 0."""
    cells = outputs[name].size // 4
    values = {f"{key}_value": value for key, value in outputs.items() if key != name}
    values |= {"unit": np.float32([unit]), "zero": np.float32([[0]]), "others": np.zeros((cells - 1, 4), np.float32)}
    constants = [numpy_helper.from_array(value, key) for key, value in values.items()]
    constants.append(numpy_helper.from_array(np.array(outputs[name].shape), "shape"))
    nodes = [helper.make_node("Identity", [f"{key}_value"], [key]) for key in outputs if key != name]
    nodes += [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Div", ["means", "unit"], ["units"]),
        helper.make_node("Concat", ["units", "zero"], ["first"], axis=1),
        helper.make_node("Concat", ["first", "others"], ["rows"], axis=0),
        helper.make_node("Reshape", ["rows", "shape"], [name]),
    ]
    return write(path, nodes, constants, {key: value.shape for key, value in outputs.items()}, (1, *ANY_SIZE[1:]))


def yunet_that_reports(path: Path) -> Detector:
    outputs = yunet_outputs()
    outputs["cls_8"][0, 0] = outputs["obj_8"][0, 0] = 1
    # The third mean is read as the logarithm of the width: it must stay small.
    return Detector(reporting_model(path, outputs, "bbox_8", 64), size=320)


def scrfd_that_reports(path: Path, height: int = 256) -> Detector:
    """Return a detector for tensors of a height, a multiple of 32."""
    outputs = scrfd_outputs(height=height)
    outputs["score8"][0] = 0.45  # its box may be none
    return Detector(reporting_model(path, outputs, "bbox8", 1), size=320)


def shown_to_scrfd(detector: Detector, picture: Picture) -> tuple[float, float, float]:
    """Return 128 times the mean of each channel that `scrfd_that_reports` is shown of a picture."""
    (box,) = detector.detect(picture, 0.4).boxes * 16
    return -box[0], -box[1], box[2]


RED, WHITE = (81, 90, 240), (235, 128, 128)


class TestWhatTheModelIsShown:
    def test_yunet_takes_blue_green_red_from_0_to_255(self, tmp_path: Path) -> None:
        detector = yunet_that_reports(tmp_path / "yunet.onnx")
        (box,) = detector.detect(flat_picture(320, 256, RED), 0.5).boxes / 8
        blue, green, red = 32 * (box[0] + box[2]), 32 * (box[1] + box[3]), 64 * np.log(box[2] - box[0])
        assert (blue, green, red) == pytest.approx((0, 0, 255), abs=1.5)

    def test_scrfd_takes_red_green_blue_around_0(self, tmp_path: Path) -> None:
        shown = shown_to_scrfd(scrfd_that_reports(tmp_path / "scrfd.onnx"), flat_picture(320, 256, RED))
        assert shown == pytest.approx((127.5, -127.5, -127.5), abs=1.5)

    def test_what_the_picture_leaves_of_the_tensor_is_black(self, tmp_path: Path) -> None:
        for tensor, heights in ((256, [256]), (160, [144, 160, 130, 144]), (64, [40, 64, 33]), (32, [1, 32, 1])):
            detector = scrfd_that_reports(tmp_path / "scrfd.onnx", tensor)
            for height in heights:
                shown = shown_to_scrfd(detector, flat_picture(320, height, WHITE))
                assert shown == pytest.approx([255 * height / tensor - 127.5] * 3, abs=0.1), height

    @pytest.mark.parametrize("other", [("bt709", False), ("bt601", True)])
    def test_the_colours_are_those_of_each_picture(self, tmp_path: Path, other: tuple[str, bool]) -> None:
        detector = scrfd_that_reports(tmp_path / "scrfd.onnx", 160)
        red = flat_picture(320, 144, RED)
        pictures = [red, Picture(red.y, red.u, red.v, *other), red]
        first, changed, again = (shown_to_scrfd(detector, picture) for picture in pictures)
        assert np.abs(np.subtract(changed, first)).max() > 4
        assert again == first


class TestFixedSize:
    @pytest.mark.parametrize(
        ("picture", "factor"), [((640, 512), 2), ((640, 320), 2), ((160, 256), 1), ((80, 64), 0.25)]
    )
    def test_pictures_are_fitted_into_the_tensor(self, tmp_path: Path, picture: tuple[int, int], factor: float) -> None:
        outputs = yunet_outputs()
        outputs["cls_8"][0, 42] = outputs["obj_8"][0, 42] = 0.9
        detector = Detector(save(tmp_path / "fixed.onnx", outputs, FIXED))
        found = detector.detect(gray_picture(*picture), 0.5)
        np.testing.assert_allclose(found.boxes, factor * np.array([[12, 4, 20, 12]]), rtol=1e-5)

    @pytest.mark.parametrize("size", [None, 100, 1000])
    def test_no_other_size_matters(self, tmp_path: Path, size: int | None) -> None:
        detector = size_teller(tmp_path, size, FIXED)
        assert (
            sizes_seen(detector, (2560, 2048))
            == sizes_seen(detector, (2560, 2048), tiles=TileRequest())
            == [(320, 256)]
        )

    def test_a_second_look_fits_into_the_tensor_too(self, tmp_path: Path) -> None:
        detector = size_teller(tmp_path, None, FIXED)
        (box,) = detector.verify(gray_picture(2560, 2048), np.array([1000.0, 500, 80, 40]), KNOWN[0], 0.5).boxes
        # The crop is square; the tensor is 256 high.
        np.testing.assert_allclose(box[2:] - box[:2], KNOWN[0].extent * 80 * TOLD / 256, rtol=1e-5)


class TestChoiceOfModel:
    def test_the_environment_names_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(MODEL_VARIABLE, str(save(tmp_path / "yunet.onnx", yunet_outputs())))
        assert Detector().family.name == "YuNet"

    def test_an_argument_counts_more_than_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(MODEL_VARIABLE, str(save(tmp_path / "yunet.onnx", yunet_outputs())))
        assert Detector(save(tmp_path / "scrfd.onnx", scrfd_outputs())).family.name == "SCRFD"

    def test_without_either_it_is_the_one_shipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(MODEL_VARIABLE, raising=False)
        assert Detector().family.name == "CenterFace"


class TestPrecision:
    def found(self, picture: Picture, precision: str) -> list[list[float]]:
        detection = Detector(precision=precision).detect(picture, CERTAIN)
        return np.column_stack([detection.boxes, detection.scores]).tolist()

    def test_integers_find_the_same_faces_in_nearly_the_same_places(self, frames: list[av.VideoFrame]) -> None:
        exact, rounded = Detector(precision="fp32"), Detector(precision="int8")
        for frame in frames:
            a, b = (detector.detect(view(frame), CERTAIN) for detector in (exact, rounded))
            np.testing.assert_allclose(b.boxes, a.boxes, atol=3)
            np.testing.assert_allclose(b.scores, a.scores, atol=0.05)

    @pytest.mark.parametrize(("vnni", "chosen"), [(True, "int8"), (False, "fp32")])
    def test_the_processor_decides(
        self, frames: list[av.VideoFrame], monkeypatch: pytest.MonkeyPatch, vnni: bool, chosen: str
    ) -> None:
        monkeypatch.setattr(cpu, "has_vnni", lambda: vnni)
        picture = view(frames[0])
        by_itself = self.found(picture, "auto")
        assert by_itself == self.found(picture, chosen)
        assert by_itself != self.found(picture, "fp32" if vnni else "int8")

    @pytest.mark.parametrize("named", [True, False])
    def test_a_model_of_ones_own_has_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
    ) -> None:
        path = save(tmp_path / "yunet.onnx", yunet_outputs())
        if not named:
            monkeypatch.setenv(MODEL_VARIABLE, str(path))
        assert Detector(path if named else None, precision="auto").family.name == "YuNet"
        with pytest.raises(facered.ConfigurationUnsupportedError, match=r"yunet\.onnx: .* leave out int8, or"):
            Detector(path if named else None, precision="int8")

    @pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux lists the processor's flags")
    def test_the_processor_has_what_the_system_says(self) -> None:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        flags = next((line.split() for line in lines if line.startswith("flags")), [])
        assert cpu.has_avx2() == ({"avx2", "fma"} <= set(flags))
        assert cpu.has_vnni() == (not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags))


class TestUnusableModels:
    def refused(self, path: Path) -> str:
        with pytest.raises(facered.ConfigurationUnsupportedError) as caught:
            Detector(path)
        message = str(caught.value)
        assert "\n" not in message
        for family in ("CenterFace", "YuNet", "SCRFD"):
            assert family in message
        return message

    def test_of_no_known_family(self, tmp_path: Path) -> None:
        path = save(tmp_path / "ultra.onnx", {"scores": np.zeros((1, 9, 2)), "boxes": np.zeros((1, 9, 4))})
        message = self.refused(path)
        assert "scores" in message
        assert "boxes" in message

    @pytest.mark.parametrize("missing", ["cls_8", "obj_16", "bbox_32"])
    def test_with_an_output_too_few(self, tmp_path: Path, missing: str) -> None:
        outputs = yunet_outputs()
        del outputs[missing]
        self.refused(save(tmp_path / "yunet.onnx", outputs))

    def test_that_take_more_than_one_picture(self, tmp_path: Path) -> None:
        self.refused(save(tmp_path / "batch.onnx", yunet_outputs(), (4, *FIXED[1:])))

    def test_that_are_not_there(self, tmp_path: Path) -> None:
        assert "nowhere.onnx" in self.refused(tmp_path / "nowhere.onnx")

    def test_that_are_a_folder(self, tmp_path: Path) -> None:
        assert str(tmp_path) in self.refused(tmp_path)

    def test_that_are_huge(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.onnx"
        with path.open("wb") as file:
            file.truncate((256 << 20) + 1)
        assert "has more than 256 MiB" in self.refused(path)

    @pytest.mark.parametrize("content", [b"", b"not a model at all\n" * 50])
    def test_that_are_no_onnx(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "text.onnx"
        path.write_bytes(content)
        assert "text.onnx" in self.refused(path)


class TestSharing:
    def test_a_model_is_loaded_once_for_those_who_share_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: list[av.VideoFrame]
    ) -> None:
        loaded: list[str] = []
        load = onnxruntime.InferenceSession

        def counted(path: str, *arguments: Any, **settings: Any) -> onnxruntime.InferenceSession:
            loaded.append(path)
            return load(path, *arguments, **settings)

        path = tmp_path / "own.onnx"
        path.write_bytes((Path(str(files("facered.detect"))) / "models" / "centerface.onnx").read_bytes())
        monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
        detectors = [Detector(path, threads, shared=True) for threads in (1, 1, 2)]
        assert loaded == [str(path)] * 2
        a, b, _ = (detector.detect(view(frames[0]), CERTAIN) for detector in detectors)
        np.testing.assert_array_equal(a.boxes, b.boxes)
        del detectors
        Detector(path, 1)
        assert len(loaded) == 3

    def test_the_picture_is_not_needed_any_more_when_detection_is_prepared(
        self, detector: Detector, carphone: Path
    ) -> None:
        frame = videos.decode(carphone, 1)[0]
        expected = detector.detect(view(frame), CERTAIN)
        run = detector.prepare(view(frame), CERTAIN)
        frame.make_writable()
        view(frame).y[:] = 0
        np.testing.assert_array_equal(run().boxes, expected.boxes)
