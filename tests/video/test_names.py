"""A file's name is a file, whatever is in it."""

from __future__ import annotations

import io
import os
import shutil
import socket
import threading
from fractions import Fraction
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.video.address import is_url
from facered.video.input.file import Reader
from facered.video.input.source import Source
from facered.video.output.images import ImageWriter
from facered.video.output.stream import exists
from facered.video.sequence import ImageSequence

NAMES = [
    "2024-11-14T22:57:44.mp4", "http:host", "concat:a|b", "subfile,,start,0,end,9,,:x", "cache:x.mp4", "pipe:",
    "pipe:0", "file:x", "-x.mp4", "~", "a b ", "new\nline", "[x]*?{y}.mp4", "x#y?z.mp4", "%d.mp4", "it's \"one\"",
    "\udcff.mp4", "a<b>c|d.mp4", "\x1b[31m.mp4", "é" * 125 + ".mp4",
]  # fmt: skip


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("names") / "film.mp4", videos.decode(carphone, 3))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames(path: str | Path) -> int:
    with Reader(path) as reader:
        return sum(1 for _ in reader.frames())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_opened_under_its_own_name(film: Path, name: str) -> None:
    shutil.copy(film, name)
    assert frames(name) == 3
    with Source(name).open() as container:
        assert len(list(container.decode(video=0))) == 3


def test_an_address_is_one_only_where_no_file_has_that_name(film: Path) -> None:
    assert is_url("http://host/film.mp4")
    assert not exists("http://host/film.mp4")
    Path("http:", "host").mkdir(parents=True)
    shutil.copy(film, "http://host/film.mp4")
    assert not is_url("http://host/film.mp4")
    assert exists("http://host/film.mp4")
    assert not Source("http://host/film.mp4").live
    assert [is_url(name) for name in ("http:host", "film.mp4", "://x", "1://x")] == [False] * 4


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "film.mp4/x"])
def test_what_cannot_be_a_name_is_a_wrong_call(film: Path, name: str) -> None:
    shutil.copy(film, "a")
    shutil.copy(film, "film.mp4")
    with pytest.raises(facered.ConfigurationUnsupportedError, match="cannot be read"):
        Reader(name)


def test_a_pipe_is_not_waited_for(here: Path) -> None:
    os.mkfifo("film.mp4")
    with pytest.raises(facered.ConfigurationUnsupportedError, match="this is a pipe"):
        Reader(here / "film.mp4")


def picture(path: Path, width: int) -> None:
    av.VideoFrame(width, 48, "rgb24").save(path)


