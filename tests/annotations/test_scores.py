"""Scores and doubts in the annotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import facered
from documents import Store, face, fragment, of_fragments
from facered.errors import ConfigurationUnsupportedError

if TYPE_CHECKING:
    from pathlib import Path


def test_scores_and_doubts_survive_and_wrong_ones_are_errors(store: Store, tmp_path: Path) -> None:
    rows = [[face(1) | {"score": 0.25, "doubtful": True}, face(2) | {"score": 1}, face(3) | {"doubtful": False}]]
    document = facered.Annotations.read(store(json.dumps(of_fragments(fragment(0, rows[0])))))
    document.write(tmp_path / "again.json")
    again = facered.Annotations.read(tmp_path / "again.json")
    np.testing.assert_array_equal(again.scores, np.array([0.25, 1, np.nan], np.float32))
    assert again.doubtful.tolist() == [True, False, False]
    assert (again.doubtful_ids, again.extras.faces) == ([1], {})
    for wrong, message in (
        ({"score": 2}, r"score is 2; it must be a number from 0 to 1"),
        ({"score": "high"}, r'score is "high"; it must be a number from 0 to 1'),
        ({"doubtful": 1}, r"doubtful is 1; it must be true or false"),
    ):
        with pytest.raises(ConfigurationUnsupportedError, match=message):
            facered.Annotations.read(store(json.dumps(of_fragments(fragment(0, [face(1) | wrong])))))
