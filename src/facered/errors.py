"""What can go wrong, with the codes of Azure Media Services' jobs.

Messages are one line: what is wrong, and what to do.
"""

from __future__ import annotations


class FaceredError(Exception):
    """Base of all errors that facered raises on purpose; `code` says whose fault it is."""

    code = "ServiceError"


class ConfigurationUnsupportedError(FaceredError):
    """The call cannot be carried out as it stands: wrong options, missing input, output in the way."""

    code = "ConfigurationUnsupported"


class ContentMalformedError(FaceredError):
    """The input is broken: not a video, truncated, undecodable."""

    code = "ContentMalformed"


class ContentUnsupportedError(FaceredError):
    """The input is sound but not something that facered can redact."""

    code = "ContentUnsupported"


class JobCanceledError(FaceredError):
    """The job was canceled; nothing half-written is left."""

    code = "Canceled"


class ServiceError(FaceredError):
    """A fault of facered or of the machine, not of the caller or the content."""
