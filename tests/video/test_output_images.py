"""Pictures as files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.video.input.file import Reader
from facered.video.output.images import ImageWriter, encode_image
from facered.video.sequence import ImageSequence


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


def test_a_shorter_sequence_replaces_all_of_a_longer_one(carphone: Path, tmp_path: Path) -> None:
    """What begins earlier or goes on without a gap was of the same film; what lies apart is something else."""
    shots = tmp_path / "shots"
    shots.mkdir()
    for number, frame in enumerate(videos.decode(carphone, 3), 1):
        (shots / f"{number}.png").write_bytes(encode_image(frame.reformat(format="rgb24"), "png"))
    out = tmp_path / "out"
    out.mkdir()
    for number in (0, 1, 2, 3, 4, 5, 7, 20260101):
        (out / f"film{number:04d}.png").write_bytes(b"old")
    with pytest.raises(facered.ConfigurationUnsupportedError, match="exists already"):
        facered.combined(shots / "%d.png", out / "film%04d.png")
    assert len(list(out.iterdir())) == 8
    facered.combined(shots / "%d.png", out / "film%04d.png", overwrite=True)
    found = {path.name: path.read_bytes() == b"old" for path in out.iterdir()}
    new = {f"film{number:04d}.png": False for number in (1, 2, 3)}
    assert found == {**new, "film0007.png": True, "film20260101.png": True}


def test_a_sequence_that_fails_leaves_the_older_one_whole(carphone: Path, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(b"old")
    with Reader(carphone) as reader:
        writer = ImageWriter(tmp_path / "%d.png", reader, ImageSequence.named(tmp_path / "%d.png"))
        for frame in videos.decode(carphone, 3):
            writer.write_frame(frame)
        (tmp_path / "1.png").unlink()
        (tmp_path / "1.png").mkdir()
        with pytest.raises(OSError, match="directory"):
            writer.close()
    assert {path.name for path in tmp_path.iterdir()} == {f"{number}.png" for number in range(6)}
    assert all(path.read_bytes() == b"old" for path in tmp_path.iterdir() if path.is_file())


def written(frame: av.VideoFrame, path: Path) -> av.VideoFrame:
    """Return a frame as it comes back from an image file that it is encoded into."""
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base = Fraction(1)
    frame.pts = 0
    source = path.with_name(f"source{path.suffix}" if path.suffix == ".png" else "source.png")
    source.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    with Reader(source) as reader, ImageWriter(path, reader) as writer:
        for item in reader.frames():
            writer.write_frame(item)
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def ramp(kind: type[np.uint8 | np.uint16]) -> NDArray[np.uint8 | np.uint16]:
    """Return a gray picture from black to white."""
    return np.tile(np.linspace(0, np.iinfo(kind).max, 64).astype(kind), (48, 1))


def test_deep_pictures_stay_deep(tmp_path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(ramp(np.uint16), format="gray16le").reformat(format="gray16be")
    back = written(frame, tmp_path / "deep.png")
    assert back.format.name == "gray16be"
    assert len(np.unique(back.reformat(format="gray16le").to_ndarray()[0])) == 64
    np.testing.assert_array_equal(back.reformat(format="gray16le").to_ndarray(), ramp(np.uint16))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_black_stays_black_and_white_stays_white(tmp_path: Path, suffix: str) -> None:
    colours = np.repeat(ramp(np.uint8)[:, :, None], 3, axis=2)
    back = written(av.VideoFrame.from_ndarray(colours, format="rgb24"), tmp_path / f"ramp.{suffix}")
    np.testing.assert_allclose(back.to_ndarray(format="rgb24").astype(int), colours, atol=4)


def test_a_video_with_the_name_of_an_image_is_an_error(carphone: Path, tmp_path: Path) -> None:
    video = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 3))
    source = video.rename(tmp_path / "foo.png")
    with pytest.raises(facered.ContentUnsupportedError, match=r"foo\.png: this is a film, whatever it is called"):
        facered.combined(source, tmp_path / "out")
    assert not list(tmp_path.rglob("*_redacted*"))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize(
    ("codec", "pixel_format", "kind"),
    [("libx264", "yuv420p", "mp4"), ("apng", "rgb24", "apng"), ("gif", "rgb8", "gif"), ("mpeg4", "yuv420p", "avi")],
)
def test_the_old_result_of_an_image_stays_where_it_is_a_film(
    carphone: Path, tmp_path: Path, codec: str, pixel_format: str, kind: str, suffix: str
) -> None:
    source, out = tmp_path / f"foo.{suffix}", tmp_path / "out"
    videos.encode(source, videos.decode(carphone, 3), codec=codec, pixel_format=pixel_format, container_format=kind)
    out.mkdir()
    old = [out / "foo_redacted.png", out / "foo_redacted.jpg"]
    for path in old:
        path.write_text("old")
    with pytest.raises(facered.ContentUnsupportedError, match="this is a film, whatever it is called"):
        facered.combined(source, out, overwrite=True)
    assert sorted(out.iterdir()) == sorted(old)
    assert [path.read_text() for path in old] == ["old", "old"]
    result = facered.combined(source, out / "foo.mp4")
    assert (result.frames, result.people) == (3, 1)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "gif", "avi"])
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_an_image_with_the_name_of_a_film_is_a_film_of_one_frame(
    carphone: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    picture = tmp_path / f"foo.{kind}"
    videos.decode(carphone, 1)[0].save(picture)
    result = facered.combined(picture.rename(tmp_path / f"foo.{suffix}"), tmp_path)
    assert (result.frames, result.people) == (1, 1)
    assert len(videos.decode(tmp_path / "foo_redacted.mp4")) == 1


def test_a_film_of_unknown_length_with_the_name_of_an_image_is_an_error(carphone: Path, tmp_path: Path) -> None:
    film = videos.encode(tmp_path / "foo.h264", videos.decode(carphone, 3), container_format="h264")
    source = film.rename(tmp_path / "foo.png")
    with pytest.raises(facered.ContentUnsupportedError, match=r"foo\.png: this is a film, whatever it is called"):
        facered.combined(source, tmp_path / "out")
    assert not list(tmp_path.rglob("*_redacted*"))


@pytest.mark.parametrize("size", [(30000, 2), (1, 3000)])
def test_a_picture_that_is_a_line_is_an_error(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = av.VideoFrame.from_ndarray(np.zeros(size[::-1], np.uint8), format="gray")
    (tmp_path / "foo.png").write_bytes(encode_image(picture, "png"))
    with pytest.raises(facered.ContentUnsupportedError, match="the picture is a line of"):
        facered.combined(tmp_path / "foo.png", tmp_path / "out")
    assert not (tmp_path / "out").exists()
