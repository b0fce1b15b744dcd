"""Iterators that run ahead in a thread of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from facered.runtime.ahead import MAX_DEPTH, MIN_DEPTH, Ahead, depth


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("facered ")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not own_threads()


class Source:
    """Counts what it gave; notes the thread that it ran and was closed in."""

    def __init__(self, count: int, error: BaseException | None = None, slowness: float = 0.0) -> None:
        self.count, self.error, self.slowness = count, error, slowness
        self.given = 0
        self.gave_five = threading.Event()
        self.ran_in = self.closed_in = ""

    def __iter__(self) -> Iterator[int]:
        self.ran_in = threading.current_thread().name
        try:
            for number in range(self.count):
                time.sleep(self.slowness)
                self.given += 1
                if self.given == 5:
                    self.gave_five.set()
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed_in = threading.current_thread().name


@pytest.mark.parametrize("waiting", [0, 1, 2, 50])
@pytest.mark.parametrize(("slow_source", "slow_taker"), [(0.0, 0.0), (0.001, 0.0), (0.0, 0.001)])
def test_order_is_kept_whoever_is_faster(waiting: int, slow_source: float, slow_taker: float) -> None:
    taken = []
    with Ahead(Source(20, slowness=slow_source), waiting, "count") as numbers:
        for number in numbers:
            time.sleep(slow_taker)
            taken.append(number)
    assert taken == list(range(20))


def test_it_runs_in_its_own_thread_unless_nothing_may_wait() -> None:
    source, serial = Source(3), Source(3)
    with Ahead(source, 1, "count") as numbers:
        assert list(numbers) == [0, 1, 2]
    assert source.ran_in == source.closed_in == "facered count"
    with Ahead(serial, 0, "count") as numbers:
        assert list(numbers) == [0, 1, 2]
    assert serial.ran_in == serial.closed_in == threading.current_thread().name


def test_no_more_than_depth_items_wait() -> None:
    source = Source(100)
    with Ahead(source, 4, "count") as numbers:
        assert source.gave_five.wait(60)
        time.sleep(0.02)  # in which a thread that went on would give more
        assert source.given == 5  # four wait, and one is held by the thread that cannot give it
        assert next(numbers) == 0


@pytest.mark.parametrize("waiting", [0, 3])
def test_an_error_comes_after_the_items_before_it(waiting: int) -> None:
    taken = []
    error = ValueError("broken")

    def take_all() -> None:
        with Ahead(Source(5, error), waiting, "count") as numbers:
            taken.extend(numbers)

    with pytest.raises(ValueError, match="broken") as raised:
        take_all()
    assert taken == [0, 1, 2, 3, 4]
    assert raised.value is error


def test_leaving_early_closes_every_stage_in_its_own_thread() -> None:
    source = Source(10**9)
    ended = []

    def doubled(numbers: Iterator[int]) -> Iterator[int]:
        try:
            for number in numbers:
                yield 2 * number
        finally:
            ended.append(threading.current_thread().name)

    class StopError(Exception):
        pass

    def take_one() -> None:
        with Ahead(source, 3, "count") as numbers, Ahead(doubled(numbers), 3, "double") as results:
            for number in results:
                assert number == 0
                raise StopError

    with pytest.raises(StopError):
        take_one()
    assert source.given < source.count
    assert source.closed_in == "facered count"
    assert ended == ["facered double"]


def test_an_error_of_a_middle_stage_ends_those_before_it() -> None:
    source = Source(10**9)

    def failing(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            yield number
            if number == 7:
                raise OSError("the seventh")

    taken = []

    def take_all() -> None:
        with Ahead(source, 2, "count") as numbers, Ahead(failing(numbers), 2, "fail") as results:
            taken.extend(results)

    with pytest.raises(OSError, match="seventh"):
        take_all()
    assert source.closed_in == "facered count"


def test_waiting_takes_no_processor_time() -> None:
    with Ahead(Source(3, slowness=0.2), 1, "count") as numbers:
        before = time.process_time()
        assert list(numbers) == [0, 1, 2]
        assert time.process_time() - before < 0.1


def test_an_interruption_while_the_thread_ends_does_not_leave_it_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    join = threading.Thread.join
    calls = []

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        calls.append(thread.name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    source = Source(10**9, slowness=0.01)
    with pytest.raises(KeyboardInterrupt), Ahead(source, 2, "count") as numbers:
        next(numbers)
    assert calls == ["facered count"] * 2
    assert source.closed_in == "facered count"


def test_fewer_large_pictures_may_wait_than_small_ones() -> None:
    assert depth(320, 240) == MAX_DEPTH
    assert depth(7680, 4320) == MIN_DEPTH
    assert MIN_DEPTH <= depth(1920, 1080) <= MAX_DEPTH
