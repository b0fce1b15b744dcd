"""Cases of which `make test` tries some, and `make soak` the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

_Param = type(pytest.param())


def thinned(cases: Iterable[Any], every: int = 2) -> list[Any]:
    """Return the cases; those between every so many-th are left to `make soak`.

    Of all pairs, triples and so on of some lists (`itertools.product`), with an `every` that divides no list's length,
    each item of each list is among those that `make test` tries as soon as there are enough.
    """
    return [case if number % every == 0 else _for_soak(case) for number, case in enumerate(cases)]


def _for_soak(case: Any) -> Any:
    if isinstance(case, _Param):
        return pytest.param(*case.values, marks=[*case.marks, pytest.mark.soak], id=case.id)
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.soak)
