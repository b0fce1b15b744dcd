"""How much memory is free, as the machine and control groups tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from facered.runtime import memory

V1 = "2:memory:/docker/4f\n0::/\n"
V1_FOLDER = "sys/fs/cgroup/memory/docker/4f/"


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        pytest.param("", {}, 8 << 30, id="no group"),
        pytest.param("0::/\n", {"sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/memory.current": "7"}, 8 << 30,
            id="no limit"),
        pytest.param("0::/\n", {"sys/fs/cgroup/memory.max": f"{3 << 30}\n", "sys/fs/cgroup/memory.current": "1048576"},
            (3 << 30) - (1 << 20), id="version 2"),
        pytest.param("0::/a/b\n", {"sys/fs/cgroup/a/memory.max": "1000", "sys/fs/cgroup/a/memory.current": "400"}, 600,
            id="the limit of a parent"),
        pytest.param("0::/\n", {"sys/fs/cgroup/memory.max": "1000", "sys/fs/cgroup/memory.current": "900",
            "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 300\n"}, 400, id="what is cached can be given back"),
        pytest.param("0::/\n", {"sys/fs/cgroup/memory.max": "100", "sys/fs/cgroup/memory.current": "900"}, 0,
            id="never less than nothing"),
        pytest.param(V1, {f"{V1_FOLDER}memory.limit_in_bytes": "2000", f"{V1_FOLDER}memory.usage_in_bytes": "500",
            f"{V1_FOLDER}memory.stat": "total_inactive_file 100\n"}, 1600, id="version 1"),
        pytest.param("0::/\n", {"sys/fs/cgroup/memory.max": "rubbish", "sys/fs/cgroup/memory.current": "?"}, 8 << 30,
            id="rubbish"),
    ],
)  # fmt: skip
def test_the_least_of_what_machine_and_groups_leave_is_free(
    tmp_path: Path, cgroup: str, files: dict[str, str], expected: int
) -> None:
    told = {"proc/self/cgroup": cgroup, "proc/meminfo": "MemTotal: 99 kB\nMemAvailable:  8388608 kB\n"}
    for name, text in {**told, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.free(tmp_path) == expected


def test_here_some_is_free() -> None:
    assert memory.free() > 1 << 20
