"""Cases of which `make test` tries some, and `make soak` the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def thinned(cases: Sequence[Any], every: int = 2) -> list[Any]:
    """Return the cases; those between every so many-th are left to `make soak`."""
    return [
        case
        if number % every == 0
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.soak)
        for number, case in enumerate(cases)
    ]
