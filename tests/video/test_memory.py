"""Large pictures take memory: decoders and encoders hold few of them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import PictureType

import facered
import videos
from facered.video.input import decode
from facered.video.input.file import Reader
from facered.video.output import settings


@pytest.fixture
def film(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 20))


def looks_ahead(path: Path) -> bool:
    """Tell whether any frame looks at one that is shown after it."""
    with av.open(str(path)) as container:
        return any(frame.pict_type == PictureType.B for frame in container.decode(video=0))


def test_threads_of_the_decoder_are_few_where_pictures_are_large(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Reader(film, 8) as reader:
        assert reader.stream.codec_context.thread_count == 8
        size = reader.stream.codec_context.width * reader.stream.codec_context.height * 3 // 2
    monkeypatch.setattr(decode, "MAX_DECODER_BYTES", 3 * size)
    with Reader(film, 8) as reader:
        assert reader.stream.codec_context.thread_count == 3
    monkeypatch.setattr(decode, "MAX_DECODER_BYTES", 1)
    with Reader(film, 8) as reader:
        assert reader.stream.codec_context.thread_count == 1


def test_a_reader_that_is_closed_leaves_memory_at_once(film: Path) -> None:
    """Its decoder holds pictures, and the next one needs room."""
    gc.disable()
    try:
        reader = Reader(film)
        assert len([None for _ in reader.frames()]) == 20
        reader.close()
        left = weakref.ref(reader)
        del reader
        assert left() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_encoders_hold_no_large_pictures_back(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: Any
) -> None:
    """What is not held back cannot be looked back at from before it."""
    usual = facered.combined(film, tmp_path / "usual.mp4", codec=codec).video_path
    monkeypatch.setattr(settings, "LARGE_BYTES", 0)
    large = facered.combined(film, tmp_path / "large.mp4", codec=codec).video_path
    assert usual is not None
    assert large is not None
    assert looks_ahead(usual)
    assert not looks_ahead(large)
