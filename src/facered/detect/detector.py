"""A picture's planes -> face boxes, through an ONNX model on the CPU."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

# From 1.29 on, onnxruntime's wheels for Linux tell Microsoft of every process and session, unless this is set before
# they are loaded. Whoever redacts footage does not want that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from facered import cores
from facered._native import cpu, decode
from facered.detect import colour
from facered.detect.centerface import CenterFace
from facered.detect.family import Family, ModelOutput, TensorLayout
from facered.detect.letterbox import UprightLetterbox
from facered.detect.scrfd import SCRFD
from facered.detect.yunet import YuNet
from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.profiling import timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from facered.video.frames import Picture

MODEL_VARIABLE = "FACERED_MODEL"
MODELS = {"fp32": "centerface.onnx", "int8": "centerface.int8.onnx"}
"""Files that the package ships, by precision."""
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
SURROUNDINGS, ENLARGED = 4.0, 48
"""A second look shows a face with its surroundings, so many times its size, enlarged or shrunk to so many pixels."""
SMALLEST_CROP = 32
SMALLEST, LARGEST = 320, 640
"""Without a size asked for, the longer side of the detector's picture is that of the video, within these bounds."""
FINE = 1280
"""At the fine size it is the video's own up to this, and half of it if that is more."""

_QUIET = 3  # onnxruntime's severity "error"


