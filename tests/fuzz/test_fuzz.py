"""What counts as a finding is noticed, and the same seed makes the same inputs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from fuzz.__main__ import Progress
from fuzz.targets import TARGETS
from fuzz.worker import Worker


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("signal", "ended by SIGSEGV"),
        ("exception", "IndexError: none of facered's own"),
        ("internal", "internal error, KeyError"),
        ("hang", "not done after 5 s"),
        ("memory", "MiB of memory were needed"),
        ("temporary", "temporary files are left"),
        ("left", r"left behind: ['.foo_redacted.mp4.facered']"),
    ],
)
def test_what_goes_wrong_is_noticed(worker: Worker, way: str, told: str) -> None:
    outcome = worker.try_out("broken", way.encode())
    assert outcome.wrong
    assert told in outcome.words


@pytest.mark.parametrize(("way", "told"), [("done", "done"), ("error", "ContentMalformedError: foo.mp4: is no video")])
def test_answers_are_no_findings(worker: Worker, way: str, told: str) -> None:
    outcome = worker.try_out("broken", way.encode())
    assert (outcome.wrong, outcome.words) == (False, told)


@pytest.mark.parametrize("name", ["annotations", "command-line", "file-names", "kernel.hide", "model", "film.mkv"])
def test_a_seed_makes_the_same_inputs_again(name: str) -> None:
    def made(seed: int) -> list[bytes]:
        return list(islice(Progress(TARGETS[name], seed).inputs(), 30))

    assert made(1) == made(1)
    assert made(1) != made(2)


@pytest.mark.parametrize("name", ["annotations", "model", "film.mp4", "film.png"])
def test_the_sound_inputs_have_results(worker: Worker, name: str) -> None:
    for data in TARGETS[name].seeds():
        outcome = worker.try_out(name, data)
        assert not outcome.wrong
        assert "Error" not in outcome.words
