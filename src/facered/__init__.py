"""Find every face in a video, follow it forwards and backwards in time, and write the video without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facered.errors import (
    ConfigurationUnsupportedError,
    ContentMalformedError,
    ContentUnsupportedError,
    FaceredError,
    JobCanceledError,
    ServiceError,
)

if TYPE_CHECKING:
    from facered.annotations import Annotations
    from facered.api import analyze, combined, redact, submit
    from facered.job import Job, JobState
    from facered.live.face import Face
    from facered.live.redactor import Redactor
    from facered.modes import Result
    from facered.options import Options
    from facered.profiling import Profile
    from facered.progress import Progress

__version__ = "0.1.0"
__all__ = [
    "Annotations",
    "ConfigurationUnsupportedError",
    "ContentMalformedError",
    "ContentUnsupportedError",
    "Face",
    "FaceredError",
    "Job",
    "JobCanceledError",
    "JobState",
    "Options",
    "Profile",
    "Progress",
    "Redactor",
    "Result",
    "ServiceError",
    "analyze",
    "combined",
    "redact",
    "submit",
]

# What needs FFmpeg, onnxruntime or Numba is imported when it is first asked for.
_HOMES = {
    "Annotations": "annotations",
    "Face": "live.face",
    "Job": "job",
    "JobState": "job",
    "Options": "options",
    "Profile": "profiling",
    "Progress": "progress",
    "Redactor": "live.redactor",
    "Result": "modes",
    "analyze": "api",
    "combined": "api",
    "redact": "api",
    "submit": "api",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'facered' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"facered.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
