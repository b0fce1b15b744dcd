"""All targets, by name."""

from __future__ import annotations

from fuzz import broken, films, kernels, models, texts

TARGETS = {target.name: target for target in (*texts.TARGETS, *kernels.TARGETS, *models.TARGETS, *films.TARGETS)}
KNOWN = {**TARGETS, broken.TARGET.name: broken.TARGET}
"""With the one for tests."""
