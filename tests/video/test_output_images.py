"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import videos
from facered.video.input.file import Reader
from facered.video.output.images import ImageWriter


def test_a_sequence_that_cannot_be_finished_leaves_no_partial_files(carphone: Path, tmp_path: Path) -> None:
    (tmp_path / "2.png").mkdir()
    with Reader(carphone) as reader:
        writer = ImageWriter(tmp_path / "%d.png", reader)
        for frame in videos.decode(carphone, 4):
            writer.write_frame(frame)
        with pytest.raises(OSError, match="directory"):
            writer.close()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(("suffix", "kinds"), [("png", {"rgb24"}), ("jpg", {"yuvj420p"})])
def test_files_have_their_names_when_all_is_written(
    carphone: Path, tmp_path: Path, suffix: str, kinds: set[str]
) -> None:
    with Reader(carphone) as reader, ImageWriter(tmp_path / f"%d.{suffix}", reader) as writer:
        for frame in videos.decode(carphone, 3):
            writer.write_frame(frame)
        assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    names = [f"{number}.{suffix}" for number in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        with av.open(str(tmp_path / name)) as container:
            frame = next(container.decode(video=0))
        assert frame.format.name in kinds
        assert (frame.width, frame.height) == (176, 144)
