"""How many processors there are, as control groups tell, and what they can do."""

from __future__ import annotations

import os
from pathlib import Path

import onnxruntime
import pytest

from facered.detect.detector import Detector
from facered.runtime import cores
from facered.video.input.file import Reader


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def machine(root: Path, cgroup: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V1 = "3:cpu,cpuacct:/docker/4f\n2:memory:/docker/4f\n0::/\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2, id="version 2"),
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2, id="a part of a core counts as one"),
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "1000 100000\n"}, 1, id="never none"),
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8, id="no quota"),
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "1600000 100000\n"}, 8, id="never more than there are"),
        pytest.param("0::/\n", {"sys/fs/cgroup/cpu.max": "rubbish\n"}, 8, id="rubbish"),
        pytest.param(
            "0::/a/b\n",
            {"sys/fs/cgroup/a/cpu.max": "300000 100000", "sys/fs/cgroup/a/b/cpu.max": "max 100000"},
            3,
            id="the quota of a parent",
        ),
        pytest.param("0::/of/host\n", {"sys/fs/cgroup/cpu.max": "400000 100000"}, 4, id="the path of the host"),
        pytest.param(
            V1,
            {
                "sys/fs/cgroup/cpu,cpuacct/docker/4f/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/4f/cpu.cfs_period_us": "100000\n",
            },
            3,
            id="version 1",
        ),
        pytest.param(
            V1,
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            2,
            id="version 1, as a container sees it",
        ),
        pytest.param(
            V1,
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            8,
            id="version 1, no quota",
        ),
    ],
)
def test_the_quota_of_the_container_counts(tmp_path: Path, cgroup: str, files: dict[str, str], expected: int) -> None:
    assert cores.available(machine(tmp_path, cgroup, files)) == expected


def test_without_control_groups_those_are_counted_that_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cores.available(tmp_path) == 8
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores.available(tmp_path) == os.cpu_count()


def test_this_machine_has_one_at_least() -> None:
    assert cores.available() >= 1


@pytest.mark.parametrize(("asked", "decoding"), [(0, 3), (1, 1), (5, 5)])
def test_the_decoder_takes_its_threads_from_it(
    carphone: Path, monkeypatch: pytest.MonkeyPatch, asked: int, decoding: int
) -> None:
    monkeypatch.setattr(cores, "available", lambda: 3)
    with Reader(carphone, asked) as reader:
        assert reader.stream.codec_context.thread_count == decoding


@pytest.mark.parametrize(("asked", "taken"), [(0, 3), (1, 1)])
def test_the_detector_too(monkeypatch: pytest.MonkeyPatch, asked: int, taken: int) -> None:
    monkeypatch.setattr(cores, "available", lambda: 3)
    given = []

    class Options(onnxruntime.SessionOptions):
        def add_session_config_entry(self, key: str, value: str) -> None:
            given.append((key, value))
            super().add_session_config_entry(key, value)

        def __del__(self) -> None:
            given.append(self.intra_op_num_threads)

    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    Detector(threads=asked)
    assert ("session.intra_op.allow_spinning", "0") in given
    assert given[-1] == taken


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            "processor\t: 0\nflags\t\t: fpu sse4_2 avx fma avx2 avx512_vnni\n",
            ["sse4_2", "avx", "fma", "avx2", "avx512_vnni"],
        ),
        ("processor : 0\nFeatures : fp asimd asimddp\n", ["asimd", "asimddp"]),
        ("processor : 0\n", []),
    ],
)
def test_instruction_sets_are_those_that_linux_tells(tmp_path: Path, told: str, expected: list[str]) -> None:
    assert cores.instruction_sets(machine(tmp_path, V1, {"proc/cpuinfo": told})) == expected


@pytest.mark.parametrize(("avx2", "vnni"), [(True, True), (True, False), (False, False)])
def test_elsewhere_they_are_those_that_the_kernels_ask_for(
    tmp_path: Path, avx2: bool, vnni: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facered._native.cpu.has_avx2", lambda: avx2)
    monkeypatch.setattr("facered._native.cpu.has_vnni", lambda: vnni)
    assert cores.instruction_sets(tmp_path) == ["avx2"] * avx2 + ["vnni"] * vnni
