"""What leaves a `Redactor` when something in it, or in a function that it was given, fails."""

from __future__ import annotations

from typing import NoReturn

from facered.errors import FaceredError, ServiceError


def raise_as_facered(error: BaseException) -> NoReturn:
    """Raise an error, as a `ServiceError` whose cause it is unless it is one of facered's own, or no `Exception`."""
    if isinstance(error, FaceredError) or not isinstance(error, Exception):
        raise error
    what = " ".join(str(error).split())
    raise ServiceError(
        f"a frame could not be redacted ({type(error).__name__}{what and ': '}{what}); "
        "what waits comes hidden whole, and so do later frames until faces are detected again"
    ) from error
