"""The list of the frames at which segments of a film begin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from documents import document, read
from facered import ConfigurationUnsupportedError
from facered.annotations.table import Extras


@pytest.mark.parametrize("numbers", [[], [0], [0, 312, 1500]])
def test_it_is_read_and_written_again(tmp_path: Path, numbers: list[int]) -> None:
    annotations = read(tmp_path, document("$", more=f'"segments": {numbers}'))
    assert annotations.segments == numbers
    annotations.select([7]).enlarged(2).write(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["segments"] == numbers


def test_a_document_need_not_have_one(tmp_path: Path) -> None:
    assert read(tmp_path, document()).segments is None


@pytest.mark.parametrize("wrong", ["7", '"0"', "{}", "null", "[-1]", "[1.5]", "[3, 2]", "[2, 2]", "[true]", "[[1]]"])
def test_what_cannot_be_one_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationUnsupportedError, match=r"foo\.json: \$\.segments"):
        read(tmp_path, document("$", more=f'"segments": {wrong}'))


def test_a_wrong_one_that_was_set_by_hand_is_refused(tmp_path: Path) -> None:
    annotations = replace(read(tmp_path, document()), extras=Extras(document={"segments": [3, 2]}))
    with pytest.raises(ConfigurationUnsupportedError, match="segments"):
        annotations.check_sound()
