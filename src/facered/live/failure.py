"""What leaves a `Redactor` when something in it, or in a function that it was given, fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from facered.errors import FaceredError, ServiceError


@contextmanager
def facered_only(what: str) -> Iterator[None]:
    """Have no error but facered's own leave a block; others become a `ServiceError` that says what failed."""
    try:
        yield
    except FaceredError:
        raise
    except Exception as error:
        raise ServiceError(f"{what} ({_told(error)})") from error


def raise_as_facered(error: BaseException) -> NoReturn:
    """Raise an error, as a `ServiceError` whose cause it is unless it is one of facered's own, or no `Exception`."""
    if isinstance(error, FaceredError) or not isinstance(error, Exception):
        raise error
    raise ServiceError(
        f"a frame could not be redacted ({_told(error)}); "
        "what waits comes hidden whole, and so do later frames until faces are detected again"
    ) from error


def _told(error: Exception) -> str:
    what = " ".join(str(error).split())
    return f"{type(error).__name__}{what and ': '}{what}"
