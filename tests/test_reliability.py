"""The page on what can be relied on tells what is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_reliability_page import PAGE, ROOT, page, promises


def test_the_page_is_that_of_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run tools/make_reliability_page.py"


@pytest.mark.parametrize("name", sorted({name for promise in promises() for name in promise["tests"]}))
def test_the_tests_of_promises_are_there(name: str) -> None:
    assert Path(ROOT, name).is_file()
