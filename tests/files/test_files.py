"""Files of the kinds that people have, made from a table; docs/formats.md holds what comes of each, proved here.

Every one goes through analyze, redact and combined. The scene is known: somebody comes into the picture, and stays.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import entering
from entering import FRAMES, Scene
from kinds import FILES, File, outcome, row
from make_formats_page import PAGE, rows


@pytest.fixture(scope="module")
def scene(carphone: Path) -> Scene:
    return entering.make(carphone)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.row, marks=[pytest.mark.soak] if number % 5 else [])
        for number, file in enumerate(FILES)
    ],
)
def test_files(file: File, scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    came = outcome(file, scene, tmp_path, caplog.records)
    assert came.same
    assert (came.frames, came.bare) == (FRAMES, 0)
    assert came.late <= 0.0011
    assert abs(came.sound - (came.sound_before if file.heard else 0)) < 0.06
    assert row(file, scene, came) in rows(), f"run tools/make_formats_page.py: {PAGE.name} lacks this row"


def test_the_page_has_these_files_and_no_others() -> None:
    assert [line.split(" | ")[0] for line in rows()] == [f"| {file.row}" for file in FILES]
