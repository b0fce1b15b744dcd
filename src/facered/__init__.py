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
from facered.runtime import forking

if TYPE_CHECKING:
    from facered.annotations.model import Annotations
    from facered.jobs.api import analyze, combined, redact, submit
    from facered.jobs.job import Job, JobState
    from facered.jobs.progress import Progress
    from facered.jobs.result import Result
    from facered.live.face import Face
    from facered.live.redactor import Redactor
    from facered.options import Options
    from facered.runtime.profiling import Profile

__version__ = "0.2.0"
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

# What needs FFmpeg or onnxruntime is imported when it is first asked for.
_HOMES = {
    "Annotations": "annotations.model",
    "Face": "live.face",
    "Job": "jobs.job",
    "JobState": "jobs.job",
    "Options": "options",
    "Profile": "runtime.profiling",
    "Progress": "jobs.progress",
    "Redactor": "live.redactor",
    "Result": "jobs.result",
    "analyze": "jobs.api",
    "combined": "jobs.api",
    "redact": "jobs.api",
    "submit": "jobs.api",
}
_ROOMS = frozenset({"review"})


def __getattr__(name: str) -> object:
    if name not in _HOMES and name not in _ROOMS:
        raise AttributeError(f"module 'facered' has no attribute {name!r}")
    from importlib import import_module

    with forking.importing:
        home = import_module(f"facered.{_HOMES.get(name, name)}")
        value = home if name in _ROOMS else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
