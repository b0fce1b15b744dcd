"""Lists of ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facered.errors import ConfigurationUnsupportedError
from facered.jobs.idlist import read_id_list


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"1\n2\n", [1, 2]),
        (b"\xef\xbb\xbf 3\r\n\r\n\t12 \r\n1", [3, 12, 1]),
        (b"007\r8", [7, 8]),
        (b"", None),
        (b"\xef\xbb\xbf\r\n \n", None),
    ],
)
def test_a_list_of_ids(tmp_path: Path, content: bytes, ids: list[int] | None) -> None:
    (tmp_path / "foo_IDList.txt").write_bytes(content)
    assert read_id_list(tmp_path / "foo_IDList.txt") == ids


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\n\n2,3\n", "line 3 is '2,3'"),
        (b"-1", "line 1 is '-1'"),
        (b"1\r\nAnna", "line 2 is 'Anna'"),
        ("\u0663".encode(), "line 1 is '\u0663'"),
        (b"9" * 5000, "line 1 is '999"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_anything_else_in_a_list_of_ids_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "foo_IDList.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigurationUnsupportedError, match=re.escape(f"{path}: {message}")) as caught:
        read_id_list(path)
    assert len(str(caught.value)) < len(str(path)) + 150


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationUnsupportedError, match="no such list of ids"):
        read_id_list(tmp_path / "none.txt")
    with pytest.raises(ConfigurationUnsupportedError, match="is not a file"):
        read_id_list(tmp_path)
