"""The sound that a browser plays beside the frames is at its place."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facered.video.output.soundtrack import soundtrack
from servers import make_film


@pytest.mark.parametrize("begin", [0, 0.5])
def test_beeps_are_where_the_pictures_flash(tmp_path: Path, begin: float) -> None:
    film = make_film(tmp_path / "film.mp4", 4)
    content = soundtrack(film, Fraction(begin))
    assert content is not None
    heard, loud = [], -1.0
    with av.open(io.BytesIO(content)) as container:
        for frame in container.decode(audio=0):
            level = np.abs(frame.to_ndarray().astype(float)).max(axis=0) > 0.2
            time = float(frame.time or 0)
            if level.any() and time - loud > 0.5:
                heard.append(time + int(np.argmax(level)) / frame.sample_rate)
            loud = time if level.any() else loud
    wanted = [number - begin for number in range(4) if number >= begin]
    np.testing.assert_allclose(heard, wanted, atol=0.03)


def test_what_has_none_gives_none(carphone: Path, tmp_path: Path) -> None:
    assert soundtrack(carphone, Fraction(0)) is None
    assert soundtrack(tmp_path / "none.mp4", Fraction(0)) is None
