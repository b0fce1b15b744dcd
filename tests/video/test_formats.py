"""Pixel formats by name."""

from __future__ import annotations

import pytest
from av.video.format import names

from facered.errors import ContentUnsupportedError
from facered.video import formats
from facered.video.formats import layout, working_format


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


@pytest.mark.parametrize("name", ["cuda", "vaapi", "qsv", "videotoolbox_vld", "drm_prime", "vulkan"])
def test_what_is_in_a_graphics_card_is_refused(name: str) -> None:
    with pytest.raises(ContentUnsupportedError, match=f"frames in {name} are in a graphics card's memory"):
        working_format(name)


def test_every_other_format_has_one_to_work_in() -> None:
    hardware = 0
    for name in sorted(names):
        try:
            assert layout(working_format(name)) is not None
        except ContentUnsupportedError:
            hardware += 1
    assert 5 < hardware < 25
