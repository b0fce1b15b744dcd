"""What a job did, for machines: a line a change of state, and a report at the end."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from facered import __version__
from facered._native import simd
from facered.track import backend

if TYPE_CHECKING:
    from facered.errors import FaceredError
    from facered.jobs.job import Job, JobState
    from facered.jobs.task import Result

PACKAGES = ("av", "numpy", "onnxruntime")


def state_line(job: Job, previous: JobState, current: JobState) -> dict[str, object]:
    """Return the record of a change of state."""
    return {
        "event": "state",
        "input": str(job.task.source),
        "previous": previous.value,
        "state": current.value,
        "time": datetime.now(UTC).isoformat(),
    }


def final_report(
    source: Path, state: JobState, mode: str | None, result: Result | None, error: FaceredError | None
) -> dict[str, object]:
    """Return the record of a job that is over: what went in, what came out, and with what versions."""
    report: dict[str, object] = {
        "event": "report",
        "state": state.value,
        "mode": mode,
        "input": _file(source) if source.is_file() else {"path": str(source)},
    }
    if error is not None:
        report["error"] = {"code": error.code, "message": str(error)}
    if result is not None:
        report |= {
            "outputs": [_file(path) for path in result.outputs],
            "people": result.people,
            "frames": result.frames,
            "crowded_frames": result.crowded_frames,
            "missing_frames": result.missing_frames,
            "damaged_frames": result.damaged_frames,
            "film_seconds": round(result.film_seconds, 3),
            "seconds": round(result.seconds, 3),
            "startup_seconds": round(result.startup_seconds, 3),
            "frames_per_second": round(result.speed, 2),
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
    return msgspec.json.encode(record)


def _version(package: str) -> str | None:
    """Return the version of a package, None where it is not installed: redaction does without the detector's."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _file(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": digest}
