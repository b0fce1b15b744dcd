"""What is said before the tracker's functions are compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import logging
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from facered.track.follower import Follower
from facered.detect.detector import Detection

tracker = Follower(25, 0.3, (40, 30))
for _ in range(2):
    boxes = np.array([[4, 4, 20, 20]], np.float32)
    tracker.update(np.zeros((30, 40), np.uint8), Detection(boxes, np.ones(1, np.float32)), False)
from facered.track.offline import finish
print(len(finish(tracker)))
"""


@pytest.mark.timeout(120)
def test_compiling_is_announced_once_and_kept_in_the_cache_that_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout == "1\n"
        said.append("is being compiled" in done.stderr)
    assert said == [True, False]
