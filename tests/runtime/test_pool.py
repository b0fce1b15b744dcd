"""Workers for tasks: which is next, how many there are, and what they tell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from facered.errors import JobCanceledError
from facered.runtime.dispatch import Dispatcher
from facered.runtime.pool import Pool, outcome, reserved
from facered.runtime.workers import ApartError

MEBI = 1 << 20


def test_what_is_earlier_in_the_film_is_done_first() -> None:
    dispatcher: Dispatcher[str] = Dispatcher(2, 100, 10)
    for position, task in ((300, "c"), (0, "a"), (500, "d"), (0, "b")):
        dispatcher.add(position, task)
    assert [dispatcher.take() for _ in range(len(dispatcher))] == ["a", "b", "c", "d"]


def test_workers_begin_where_there_is_work_and_room() -> None:
    dispatcher: Dispatcher[int] = Dispatcher(4, 35, 10)
    assert not dispatcher.may_begin(0, 0)
    for number in range(3):
        dispatcher.add(number, number)
    assert dispatcher.may_begin(0, 0)
    assert dispatcher.may_begin(2, 2)
    assert not dispatcher.may_begin(3, 0)  # no memory
    assert not dispatcher.may_begin(2, 3)  # others have nothing to do
    dispatcher.note_peak(15)
    assert not dispatcher.may_begin(2, 0)
    assert dispatcher.too_many(3)
    assert not dispatcher.too_many(2)
    dispatcher.note_peak(1000)
    assert not dispatcher.too_many(1)
    assert dispatcher.may_begin(0, 0)
    few: Dispatcher[int] = Dispatcher(2, 1000, 10)
    few.add(0, 0)
    assert not few.may_begin(2, 0)
    few.lose()
    assert few.too_many(2)


def halved(number: int, tell: Callable[[int], None]) -> tuple[float, int]:
    """Return the half of a number, and which process has computed it."""
    tell(number)
    if number < 0:
        raise ValueError("negative")
    return number / 2, os.getpid()


def hungry(mark: str, tell: Callable[[int], None]) -> str:
    """Have no memory the first time."""
    tell(1)
    with open(mark, "a+") as file:  # noqa: PTH123
        file.write("x")
        if file.tell() == 1:
            raise MemoryError
    return "fed"


def endless(tell: Callable[[int], None]) -> None:
    """Never return."""
    tell(1)
    time.sleep(1000)


def submit(pool: Pool, function: Callable[..., object], *arguments: object) -> Future[object]:
    return pool.submit(function, *arguments, kind="halves", position=0)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_workers_return_what_functions_do(tmp_path: Path) -> None:
    kept: list[object] = []
    with Pool(2, 1000 * MEBI, MEBI) as pool:
        one = pool.submit(halved, 3, kind="halves", position=0, then=kept.append)
        other = submit(pool, halved, -5)
        half, process = outcome(one)
        assert kept == [(half, process)]
        assert (half, process != os.getpid()) == (1.5, True)
        with pytest.raises(ApartError, match="ValueError: negative"):
            outcome(other)
        assert outcome(submit(pool, hungry, str(tmp_path / "mark"))) == "fed"
        assert pool.frames("halves") == 3 - 5 + 1
        never = submit(pool, endless)
        while pool.frames("halves") == -1:
            time.sleep(0.01)
    assert isinstance(never.exception(), JobCanceledError)
    with pytest.raises(JobCanceledError):
        outcome(submit(pool, halved, 3))
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_then_raises_is_raised() -> None:
    def full(_: object) -> None:
        raise OSError("no room")

    with Pool(2, 1000 * MEBI, MEBI) as pool, pytest.raises(OSError, match="no room"):
        outcome(pool.submit(halved, 3, kind="halves", position=0, then=full))


def test_jobs_share_workers_and_memory() -> None:
    first = reserved(6, 8, 1000, 100)
    assert first is not None
    assert first.size == 6
    second = reserved(6, 8, 1000, 100)
    assert second is not None
    assert second.size == 2
    assert reserved(6, 8, 1000, 100) is None
    second.close()
    assert reserved(6, 8, 800, 100) is None  # the first one has 750
    first.close()
    again = reserved(6, 8, 310, 100)
    assert again is not None
    assert again.size == 3
    again.close()


@pytest.mark.parametrize("executable", ["/nowhere/python", None, "the program"])
def test_where_no_worker_can_be_started_nothing_is_done(
    executable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\n")
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program) if executable == "the program" else executable)
    with Pool(2, 1000 * MEBI, MEBI) as pool:
        assert isinstance(submit(pool, halved, 3).exception(timeout=20), ApartError)
    assert not (tmp_path / "begun").exists()