@dataclass(frozen=True, slots=True)
class Detection:
    """The faces of one picture.

    Attributes
    ----------
    boxes : (n, 4) float32
        x1, y1, x2, y2 in pixels of the full-size picture as it is shown, best score first; they may reach beyond it.
    scores : (n,) float32
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


NOTHING = Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32))


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
    precision : str
        One of `facered.options.PRECISIONS`; other than auto for the model that the package ships only.
    shared : bool
        Whether detectors of the process that are given the same model and threads, and are shared too, use one session.

    Raises
    ------
    ConfigurationUnsupportedError
        The model is missing, cannot be loaded, or is of no known family.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        threads: int = 0,
        size: int | None = None,
        precision: str = "auto",
        *,
        shared: bool = False,
    ) -> None:
        path = _model_path(model, precision)
        self._session = _shared(path, threads) if shared else _load(path, threads)
        self.family = _recognise(self._session)
        self._input = self._session.get_inputs()[0]
        self._size = size
        self._boxes = np.empty((POINTS, 5), np.float32)
        self._views: dict[int, _View] = {}

    def detect(self, picture: Picture, threshold: float, limit: int | None = 64, *, fine: bool = False) -> Detection:
        """Return the faces whose score is above the threshold, at most `limit`, the best ones.

        Parameters
        ----------
        picture : Picture
        threshold : float
        limit : int or None
        fine : bool
            Look at a larger picture as well, which shows smaller faces. That takes several times as long.
        """
        return self.prepare(picture, threshold, limit, fine=fine)()

    def prepare(
        self, picture: Picture, threshold: float, limit: int | None = 64, *, fine: bool = False
    ) -> Callable[[], Detection]:
        """Return what does the rest of `detect`, in any thread, when the picture is no longer needed.

        Until that has been done, nothing else may be asked of this detector.
        """
        views = [self._filled(picture, size) for size in self._looked_at(picture, fine)]

        def run() -> Detection:
            found = self._suppressed([self._run(view, threshold) for view in views])
            return Detection(found[:limit, :4].copy(), found[:limit, 4].copy())

        return run

    def look(self, picture: Picture, box: NDArray[np.float64], threshold: float) -> Detection:
        """Look for faces about a box again, enlarged: small or faint ones show then whether they are faces.

        Parameters
        ----------
        picture : Picture
        box : (4,) float64
            Centre x, centre y, width, height of the face in pixels.
        threshold : float
        """
        side = max(SMALLEST_CROP, round(SURROUNDINGS * float(max(box[2], box[3]))))
        width, height = picture.shown_size
        left, right = _span(float(box[0]), side, width)
        top, bottom = _span(float(box[1]), side, height)
        shown = np.array([[left, top, right, bottom]], np.float64)
        x1, y1, x2, y2 = picture.orientation.to_stored(shown, width, height)[0].astype(int).tolist()
        x1, y1 = x1 & ~3, y1 & ~3  # whole chroma samples
        part = picture.part(x1, y1, x2, y2)
        corner = picture.orientation.to_shown(np.array([[x1, y1, x2, y2]], np.float64), width, height)[0, :2]
        view = _View(part, self._sizes(*part.shown_size, round(SURROUNDINGS * ENLARGED)), self.family.layout)
        view.fill(part)
        found = self._suppressed([self._run(view, threshold)])
        return Detection(found[:, :4] + np.tile(corner, 2).astype(np.float32), found[:, 4].copy())

    def _looked_at(self, picture: Picture, fine: bool) -> list[int]:
        """Return the longer side of each picture that the model is to see."""
        longer = max(picture.shown_size)
        sizes = [self._size or min(max(longer, SMALLEST), LARGEST)]
        if fine and not self._size and min(longer, max(FINE, longer // 2)) > sizes[0]:
            sizes.append(min(longer, max(FINE, longer // 2)))
        return sizes

    def _filled(self, picture: Picture, size: int) -> _View:
        view = self._views.get(size)
        if view is None or not view.shows(picture):
            sizes = self._sizes(*picture.shown_size, size)
            view = self._views[size] = _View(picture, sizes, self.family.layout)
        view.fill(picture)
        return view

    def _run(self, view: _View, threshold: float) -> NDArray[np.float32]:
        """Return boxes, x1, y1, x2, y2 in pixels of the picture, and scores, as (n, 5)."""
        with timed("infer"):
            outputs = self._session.run(self.family.outputs, {self._input.name: view.tensor})
        with timed("boxes"):
            count = self.family.decode(outputs, view.tensor.shape[3], threshold, self._boxes)
            found = self._boxes[:count]
            found = found[(np.abs(found) < FARTHEST).all(axis=1)]
            found[:, :4] *= view.to_picture
            return found

    def _suppressed(self, found: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the best of those that overlap, the best first."""
        boxes = np.concatenate(found)
        best = np.lexsort((boxes[:, 0], boxes[:, 1], -boxes[:, 4]))[:CANDIDATES]
        boxes = np.ascontiguousarray(boxes[best])
        keep = np.empty(len(boxes), np.uint8)
        decode.suppress(boxes, OVERLAP, keep)
        kept: NDArray[np.float32] = boxes[keep == 1]
        return kept

    def _sizes(self, width: int, height: int, longest: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the size of the tensor and of the picture in its corner, each as (width, height)."""
        fixed_height, fixed_width = self._input.shape[2:]
        if isinstance(fixed_height, int) and isinstance(fixed_width, int):
            scale = min(fixed_width / width, fixed_height / height)
            return (fixed_width, fixed_height), (max(1, round(width * scale)), max(1, round(height * scale)))
        scale = longest / max(width, height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return (_align(content[0]), _align(content[1])), content


class _View:
    """A tensor, and how pictures of one kind and colour are shrunk or enlarged into its upper left corner."""

    def __init__(self, picture: Picture, sizes: tuple[tuple[int, int], tuple[int, int]], layout: TensorLayout) -> None:
        tensor, content = sizes
        self._letterbox = UprightLetterbox(picture, *content)
        self._colour = picture.matrix, picture.full_range
        self._matrix, self._limits = colour.conversion(*self._colour, layout)
        self._luma = np.empty((content[1], content[0]), np.uint8)
        self.tensor = np.full((1, 3, tensor[1], tensor[0]), self._limits[0, 0], np.float32)
        width, height = picture.shown_size
        self.to_picture = np.array([width / content[0], height / content[1]] * 2, np.float32)

    def shows(self, picture: Picture) -> bool:
        return self._letterbox.fits(picture) and self._colour == (picture.matrix, picture.full_range)

    def fill(self, picture: Picture) -> None:
        with timed("tensor"):
            self._letterbox.fill(picture, self._matrix, self._limits, self.tensor[0], self._luma)


def _span(middle: float, side: int, length: int) -> tuple[int, int]:
    """Return where a crop begins and ends along one axis, inside the picture."""
    begin = min(max(round(middle - side / 2), 0), max(length - side, 0))
    return begin, min(begin + side, length)


def _align(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _model_path(model: str | os.PathLike[str] | None, precision: str) -> Path:
    named = model or os.environ.get(MODEL_VARIABLE)
    if named:
        path = Path(named)
        if precision != "auto":
            raise ConfigurationUnsupportedError(
                f"{path}: a model of your own has its own precision; leave out {precision}, or the model"
            )
        if not path.is_file():
            raise ConfigurationUnsupportedError(f"{path}: no such model file; name an ONNX file of {_known()}")
        return path
    if precision == "auto":
        precision = "int8" if cpu.has_vnni() else "fp32"
    path = Path(str(files("facered.detect") / "models" / MODELS[precision]))
    if not path.is_file():
        raise ServiceError(f"the package lacks its model, {path.name}; install it again, or name one with --model")
    return path


_sessions: weakref.WeakValueDictionary[tuple[object, ...], onnxruntime.InferenceSession] = weakref.WeakValueDictionary()
_loading = threading.Lock()


def _shared(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return the session of a model that others use as well: `run` is safe in several threads at a time."""
    about = path.stat()
    key = os.path.realpath(path), about.st_mtime_ns, about.st_size, threads or cores.available()
    with _loading:
        session = _sessions.get(key)
        if session is None:
            session = _sessions[key] = _load(path, threads)
        return session


def _load(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores.available()
    # Threads that wait for work sleep: spinning takes the processor from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The plans of memory are for pictures of one size; with many sizes they only hold on to it.
    options.enable_mem_pattern = False
    options.log_severity_level = _QUIET
    if not cpu.has_vnni():
        # Sums of products of 8-bit integers overflow 16 bits in the faster way of computing them without VNNI; with it
        # they do not, and the slower way takes twice as long.
        options.add_session_config_entry("session.x64quantprecision", "1")
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
