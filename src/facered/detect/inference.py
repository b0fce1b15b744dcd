"""ONNX models on the CPU: which file, a session of it, and which family of detectors it belongs to."""

from __future__ import annotations

import os
import threading
import weakref
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

# From 1.29 on, onnxruntime's wheels for Linux tell Microsoft of every process and session, unless this is set before
# they are loaded. Whoever redacts footage does not want that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from facered._native import cpu
from facered.detect.families import FAMILIES, Family, ModelOutput
from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.runtime import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Where the program imported it before us, of the process something was told already; of what is run, nothing is.
onnxruntime.disable_telemetry_events()

MODEL_VARIABLE = "FACERED_MODEL"
MODELS = {"fp32": "centerface.onnx", "int8": "centerface.int8.onnx"}
"""Files that the package ships, by precision."""
OWN_PRECISION = "own"
"""The precision of a model of somebody's own: whatever it has."""
MAX_MODEL_BYTES = 256 << 20
"""Bytes of a model of somebody's own, at most; by hand: the largest face detectors that people use have half of it."""

_QUIET = 3  # onnxruntime's severity "error"


def precision_taken(model: str | os.PathLike[str] | None, precision: str) -> str:
    """Return the precision that a job computes with: what ``auto`` takes, or what was asked for."""
    if model or os.environ.get(MODEL_VARIABLE):
        return OWN_PRECISION
    # 8-bit integers are up to 1.7 times as fast where the processor has VNNI. But faces move by a rounding then, and
    # more of them are bare for some frames; and what is hidden would depend on the machine.
    return "fp32" if precision == "auto" else precision


def model_path(model: str | os.PathLike[str] | None, precision: str) -> Path:
    """Return the file of the model asked for, of what ``FACERED_MODEL`` names, or of the package's own.

    Raises
    ------
    ConfigurationUnsupportedError
        It is not there, too large, or a precision is asked for that it does not come in.
    """
    named = model or os.environ.get(MODEL_VARIABLE)
    if named:
        path = Path(named)
        if precision != "auto":
            raise ConfigurationUnsupportedError(
                f"{path}: a model of your own has its own precision; leave out {precision}, or the model"
            )
        if not os.path.isfile(path):  # noqa: PTH113  (no name makes it fail)
            raise ConfigurationUnsupportedError(f"{path}: no such model file; name an ONNX file of {_known()}")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ConfigurationUnsupportedError(
                f"{path}: has more than {MAX_MODEL_BYTES >> 20} MiB; name an ONNX file of {_known()}"
            )
        return path
    path = Path(str(files("facered.detect") / "models" / MODELS[precision_taken(None, precision)]))
    if not path.is_file():
        raise ServiceError(f"the package lacks its model, {path.name}; install it again, or name one with --model")
    return path


_sessions: weakref.WeakValueDictionary[tuple[object, ...], onnxruntime.InferenceSession] = weakref.WeakValueDictionary()


@cache
def _loading(_: int) -> threading.Lock:
    """Return the lock of a process."""
    return threading.Lock()


def shared(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return the session of a model that others use as well: `run` is safe in several threads at a time."""
    about = path.stat()
    # Where this process was forked, the other's sessions have no threads, and its lock may be held for ever.
    key = os.getpid(), os.path.realpath(path), about.st_mtime_ns, about.st_size, threads or cores.available()
    with _loading(os.getpid()):
        session = _sessions.get(key)
        if session is None:
            session = _sessions[key] = load(path, threads)
        return session


def load(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return a session of a model with so many threads for a picture; 0 takes as many as there are cores.

    Raises
    ------
    ConfigurationUnsupportedError
        It cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores.available()
    # Threads that wait for work sleep: spinning takes the processor from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The plans of memory are for pictures of one size; with many sizes they only hold on to it.
    options.enable_mem_pattern = False
    options.log_severity_level = _QUIET
    if not cpu.has_vnni():
        # Sums of products of 8-bit integers overflow 16 bits in the faster way of computing them without VNNI; with it
        # they do not, and the slower way takes twice as long; without it, 1.4 times.
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


def run(
    session: onnxruntime.InferenceSession, family: Family, tensor: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Return what a model makes of a tensor: the outputs of its family, of the shapes that this tells, all finite.

    Raises
    ------
    ConfigurationUnsupportedError
        They are not: nothing that such a model does not find proves anything.
    ServiceError
        The tensor is not finite, of which models of 8 bits would make something that is.
    """
    if not np.isfinite(tensor.sum()):
        raise ServiceError("the face detector was given numbers that are not finite, and would see nobody")
    try:
        outputs = session.run(family.outputs, {session.get_inputs()[0].name: tensor})
    except Exception as error:  # see `load`
        raise _broken(f"cannot be run ({str(error).splitlines()[0]})") from error
    checked = []
    for name, output, shape in zip(family.outputs, outputs, family.shapes(*tensor.shape[:1:-1]), strict=True):
        if output.dtype != np.float32 or output.shape not in (shape, (1, *shape)):
            found = f"{output.dtype} {list(output.shape)}"
            raise _broken(f"gives {name} as {found}; a {family.name} gives float32 {[1, *shape]}")
        if not np.isfinite(output).all():
            raise _broken(f"gives numbers that are not finite, in {name}")
        checked.append(output.reshape(shape))
    return checked


def _broken(reason: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"the face detector's model {reason}; use another model")


def _takes_one_picture(shape: tuple[int | None, ...]) -> bool:
    """Return whether a shape is (1, 3, height, width), the size fixed or free, but not half of it."""
    return (
        len(shape) == 4 and shape[0] in (None, 1) and shape[1] in (None, 3) and (shape[2] is None) == (shape[3] is None)
    )


def recognise(session: onnxruntime.InferenceSession) -> Family:
    """Return the family that a model belongs to.

    Raises
    ------
    ConfigurationUnsupportedError
        It is of none.
    """

    def shape_of(value: onnxruntime.NodeArg) -> tuple[int | None, ...]:
        return tuple(dimension if isinstance(dimension, int) else None for dimension in value.shape)

    inputs = session.get_inputs()
    try:
        given = [ModelOutput(value.name, shape_of(value)) for value in inputs]
        outputs = [ModelOutput(output.name, shape_of(output)) for output in session.get_outputs()]
    except UnicodeDecodeError as error:
        raise _broken(f"has names that are no text ({error.reason})") from error
    if len(inputs) == 1 and inputs[0].type == "tensor(float)" and _takes_one_picture(given[0].shape):
        for kind in FAMILIES:
            family = kind.recognise(outputs)
            if family is not None:
                return family
    found = ", ".join(f"{output.name} {list(output.shape)}" for output in outputs[:4])
    raise ConfigurationUnsupportedError(
        f"the model's outputs ({found}, ...) are of no known face detector; understood are {_known()}, "
        "with one RGB picture of floats a batch"
    )
