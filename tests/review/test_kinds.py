"""Films that browsers cannot play are as good as others: it is our decoder that serves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videos
from facered.annotations.model import Annotations
from facered.review import Review
from facered.video.input.file import Reader
from reviewed import FACES, FRAMES, HEIGHT, WIDTH, annotate, is_bare, make_film
from thinned import thinned

QUIET = {"preset": "ultrafast", "x265-params": "log-level=none"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ProRes": ("foo.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    "a turned picture": ("foo.mp4", {"display_matrix": [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]}),
    "HEVC of 10 bits": ("foo.mp4", {"codec": "libx265", "pixel_format": "yuv420p10le", "options": QUIET}),
    "WMV": ("foo.wmv", {"codec": "wmv2", "options": {"b": "4M"}}),
    "irregular times": ("foo.mkv", {"ticks": [2 * n + (n % 3 == 0) for n in range(FRAMES)], "options": {"crf": "8"}}),
    "a transport stream": ("foo.ts", {"options": {"crf": "8"}}),
}


@pytest.mark.parametrize("kind", thinned(sorted(KINDS), 2))
def test_every_frame_can_be_looked_at_and_drawn_into(tmp_path: Path, kind: str) -> None:
    name, settings = KINDS[kind]
    source = make_film(tmp_path, "source.mp4", audio=None)
    film = videos.encode(tmp_path / name, videos.decode(source), **settings)
    with Reader(film, report=False) as reader:
        pts, info = np.array([frame.pts for frame in reader.frames()], np.int64), reader.info
    found = Annotations.read(annotate(source))
    shown = replace(found, pts=pts, time_base=info.time_base, rate=info.rate, width=info.width, height=info.height)
    turned = (info.width, info.height) != (WIDTH, HEIGHT)
    if turned:  # clockwise by a quarter
        x, y, width, height = found.boxes.T
        shown = replace(shown, boxes=np.column_stack([1 - y - height, x, height, width]))
    shown.write(tmp_path / "foo_annotations.json")
    with Review.open(film, tmp_path) as review:
        assert review.frames == FRAMES
        review.show(1)
        for frame in (60, 59, 3):
            bare, masked = review.frame(frame), review.frame(frame, masks=True)
            assert bare.shape == (info.height, info.width, 3)
            bare, masked = (np.rot90(one) if turned else one for one in (bare, masked))
            assert is_bare(masked, bare, FACES[0], frame)
            assert not is_bare(masked, bare, FACES[1], frame)
        assert review.jpeg(30, width=100)[:2] == b"\xff\xd8"
        assert review.portrait(2, 30)[:2] == b"\xff\xd8"
