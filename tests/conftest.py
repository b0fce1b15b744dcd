from __future__ import annotations

import importlib.util
import socket
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

import records
from facered.jobs import workers
from facered.runtime import cores

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def clips() -> Path:
    """Return the folder of the real clips, fetched when they are not there yet."""
    directory = ROOT / ".cache" / "clips"
    spec = importlib.util.spec_from_file_location("fetch_clips", ROOT / "tools" / "fetch_clips.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.fetch(directory)
    return directory


@pytest.fixture(scope="session")
def carphone(clips: Path) -> Path:
    """Return 120 frames of 176 x 144 with one talking man, B-frames, no sound."""
    return clips / "carphone_pristine.mp4"


@pytest.fixture(scope="session")
def rabbit(clips: Path) -> Path:
    """Return 132 frames of 1280 x 720 with AAC sound and no face."""
    return clips / "bigbuckbunny.mp4"


@pytest.fixture(autouse=True)
def few_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no workers on machines of many cores, unless a test asks for them: patches do not reach them."""
    monkeypatch.setattr(workers, "MIN_CORES", max(workers.MIN_CORES, cores.available() + 1))


@pytest.fixture
def free_port() -> int:
    """Return the number of a TCP port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Keep a record of what `make soak` has tried, module by module."""
    if config.option.markexpr != "soak" or not terminalreporter.stats.get("passed"):
        return
    terminalreporter.section("what was tried")
    for part, counts, seconds in summed(
        (outcome, report)
        for outcome in ("passed", "failed", "skipped")
        for report in terminalreporter.getreports(outcome)
    ):
        records.note(part, seconds, counts, ok="failed" not in counts)


def summed(
    reports: Iterable[tuple[str, pytest.TestReport]],
) -> Iterable[tuple[str, dict[str, float], float]]:
    """Return for each module how many tests ended how, what they have counted, and how long they took."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for outcome, report in reports:
        part = report.nodeid.partition("::")[0]
        counts[part][outcome] += 1
        counts[part].update({name: value for name, value in report.user_properties if isinstance(value, int)})
        seconds[part] += report.duration
    return [(part, dict(counts[part]), seconds[part]) for part in sorted(counts)]
