"""All targets, by name."""

from __future__ import annotations

from fuzz import films, kernels, models, texts

TARGETS = {target.name: target for target in (*texts.TARGETS, *kernels.TARGETS, *models.TARGETS, *films.TARGETS)}
