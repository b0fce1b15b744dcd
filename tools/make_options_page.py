"""Write docs/options.md from the table of options: ``python tools/make_options_page.py``."""

from __future__ import annotations

from pathlib import Path

from facered.options import FILES, LIVE, REPEATED, TABLE, Option

PAGE = Path(__file__).resolve().parent.parent / "docs" / "options.md"
HEAD = """\
# Options

Made by `tools/make_options_page.py` from the table in `src/facered/options.py`. An option has one name in Python (a
keyword argument), in job configurations (case, hyphens and underscores do not matter) and on the command line (with
hyphens).
"""
USES = {
    FILES: (
        "For files",
        "`facered.analyze`, `redact`, `combined`, `submit`; the commands of the same names, `run` and `bench`.",
    ),
    LIVE: ("For streams", "`facered.Redactor` and `facered pipe`."),
}


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for use, (title, told) in USES.items():
        parts.append(
            f"\n## {title}\n\n{told}\n\n| name | what it can be | default | what it does |\n|---|---|---|---|\n"
        )
        parts += [_row(option) for option in TABLE if option.use in (use, "files and live")]
    return "".join(parts)


def _row(option: Option) -> str:
    several = " (several: a list)" if option.name in REPEATED else ""
    cells = f"`{option.name}`", option.kind.range, option.shown_default, f"{option.help}{several}"
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
