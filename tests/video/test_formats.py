"""Pixel formats by name."""

from __future__ import annotations

import pytest

from facered.video import formats


@pytest.mark.parametrize(
    ("name", "working"),
    [
        ("rgb24", "yuv444p"),
        ("pal8", "yuv444p"),
        ("bgra", "yuv444p"),
        ("gbrp12le", "yuv444p12le"),
        ("rgb48le", "yuv444p16le"),
        ("yuva420p", "yuv420p"),
        ("yuva444p10le", "yuv444p10le"),
        ("uyvy422", "yuv422p"),
        ("yuv420p10be", "yuv420p10le"),
        ("ya8", "gray"),
        ("monob", "gray"),
        ("yuvj420p", "yuvj420p"),
        ("p010le", "p010le"),
        ("bayer_rggb8", "yuv444p"),
    ],
)
def test_what_is_not_native_becomes_what_keeps_most(name: str, working: str) -> None:
    assert formats.working_format(name) == working
    assert formats.layout(working) is not None
