"""Videos that change while a job reads them: both passes must see the same, or the job fails."""

from __future__ import annotations

import io
import os
from itertools import product
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import facered
import videos
from facered.jobs.unchanged import Unchanged
from thinned import thinned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Change = Callable[[Path], object] if TYPE_CHECKING else object


@pytest.fixture
def film(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.ts", videos.decode(carphone, 12))


def grow(film: Path) -> None:
    with film.open("ab") as file:
        file.write(film.read_bytes()[-188:])


def replace(film: Path) -> None:
    other = film.with_name("other.ts")
    other.write_bytes(film.read_bytes())
    os.utime(other, ns=(film.stat().st_atime_ns, film.stat().st_mtime_ns))
    other.replace(film)


def rewrite(film: Path) -> None:
    film.write_bytes(film.read_bytes())


def delete(film: Path) -> None:
    film.unlink()


def at(stage: str, done: int, change: Change, film: Path) -> Callable[[facered.Progress], None]:
    """Return a callback that changes a film once, when a stage has done so many frames."""
    left = [change]

    def tell(progress: facered.Progress) -> None:
        if left and progress.stage == stage and progress.done >= done:
            left.pop()(film)

    return tell


MOMENTS = [
    (facered.analyze, "analyze", 3),
    (facered.combined, "analyze", 3),
    (facered.combined, "analyze", 12),
    (facered.combined, "redact", 3),
    (facered.redact, "redact", 3),
]


@pytest.mark.parametrize(
    ("mode", "stage", "done", "change"),
    thinned([(*moment, change) for moment, change in product(MOMENTS, [grow, replace, rewrite, delete])], 3),
)
def test_a_video_that_changes_is_an_error_and_the_old_results_stay(
    mode: Callable[..., object], stage: str, done: int, change: Change, film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    facered.analyze(film, out)
    (out / "foo_redacted.mp4").write_bytes(b"old")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(facered.ContentMalformedError, match="has changed while it was read"):
        mode(film, out, overwrite=True, progress=at(stage, done, change, film))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_sequence_of_images_that_grows_is_an_error(carphone: Path, tmp_path: Path) -> None:
    for number, frame in enumerate(videos.decode(carphone, 4)):
        frame.save(str(tmp_path / f"{number}.png"))
    more = lambda _: (tmp_path / "4.png").write_bytes((tmp_path / "3.png").read_bytes())  # noqa: E731
    with pytest.raises(facered.ContentMalformedError, match=r"has changed|only 4 of 5 pictures"):
        facered.combined(tmp_path / "%d.png", tmp_path / "out", progress=at("redact", 1, more, tmp_path))


class Changing(io.BytesIO):
    """A file whose content is another one from the second time on that it is read from its start by a pass."""

    def __init__(self, first: bytes, second: bytes) -> None:
        size = max(len(first), len(second))
        self.later = second.ljust(size, b"\0")
        super().__init__(first.ljust(size, b"\0"))

    def change(self, _: object) -> None:
        self.getbuffer()[:] = self.later


@pytest.mark.parametrize("stage", ["analyze", "redact"])
def test_a_stream_that_gets_longer_is_an_error(film: Path, tmp_path: Path, stage: str) -> None:
    file = io.BytesIO(film.read_bytes())

    def longer(_: Path) -> None:
        place = file.tell()
        file.seek(0, os.SEEK_END)
        file.write(b"\0" * 188)
        file.seek(place)

    with pytest.raises(facered.ContentMalformedError, match="has changed"):
        facered.combined(file, tmp_path / "out", progress=at(stage, 3, longer, film))
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", ["object", "time put back", "address of a file"])
def test_other_bytes_of_the_same_size_are_an_error(carphone: Path, tmp_path: Path, kind: str) -> None:
    """The pictures of the first pass have no face; the second one would write those of the second film bare."""
    frames = videos.decode(carphone, 12)
    walls = [av.VideoFrame.from_ndarray(np.full((144, 176, 3), 90 + n, np.uint8), format="rgb24") for n in range(12)]
    wall = videos.encode(tmp_path / "wall.ts", walls).read_bytes()
    face = videos.encode(tmp_path / "face.ts", frames).read_bytes()
    wall = wall.ljust(len(face), b"\0")
    film, file = tmp_path / "foo.ts", Changing(wall, face)
    film.write_bytes(wall)
    about = film.stat()

    def change(path: Path) -> None:
        if kind == "object":
            file.change(path)
        else:
            film.write_bytes(face)
            if kind == "time put back":
                os.utime(film, ns=(about.st_atime_ns, about.st_mtime_ns))

    given = {"object": file, "time put back": film, "address of a file": f"file://{film}"}[kind]
    told = None
    try:
        facered.combined(given, tmp_path / "out", progress=at("analyze", 12, change, film))  # type: ignore[arg-type]
    except facered.ContentMalformedError as error:
        told = str(error)
    if told is not None:
        assert "has changed" in told
        assert not any((tmp_path / "out").iterdir())
    else:  # both passes may have read all of it before
        assert kind != "object"
        for before, after in zip(walls, videos.decode(next((tmp_path / "out").iterdir())), strict=True):
            gray = before.reformat(format="gray").to_ndarray().astype(int)
            assert np.abs(after.reformat(format="gray").to_ndarray() - gray).max() < 8


def test_a_frame_that_the_first_pass_did_not_see_is_an_error(carphone: Path, tmp_path: Path) -> None:
    frames = videos.decode(carphone, 12)
    short, whole = (
        videos.encode(tmp_path / name, some).read_bytes() for name, some in (("a.ts", frames[:9]), ("b.ts", frames))
    )
    file = Changing(short, whole)
    with pytest.raises(facered.ContentMalformedError, match="was not there when the faces were looked for"):
        facered.combined(file, tmp_path / "out", progress=at("analyze", 9, file.change, tmp_path))
    assert not any((tmp_path / "out").iterdir())


def test_of_a_damaged_video_such_a_frame_is_hidden_whole(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a decoder makes of the same damaged bytes need not be the same twice; other bytes stand for that."""
    monkeypatch.setattr(Unchanged, "check", lambda *_: None)
    frames = videos.decode(carphone, 30)
    options = {"g": "15", "bf": "0"}
    short, whole = (
        videos.encode(tmp_path / name, some, options=options).read_bytes()
        for name, some in (("a.ts", frames[:9]), ("b.ts", frames))
    )
    broken = bytearray(whole)
    broken[len(whole) // 4 : len(whole) // 4 + 188] = bytes(188)
    file = Changing(short, bytes(broken))
    result = facered.combined(file, tmp_path / "out", progress=at("analyze", 9, file.change, tmp_path), blur="Black")
    assert result.video_path is not None
    assert result.damaged_frames
    for frame in videos.decode(result.video_path)[10:]:
        assert frame.to_ndarray(format="gray").max() < 24
