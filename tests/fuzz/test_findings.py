"""What once went wrong with an input that nobody expected does not again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.findings import FOLDER, kept, read
from fuzz.worker import Worker


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """The process in which they are tried: what crashes ends nothing else."""
    worker = Worker()
    yield worker
    worker.close()


@pytest.mark.parametrize(("target", "path"), kept(), ids=lambda value: str(value).removeprefix(f"{FOLDER}/"))
def test_an_input_that_went_wrong_is_answered(worker: Worker, target: str, path: Path) -> None:
    outcome = worker.try_out(target, read(path))
    assert not outcome.wrong, outcome.words
