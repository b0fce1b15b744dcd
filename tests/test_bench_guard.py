"""The guard against kernels that become slower."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import guard


def run(path: Path, **seconds: float) -> Path:
    entries = [
        {"fullname": f"bench/test_x.py::{name}", "group": name.partition("_")[0], "stats": {"min": value}}
        for name, value in seconds.items()
    ]
    path.write_text(json.dumps({"benchmarks": entries}))
    return path


def compare(tmp_path: Path, *more: str, **seconds: float) -> int:
    now = run(tmp_path / "now.json", **seconds)
    return guard.main(["--run", str(now), "--last", str(tmp_path / "last.json"), *more])


def test_it_names_what_became_slower_until_that_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(tmp_path, test_calibration=1, test_facered=2, test_opencv=3, start_facered=1) == 0
    assert "1 kernels saved" in capsys.readouterr().out
    # Twice as slow a machine, and a rival that is slower still.
    assert compare(tmp_path, test_calibration=2, test_facered=4.8, test_opencv=30, start_facered=9) == 0
    assert "nothing became slower: 1 kernels" in capsys.readouterr().out
    # Twice as fast a machine: the kernel takes less time than it did, but it should take less still.
    for _ in range(2):
        assert compare(tmp_path, test_calibration=0.5, test_facered=1.9) == 1
        assert "test_facered  2.400  3.800   1.58" in capsys.readouterr().out
    assert compare(tmp_path, "--threshold", "2", test_calibration=0.5, test_facered=1.9) == 0
    assert compare(tmp_path, test_calibration=0.5, test_facered=3) == 1
    assert compare(tmp_path, "--accept", test_calibration=0.5, test_facered=3) == 0
    assert compare(tmp_path, test_calibration=0.5, test_facered=3) == 0


def test_new_and_lost_kernels_are_no_reason_to_complain(tmp_path: Path) -> None:
    assert compare(tmp_path, test_calibration=1, test_facered_old=2) == 0
    assert compare(tmp_path, test_calibration=1, test_facered_new=9) == 0


def test_without_calibration_nothing_is_compared(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="test_calibration did not run"):
        compare(tmp_path, test_facered=1)
