"""What a job does and did, for machines: a line a change of state, progress now and then, and a report at the end."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from facered import __version__
from facered._native import simd
from facered.cli.terminal import escaped, is_plain
from facered.track import backend

if TYPE_CHECKING:
    from facered.errors import FaceredError
    from facered.jobs.job import Job, JobState
    from facered.jobs.progress import Progress
    from facered.jobs.result import Result

PACKAGES = ("av", "numpy", "onnxruntime")
PROGRESS_SECONDS = 1.0
"""Least time between two lines of progress; by hand. Less tells people nothing new."""


def state_line(job: Job, previous: JobState, current: JobState) -> dict[str, object]:
    """Return the record of a change of state."""
    return {
        "event": "state",
        "input": told(job.task.source),
        "previous": previous.value,
        "state": current.value,
        "time": datetime.now(UTC).isoformat(),
    }


class ProgressLines:
    """A progress callback that has a record written at most once in `PROGRESS_SECONDS`.

    Parameters
    ----------
    source : Path
        The video.
    write : callable
        Given each record.
    """

    def __init__(self, source: Path, write: Callable[[dict[str, object]], None]) -> None:
        self._source, self._write = source, write
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Take a moment of the job."""
        now = time.monotonic()
        if now - self._last < PROGRESS_SECONDS:
            return
        self._last = now
        self._write(
            {
                "event": "progress",
                "input": told(self._source),
                "stage": progress.stage,
                "frames": progress.done,
                "total_frames": progress.total or None,
                "fraction": round(progress.fraction, 4),
                "frames_per_second": round(progress.speed, 2),
                "remaining_seconds": None if progress.remaining is None else round(progress.remaining, 1),
                "time": datetime.now(UTC).isoformat(),
            }
        )


def final_report(
    source: Path, state: JobState, mode: str | None, result: Result | None, error: FaceredError | None
) -> dict[str, object]:
    """Return the record of a job that is over: what went in, what came out, and with what versions."""
    report: dict[str, object] = {
        "event": "report",
        "state": state.value,
        "mode": mode,
        "input": _file(source) if os.path.isfile(source) else {"path": told(source)},  # noqa: PTH113
    }
    if error is not None:
        report["error"] = {"code": error.code, "message": told(str(error))}
    if result is not None:
        report |= {
            "outputs": [_file(path) for path in result.outputs],
            "people": result.people,
            "frames": result.frames,
            "crowded_frames": result.crowded_frames,
            "missing_frames": result.missing_frames,
            "damaged_frames": result.damaged_frames,
            "doubtful": [
                {"id": number, "from": round(begin, 3), "to": round(end, 3), "hidden": not result.doubtful_shown}
                for number, (begin, end) in result.doubtful.items()
            ],
            "parts": result.parts or None,
            "encoder_threads": result.encoder_threads or None,
            "film_seconds": round(result.film_seconds, 3),
            "seconds": round(result.seconds, 3),
            "startup_seconds": round(result.startup_seconds, 3),
            "frames_per_second": round(result.speed, 2),
            **result.inference.figures(),
        }
    report["versions"] = {
        "python": platform.python_version(),
        "facered": __version__,
        **{name: _version(name) for name in PACKAGES},
    }
    report["compiled"] = {"kernels": simd, "tracking": backend}
    report["time"] = datetime.now(UTC).isoformat()
    return report


def to_json(record: object) -> bytes:
    """Return a record as one line of JSON, without the line's end."""
    text = msgspec.json.encode(record).decode()  # lets through what some terminals obey
    return "".join(letter if is_plain(letter) else json.dumps(letter)[1:-1] for letter in text).encode()


def told(name: str | Path) -> str:
    """Return a name as JSON can hold it: bytes that are not UTF-8 stand as Python would write them."""
    return "".join(escaped(letter) if "\ud800" <= letter <= "\udfff" else letter for letter in str(name))


def _version(package: str) -> str | None:
    """Return the version of a package, None where it is not installed: redaction does without the detector's."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _file(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": told(path), "bytes": path.stat().st_size, "sha256": digest}
