"""Whether the tests notice when the code is broken: ``python tools/mutate.py [WORD ...]``.

Each entry of ``tests/mutations.toml`` is a fault: a text in a module and what it is replaced by. For each one the
installed package is copied, the fault is put into the copy, and the tests that should notice run against it. A fault
that they do not notice survives; the score is the part that does not. WORDs choose the faults whose module or name
contains one of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "mutations.toml"
LEAST_SCORE = 0.9
TIMEOUT = 900
"""Seconds after which a fault that makes the tests hang counts as noticed."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault: the text `find`, which stands once in a module, becomes `replace`; `tests` should notice."""

    module: str
    name: str
    find: str
    replace: str
    tests: tuple[str, ...]


def read_table(path: Path = TABLE) -> list[Mutation]:
    """Return the faults of the table, module by module."""
    found = []
    for module in tomllib.loads(path.read_text(encoding="utf-8"))["module"]:
        for fault in module["fault"]:
            tests = tuple(fault.get("tests", module["tests"]))
            found.append(Mutation(module["path"], fault["name"], fault["find"], fault["replace"], tests))
    return found


def mutated(text: str, mutation: Mutation) -> str:
    """Return a module's text with the fault in it."""
    count = text.count(mutation.find)
    if count != 1:
        raise SystemExit(
            f"{mutation.module}: {mutation.name}: the text to replace stands {count} times: {mutation.find!r}"
        )
    return text.replace(mutation.find, mutation.replace)


def passes(tests: Sequence[str], package: Path, mutation: Mutation | None = None) -> bool:
    """Tell whether tests pass, with a fault in the package or with none."""
    with tempfile.TemporaryDirectory(prefix="facered-mutation-") as folder:
        copy = Path(folder, package.name)
        shutil.copytree(package, copy)
        if mutation is not None:
            module = copy / mutation.module
            text = mutated(module.read_text(encoding="utf-8"), mutation)
            module.write_text(text, encoding="utf-8")
            if "@compiled(" in text:  # what was compiled ahead of time has no fault: Python has to run
                for built in copy.glob("_native/tracking.*"):
                    built.unlink()
        command = [sys.executable, "-m", "pytest", "-x", "-q", *tests]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return False
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest {' '.join(tests)} could not run:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the faults, print what survives and the score; return 1 if that is too low."""
    parser = argparse.ArgumentParser(prog="mutate.py", description="Whether the tests notice faults.")
    parser.add_argument(
        "words", metavar="WORD", nargs="*", help="only faults whose module or name contains one of them"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at a time (default: all cores)")
    options = parser.parse_args(arguments)
    mutations = [
        mutation
        for mutation in read_table()
        if not options.words or any(word in f"{mutation.module} {mutation.name}" for word in options.words)
    ]
    spec = importlib.util.find_spec("facered")
    assert spec is not None
    package = Path(str(spec.origin)).parent
    begun = time.perf_counter()
    # Tests that fail anyway would notice everything.
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    if not passes(tests, package):
        raise SystemExit(f"pytest {' '.join(tests)} fails without any fault; mend that first")
    survivors = []
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda mutation: passes(mutation.tests, package, mutation), mutations)
        for mutation, survived in zip(mutations, outcomes, strict=True):
            print(f"{'SURVIVES' if survived else 'noticed '}  {mutation.module}: {mutation.name}", flush=True)
            survivors += [mutation] if survived else []
    noticed = len(mutations) - len(survivors)
    score = noticed / max(len(mutations), 1)
    print(f"{noticed} of {len(mutations)} faults noticed: {100 * score:.1f} % in {time.perf_counter() - begun:.0f} s")
    return score < LEAST_SCORE


if __name__ == "__main__":
    sys.exit(main())
