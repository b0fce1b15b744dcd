"""A picture's planes -> face boxes, through an ONNX model on the CPU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from facered._native import decode
from facered.detect import colour
from facered.detect.centerface import CenterFace
from facered.detect.family import Family, ModelOutput
from facered.detect.letterbox import UprightLetterbox
from facered.detect.scrfd import SCRFD
from facered.detect.yunet import YuNet
from facered.errors import ConfigurationUnsupportedError, ServiceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.video.frames import Picture

MODEL_VARIABLE = "FACERED_MODEL"
FAMILIES = (CenterFace, YuNet, SCRFD)
ALIGNMENT = 32
"""Width and height of every family's tensor are multiples of this."""
POINTS = 65536
"""Most boxes that are decoded."""
CANDIDATES = 4096
"""Most boxes, the best ones, that are looked at before overlapping ones are suppressed."""
FARTHEST = 1e6
"""Boxes whose coordinates are larger, in pixels, are no faces."""
OVERLAP = 0.4
"""Boxes that overlap more (intersection over union) show the same face."""
SMALLEST, LARGEST = 320, 640
"""Without a size asked for, the longer side of the detector's picture is that of the video, within these bounds."""

_QUIET = 3  # onnxruntime's severity "error"


@dataclass(frozen=True, slots=True)
class Detection:
    """The faces of one picture.

    Attributes
    ----------
    boxes : (n, 4) float32
        x1, y1, x2, y2 in pixels of the full-size picture as it is shown, best score first; they may reach beyond it.
    scores : (n,) float32
    crowded : bool
        Whether there were more faces than asked for, and the rest was dropped.
    luma : (height, width) uint8
        The small picture that the detector saw, as it is shown, as luma; valid until the next call.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    crowded: bool
    luma: NDArray[np.uint8]


class Detector:
    """A face detector for pictures of any size; not safe to share between threads.

    Parameters
    ----------
    model : path-like, optional
        An ONNX file of one of `FAMILIES`; by default what ``FACERED_MODEL`` names, or else the CenterFace that the
        package ships.
    threads : int
        Threads that onnxruntime uses for a picture; 0 takes as many as there are cores.
    size : int, optional
        Longer side of the picture that the model sees, in pixels. Models with a fixed size have their own.

    Raises
    ------
    ConfigurationUnsupportedError
        The model is missing, cannot be loaded, or is of no known family.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None, threads: int = 0, size: int | None = None) -> None:
        self._session = _load(_model_path(model), threads)
        self.family = _recognise(self._session)
        self._input = self._session.get_inputs()[0]
        self._size = size
        self._boxes = np.empty((POINTS, 5), np.float32)
        self._letterbox: UprightLetterbox | None = None
        self._colour: tuple[str, bool] | None = None

    def detect(self, picture: Picture, threshold: float, limit: int | None = 64) -> Detection:
        """Return the faces whose score is above the threshold, at most `limit`, the best ones."""
        self._fill(picture)
        outputs = self._session.run(self.family.outputs, {self._input.name: self._tensor})
        count = self.family.decode(outputs, self._tensor.shape[3], threshold, self._boxes)
        found = self._boxes[:count]
        found = found[(np.abs(found) < FARTHEST).all(axis=1)]
        best = np.lexsort((found[:, 0], found[:, 1], -found[:, 4]))[:CANDIDATES]
        found = np.ascontiguousarray(found[best])
        keep = np.empty(len(found), np.uint8)
        decode.suppress(found, OVERLAP, keep)
        found = found[keep == 1]
        crowded = limit is not None and len(found) > limit
        found = found[:limit]
        width, height = picture.shown_size
        to_picture = [width / self._luma.shape[1], height / self._luma.shape[0]]
        boxes = found[:, :4] * np.array(to_picture * 2, np.float32)
        return Detection(boxes, found[:, 4].copy(), crowded, self._luma)

    def skip(self, picture: Picture) -> Detection:
        """Make the small picture, but do not look for faces in it."""
        self._fill(picture)
        return Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32), False, self._luma)

    def _fill(self, picture: Picture) -> None:
        self._prepare(picture)
        assert self._letterbox is not None
        self._letterbox.fill(picture, self._matrix, self._limits, self._tensor[0], self._luma)

    def _prepare(self, picture: Picture) -> None:
        if self._letterbox is None or not self._letterbox.fits(picture):
            tensor, content = self._sizes(*picture.shown_size)
            self._letterbox = UprightLetterbox(picture, *content)
            self._tensor = np.zeros((1, 3, tensor[1], tensor[0]), np.float32)
            self._luma = np.empty((content[1], content[0]), np.uint8)
            self._colour = None
        if self._colour != (picture.matrix, picture.full_range):
            self._colour = picture.matrix, picture.full_range
            self._matrix, self._limits = colour.conversion(*self._colour, self.family.layout)
            self._tensor[:] = self._limits[0, 0]

    def _sizes(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the size of the tensor and of the picture in its corner, each as (width, height)."""
        fixed_height, fixed_width = self._input.shape[2:]
        if isinstance(fixed_height, int) and isinstance(fixed_width, int):
            scale = min(fixed_width / width, fixed_height / height)
            return (fixed_width, fixed_height), (max(1, round(width * scale)), max(1, round(height * scale)))
        longer = max(width, height)
        scale = (self._size or min(max(longer, SMALLEST), LARGEST)) / longer
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return (_align(content[0]), _align(content[1])), content


def _align(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _model_path(model: str | os.PathLike[str] | None) -> Path:
    named = model or os.environ.get(MODEL_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise ConfigurationUnsupportedError(f"{path}: no such model file; name an ONNX file of {_known()}")
        return path
    path = Path(str(files("facered.detect") / "models" / "centerface.onnx"))
    if not path.is_file():
        raise ServiceError("the package lacks its model, centerface.onnx; install it again, or name one with --model")
    return path


def _load(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _QUIET
    try:
        return onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        reason = str(error).splitlines()[0]
        raise ConfigurationUnsupportedError(
            f"{path}: not a model that onnxruntime can load ({reason}); understood are {_known()}"
        ) from error


def _known() -> str:
    return ", ".join(kind.name for kind in FAMILIES)


def _takes_one_picture(shape: tuple[int | None, ...]) -> bool:
    """Return whether a shape is (1, 3, height, width), the size fixed or free, but not half of it."""
    return (
        len(shape) == 4 and shape[0] in (None, 1) and shape[1] in (None, 3) and (shape[2] is None) == (shape[3] is None)
    )


def _recognise(session: onnxruntime.InferenceSession) -> Family:
    def shape_of(value: onnxruntime.NodeArg) -> tuple[int | None, ...]:
        return tuple(dimension if isinstance(dimension, int) else None for dimension in value.shape)

    inputs = session.get_inputs()
    outputs = [ModelOutput(output.name, shape_of(output)) for output in session.get_outputs()]
    if len(inputs) == 1 and inputs[0].type == "tensor(float)" and _takes_one_picture(shape_of(inputs[0])):
        for kind in FAMILIES:
            family = kind.recognise(outputs)
            if family is not None:
                return family
    found = ", ".join(f"{output.name} {list(output.shape)}" for output in outputs[:4])
    raise ConfigurationUnsupportedError(
        f"the model's outputs ({found}, ...) are of no known face detector; understood are {_known()}, "
        "with one RGB picture of floats a batch"
    )
