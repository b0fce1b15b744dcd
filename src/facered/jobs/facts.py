"""What must be the same for what a job has finished to be used by another one."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from facered.runtime import cancellation
from facered.video.address import READ_TIMEOUT

if TYPE_CHECKING:
    from facered.annotations.model import Annotations
    from facered.jobs.unchanged import Unchanged
    from facered.options import Options

NO_MATTER = frozenset({"max_pixels", "memory", "overwrite", "resume", "threads"})
"""Options on which the result does not depend."""
_FILE = ("device", "inode", "size", "time")


def facts_of(
    mode: str, options: Options, video: Unchanged, annotations: Annotations | None
) -> dict[str, object] | None:
    """Return them, by what they are called in messages; None where nobody can tell whether the input is the same.

    Parameters
    ----------
    mode : str
    options : Options
    video : Unchanged
        Of the input.
    annotations : Annotations or None
        Of those who are hidden; None where that is found out, and follows from the rest.
    """
    known = video.identity
    told: dict[str, object] | None
    if isinstance(known, str):
        etag = cancellation.call(partial(_etag, known))
        told = None if etag is None else {"address": _sum(known.encode()), "ETag of the input": etag}
    elif known is None:
        told = None
    elif len(known) == 1:
        told = {f"{name} of the input": value for name, value in zip(_FILE, known[0], strict=True)}
    else:
        told = {"files of the input": known}
    if told is None:
        return None
    chosen = {field.name: getattr(options, field.name) for field in fields(options)}
    settings = {name: _plain(value) for name, value in chosen.items() if name not in NO_MATTER}
    versions = {f"version of {name}": _version(name) for name in ("facered", "av", "numpy", "onnxruntime")}
    found = _own_model(options) if annotations is None else {"what is hidden": _digest(annotations)}
    return {"mode": mode, **told, **settings, **versions, **found}


def _own_model(options: Options) -> dict[str, object]:
    """Return what tells a model, and its precision, from others."""
    from facered.detect import inference  # brings onnxruntime, which redaction does without

    content = Path(inference.model_path(options.model, options.precision)).read_bytes()
    taken = inference.precision_taken(options.model, options.precision)
    return {"model": _sum(content), "precision of the model": taken, "version of numba": _version("numba")}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float | None) else str(value)


def _digest(annotations: Annotations) -> str:
    """Return what tells the faces of annotations, and where, from all others."""
    columns = annotations.pts, annotations.starts, annotations.ids, annotations.boxes
    return _sum(repr((annotations.time_base, annotations.segments)).encode(), *(column.tobytes() for column in columns))


def _sum(*pieces: bytes) -> str:
    """Return what tells pieces from all others, and not what is in them: an address may hold a password."""
    told = hashlib.sha256()
    for piece in pieces:
        told.update(len(piece).to_bytes(8, "big") + piece)
    return told.hexdigest()


def _etag(address: str) -> str | None:
    """Return what a server says tells this content of an address from all others; None where it says nothing."""
    if not address.lower().startswith(("http://", "https://")):
        return None
    try:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310
        with urllib.request.urlopen(request, timeout=READ_TIMEOUT) as answer:  # noqa: S310
            etag: str | None = answer.headers["ETag"]
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return None if etag is None or etag.startswith("W/") else etag


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
