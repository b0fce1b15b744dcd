"""Part files give back what was written, or say that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from facered.errors import ServiceError
from facered.video.output.partfile import PartFile, Playback, StoredPart
from facered.video.output.pictures import EncodedPicture

PICTURES = [
    EncodedPicture(b"key", 100, 98, 2, key=True),
    EncodedPicture(b"", 104, 100, 2, key=False),
    EncodedPicture(bytes(range(256)) * 9, 102, -(1 << 40), 0, key=False),
]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    file = PartFile(tmp_path / "part", b"parameters")
    for picture in PICTURES:
        file.write(picture)
    file.finish()
    return tmp_path / "part"


def test_what_was_written_comes_back(stored: Path) -> None:
    part = StoredPart(stored)
    assert part.extradata == b"parameters"
    assert list(part.pictures()) == PICTURES


def test_a_file_that_was_not_finished_is_none(stored: Path) -> None:
    content = stored.read_bytes()
    for length in range(len(content)):
        stored.write_bytes(content[:length])
        with pytest.raises(ServiceError, match="is damaged; begin anew without --resume"):
            StoredPart(stored)


def test_a_picture_that_has_changed_is_found_out(stored: Path) -> None:
    content = stored.read_bytes()
    stored.write_bytes(content.replace(b"key", b"kez"))
    with pytest.raises(ServiceError, match="is damaged"):
        list(StoredPart(stored).pictures())


@pytest.mark.parametrize("times", [[100, 102], [100, 102, 103], [100, 102, 104, 106]])
def test_frames_that_the_part_was_not_made_of_are_found_out(stored: Path, times: list[int]) -> None:
    playback = Playback(StoredPart(stored), "foo.mp4")

    def play(shown: list[int]) -> None:
        for pts in shown:
            playback.take(pts)
        playback.finish()

    with pytest.raises(ServiceError, match=r"foo\.mp4: has other frames than when its parts were made"):
        play(times)
    again = Playback(StoredPart(stored), "foo.mp4")
    assert [again.take(pts) for pts in (100, 102, 104)] == PICTURES
    again.finish()
