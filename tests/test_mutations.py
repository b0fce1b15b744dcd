"""The table of faults fits the code: what is not in it cannot be tried."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import facered
from mutate import ROOT, Mutation, mutated, read_table

PACKAGE = Path(facered.__file__).parent
FAULTS = read_table()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.module}: {fault.name}")
def test_a_fault_can_be_put_in_and_its_tests_exist(fault: Mutation) -> None:
    text = (PACKAGE / fault.module).read_text(encoding="utf-8")
    broken = mutated(text, fault)
    assert broken != text
    compile(broken, fault.module, "exec")
    assert all((ROOT / test).exists() for test in fault.tests)


@pytest.mark.parametrize("room", ["track", "hide", "video/output"])
def test_every_module_has_at_least_three(room: str) -> None:
    counts = Counter(fault.module for fault in FAULTS)
    modules = {path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / room).glob("*.py")}
    assert {module: counts[module] for module in modules if counts[module] < 3} == {f"{room}/__init__.py": 0}


def test_no_fault_has_the_name_of_another_in_its_module() -> None:
    assert max(Counter((fault.module, fault.name) for fault in FAULTS).values()) == 1
