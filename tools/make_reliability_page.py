"""Write docs/reliability.md: ``python tools/make_reliability_page.py``.

It is made of the promises of ``tests/promises.toml``, of the table of stages that ``tests/test_faults.py`` has fail,
and of what longer runs have found, which stands in ``tests/promises.toml`` as it was printed.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
TABLE = ROOT / "tests" / "promises.toml"
HEAD = """\
# What can be relied on

Made by `tools/make_reliability_page.py`. Footage comes from strangers and goes to the public: whatever happens inside
or around facered, nobody must come out bare with a result that says "done".

## Promises

| promise | held by |
|---|---|
"""
STAGES = """
## Stages

Each stage of the work is made to fail, before it has done its part and after, with {errors}, in every way of working
that passes it: {failures} faults by `make soak`, some of them by `make test`. What it gives is made wrong as well,
and jobs are cancelled while it takes long. The stages are those of `facered/runtime/stages.py`; one that is missing
here fails the tests.

| stage | what it does | fails in | what is wrong with what it gives |
|---|---|---|---|
"""
RUNS = """
## Longer runs

| run | what came of it |
|---|---|
"""


def promises() -> list[dict[str, Any]]:
    """Return what is promised, and the tests."""
    found: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["promise"]
    return found


def page() -> str:
    """Return the whole page."""
    sys.path[:0] = [path for path in (str(ROOT / "tests"), str(ROOT)) if path not in sys.path]
    from tests import test_faults as faults

    from faults import ERRORS

    parts = [HEAD]
    for promise in promises():
        tests = ", ".join(f"[{Path(name).stem}](../{name})" for name in promise["tests"])
        parts.append(f"| {promise['what']} | {tests} |\n")
    errors = ", ".join(ERRORS)
    parts.append(STAGES.format(errors=errors, failures=len(faults.CASES) * len(ERRORS) * len(faults.PLACES) * 2))
    told = _docstrings()
    for stage in faults.Stage:
        ways = "; ".join(way for way, passed in faults.PASSES.items() if stage in passed)
        wrong = faults.WRONG[stage]
        parts.append(
            f"| {stage} | {told[stage.name]} | {ways} | {wrong if isinstance(wrong, str) else ', '.join(wrong)} |\n"
        )
    parts.append(RUNS)
    parts += [f"| `{run['target']}`: {run['what']} | {run['result']} |\n" for run in _runs()]
    return "".join(parts)


def _runs() -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads(TABLE.read_text(encoding="utf-8")).get("run", [])
    return found


def _docstrings() -> dict[str, str]:
    """Return what stands below each stage in the module that has them."""
    lines = (ROOT / "src" / "facered" / "runtime" / "stages.py").read_text(encoding="utf-8").split("\n")
    names = [(number, line.split(" = ")[0].strip()) for number, line in enumerate(lines) if ' = "' in line]
    return {name: lines[number + 1].strip().strip('"').rstrip(".") for number, name in names}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
