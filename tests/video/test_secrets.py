"""What came from strangers reads no file of this machine: not as a file, not down a pipe, not from an address."""

from __future__ import annotations

import http.server
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import av
import pytest
from av.container import InputContainer

import facered
import videos
from facered.video.input.file import Reader
from facered.video.input.source import Source
from thinned import thinned

WIDTH = 94
"""Of the secret film, and of no other."""


@pytest.fixture
def secret(carphone: Path, tmp_path: Path) -> Path:
    """Return a film that nobody named."""
    (tmp_path / "private").mkdir()
    frames = [videos.enlarge(frame, WIDTH, 64) for frame in videos.decode(carphone, 5)]
    return videos.encode(tmp_path / "private" / "secret.ts", frames)


def lists(secret: Path) -> dict[str, bytes]:
    """Return what reads it, by kind."""
    playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.2,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "playlist": playlist.format(secret).encode(),
        "playlist of URLs": playlist.format(f"file://{secret}").encode(),
        "playlist of protocols": playlist.format(f"concat:{secret}|{secret}").encode(),
        "playlist of lists": playlist.format(f"subfile,,start,0,end,999999,,:{secret}").encode(),
        "script": f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
        "script beside it": b"ffconcat version 1.0\nfile private/secret.ts\n",
        "session": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video {secret} RTP/AVP 96\n".encode(),
        "manifest": f'<?xml version="1.0"?><MPD><Period><BaseURL>{secret}</BaseURL></Period></MPD>'.encode(),
    }


KINDS = list(lists(Path("x")))
NAMES = ["foo.mp4", "foo.m3u8", "foo.ffconcat", "foo.sdp", "foo.mpd", "foo.png", "foo%02d.png", "foo"]


def assert_harmless(open_it: Callable[[], InputContainer]) -> None:
    """Make sure that what is opened is not the secret; it may be nothing, such as a list of which nothing is left."""
    try:
        container = open_it()
    except facered.FaceredError:
        return
    with container:
        widths = [stream.codec_context and stream.codec_context.width for stream in container.streams.video]
        assert WIDTH not in widths
        with suppress(av.FFmpegError):
            assert all(frame.width != WIDTH for frame in container.decode(video=0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_reads_no_other(secret: Path, tmp_path: Path, kind: str) -> None:
    for name in NAMES:
        path = tmp_path / name
        path.write_bytes(lists(secret)[kind])
        with pytest.raises(facered.FaceredError) as caught:
            facered.combined(path, tmp_path / "out")
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()
        with pytest.raises(facered.FaceredError):
            Reader("video", opened=io.BytesIO(path.read_bytes()))
        for address in (str(path), f"file://{path}"):
            assert_harmless(Source(address).open)
        path.unlink()


@pytest.mark.parametrize("kind", thinned(KINDS))
def test_a_pipe_reads_no_file(secret: Path, tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-m", "facered", "pipe", "-o", "out.mkv"]
    done = subprocess.run(command, input=lists(secret)[kind], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 3
    assert not (tmp_path / "out.mkv").exists()


@contextmanager
def served(content: bytes, calls: list[object] | None = None) -> Iterator[str]:
    """Serve something to everybody who connects, and count them in `calls`."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            (calls if calls is not None else []).append(connection)
            with connection, suppress(OSError):
                connection.sendall(content)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_reads_no_file(secret: Path, kind: str) -> None:
    with served(lists(secret)[kind]) as address:
        assert_harmless(lambda: Reader("video", opened=address).container)
        assert_harmless(Source(address).open)


def test_a_script_of_the_network_that_names_itself_is_not_followed() -> None:
    calls: list[object] = []
    with served(b"ffconcat version 1.0\nfile a.ts\n", calls) as address, pytest.raises(facered.FaceredError):
        Source(address).open()
    assert len(calls) == 1


def test_a_playlist_of_the_network_is_played(secret: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "private" / "list.m3u8"
    playlist.write_bytes(lists(secret)["playlist"].replace(str(secret).encode(), b"secret.ts"))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(secret.parent))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        with Reader("video", opened=f"{address}/list.m3u8") as reader:
            assert len(list(reader.frames())) == 5
        playlist.write_bytes(lists(secret)["playlist of URLs"])
        with pytest.raises(facered.FaceredError):
            Reader("video", opened=f"{address}/list.m3u8")
        running.shutdown()
