"""The program from its first moment to its last: who reads it, what fails in it, and signals before it has begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import videos
from thinned import thinned

FACERED = [sys.executable, "-m", "facered"]
CALLS = {
    "help": ["--help"],
    "help of a command": ["combined", "--help"],
    "version": ["--version"],
    "summary": ["analyze", "{clip}", "-o", "out"],
    "lines": ["analyze", "{clip}", "-o", "out", "--json"],
    "pictures": ["pipe", "{clip}"],
    "video": ["combined", "{clip}", "-o", "-"],
}


@pytest.fixture(scope="module")
def carphone(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the beginning of the clip."""
    return videos.encode(tmp_path_factory.mktemp("short") / "foo.mp4", videos.decode(carphone, 30))


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads from."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def call(name: str, clip: Path) -> list[str]:
    return [*FACERED, *(part.replace("{clip}", str(clip)) for part in CALLS[name])]


@pytest.mark.parametrize("name", thinned(CALLS))
def test_where_nobody_reads_the_output_the_code_is_141(carphone: Path, tmp_path: Path, unread: int, name: str) -> None:
    command = call(name, carphone)
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, stdout=unread, stderr=subprocess.PIPE, cwd=tmp_path, env=buffered, timeout=120, check=False
    )
    assert done.returncode == 141, done.stderr.decode()
    assert b"Exception" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize(
    ("name", "code"),
    thinned([("help", 2), ("version", 2), ("lines", 2), ("summary", 2), ("video", 1), ("pictures", 1)]),
)
def test_where_there_is_no_room_it_is_an_error_of_one_line(
    carphone: Path, tmp_path: Path, name: str, code: int
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            call(name, carphone), stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120, check=False
        )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("facered: standard output: ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", thinned(["help", "version", "summary", "pictures", "video"]))
def test_without_standard_error_all_goes_on(carphone: Path, tmp_path: Path, name: str) -> None:
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *call(name, carphone)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == 0
    assert done.stdout
    assert b"facered: " not in done.stdout


def test_what_is_wrong_has_its_code_though_nobody_reads_the_errors(tmp_path: Path, unread: int) -> None:
    command = [*FACERED, "combined", "nope.mp4", "-o", "out"]
    assert subprocess.run(command, stderr=unread, cwd=tmp_path, timeout=60, check=False).returncode == 2


_STRUCK = """
import importlib.abc, os, sys

class Strike(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Strike())
from facered.cli.entry import main

sys.argv[1:] = ["combined", "nope.mp4", "-o", "out"]
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["facered.cli.main", "facered.cli.parser", "facered.options"])
def test_a_signal_during_the_start_ends_it_with_130(module: str, number: signal.Signals) -> None:
    program = _STRUCK.format(module=module, number=int(number))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130
    assert done.stderr == "facered: cancelled; nothing has been begun\n"


def test_a_closed_terminal_that_was_to_be_ignored_still_is() -> None:
    program = _STRUCK.format(module="facered.cli.parser", number=int(signal.SIGHUP))
    command = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "facered: nope.mp4: no such file\n"


@pytest.mark.parametrize("error", ["MemoryError", "RuntimeError('a\\nb')", "OSError(5, 'x', 'file')"])
def test_an_internal_error_is_one_line(error: str) -> None:
    program = f"""
import sys
import facered.cli.main, facered.cli.entry

def broken():
    raise {error}

facered.cli.main.main = broken
sys.exit(facered.cli.entry.main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"facered: internal error, {error.partition('(')[0]}: ")
    assert done.stderr.endswith("; please report it\n")
    assert done.stderr.count("\n") == 1