@pytest.mark.parametrize(
    "name",
    [
        "my%20photo.png",
        "100%.png",
        "50%off.png",
        "c%s.png",
        pytest.param("x%999999999d.png", marks=pytest.mark.soak),
        "%5d.png",
        "%d%d.png",
        "50%*.png",
    ],
)
def test_other_percent_signs_are_themselves(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert ImageSequence.of(path) is None
    picture(path, 64)
    assert frames(path) == 1
    with Reader(path) as reader, ImageWriter(tmp_path / f"out_{name}", reader) as writer:
        for frame in reader.frames():
            writer.write_frame(frame)
    assert {path.name for path in tmp_path.iterdir()} == {name, f"out_{name}"}


@pytest.mark.parametrize(("name", "found"), [("%d.jpg", True), ("%02d.TIFF", True), ("%d.mp4", False), ("%d", False)])
def test_only_images_have_patterns(tmp_path: Path, name: str, found: bool) -> None:
    assert (ImageSequence.of(tmp_path / name) is not None) == found


@pytest.mark.parametrize("directory", [".", "d%02d:%%"])
def test_a_pattern_is_one_only_where_no_file_has_that_name(directory: str) -> None:
    folder = Path(directory)
    folder.mkdir(exist_ok=True)
    for number in (1, 2):
        picture(folder / f"100%:{number:03d}.png", 64)
    pattern = folder / "100%:%03d.png"
    assert frames(pattern) == 2
    picture(pattern, 32)
    assert frames(pattern) == 1
    with Reader(pattern) as reader:
        assert reader.info.width == 32


def test_a_film_of_its_own_is_not_a_pattern_of_pictures(carphone: Path, tmp_path: Path) -> None:
    path = videos.encode(tmp_path / "x.gif", videos.decode(carphone, 3), codec="gif", pixel_format="rgb8")
    assert frames(path.rename(tmp_path / "%02d.gif")) == 3


def test_one_name_takes_one_picture(carphone: Path, tmp_path: Path) -> None:
    with Reader(carphone) as reader:
        writer = ImageWriter(tmp_path / "one.png", reader)
        first, second = videos.decode(carphone, 2)
        writer.write_frame(first)
        with pytest.raises(facered.ContentUnsupportedError, match="more than one picture"):
            writer.write_frame(second)
        writer.discard()
    assert not list(tmp_path.iterdir())


class TestListsOfOtherFiles:
    @pytest.fixture
    def playlist(self, carphone: Path) -> Path:
        with av.open("list.m3u8", "w", format="hls", options={"hls_time": "0.2", "hls_list_size": "0"}) as output:
            video = output.add_stream("libx264", rate=25, options={"g": "5"})
            video.width, video.height, video.pix_fmt = 176, 144, "yuv420p"
            for number, frame in enumerate(videos.decode(carphone, 10)):
                frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
        return Path("list.m3u8")

    def test_a_playlist_is_played_where_that_is_asked_for_by_name(self, playlist: Path) -> None:
        with Reader(playlist, container_format="hls") as reader:
            assert len(list(reader.frames())) == 10
        result = facered.combined(shutil.copy(playlist, "12:30.m3u8"), "out", input_format="hls")
        assert result.frames == 10
        with Source("list.m3u8", "hls").open() as container:
            assert len(list(container.decode(video=0))) == 10

    def test_without_it_is_refused_and_the_way_is_said(self, playlist: Path) -> None:
        with pytest.raises(facered.ContentUnsupportedError, match=r"a list of other files; .* --input-format hls"):
            facered.combined(playlist, "out")
        assert not Path("out").exists()
        with pytest.raises(facered.ContentMalformedError):
            Source("list.m3u8").open()

    @pytest.mark.parametrize(("name", "message"), [("nope", "no such format"), ("lavfi", "facered pipe reads devices")])
    def test_other_formats_by_name(self, film: Path, name: str, message: str) -> None:
        with pytest.raises(facered.ConfigurationUnsupportedError, match=message):
            facered.combined(film, "out", input_format=name)
        assert facered.combined(film, "out", input_format="mov").frames == 3

    @pytest.mark.parametrize("text", [None, "ffconcat version 1.0\nfile list0.ts\n"])
    def test_what_is_called_a_film_opens_no_other_file(self, playlist: Path, text: str | None) -> None:
        path = Path("film.mp4")
        path.write_text(text or playlist.read_text())
        with pytest.raises(facered.ContentUnsupportedError, match="a list of other files"):
            Reader(path)
        with pytest.raises(facered.ContentMalformedError, match="not a readable video"):
            Reader("video", opened=io.BytesIO(path.read_bytes()))

    def test_no_file_reaches_the_network(self) -> None:
        path, received = Path("list.m3u8"), [b""]

        def answer() -> None:
            while received[-1] != b"x":
                connection, _ = server.accept()
                with connection:
                    received.append(connection.recv(1))

        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            thread = threading.Thread(target=answer)
            thread.start()
            path.write_text(
                f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
            )
            with pytest.raises(facered.FaceredError):
                Reader(path, container_format="hls")
            with socket.create_connection(("127.0.0.1", port)) as call:
                call.sendall(b"x")
            thread.join()
        assert received == [b"", b"x"]  # nobody else has called
