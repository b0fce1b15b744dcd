from __future__ import annotations

import json
from pathlib import Path

import pytest

from documents import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a function that puts a document, text or bytes into ``foo_annotations.json``."""

    def put(content: object) -> Path:
        path = tmp_path / "foo_annotations.json"
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return put
