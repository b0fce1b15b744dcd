"""Write the table of people's files in docs/formats.md: ``python tools/make_formats_page.py``.

Every file of ``tests/kinds.py`` is made and goes through facered, which takes a minute or two.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats.md"
HEAD = "| file | frames | hidden | sound | said |\n|---|---|---|---|---|\n"
"""How the table begins; it ends with the first empty line."""


def rows() -> list[str]:
    """Return the rows of the table as they stand on the page."""
    return PAGE.read_text(encoding="utf-8").partition(HEAD)[2].partition("\n\n")[0].split("\n")


def main() -> None:
    """Make all files and write the page."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]
    import entering
    import kinds
    from fetch_clips import fetch

    clips = ROOT / ".cache" / "clips"
    fetch(clips)
    scene = entering.make(clips / "carphone_pristine.mp4")
    made = [_row(kinds, file, scene) for file in kinds.FILES]
    page = PAGE.read_text(encoding="utf-8")
    before, head, rest = page.partition(HEAD)
    assert head
    PAGE.write_text(before + head + "\n".join(made) + "\n\n" + rest.partition("\n\n")[2], encoding="utf-8")


def _row(kinds, file, scene) -> str:  # type: ignore[no-untyped-def]  # those are the tests' modules
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        with tempfile.TemporaryDirectory() as folder:
            row: str = kinds.row(file, scene, kinds.outcome(file, scene, Path(folder), records))
    finally:
        logging.getLogger().removeHandler(handler)
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
